"""Fault 35: the sensor stands still, the wall clock is set, the machine was suspended.

Nobody can set the clock of a namespace, so a preloaded library (step.c) moves what the sensor reads
of it, and the time stamps of packets with it: the names of those tests say so. Each says what is
lost, and its number is exact.
"""
import datetime
import os
import pathlib
import re
import signal
import socket
import struct
import time

from bed import BUILD, Story, Watched, ip, wait_for

STALL = float(os.environ.get("PORTENT_STALL_SECONDS", "4"))
HOUR = 3600
DECADE = 10 * 365 * 24 * HOUR
SECOND = 10**9


class Manager:
    """What systemd is to the sensor: a socket that hears its signs of life."""

    def __init__(self, test):
        self.path = test.folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        test.addCleanup(self.socket.close)

    def beats(self):
        """How many signs of life since the last call."""
        count = 0
        while True:
            try:
                count += self.socket.recv(4096).startswith(b"WATCHDOG=1")
            except BlockingIOError:
                return count

    def wait_beats(self, count):
        heard = 0

        def enough():
            nonlocal heard
            heard += self.beats()
            return heard >= count
        wait_for(enough, lambda: f"{heard} signs of life, not {count}")


class Time(Watched):
    """Stats come each second, and a sign of life three times a second."""

    def setUp(self):
        super().setUp()
        self.manager = Manager(self)
        self.step_path = self.path("step", "\0" * 24)

    def step(self, seconds):
        with open(self.step_path, "r+b") as file:
            file.write(struct.pack("=3q", 0, time.time_ns(), seconds * SECOND))

    def before(self):
        return ("env", f"LD_PRELOAD={BUILD}/tests/libstep.so", f"STEP={self.step_path}",
                f"NOTIFY_SOCKET={self.manager.path}", "WATCHDOG_USEC=999999")

    def watch(self, ring="16M"):
        """No alarm is due as long as the tests here take."""
        return self.start("--ring-size", ring, "--log", "alert,stats,state", no_packets="50s",
                          no_dns_answers="50s", no_syns="50s")

    def stats(self, sensor):
        return [d for d in sensor.documents() if d["event"]["dataset"] == "portent.stats"]

    def goes_on(self, sensor, *known):
        """Signs of life and stats come as before, no more of them and no fewer; nothing is amiss."""
        self.manager.beats()
        self.manager.wait_beats(3)
        began, before = time.monotonic(), len(self.stats(sensor))
        wait_for(lambda: len(self.stats(sensor)) >= before + 2, "no stats")
        self.assertLessEqual(len(self.stats(sensor)) - before, time.monotonic() - began + 2)
        self.assertEqual([d["portent"]["alarm"]["name"] for d in self.alarms(sensor)
                          if d["portent"]["alarm"]["name"] not in known], [])

    def ends(self, sensor, frames):
        """All frames were taken, or lost and counted, and every line is in the file: how many."""
        status, stats = sensor.stop()
        self.assertEqual(status, 0, sensor.said())
        capture = stats["capture"]
        self.assertEqual(capture["received"], frames)
        self.assertEqual(capture["packets"] + capture["dropped"], frames)
        output = stats["output"]
        self.assertEqual(output["generated"], len(sensor.documents()))
        self.assertEqual(output["delivered"], output["generated"])
        return capture["dropped"]

    # ---- it stands still ----

    def halt(self, sensor):
        sensor.send_signal(signal.SIGSTOP)
        status = pathlib.Path(f"/proc/{sensor.pid}/status")
        wait_for(lambda: re.search(r"^State:\s+T", status.read_text(), re.M),
                 "it does not stand still")

    def stall(self, seconds, ring):
        """It stands still while the wire carries 50 stories a second: how many those were."""
        sensor = self.watch(ring)
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.halt(sensor)
        self.manager.beats()
        end, count, told = time.monotonic() + seconds, 1, len(self.stats(sensor))
        while time.monotonic() < end:
            self.wire.send(*Story().all())
            count += 1
            time.sleep(0.02)
        self.assertEqual(self.manager.beats(), 0, "a sign of life of what stands still")
        self.assertEqual(len(sensor.alerts()), 1)
        sensor.send_signal(signal.SIGCONT)
        began = time.monotonic()
        wait_for(lambda: len(self.stats(sensor)) > told, "no stats")
        self.assertLessEqual(len(self.stats(sensor)) - told, time.monotonic() - began + 2,
                             "stats that were missed are not made up for")
        return sensor, count

    def test_35_stalled_for_less_than_the_ring_holds(self):
        """A ring of 64 MiB has 256 blocks, and the kernel gives a block away each 20 ms: 5 seconds
        of slow traffic. Nothing is lost.
        """
        sensor, count = self.stall(1, "64M")
        sensor.wait_alerts(count)
        self.goes_on(sensor)
        self.assertEqual(len(sensor.alerts()), count)
        self.assertEqual({a["portent"]["verdict"] for a in sensor.alerts()}, {"dns_confirmed"})
        self.assertEqual(self.ends(sensor, 3 * count), 0)

    def test_35_stalled_for_longer(self):
        """What no block is left for is lost, the last of it, and the number is told and exact.

        `tests/run stall` does this for 60 seconds.
        """
        sensor, count = self.stall(STALL, "8M")  # 32 blocks: not two thirds of a second
        alarm = self.wait_alarm(sensor, "packets_dropped", True)
        self.wait_alarm(sensor, "packets_dropped", False)
        self.told_once(sensor, "packets_dropped")
        story = Story()
        self.wire.send(*story.all())
        wait_for(lambda: sensor.alerts()[-1]["source"]["ip"] == socket.inet_ntoa(story.client),
                 "no alert afterwards")
        self.goes_on(sensor, "packets_dropped")
        found = len(sensor.alerts())
        lost = self.ends(sensor, 3 * (count + 1))
        self.assertGreater(lost, 0)
        self.assertEqual(alarm["portent"]["alarm"]["count"], lost)
        self.assertEqual(found, (3 * (count + 1) - lost) // 3)

    # ---- the clock is set ----

    def around(self, between):
        """Matches before, across and after: what became of those across, and the last alert."""
        sensor = self.watch()
        held, across, after = Story(), Story("198.51.100.24"), Story("198.51.100.25")
        across.port = after.port = 198 * 51 + 100
        self.wire.send(*held.all(), across.query(), across.answer())
        sensor.wait_alerts(1)
        between(sensor)
        self.wire.send(*after.all())  # of the first two it is learned that the clock was set
        sensor.wait_alerts(2)
        self.wire.send(across.syn(), held.syn(sequence=2))
        sensor.wait_alerts(3)
        self.goes_on(sensor)
        found = sensor.alerts()
        self.assertEqual(self.ends(sensor, 10), 0)

        def verdicts(story):
            return [a["portent"]["verdict"] for a in found
                    if a["source"]["ip"] == socket.inet_ntoa(story.client)]
        self.assertEqual(verdicts(after), ["dns_confirmed"])
        [last] = [a for a in found if a["source"]["ip"] == socket.inet_ntoa(after.client)]
        self.uptime = self.stats(sensor)[-1]["portent"]["stats"]["uptime"]
        repeats = sum(d["portent"]["suppressed_count"] for d in sensor.documents()
                      if d["event"]["action"] == "dns_calculation_repeats")
        return verdicts(across), verdicts(held), repeats, last

    def has_time(self, alert, seconds):
        """It says the time that the wall clock shows."""
        said = datetime.datetime.fromisoformat(alert["@timestamp"][:19] + "+00:00").timestamp()
        self.assertLess(abs(said - time.time() - seconds), 60)
        self.assertLess(self.uptime, 300 * SECOND)

    def forgets(self, seconds):
        """Lost: what was given before, so one match of two is port_only; and the hold."""
        across, held, repeats, last = self.around(lambda _: self.step(seconds))
        self.assertEqual(across, ["port_only"])
        self.assertEqual(held, ["dns_confirmed", "port_only"])
        self.assertEqual(repeats, 0)
        self.has_time(last, seconds)

    def remembers(self, seconds):
        """Lost: nothing. The hold goes on, for what is left of it."""
        across, held, repeats, last = self.around(lambda _: self.step(seconds))
        self.assertEqual(across, ["dns_confirmed"])
        self.assertEqual(held, ["dns_confirmed"])
        self.assertEqual(repeats, 1)
        self.has_time(last, seconds)

    def test_35_clock_set_an_hour_ahead_injected(self):
        self.forgets(HOUR)

    def test_35_clock_set_ten_years_ahead_injected(self):
        self.forgets(DECADE)

    def test_35_clock_set_an_hour_back_injected(self):
        self.remembers(-HOUR)

    def test_35_clock_set_ten_years_back_injected(self):
        self.remembers(-DECADE)

    def test_35_clock_set_five_minutes_ahead_injected(self):
        """Less than the window: what was given counts, and the hold of 5 minutes is over."""
        across, held, repeats, last = self.around(lambda _: self.step(300))
        self.assertEqual(across, ["dns_confirmed"])
        self.assertEqual(held, ["dns_confirmed", "dns_confirmed"])
        self.assertEqual(repeats, 0)
        self.has_time(last, 300)

    def test_35_suspended_injected(self):
        """It stood still for eight hours, and CLOCK_MONOTONIC with it; the other clocks went on."""
        def suspend(sensor):
            self.halt(sensor)
            self.step(8 * HOUR)
            sensor.send_signal(signal.SIGCONT)
        across, held, repeats, last = self.around(suspend)
        self.assertEqual(across, ["port_only"])
        self.assertEqual(held, ["dns_confirmed", "port_only"])
        self.assertEqual(repeats, 0)
        self.has_time(last, 8 * HOUR)

    def test_35_clock_set_there_and_back_injected(self):
        """A wrong time for a moment, as of a bad server: nothing is lost by the way back."""
        sensor = self.watch()
        for count, seconds in enumerate((0, DECADE, 0, -DECADE, 0, HOUR, -HOUR, 0), 1):
            self.step(seconds)
            self.wire.send(*Story().all())
            sensor.wait_alerts(count)
        self.goes_on(sensor)
        self.assertEqual({a["portent"]["verdict"] for a in sensor.alerts()}, {"dns_confirmed"})
        self.assertEqual(len(sensor.alerts()), 8)
        self.assertEqual(self.ends(sensor, 24), 0)

    def ends_after(self, seconds):
        """What is in the ring from before is judged at the end, whatever the clock says now."""
        sensor = self.watch()
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.halt(sensor)
        for _ in range(50):
            self.wire.send(*Story().all())
        self.step(seconds)
        sensor.send_signal(signal.SIGTERM)
        began = time.monotonic()
        sensor.send_signal(signal.SIGCONT)
        sensor.process.wait(timeout=10)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(len(sensor.alerts()), 51)

    def test_35_end_after_the_clock_was_set_back_injected(self):
        self.ends_after(-DECADE)

    def test_35_end_after_the_clock_was_set_ahead_injected(self):
        self.ends_after(DECADE)

    # ---- how long something was ----

    def outages(self, seconds):
        address = self.folder / "reader"
        sensor = self.start("-o", f"unix:{address}", "--log", "alert,state")
        began = time.monotonic()
        ip("link set s0 down")
        self.wait_alarm(sensor, "link_down", True)
        sensor.wait_said("lines wait")
        self.step(seconds)
        ip("link set s0 up")
        up = self.wait_alarm(sensor, "link_down", False)
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

            with reader:
                back = wait_for(recovered, lambda: f"it does not recover: {sensor.said()}")[0]
                spent = time.monotonic() - began + 60
                self.assertGreaterEqual(back["event"]["duration"], SECOND)
                for told in up, back:
                    self.assertGreaterEqual(told["event"]["duration"], 0)
                    self.assertLess(told["event"]["duration"], spent * SECOND)
                    self.has_time(told | {"@timestamp": told["event"]["start"]}, seconds)
                sensor.stop()

    def test_35_outage_while_the_clock_is_set_ahead_injected(self):
        self.uptime = 0
        self.outages(DECADE)

    def test_35_outage_while_the_clock_is_set_back_injected(self):
        self.uptime = 0
        self.outages(-HOUR)
