"""The stage of tests of outputs: a sensor on one end of a veth pair, packets into the other.

It stands in a user, network and mount namespace of its own. Each alert is one answer and one SYN of a
client that has no other, so the number of alerts is known and each can be told from the others.
"""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build-tests"))
PORTENT = os.environ.get("PORTENT", BUILD / "sensor" / "portent")
SHIM = BUILD / "tests" / "libshim.so"
SENDER, SENSOR = "portent0", "portent1"
# Nobody is given the destination: many clients with evidence of one name would be a campaign, and
# one document more.
DESTINATION, PORT = "198.51.100.23", 198 * 51 + 100
INSIDE = "PORTENT_STAGE"
CAPTURING = "capturing on"  # said when what is sent from now on is seen


def enter():
    """Run again in namespaces of our own. Where the kernel has none, say so and leave."""
    if INSIDE in os.environ:
        if subprocess.run(["ip", "link", "show", SENDER], check=False,
                          capture_output=True).returncode == 0:
            return  # a test of a test
        for command in ("ip link set lo up",
                        f"ip link add name {SENDER} type veth peer name {SENSOR}",
                        f"ip link set {SENDER} mtu 65535 up", f"ip link set {SENSOR} mtu 65535 up"):
            subprocess.run(command.split(), check=True)
        return
    words = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork",
             "--mount-proc", "--kill-child"]
    if subprocess.run([*words, "ip", "link", "add", "name", "try0", "type", "veth"], check=False,
                      capture_output=True).returncode:
        print("no user and network namespaces with veth here: skipped\n0 passed, 0 failed")
        sys.exit(0)
    os.execvpe(words[0], [*words, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


# --- packets ---------------------------------------------------------------------------------------

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip(protocol, source, destination, payload):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + header + payload


def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def answer(client, addresses, number=0):
    question = name("c2.example.net")
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + socket.inet_aton(a)
                       for a in addresses)
    dns = struct.pack("!HHHHHH", number & 0xffff, 0x8180, 1, len(addresses), 0, 0) + question + \
        struct.pack("!HH", 1, 1) + records
    udp = struct.pack("!HHHH", 53, 40000, 8 + len(dns), 0) + dns
    return ip(17, "10.255.255.1", client, udp)


def syn(client, number):
    tcp = struct.pack("!HHIIBBHHH", 40001, PORT, number, 0, 0x50, 2, 65535, 0, 0)
    return ip(6, client, DESTINATION, tcp)


def client_of(number):
    return f"10.{number >> 16 & 63}.{number >> 8 & 255}.{number & 255}"


def number_of(line):
    """Which alert a line is about. Fails if the line is not whole."""
    a, b, c, d = map(int, json.loads(line)["source"]["ip"].split("."))
    assert a == 10
    return b << 16 | c << 8 | d


def numbers(text):
    """Of whole lines; what does not end with a newline is no line."""
    assert not text or text.endswith(b"\n"), text[-100:]
    return [number_of(line) for line in text.splitlines()]


class Traffic:
    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((SENDER, 0))
        self.next = 1

    def send(self, frame):
        self.socket.send(frame)

    def alerts(self, count, pause=0.0):
        """Make the sensor write this many alerts; returns their numbers."""
        made = list(range(self.next, self.next + count))
        for number in made:
            self.send(syn(client_of(number), number))
            if pause:
                time.sleep(pause)
            elif number % 200 == 0:
                time.sleep(0.01)  # the ring of the sensor is not what is tested
        self.next += count
        return made


# --- waiting ---------------------------------------------------------------------------------------

def wait(condition, what, seconds=60.0):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"in {seconds} s there was no: {what}")
        time.sleep(0.005)


# --- the sensor ------------------------------------------------------------------------------------

