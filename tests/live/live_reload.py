"""Signals to a live sensor: rules, lists and configuration read anew, and the end of the run."""
import json
import os
import pathlib
import signal
import tempfile
import threading
import time

from bed import Case, Sensor, Story, Tool, run, wait_for

APT12 = "o1 * o2 + o3"    # 198.51.100.23 -> 10198
OTHER = "o1 * o2 + o4"    # 198.51.100.23 -> 10121


def rule(name, port, **more):
    return json.dumps({"id": name, "name": f"the rule {name}", "port": port,
                       "limits": {"ports": ["4096-49151"]}, **more})


class Reload(Case):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-reload-"))
        self.addCleanup(run, "rm", "-rf", self.folder)
        self.rules = self.folder / "rules"
        self.rules.mkdir()
        self.write("rules/a.json", rule("apt12", APT12))
        self.config = self.write("portent.json", "{}")

    def write(self, name, text):
        """Replaced as a whole, as an editor or a package does it."""
        path = self.folder / name
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").rename(path)
        return path

    def start(self, *words):
        return Sensor(self, "-R", self.rules, "-c", self.config, *words)

    def states(self, sensor, action):
        return [d for d in sensor.documents() if d["event"]["action"] == action]

    def hup(self, sensor, action="sensor_reloaded"):
        before = len(self.states(sensor, action))
        sensor.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.states(sensor, action)) > before,
                 f"no {action}: {sensor.said()}")
        return self.states(sensor, action)[-1]

    # ---- rules ----

    def test_what_clients_were_given_meets_the_new_rules(self):
        sensor = self.start()
        old, new = Story(), Story(port=10121)
        self.wire.send(*old.all(), new.query(), new.answer())
        sensor.wait_alerts(1)
        first = self.states(sensor, "sensor_started")[0]["portent"]["rules"]
        self.write("rules/a.json", rule("other", OTHER))
        state = self.hup(sensor)
        self.assertEqual(state["event"]["outcome"], "success")
        self.assertEqual(state["portent"]["rules"]["count"], 1)
        self.assertNotEqual(state["portent"]["rules"]["hash"], first["hash"])
        self.wire.send(new.syn(), Story().syn())
        alert = sensor.wait_alerts(2)[-1]
        self.assertEqual((alert["rule"]["id"], alert["portent"]["verdict"]),
                         ("other", "dns_confirmed"))
        time.sleep(0.3)
        self.assertEqual(len(sensor.alerts()), 2, "apt12 is gone")
        self.assertEqual(sensor.stop()[0], 0)

    def test_a_bad_set_is_refused_with_its_place_and_the_old_one_goes_on(self):
        sensor = self.start()
        self.write("rules/b.json", '{"id": "b",\n "name": "b", "port": "o1 +"}')
        refused = self.hup(sensor, "sensor_reload_refused")
        self.assertEqual(refused["event"]["outcome"], "failure")
        self.assertRegex(refused["error"]["message"], r"b\.json:2:\d+: ")
        sensor.wait_said(f"{self.rules}/b.json:2:")
        sensor.wait_said("are refused, the old ones go on")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        (self.rules / "b.json").unlink()
        self.hup(sensor)

    def test_rules_that_are_gone_are_refused(self):
        sensor = self.start()
        (self.rules / "a.json").unlink()
        self.hup(sensor, "sensor_reload_refused")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)

    # ---- configuration and lists ----

    def test_what_can_change_changes_and_what_cannot_is_said(self):
        sensor = self.start()
        private = Story("192.168.33.1", 192 * 168 + 33)
        self.wire.send(*private.all())
        self.write("rules/a.json", rule("apt12", APT12, limits={
            "ports": ["4096-49151"], "exclude_destinations": ["192.168.0.0/16"]}))
        self.write("portent.json", '{"lab": true, "memory": "128M", "window": "20m"}')
        self.hup(sensor)
        sensor.wait_said("memory cannot change while the sensor runs: it stays as it was")
        sensor.wait_said("window cannot change while the sensor runs")
        self.assertEqual(sensor.count_said("lab cannot change"), 0)
        self.wire.send(*Story("192.168.33.2", 192 * 168 + 33).all())
        alert = sensor.wait_alerts(2)[-1]
        self.assertEqual(alert["destination"]["ip"], "192.168.33.2", "in a lab it counts")

    def test_a_bad_configuration_is_refused_whole(self):
        sensor = self.start()
        self.write("rules/a.json", rule("other", OTHER))
        self.write("portent.json", '{"lab": true,\n "throttel": "5m"}')
        refused = self.hup(sensor, "sensor_reload_refused")
        self.assertRegex(refused["error"]["message"], r"portent\.json:2:2: .*throttle")
        self.wire.send(*Story().all())
        (alert,) = sensor.wait_alerts(1)
        self.assertEqual(alert["rule"]["id"], "apt12", "not the new rules either")

    def test_allow_lists_are_read_anew(self):
        allow = self.write("allow.txt", "203.0.113.0/24\n")
        sensor = self.start("--allow-destinations", allow)
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.write("allow.txt", "198.51.100.0/24\n")
        self.hup(sensor)
        self.wire.send(*Story().all())
        time.sleep(0.5)
        self.assertEqual(len(sensor.alerts()), 1)
        self.write("allow.txt", "198.51.100.0/33\n")
        self.hup(sensor, "sensor_reload_refused")

    def test_the_log_is_opened_anew(self):
        sensor = self.start()
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        rotated = sensor.output.with_suffix(".1")
        sensor.output.rename(rotated)
        sensor.send_signal(signal.SIGHUP)
        wait_for(lambda: self.states(sensor, "sensor_reloaded"), "nothing in the new file")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.assertEqual(sensor.stop()[0], 0)
        ids = [json.loads(line)["event"].get("id") for path in (rotated, sensor.output)
               for line in path.read_text().splitlines() if '"alert"' in line]
        self.assertEqual(len(ids), len(set(ids)))

    # ---- under way ----

    def test_no_alert_is_lost_while_rules_are_read_anew_again_and_again(self):
        sensor = self.start()
        end = threading.Event()

        def storm():
            while not end.is_set():
                sensor.send_signal(signal.SIGHUP)
                time.sleep(0.05)
        thread = threading.Thread(target=storm)
        thread.start()
        try:
            for _ in range(500):
                self.wire.send(*Story().all())
                time.sleep(0.004)
        finally:
            end.set()
            thread.join()
        sensor.wait_alerts(500)
        self.assertGreater(sensor.count_said("read anew"), 5)
        self.assertEqual(sensor.stop()[0], 0)
        alerts = sensor.alerts()
        self.assertEqual(len(alerts), 500)
        self.assertEqual({a["portent"]["verdict"] for a in alerts}, {"dns_confirmed"})

    def test_a_storm_of_signals_is_harmless(self):
        sensor = self.start()
        began, sent = time.monotonic(), 0
        while time.monotonic() < began + 2 or sent <= 1000:
            sensor.send_signal(signal.SIGHUP if sent % 2 else signal.SIGUSR1)
            if sent % 20 == 0:
                self.wire.send(*Story().all())
            sent += 1
            time.sleep(0.0008)
        sensor.wait_alerts((sent + 19) // 20)
        self.assertLessEqual(len(self.states(sensor, "sensor_reloaded")),
                             5 * (time.monotonic() - began) + 2, "five a second")
        began = time.monotonic()
        self.assertEqual(sensor.stop()[0], 0)
        self.assertLess(time.monotonic() - began, 2)

    def test_no_signal_waits_for_a_flood_to_end(self):
        """Packets come without a gap: there is always something to do, and signals are seen."""
        sensor = self.start("--log", "alert,stats,state")
        flood = Tool(self, "send", "a0", 100_000_000, 0, ready=False)
        for pid in sensor.pid, flood.process.pid:  # one core for both: the sensor lags behind
            os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
        time.sleep(1)
        self.hup(sensor)
        sensor.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.states(sensor, "sensor_stats"), "no stats")
        began = time.monotonic()
        status, stats = sensor.stop()
        self.assertLess(time.monotonic() - began, 2)
        self.assertIsNone(flood.process.poll(), "the flood is over")
        self.assertEqual(status, 0)
        self.assertGreater(stats["capture"]["packets"], 10000)

    def test_the_end_comes_soon_and_with_every_alert(self):
        for number in signal.SIGTERM, signal.SIGINT:
            sensor = self.start()
            stories = [Story() for _ in range(300)]
            for story in stories:
                self.wire.send(*story.all())
            began = time.monotonic()
            status, stats = sensor.stop(number)
            self.assertLess(time.monotonic() - began, 2)
            self.assertEqual(status, 0)
            self.assertEqual(len(sensor.alerts()), 300)
            self.assertEqual(stats["capture"]["packets"], 900)
            self.assertEqual(sensor.documents()[-1]["event"]["action"], "sensor_stopped")
