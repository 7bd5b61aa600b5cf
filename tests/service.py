#!/usr/bin/python3
"""The service: its unit's sandbox, scored, and what the program tells the service manager.

Runs in the checkout; the program is $PORTENT. The live part makes a network namespace of its own, and
is left out, with the reason, where the kernel does not let it. Ends with "N passed, N failed".
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
UNIT = os.path.abspath("sensor/portent.service")
TCP = os.path.abspath("sensor/tcp.conf")
PATIENCE = 60  # seconds until something that must happen has not happened
SO_TIMESTAMPNS = 35


def settings(path):
    with open(path) as file:
        return [line.strip() for line in file if "=" in line and not line.startswith("#")]


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
class Sandbox(unittest.TestCase):
    def score(self, threshold, *drop_ins):
        """systemd's own measure of what is left open, 0.0 to 10.0; threshold in tenths."""
        with tempfile.TemporaryDirectory() as folder:
            unit = shutil.copy(UNIT, folder)
            os.mkdir(f"{unit}.d")
            for drop_in in drop_ins:
                shutil.copy(drop_in, f"{unit}.d")
            result = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--no-pager",
                 f"--threshold={threshold}", unit], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout[-200:] + result.stderr)
        return float(re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)[1])

    def test_files_and_unix_sockets_need_little(self):
        self.assertLessEqual(self.score(13), 1.3)

    def test_tcp_needs_internet_sockets_and_little_more(self):
        self.assertGreater(self.score(17, TCP), 1.3)

    def test_systemd_has_nothing_against_the_unit(self):
        with tempfile.TemporaryDirectory() as folder:
            text = open(UNIT).read().replace("/usr/bin/portent", "/bin/true")
            unit = os.path.join(folder, "portent.service")
            with open(unit, "w") as file:
                file.write(text)
            result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                                    capture_output=True, text=True, timeout=60)
        about_it = [line for line in result.stderr.splitlines() if "portent.service" in line]
        self.assertEqual(about_it, [])


class Unit(unittest.TestCase):
    def test_it_is_as_the_documents_say(self):
        lines = settings(UNIT)
        for line in ("Type=notify", "StartLimitIntervalSec=0", "Restart=always", "User=portent",
                     "AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW",
                     "ExecStartPre=/usr/bin/portent -c /etc/portent/portent.json -q -T",
                     "ExecReload=/usr/bin/systemd-notify RELOADING=1",
                     "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'",
                     "ExecReload=/usr/bin/portent -c /etc/portent/portent.json -q -T"):
            self.assertIn(line, lines)
        self.assertRegex("\n".join(lines), r"(?m)^WatchdogSec=\d+$")


def why_not():
    """Why a network namespace cannot be made, or None."""
    result = subprocess.run(["unshare", "-Urn", "ip", "link", "set", "lo", "up"],
                            capture_output=True, text=True)
    return None if result.returncode == 0 else f"no namespaces here: {result.stderr.strip()}"


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@unittest.skipIf(why_not(), why_not() or "")
class Notify(unittest.TestCase):
    """A manager's socket beside a program that watches the loopback of its own namespace."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(path)
        self.manager.settimeout(PATIENCE)
        self.manager.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        environment = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="600000")
        environment.pop("WATCHDOG_PID", None)
        # exec all the way: the process is the program.
        self.process = subprocess.Popen(
            ["unshare", "-Urn", "sh", "-c", 'ip link set lo up && exec "$0" -q -i lo -o "$1"',
             PORTENT, os.path.join(self.folder.name, "events")],
            env=environment, stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        self.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.process.stderr.close()

    def hear(self, *leave_out):
        """The next message that does not begin so. When it was sent, the kernel says: we may be late."""
        while True:
            message, control, _, _ = self.manager.recvmsg(4096, 64)
            message = message.decode()
            if not message.startswith(leave_out):
                seconds, nanoseconds = struct.unpack("qq", control[0][2])
                self.heard = seconds + nanoseconds / 1e9
                return message

    def wait_for_state(self, state):
        """As proc(5) has it: T is stopped."""
        end = time.monotonic() + PATIENCE
        while True:
            with open(f"/proc/{self.process.pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == state:
                    return
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)

    def test_ready_reload_watchdog_and_stop(self):
        try:
            self.assertEqual(self.hear("WATCHDOG", "STATUS"), "READY=1\nSTATUS=watching lo")
        except TimeoutError:
            self.fail(self.process.stderr.read1().decode() if self.process.poll() else "silence")
        begin = self.heard
        for _ in range(5):
            self.assertEqual(self.hear("STATUS"), "WATCHDOG=1")
        self.assertGreater(self.heard - begin, 0.5)  # 5 times 200 ms, one of them begun
        self.process.send_signal(signal.SIGHUP)
        self.assertRegex(self.hear("WATCHDOG", "STATUS"), r"\ARELOADING=1\nMONOTONIC_USEC=\d+\Z")
        self.assertTrue(self.hear("WATCHDOG", "STATUS").startswith("READY=1"))
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.hear("WATCHDOG", "STATUS"), "STOPPING=1")
        self.assertEqual(self.process.wait(timeout=PATIENCE), 0)

    def test_a_loop_that_hangs_feeds_no_watchdog(self):
        self.hear("WATCHDOG", "STATUS")
        self.hear("STATUS")
        self.process.send_signal(signal.SIGSTOP)
        self.wait_for_state("T")
        self.manager.setblocking(False)
        while True:
            try:
                self.manager.recv(4096)
            except BlockingIOError:
                break
        time.sleep(0.7)
        self.assertRaises(BlockingIOError, self.manager.recv, 4096)
        self.process.send_signal(signal.SIGCONT)
        self.manager.settimeout(PATIENCE)
        self.assertEqual(self.hear("STATUS"), "WATCHDOG=1")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stderr).run(suite)
    for test, reason in result.skipped:
        print(f"service: left out: {test}: {reason}")
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
