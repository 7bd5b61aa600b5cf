"""What the live tests stand on: interfaces of their own, frames put on the wire, a sensor that watches.

Everything happens inside namespaces that tests/live/run made; nothing of the machine is touched.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "bad"))

import frames  # noqa: E402

PORTENT = os.path.abspath(os.environ.get("PORTENT", ROOT / "build/sensor/portent"))
BUILD = os.path.abspath(os.environ.get("BUILD", ROOT / "build"))
PATIENCE = 60  # seconds until something that must happen has not happened
ETH_P_ALL = 3
PACKET_IGNORE_OUTGOING = 23


def run(*words, **more):
    more.setdefault("check", True)
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=60, **more)


def ip(*words, check=True):
    return run("ip", *" ".join(words).split(), check=check)


def wait_for(condition, what, seconds=PATIENCE):
    """What the condition returns as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.005)


class Wire:
    """Two ends of a wire: what is sent into one comes out of the other, where a sensor sits."""

    def __init__(self, ours="a0", sensors="s0"):
        self.ours, self.sensors = ours, sensors
        self.make()

    def make(self):
        ip(f"link add {self.ours} type veth peer name {self.sensors}")
        ip(f"link set {self.sensors} up")
        ip(f"link set {self.ours} up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((self.ours, 0))
        # A carrier takes a moment; what is sent before is lost.
        wait_for(lambda: "LOWER_UP" in ip(f"link show {self.ours}").stdout, "no carrier")

    def cut(self):
        """The wire is gone, with both its ends, whatever they are called by now."""
        self.socket.close()
        ip(f"link del {self.ours}", check=False)

    def send(self, *all_frames):
        for frame in all_frames:
            self.socket.send(frame)


class Tool:
    """tests/live/wire.c, which listens or sends beside the sensor."""

    def __init__(self, test, *words, ready=True):
        self.process = subprocess.Popen([f"{BUILD}/tests/live-wire", *map(str, words)],
                                        stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        if ready:
            assert self.process.stdout.readline() == "ready\n"

    def numbers(self, number=None):
        """What it says at its end."""
        if number is not None:
            self.process.send_signal(number)
        text = self.process.stdout.read()
        assert self.process.wait(timeout=PATIENCE) == 0
        return [int(word) for word in text.split()]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


class Story:
    """A client asks for a name, is given an address, and connects to a port of it."""

    numbers = 0

    def __init__(self, address="198.51.100.23", port=10198, *, client=None, tags=()):
        Story.numbers += 1
        self.number = Story.numbers
        self.client = client or bytes([10, 20, self.number >> 8, self.number & 255])
        self.address, self.port, self.tags = socket.inet_aton(address), port, tags
        self.name = f"n{self.number}.example.net"

    def frame(self, packet):
        return frames.ethernet(packet, tags=self.tags)

    def query(self):
        message = frames.message([frames.question(frames.dotted(self.name))], number=self.number,
                                 flags=frames.RD)
        return self.frame(frames.ip(self.client, frames.RESOLVER, frames.UDP,
                                    frames.udp(40000, 53, message)))

    def answer(self, padding=0):
        here = frames.pointer(12)
        more = [frames.record(here, frames.TXT, b"\xff" + bytes(255))
                for _ in range(padding // 268)]  # with what stands before its 256 octets
        message = frames.message([frames.question(frames.dotted(self.name))],
                                 more + [frames.record(here, frames.A, self.address)],
                                 number=self.number)
        return self.frame(frames.ip(frames.RESOLVER, self.client, frames.UDP,
                                    frames.udp(53, 40000, message)))

    def syn(self, sequence=1):
        return self.frame(frames.ip(self.client, self.address, frames.TCP,
                                    frames.tcp(50000, self.port, sequence=sequence)))

    def all(self):
        return self.query(), self.answer(), self.syn()


class Sensor:
    """The program, watching. `words` are its arguments beside interface, output and statistics."""

    def __init__(self, test, *words, interfaces=("s0",), output=None, before=(), ready=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-live-"))
        self.output = self.folder / "events.ndjson"
        self.stats_path = self.folder / "stats.json"
        said = open(self.folder / "said", "wb")
        command = [*before, PORTENT, *(word for name in interfaces for word in ("-i", name)),
                   "--format", "ecs", "-o", output or self.output, "--stats", self.stats_path,
                   *words]
        self.process = subprocess.Popen([str(word) for word in command], stderr=said,
                                        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        said.close()
        test.addCleanup(self.end)
        if ready:
            wait_for(lambda: self.count_said("capturing on") == len(interfaces) or
                     self.process.poll() is not None, "the sensor does not start")
            assert self.process.poll() is None, self.said()

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return (self.folder / "said").read_text(errors="replace")

    def count_said(self, text):
        return len(re.findall(re.escape(text), self.said()))

    def wait_said(self, text, count=1):
        wait_for(lambda: self.count_said(text) >= count,
                 lambda: f"it does not say {text!r}: {self.said()}")

    def documents(self):
        if not self.output.exists():
            return []
        text = self.output.read_bytes()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]

    def alerts(self):
        return [d for d in self.documents() if d["event"]["kind"] == "alert" and
                d["event"]["action"] == "dns_calculation_port_match"]

    def wait_alerts(self, count):
        return wait_for(lambda: len(self.alerts()) >= count and self.alerts(),
                        f"fewer than {count} alerts: {len(self.alerts())}")

    def rest(self, seconds=60):
        """Wait until it has done what there was to do: no more of a core is spent."""
        spent = [self.cpu()]

        def is_resting():
            time.sleep(0.1)
            spent.append(self.cpu())
            return spent[-1] - spent[-2] < 1_000_000

        wait_for(lambda: is_resting() and is_resting(), "it never rests", seconds)
        return spent[-1]

    def cpu(self):
        """Nanoseconds on a core so far."""
        return int((pathlib.Path("/proc") / str(self.pid) / "schedstat").read_text().split()[0])

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Its status, and its last counters."""
        self.send_signal(number)
        status = self.process.wait(timeout=PATIENCE)
        stats = json.loads(self.stats_path.read_text()) if self.stats_path.exists() else None
        return status, stats["portent"]["stats"] if stats and "portent" in stats else stats

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=PATIENCE)
        run("rm", "-rf", self.folder)


class Case(unittest.TestCase):
    """A test with a wire."""

    def setUp(self):
        self.wire = Wire()
        self.addCleanup(self.remove)

    def remove(self):
        self.wire.cut()
        for name in re.findall(r"^\d+: ([\w.]+)[@:]", ip("-o link").stdout, re.M):
            if name != "lo":
                ip(f"link del {name}", check=False)


QUICK = {"stats_interval": "1s",
         "alarm": {"no_packets": "2s", "no_dns_answers": "2s", "no_syns": "2s", "interval": "1s",
                   "least": 10}}


class Watched(Case):
    """A test with a sensor that says each second how it fares."""

    def start(self, *words, **changes):
        """A sensor whose alarms are quick; those that are not asked for never come."""
        silent = {"no_packets": "0s", "no_dns_answers": "0s", "no_syns": "0s"}
        alarm = {**QUICK["alarm"], **silent, **changes}
        self.config = self.path("quick.json", json.dumps({**QUICK, "alarm": alarm}))
        return Sensor(self, *self.words(), *words, before=self.before())

    def words(self):
        """Without a folder for its spool a sensor is degraded: it may lose lines."""
        (self.folder / "spool").mkdir(exist_ok=True)
        return "-c", self.config, "--spool", self.folder / "spool"

    def before(self):
        """What stands before the program in its command."""
        return ()

    def path(self, name, text=None):
        path = self.folder / name
        if text is not None:
            path.write_text(text)
        return path

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-health-"))
        self.addCleanup(run, "rm", "-rf", self.folder)

    def states(self, sensor):
        return [d for d in sensor.documents() if d["event"]["dataset"] == "portent.sensor"]

    def alarms(self, sensor, name=None):
        return [d for d in self.states(sensor) if "alarm" in d["portent"] and
                name in (None, d["portent"]["alarm"]["name"])]

    def wait_alarm(self, sensor, name, active):
        def look():
            found = [d for d in self.alarms(sensor, name)
                     if d["portent"]["alarm"]["active"] == active]
            return found and found[-1]
        return wait_for(look, f"no {name}, {active}: {sensor.said()}")

    def keep_on(self, sensor, name, active, *more):
        """Frames again and again until the alarm is told."""
        def look():
            self.wire.send(*(frame for make in more for frame in make()))
            found = [d for d in self.alarms(sensor, name)
                     if d["portent"]["alarm"]["active"] == active]
            if not found:
                time.sleep(0.02)
            return found and found[-1]
        return wait_for(look, f"no {name}, {active}: {sensor.said()}")

    def told_once(self, sensor, name):
        self.assertEqual([d["portent"]["alarm"]["active"] for d in self.alarms(sensor, name)],
                         [True, False])