class Sensor:
    """portent, live, with one output that never fails beside those that are tested."""

    def __init__(self, folder, *words, spool=True, shim=None, before=(), seconds=60.0):
        self.folder = folder
        self.watch = folder / "watch.ndjson"
        self.stats = folder / "stats.json"
        self.said = folder / "said"
        words = ["-i", SENSOR, "--log", "alert", "-o", self.watch, "--stats", self.stats, *words]
        if spool:
            words += ["--spool", folder / "spool"]
        else:
            words += ["--spool-size", "0"]
        environment = dict(os.environ)
        if shim:
            environment |= {"LD_PRELOAD": str(SHIM), "SHIM": shim}
        started = self.said.read_text().count(CAPTURING) if self.said.exists() else 0
        self.had = len(self.lines_of(self.watch))
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen([*before, PORTENT, *map(str, words)], stderr=said,
                                            stdin=subprocess.DEVNULL, env=environment,
                                            stdout=subprocess.DEVNULL)
        try:
            wait(lambda: self.words().count(CAPTURING) > started or
                 self.process.poll() is not None, "capture", seconds)
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        assert self.process.poll() is None, self.words()

    @staticmethod
    def lines_of(path):
        return path.read_bytes().splitlines() if path.exists() else []

    def words(self):
        return self.said.read_text()

    def generated(self, count):
        """Wait until the output beside has this many lines of this run."""
        wait(lambda: len(self.lines_of(self.watch)) - self.had >= count,
             f"{count} alerts, but {len(self.lines_of(self.watch)) - self.had}")

    def says(self, pattern, seconds=60.0):
        try:
            wait(lambda: re.search(pattern, self.words()), repr(pattern), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says: {self.words()}") from None

    def end(self, number=signal.SIGTERM):
        """Told to end, it does within 2 seconds. The accounts by destination."""
        begin = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(60)
        self.took = time.monotonic() - begin
        assert self.took < 2, f"{self.took} s to the end"
        assert status == 0, (status, self.words())
        return self.accounts()

    def accounts(self):
        outputs = json.loads(self.stats.read_text())["portent"]["stats"]["outputs"]
        return {output["destination"]: output for output in outputs}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def spool_lines(folder):
    """What waits on disk, all destinations, the cursor not considered."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("spool/*/*.ndjson")))


# --- readers ---------------------------------------------------------------------------------------

class Reader:
    """Listens on a Unix socket or TCP port and keeps what comes, each connection apart."""

    def __init__(self, address, kind=socket.SOCK_STREAM, buffer=None):
        self.address = address
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        if family == socket.AF_INET and ":" in address[0]:
            family = socket.AF_INET6
        self.listener = socket.socket(family, kind)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.listener.bind(address if isinstance(address, tuple) else str(address))
        self.kind = kind
        if kind == socket.SOCK_STREAM:
            self.listener.listen(8)
        self.listener.settimeout(60)
        self.connection = None
        self.got = []

    def port(self):
        return self.listener.getsockname()[1]

    def accept(self):
        self.connection, _ = self.listener.accept()
        self.got.append(b"")
        return self

    def read(self, size=1 << 16, seconds=0.0):
        """Some bytes; b"" if none came in this time or the other side has ended."""
        self.connection.settimeout(seconds or 0.001)
        try:
            data = self.connection.recv(size)
        except (TimeoutError, BlockingIOError):
            return b""
        self.got[-1] += data
        return data

    def read_all(self, wanted):
        """Until one connection or another has given each of these lines."""
        wait(lambda: self.read(seconds=0.1) is not None and set(self.numbers()) >= set(wanted),
             "all that was sent")
        return self

    def read_until_quiet(self):
        """Until there is something, and then nothing more for a second and a half."""
        wait(lambda: not self.read(seconds=1.5) and self.got[-1], "the rest")
        return self

    def settle(self):
        """Until as much waits to be read as the kernel takes."""
        sizes = []

        def is_settled():
            time.sleep(0.1)
            waiting = fcntl.ioctl(self.connection, termios.FIONREAD, bytes(4))
            sizes.append(int.from_bytes(waiting, sys.byteorder))
            return sizes[-1] and len(set(sizes[-3:])) == 1 and len(sizes) > 2
        wait(is_settled, "anything to read")
        return self

    def read_lines(self, count, seconds=60.0):
        """Until this connection has given so many lines."""
        def enough():
            self.read()
            return self.got[-1].count(b"\n") >= count
        wait(enough, f"{count} lines, but {self.got[-1].count(10)}", seconds)
        return self

    def leave(self, reset=False):
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        self.connection.close()
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.listener.close()
        if not isinstance(self.address, tuple):
            pathlib.Path(self.address).unlink(missing_ok=True)

    def numbers(self):
        """Of all whole lines of each connection, one after the other."""
        return [n for text in self.got
                for n in numbers(text[:text.rfind(b"\n") + 1])]


def folder():
    return pathlib.Path(tempfile.mkdtemp(prefix="portent-outputs-"))


def remove(path):
    subprocess.run(["umount", "--lazy", path / "small"], check=False, capture_output=True)
    shutil.rmtree(path, ignore_errors=True)
