"""Half an hour of a busy life: does anything grow? Not run with the other live tests.

For $CHURN_SECONDS (1800) new clients come all the time (hundreds a second: each asks, is answered
and connects; some of it over TCP and in fragments), one SYN in ten is an alert. Meanwhile the log
is renamed and reopened every few seconds, the reader of the Unix socket goes and comes back, now
and then for longer than lines stay in memory, and for a quarter of every three minutes there is a
HUP every second.

Every second the anonymous memory of the process (/proc/PID/smaps_rollup, which is exact to a page),
its descriptors and its threads are read. The warm-up is the first third of the time, and the run
must show that it was one: before its end the pool of cells must have been full; the reader must
have been away for so long that all memory for waiting lines has been used; log and reload have been
through all of theirs by then. After it the largest number of pages must be no larger than it was in
it: not one page.

In the end every alert that was sent stands in the log just once, and in what the reader read at
least once; and the sensor's account is exact.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time
import unittest

from bed import ROOT, Case, Sensor, Story, frames, wait_for

SECONDS = int(os.environ.get("CHURN_SECONDS", "1800"))
WARM = SECONDS / 3
RATE = 300           # new clients a second
PERIOD = 180         # of the storms of HUP
ROTATE = 7           # seconds from one renaming of the log to the next
LONGEST = 4          # which absence of the reader is the longest
PAGE = os.sysconf("SC_PAGE_SIZE")
ALERT = "dns_calculation_port_match"


class Crowd(threading.Thread):
    """Clients, each of which comes once. `alerts` are the numbers of those that must be told of."""

    def __init__(self, wire):
        super().__init__(daemon=True)
        self.wire, self.alerts, self.number, self.frames, self.stopping = wire, [], 0, 0, False

    def run(self):
        began = time.monotonic()
        while not self.stopping:
            for _ in range(RATE // 20):
                self.come()
            ahead = began + self.number / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            else:  # the machine is busy: no bursts to catch up
                began -= ahead

    def come(self):
        self.number += 1
        number = self.number
        is_alert = number % 10 == 0
        client = struct.pack(">I", 10 << 24 | number)
        # Each destination by few clients: they have no calculation in common, and are no campaign.
        story = Story(client=client, port=10198 if is_alert else 443)
        story.name, story.number = f"n{number}.example.net", number & 0xffff
        sent = [story.query(), *self.answer(story), story.syn(number)]
        self.wire.send(*sent)
        self.frames += len(sent)
        if is_alert:
            self.alerts.append(number)

    @staticmethod
    def answer(story):
        """Most answers come as one datagram, some in two fragments, some over TCP."""
        if story.number % 50 == 1:
            return fragments(story.answer(padding=1600))
        if story.number % 50 == 2:
            return segments(story)
        return [story.answer()]

    def stop(self):
        self.stopping = True
        self.join()


def fragments(frame):
    """One frame of IPv4 as two."""
    head, packet = frame[:14], frame[14:]
    header, body = packet[:20], packet[20:]
    cut = len(body) // 2 // 8 * 8
    return [head + header[:2] + struct.pack(">H", 20 + len(part)) + header[4:6] +
            struct.pack(">H", field) + header[8:10] + b"\0\0" + header[12:] + part
            for part, field in ((body[:cut], 0x2000), (body[cut:], cut // 8))]


def segments(story):
    message = story.answer()[14 + 20 + 8:]
    data = struct.pack(">H", len(message)) + message
    ways = ((frames.SYN | frames.ACK, 99, b""), (frames.ACK, 100, data[:20]),
            (frames.ACK, 120, data[20:]), (frames.FIN | frames.ACK, 100 + len(data), b""))
    return [story.frame(frames.ip(frames.RESOLVER, story.client, frames.TCP,
                                  frames.tcp(53, 40000, flags, sequence=sequence, data=part)))
            for flags, sequence, part in ways]


def number_of(document):
    return int.from_bytes(socket.inet_aton(document["source"]["ip"]), "big") & 0xffffff


def alerts_of(documents):
    return [number_of(d) for d in documents if d["event"]["action"] == ALERT]


def documents_of(text):
    """Of whole lines."""
    return [json.loads(line) for line in text.splitlines()]


class Reader(threading.Thread):
    """Listens, reads, leaves in the middle of it, and comes back."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.seen, self.lines, self.restarts = path, set(), 0, 0
        self.stopping, self.lasting = False, False

    def run(self):
        while not self.stopping:
            with socket.socket(socket.AF_UNIX) as listener:
                self.path.unlink(missing_ok=True)
                listener.bind(str(self.path))
                listener.listen(4)
                listener.settimeout(0.1)
                self.serve(listener, time.monotonic() + random.uniform(0.5, 8))
            self.restarts += 1
            # In one of five absences lines go to the spool, and come back from there.
            # One, in the warm-up, is so long that all memory for waiting lines has been used.
            pause = random.uniform(2, 6) if self.restarts % 5 == 0 else random.uniform(0, 0.8)
            pause = 15 if self.restarts == LONGEST else pause
            end = time.monotonic() + (0 if self.lasting else pause)
            while time.monotonic() < end and not self.lasting:
                time.sleep(0.02)

    def serve(self, listener, end):
        while not self.stopping and (self.lasting or time.monotonic() < end):
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(0.1)
                self.read(connection, end)
                if not self.lasting:
                    time.sleep(0.3)  # what comes meanwhile is never read, and must be sent again

    def read(self, connection, end):
        rest = b""
        while not self.stopping and (self.lasting or time.monotonic() < end):
            try:
                data = connection.recv(1 << 14)
            except TimeoutError:
                continue
            if not data:
                return
            whole, newline, rest = (rest + data).rpartition(b"\n")
            self.lines += (whole + newline).count(b"\n")
            self.seen.update(alerts_of(documents_of(whole)))

    def stop(self):
        self.stopping = True
        self.join()


