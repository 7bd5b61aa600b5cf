"""The packets behind alerts, of a live interface: kept in memory, written under the sandbox."""
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from bed import PATIENCE, Case, Sensor, Story


def tshark(path, *fields):
    words = [word for field in fields for word in ("-e", field)]
    done = subprocess.run(["tshark", "-n", "-r", str(path), "-T", "fields", *words],
                          capture_output=True, text=True, check=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if 'user "root"' not in line]
    if said:
        raise AssertionError(said)
    return [line.split("\t") for line in done.stdout.splitlines()]


class Evidence(Case):
    def start(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "packets.pcapng"
        return Sensor(self, "--evidence", self.file)

    def test_query_answer_and_syn_as_they_were_on_the_wire(self):
        sensor = self.start()
        story = Story()
        self.wire.send(*story.all())
        (alert,) = sensor.wait_alerts(1)[:1]
        self.assertEqual(alert["portent"]["evidence"],
                         {"file": str(self.file), "packets": 3, "complete": True})
        # It is in the file before the alert is told: the program need not end for it.
        rows = tshark(self.file, "frame.interface_name", "dns.flags.response", "tcp.dstport",
                      "frame.comment")
        self.assertEqual([row[0] for row in rows], ["s0"] * 3)
        self.assertEqual([row[2] for row in rows], ["", "", str(story.port)])
        self.assertTrue(all(alert["event"]["id"] in row[3] for row in rows), rows)

    def test_what_was_pushed_out_of_the_ring_is_said(self):
        sensor = self.start()
        story = Story()
        self.wire.send(story.query(), story.answer())
        filler = Story()
        answer = filler.answer(padding=60 * 20)
        for _ in range((9 << 20) // len(answer) // 50):
            self.wire.send(*[answer] * 50)
            time.sleep(0.002)
        self.wire.send(story.syn())
        alert = sensor.wait_alerts(1)[-1]
        self.assertEqual(alert["portent"]["evidence"]["complete"], False)
        self.assertEqual(alert["portent"]["evidence"]["packets"], 1)

    def test_a_killed_sensor_leaves_a_whole_file(self):
        sensor = self.start()
        for count in range(1, 6):
            self.wire.send(*Story().all())
            sensor.wait_alerts(count)
        sensor.process.send_signal(signal.SIGKILL)
        sensor.process.wait(timeout=PATIENCE)
        # Packets are in the file before their alert is told, so there may be more than that.
        told = sum(alert["portent"]["evidence"]["packets"] for alert in sensor.alerts())
        self.assertGreaterEqual(told, 15)
        self.assertGreaterEqual(len(tshark(self.file, "frame.number")), told)
