"""How a live sensor says that it fares: states, alarms, stats and metrics."""
import json
import re
import signal
import socket
import struct
import subprocess
import time

from bed import PORTENT, Sensor, Story, Tool, Watched, ip, run, wait_for
import frames


class Health(Watched):
    # ---- states ----

    def test_the_life_of_a_sensor(self):
        sensor = self.start()
        wait_for(lambda: len(self.states(sensor)) >= 2, "it does not say that it runs")
        status, _ = sensor.stop()
        self.assertEqual(status, 0)
        states = self.states(sensor)
        self.assertEqual([d["event"]["action"] for d in states],
                         ["sensor_state", "sensor_started", "sensor_stopped"])
        self.assertEqual([d["portent"]["state"] for d in states],
                         ["starting", "running", "stopping"])
        self.assertEqual([d["event"]["kind"] for d in states], ["state", "event", "event"])
        self.assertEqual(states[1]["message"], "Sensor started, capturing on s0")
        self.assertEqual(states[2]["event"]["reason"], "SIGTERM")
        self.assertEqual(states[2]["event"]["outcome"], "success")
        self.assertEqual(states[1]["process"]["pid"], sensor.pid)
        self.assertEqual(states[1]["portent"]["rules"]["count"],
                         len(re.findall("^rule ", run(PORTENT, "-T").stdout, re.M)))
        self.assertEqual(len({d["event"]["id"] for d in states}), 3)

    def test_the_hash_of_the_configuration_is_that_of_print_config(self):
        sensor = self.start()
        wait_for(lambda: len(self.states(sensor)) >= 2, "it does not say that it runs")
        words = [*self.words(), "-i", "s0", "--format", "ecs", "-o", sensor.output,
                 "--stats", sensor.stats_path]
        printed = json.loads(run(PORTENT, *words, "--print-config").stdout)
        self.assertEqual(self.states(sensor)[1]["portent"]["config"]["hash"], printed["# sha256"])

    def test_int_is_another_reason(self):
        sensor = self.start()
        self.assertEqual(sensor.stop(signal.SIGINT)[0], 0)
        self.assertEqual(self.states(sensor)[-1]["event"]["reason"], "SIGINT")

    def test_a_start_that_fails_says_so(self):
        sensor = Sensor(self, interfaces=("nowhere0",), ready=False)
        self.assertEqual(sensor.process.wait(timeout=10), 3)
        state = self.states(sensor)[-1]
        self.assertEqual((state["event"]["action"], state["event"]["outcome"]),
                         ("sensor_stopped", "failure"))
        self.assertIn("nowhere0", state["event"]["reason"])

    # ---- stats and metrics ----

    def test_stats_come_by_themselves_and_when_they_are_asked_for(self):
        sensor = self.start("--metrics", self.path("portent.prom"))
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)

        def stats():
            return [d["portent"]["stats"] for d in sensor.documents()
                    if d["event"]["dataset"] == "portent.stats"]
        wait_for(lambda: len(stats()) >= 2, "no stats of themselves")
        last = stats()[-1]
        self.assertEqual(last["capture"]["packets"], 3)
        self.assertEqual(last["capture"]["received"], 3)
        self.assertEqual(last["capture"]["dropped"], 0)
        self.assertEqual(last["syn"], {"eligible": 1, "preceded_by_answer": 1,
                                       "preceded_share": 1.0})
        self.assertGreater(last["memory"]["bytes"], 1 << 20)
        self.assertGreater(last["uptime"], 1e9)
        count = len(stats())
        sensor.send_signal(signal.SIGUSR1)
        wait_for(lambda: len(stats()) > count, "no stats on USR1", 0.9)

    def test_metrics_are_those_of_the_stats(self):
        path = self.path("portent.prom")
        sensor = self.start("--metrics", path, no_packets="2s")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        wait_for(lambda: "portent_capture_packets_total 3\n" in path.read_text(), "no metrics")
        text = path.read_text()
        self.assertIn("\nportent_alert_generated_total 1\n", text)
        self.assertIn('\nportent_alarm_active{alarm="no_packets"} 0\n', text)
        wait_for(lambda: '\nportent_alarm_active{alarm="no_packets"} 1\n' in path.read_text(),
                 "no alarm in the metrics")
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) portent_\w+ .+|portent_\w+(\{.*\})? [0-9.]+)$')
        checked = subprocess.run(["promtool", "check", "metrics"], input=path.read_text(),
                                 capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        self.assertEqual(path.stat().st_mode & 0o7, 0, "not for others")

    def test_metrics_that_cannot_be_written_are_said_once(self):
        sensor = self.start("--metrics", "/nowhere/portent.prom")
        time.sleep(2.5)
        self.assertEqual(sensor.count_said("/nowhere/portent.prom: No such file or directory"), 1)

    # ---- alarms ----

    def test_lost_lines_are_told_when_the_output_recovers(self):
        """How many, and over how long: in a state document, which reaches the other output."""
        address = self.folder / "reader"
        sensor = Sensor(self, "-o", f"unix:{address}", "--spool-size", "0", "--queue-size", "64K",
                        "--log", "alert,state")
        for _ in range(60):  # no burst: the queue of the file beside is as small
            self.wire.send(*Story().all())
            time.sleep(0.01)
        sensor.wait_alerts(60)
        time.sleep(1)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen()
            reader, _ = listener.accept()
            reader.settimeout(0.05)

            def recovered():
                try:
                    reader.recv(1 << 20)
                except TimeoutError:
                    pass
                return [d for d in self.states(sensor)
                        if d["event"]["action"] == "output_recovered"]

            told = wait_for(recovered, f"it does not recover: {sensor.said()}")
            lost = sensor.stop()[1]["outputs"][1]["dropped"]["peer_down"]
            reader.close()
        self.assertGreater(lost, 0)
        self.assertEqual(sum(d["portent"]["alarm"]["count"] for d in told), lost)
        self.assertEqual(told[0]["portent"]["alarm"]["subject"], f"unix:{address}")
        self.assertGreaterEqual(told[0]["event"]["duration"], 1_000_000_000)
        self.assertLess(told[0]["event"]["duration"], 30_000_000_000)
        self.assertIn(f"{lost} lines were lost", told[0]["event"]["reason"])

    def test_no_packets(self):
        sensor = self.start(no_packets="1s")
        alarm = self.wait_alarm(sensor, "no_packets", True)
        self.assertEqual(alarm["portent"]["state"], "degraded")
        self.assertEqual(alarm["log"]["level"], "warning")
        self.assertGreaterEqual(alarm["event"]["duration"], 1_000_000_000)
        self.assertEqual(sensor.count_said("no_packets: no packet for 1 s"), 1)
        self.wire.send(*Story().all())
        alarm = self.wait_alarm(sensor, "no_packets", False)
        self.assertEqual(alarm["portent"]["state"], "running")
        self.told_once(sensor, "no_packets")

    def test_no_answers_and_no_syns(self):
        sensor = self.start(no_dns_answers="1s", no_syns="1s")
        story = Story()
        self.keep_on(sensor, "no_dns_answers", True, lambda: [story.syn()])
        self.assertEqual(self.alarms(sensor, "no_syns"), [])
        self.keep_on(sensor, "no_syns", True, lambda: [story.query(), story.answer()])
        self.wait_alarm(sensor, "no_dns_answers", False)
        self.wire.send(story.syn())
        self.wait_alarm(sensor, "no_syns", False)

    def test_a_link_that_is_down_is_the_reason_for_no_packets(self):
        sensor = self.start(no_packets="3s")
        ip("link set s0 down")
        down = self.wait_alarm(sensor, "link_down", True)
        self.assertEqual(down["event"]["action"], "link_down")
        self.assertEqual(down["event"]["outcome"], "failure")
        self.assertEqual(down["portent"]["state"], "degraded")
        self.assertEqual(down["portent"]["alarm"]["subject"], "s0")
        self.assertEqual(down["observer"]["ingress"]["interface"]["name"], "s0")
        time.sleep(4.5)
        self.assertEqual(self.alarms(sensor, "no_packets"), [])
        ip("link set s0 up")
        up = self.wait_alarm(sensor, "link_down", False)
        self.assertEqual(up["event"]["action"], "link_up")
        self.told_once(sensor, "link_down")

    def test_an_interface_that_vanishes(self):
        sensor = self.start()
        self.wire.cut()
        gone = self.wait_alarm(sensor, "capture_failed", True)
        self.assertEqual(gone["event"]["action"], "capture_failed")
        self.wire.make()
        self.wait_alarm(sensor, "capture_failed", False)
        self.told_once(sensor, "capture_failed")

    def test_answers_without_queries(self):
        sensor = self.start()

        def one_way():
            return [Story().answer()]

        def both():
            story = Story()
            return [story.query(), story.answer()]
        self.keep_on(sensor, "answers_without_queries", True, one_way)
        self.keep_on(sensor, "answers_without_queries", False, both)
        self.told_once(sensor, "answers_without_queries")

    def test_above_a_resolver(self):
        sensor = self.start()
        resolver = bytes([10, 9, 9, 9])

        def above():
            """The resolver is given it, one of its clients connects."""
            story = Story(port=443)
            asked = Story(client=resolver, port=443)
            return [asked.query(), asked.answer(), story.syn()]

        def below():
            story = Story(port=443)
            return story.all()
        alarm = self.keep_on(sensor, "above_resolver", True, above)
        self.assertIn("dns_confirmed and dns_other_address are impossible",
                      alarm["event"]["reason"])
        self.keep_on(sensor, "above_resolver", False, below)
        self.told_once(sensor, "above_resolver")

    def test_answers_that_the_snapshot_length_cuts(self):
        sensor = self.start("-s", "96")

        def long_ones():
            story = Story()
            return [story.query(), story.answer(padding=268)]
        alarm = self.keep_on(sensor, "answers_truncated", True, long_ones)
        self.assertGreater(alarm["portent"]["alarm"]["count"], 0)

    def test_an_encapsulation_that_is_not_read(self):
        sensor = self.start()
        # GRE version 1 (RFC 2637) carries PPTP, whose PPP is mostly compressed or encrypted.
        pptp = frames.ethernet(frames.ip(bytes([10, 0, 0, 1]), bytes([192, 0, 2, 1]), 47,
                                         struct.pack(">HHHH", 0x2001, 0x880b, 4, 1) + b"\0" * 8))
        alarm = self.keep_on(sensor, "unread_encapsulation", True, lambda: [pptp])
        self.assertIn("47", alarm["portent"]["alarm"]["subject"])
        self.wait_alarm(sensor, "unread_encapsulation", False)
        self.told_once(sensor, "unread_encapsulation")

    def test_packets_that_the_kernel_dropped(self):
        sensor = self.start("--ring-size", "1M")
        sensor.send_signal(signal.SIGSTOP)
        Tool(self, "send", "a0", 100000, 0, ready=False).numbers()
        sensor.send_signal(signal.SIGCONT)
        alarm = self.wait_alarm(sensor, "packets_dropped", True)
        self.wait_alarm(sensor, "packets_dropped", False)
        self.told_once(sensor, "packets_dropped")
        _, stats = sensor.stop()
        self.assertEqual(alarm["portent"]["alarm"]["count"], stats["capture"]["dropped"])
        self.assertEqual(stats["capture"]["received"],
                         stats["capture"]["packets"] + stats["capture"]["dropped"])