class Watch:
    """What /proc says of a process, once a second."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")
        self.samples = []  # seconds, pages, descriptors, threads

    def look(self, seconds):
        rollup = (self.folder / "smaps_rollup").read_text()
        kilobytes = int(rollup.split("Anonymous:")[1].split()[0])
        self.samples.append((seconds, kilobytes * 1024 // PAGE,
                             len(os.listdir(self.folder / "fd")),
                             len(os.listdir(self.folder / "task"))))

    def between(self, what, after=0.0, until=float("inf")):
        return [sample[what] for sample in self.samples if after <= sample[0] < until]


class Churn(Case):
    def setUp(self):
        super().setUp()
        self.logged, self.log_lines, self.rotations, self.hups = [], 0, 0, 0
        self.old, self.totals = None, []

    def start(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-churn-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.socket = self.folder / "reader"
        self.reader = Reader(self.socket)
        self.reader.start()
        self.sensor = Sensor(self, "-R", ROOT / "rules", "-o", f"unix:{self.socket}",
                             "--memory", "16M", "--queue-size", "256K",
                             "--spool", self.folder / "spool", "--spool-size", "16M",
                             "--log", "alert,stats,state")
        self.watch = Watch(self.sensor.pid)
        self.crowd = Crowd(self.wire)
        self.crowd.start()

    def take(self, path):
        """Count what is in a log that nobody writes to any more."""
        text = path.read_bytes()
        self.assertTrue(not text or text.endswith(b"\n"), "a torn line")
        documents = documents_of(text)
        self.logged += alerts_of(documents)
        self.totals += [d["portent"]["stats"] for d in documents if "stats" in d.get("portent", {})]
        self.log_lines += text.count(b"\n")
        path.unlink()

    def rotate(self):
        """The log gets another name; the one that had it last is complete by now."""
        if self.old:
            self.take(self.old)
        self.rotations += 1
        self.old = self.sensor.folder / f"events.{self.rotations}"
        self.sensor.output.rename(self.old)
        self.hup()
        wait_for(self.sensor.output.exists, "the log is not made again")

    def hup(self):
        self.hups += 1
        self.sensor.send_signal(signal.SIGHUP)

    def live(self):
        began, rotated = time.monotonic(), 0.0
        while (now := time.monotonic() - began) < SECONDS:
            self.assertIsNone(self.sensor.process.poll(), self.sensor.said())
            self.assertTrue(self.crowd.is_alive() and self.reader.is_alive())
            self.watch.look(now)
            if now - rotated >= ROTATE:
                self.rotate()
                rotated = now
            elif now % PERIOD < PERIOD / 4:
                self.hup()
            if int(now) % 60 == 0:
                print(f"{int(now)} s: {self.watch.samples[-1][1:]} pages, descriptors, threads; "
                      f"{self.crowd.number} clients, {self.rotations} logs, {self.hups} HUP, "
                      f"{self.reader.restarts} readers", flush=True)
            time.sleep(max(0.0, 1 - (time.monotonic() - began - now)))

    def finish(self):
        self.crowd.stop()
        self.reader.lasting = True
        wanted, end = set(self.crowd.alerts), time.monotonic() + 60
        while not self.reader.seen >= wanted and time.monotonic() < end:
            time.sleep(0.1)
        self.sensor.rest()
        status, stats = self.sensor.stop()
        self.reader.stop()
        self.take(self.old)
        self.take(self.sensor.output)
        self.assertEqual(status, 0)
        return stats

    def check_account(self, stats):
        self.assertEqual(stats["capture"]["dropped"], 0)
        self.assertEqual(stats["capture"]["packets"], self.crowd.frames)
        for output in stats["outputs"]:
            self.assertEqual(output["generated"] + output.get("inherited", 0),
                             output["delivered"] + output["queued"] + output["spooled"] +
                             sum(output["dropped"].values()), output)
            # Of the last two documents nobody waits to hear that they were read.
            self.assertEqual((output["queued"], sum(output["dropped"].values())), (0, 0), output)
            self.assertLessEqual(output["spooled"], 2, output)
        log = stats["outputs"][0]
        self.assertEqual(log["delivered"], self.log_lines)
        self.assertEqual(sorted(self.logged), self.crowd.alerts, "in the log, each once")
        missing = set(self.crowd.alerts) - self.reader.seen
        self.assertFalse(missing, "what the reader has not read")
        self.assertLessEqual(self.reader.seen, set(self.crowd.alerts))

    def check_warm(self):
        """The warm-up was one: the pool was full before its end. Stats come once a minute."""
        full = [stats["uptime"] // 10**9 for stats in self.totals
                if stats["cache"]["cells"] == stats["cache"]["cells_total"]]
        print(f"the pool of cells was full {full[0] if full else 'never'} s after the start")
        if SECONDS < 900:
            return print("too short a run to ask for more")
        self.assertTrue(full)
        self.assertLess(full[0], WARM)

    def check_flat(self):
        for name, what in ("pages", 1), ("descriptors", 2), ("threads", 3):
            thirds = [self.watch.between(what, after, after + WARM) for after in
                      (0, WARM, 2 * WARM)]
            if what > 1:  # a file that is open for a moment is none that stays open
                thirds = [list(map(min, part, part[1:])) for part in thirds]
            print(f"{name}: least, median and most in the warm-up of {WARM:.0f} s, and in each "
                  "third after it: " + ", ".join(
                      f"{min(part)} {statistics.median(part):.0f} {max(part)}" for part in thirds))
            before, after = max(thirds[0]), max(max(part) for part in thirds[1:])
            with self.subTest(name):
                self.assertLessEqual(after, before)

    def test_nothing_grows(self):
        self.start()
        self.live()
        stats = self.finish()
        print(f"{self.crowd.number} clients, {self.crowd.frames} frames, {len(self.crowd.alerts)} "
              f"alerts; {self.rotations} logs, {self.hups} HUP, {self.reader.restarts} readers, "
              f"{stats['outputs'][1].get('resent', 0)} lines sent again")
        self.check_account(stats)
        self.check_flat()
        self.check_warm()


if __name__ == "__main__":
    unittest.main()
