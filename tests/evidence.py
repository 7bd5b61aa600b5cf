#!/usr/bin/python3
"""The packets behind alerts, as others read them: tshark and capinfos hold each to its capture.

Runs in the checkout; the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
PCAPS = pathlib.Path("pcaps").resolve()


def run(*words, **more):
    return subprocess.run([PORTENT, *map(str, words)], capture_output=True, timeout=120, **more)


def tshark(path, *words):
    """What tshark says, which must have nothing to complain of."""
    done = subprocess.run(["tshark", "-n", "-r", str(path), *words], capture_output=True, text=True,
                          check=True, timeout=120)
    said = [line for line in done.stderr.splitlines() if "user \"root\"" not in line]
    if said:
        raise AssertionError(said)
    return done.stdout


def packets(path):
    """Of each packet: time, octets, link type and comment."""
    words = [word for field in ("time_epoch", "encap_type", "comment") for word in
             ("-e", f"frame.{field}")]
    said = [line.split("\t") for line in
            tshark(path, "-T", "fields", *words).splitlines()]
    raw = [one["_source"]["layers"]["frame_raw"][0] for one in
           json.loads(tshark(path, "-T", "jsonraw"))]
    assert len(raw) == len(said)
    return [(time, octets, link, comment) for (time, link, comment), octets in zip(said, raw)]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "evidence.pcapng"

    def alerts(self, *words, status=0, **more):
        done = run("-q", *words, "--evidence", self.file, **more)
        self.assertEqual(done.returncode, status, done.stderr)
        return [one for one in map(json.loads, done.stdout.splitlines())
                if one["event"]["kind"] == "alert"]

    def check(self, capture, alerts):
        """The file holds exactly what the documents say, as the capture has it."""
        there = {packet[:3] for packet in packets(capture)}
        kept = packets(self.file)
        self.assertTrue({packet[:3] for packet in kept} <= there, capture)
        self.assertEqual(len(kept), sum(one["portent"]["evidence"]["packets"] for one in alerts))
        originals = packets(capture)
        for one in alerts:
            self.assertEqual(one["portent"]["evidence"]["file"], str(self.file))
            mine = [packet for packet in kept if one["event"]["id"] in packet[3]]
            self.assertEqual(len(mine), one["portent"]["evidence"]["packets"])
            syn = originals[one["portent"]["packet"]["number"] - 1]
            self.assertEqual([packet[:3] for packet in mine if "the SYN" in packet[3]], [syn[:3]])
            number = one["portent"].get("dns", {}).get("packet", {}).get("number")
            if number:
                self.assertIn(originals[number - 1][:3], [packet[:3] for packet in mine])
            if one["portent"].get("dns", {}).get("asked"):
                self.assertTrue([packet for packet in mine if "its query" in packet[3]])
        self.assertNotIn("Malformed", tshark(self.file, "-q", "-z", "expert"))
        info = subprocess.run(["capinfos", "-M", str(self.file)], capture_output=True, text=True,
                              check=True).stdout
        self.assertIn("nanoseconds (9)", info)


class Replay(Case):
    def test_every_capture(self):
        """VLANs, tunnels, fragments, cut packets: frames are as they were captured."""
        seen = 0
        for capture in sorted(PCAPS.glob("*.pcap*")):
            with self.subTest(capture.name):
                self.file = self.folder / (capture.name + ".evidence")
                alerts = self.alerts("-r", capture)
                if alerts:
                    self.check(capture, alerts)
                    complete = "fragments" not in capture.name
                    self.assertEqual({one["portent"]["evidence"]["complete"] for one in alerts},
                                     {complete})
                else:
                    self.assertEqual(packets(self.file), [])
                seen += len(alerts)
        print(f"{seen} alerts")
        self.assertGreater(seen, 15)

    def test_exactly_query_answer_and_syn(self):
        alerts = self.alerts("-r", PCAPS / "apt12.pcap")
        words = tshark(self.file, "-T", "fields", "-e", "dns.flags.response", "-e",
                       "tcp.flags.syn").splitlines()
        # tshark before 4.2 writes booleans as numbers.
        self.assertIn(words, (["0\t", "1\t", "\t1"], ["False\t", "True\t", "\tTrue"]))
        self.assertEqual(len(alerts), 1)

    def test_what_cannot_be_read_again_is_kept(self):
        for capture in PCAPS / "apt12.pcap", PCAPS / "apt12.pcapng", PCAPS / "two-names.pcap":
            packed = self.folder / "packed"
            packed.write_bytes(gzip.compress(capture.read_bytes()))
            for words, data in (("-r", packed), None), (("-r", "-"), capture.read_bytes()):
                with self.subTest(f"{capture.name} {words}"):
                    self.file.unlink(missing_ok=True)
                    alerts = self.alerts(*words, input=data)
                    self.check(capture, alerts)
                    self.assertTrue(all(one["portent"]["evidence"]["complete"] for one in alerts))

    def test_several_files_are_interfaces_of_their_own(self):
        first, second = self.folder / "first.pcap", self.folder / "second.pcap"
        for number, path in (1, first), (3, second):
            subprocess.run(["editcap", "-r", "-F", "pcap", str(PCAPS / "apt12.pcap"), str(path),
                            f"{number}-{number + 1 if number == 1 else 99}"], check=True,
                           capture_output=True)
        alerts = self.alerts("-r", first, "-r", second)
        self.assertEqual([one["portent"]["evidence"]["packets"] for one in alerts], [3])
        names = tshark(self.file, "-T", "fields", "-e", "frame.interface_description").splitlines()
        self.assertEqual(names, [str(first), str(first), str(second)])

    def test_a_file_that_is_gone_is_no_evidence(self):
        """Read again is not there: the alert says so, and the run goes on."""
        here = self.folder / "here.pcap"
        here.write_bytes((PCAPS / "apt12.pcap").read_bytes())
        (self.folder / "fifo").unlink(missing_ok=True)
        os.mkfifo(self.folder / "fifo")
        # The second input is waited for after the first was looked at, and before it is read again.
        program = subprocess.Popen([PORTENT, "-q", "-r", here, "-r", self.folder / "fifo",
                                    "--evidence", self.file], stdout=subprocess.PIPE)
        with open(self.folder / "fifo", "wb") as fifo:
            held = os.open(here, os.O_RDONLY)
            data = (PCAPS / "quiet.pcap").read_bytes()
            fifo.write(data[:24])
            os.truncate(here, 24)
            os.close(held)
            fifo.write(data[24:])
        documents = program.communicate(timeout=60)[0]
        for line in documents.splitlines():
            self.assertFalse(json.loads(line)["portent"]["evidence"]["complete"])


class Outcome(unittest.TestCase):
    def test_every_alert_has_one(self):
        """It names the alert, and is what tshark sees come back from the destination's port."""
        seen = set()
        for capture in sorted(PCAPS.glob("*.pcap")):
            documents = [json.loads(line) for line in
                         run("-q", "-r", capture, "--log", "outcome").stdout.splitlines()]
            alerts = [one for one in documents
                      if one["event"]["action"] == "dns_calculation_port_match"]
            outcomes = {one["portent"]["alert"]["id"]: one for one in documents
                        if one["event"]["action"] == "connection_outcome"}
            self.assertEqual({one["event"]["id"] for one in alerts}, set(outcomes), capture.name)
            if not alerts:
                continue
            back = {}
            for line in tshark(capture, "-Y", "tcp", "-T", "fields", "-e", "tcp.srcport", "-e",
                               "tcp.dstport", "-e", "tcp.flags.reset").splitlines():
                source, destination, reset = line.split("\t")
                back.setdefault((source, destination), []).append(reset in ("1", "True"))
            for one in outcomes.values():
                ways = back.get((str(one["destination"]["port"]), str(one["source"]["port"])), [])
                state = "silent" if not ways else "refused" if ways[0] else "answered"
                self.assertEqual(one["portent"]["outcome"]["state"], state, capture.name)
                self.assertEqual(one["destination"]["packets"], len(ways), capture.name)
                seen.add(state)
        self.assertIn("refused", seen)


class File(Case):
    def test_what_is_there_already(self):
        self.alerts("-r", PCAPS / "apt12.pcap")
        self.alerts("-r", PCAPS / "vxlan.pcap")
        self.assertEqual(len(tshark(self.file).splitlines()), 6)
        self.assertEqual(self.file.stat().st_mode & 0o027, 0)
        self.file.write_text("words of somebody")
        done = run("-q", "-r", PCAPS / "apt12.pcap", "--evidence", self.file)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"no pcapng file", done.stderr)
        self.assertEqual(self.file.read_text(), "words of somebody")

    def test_the_capture_is_not_appended_to(self):
        capture = self.folder / "a.pcapng"
        capture.write_bytes((PCAPS / "apt12.pcapng").read_bytes())
        self.file = capture
        done = run("-q", "-r", capture, "--evidence", capture)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(capture.read_bytes(), (PCAPS / "apt12.pcapng").read_bytes())

    def test_a_disk_that_is_full(self):
        """No half packet, the alert is told, and counters say what is missing."""
        limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", PORTENT, "-q", "-r",
                   str(PCAPS / "rotation.pcap"), "--evidence", str(self.file)]
        done = subprocess.run(limited, capture_output=True, timeout=60)
        alerts = [json.loads(line)["portent"]["evidence"] for line in done.stdout.splitlines()]
        self.assertIn(b"cannot be written", done.stderr)
        self.assertEqual(sum(one["packets"] for one in alerts), len(tshark(self.file).splitlines()))
        self.assertTrue([one for one in alerts if not one["complete"]])

    def test_counters(self):
        stats = self.folder / "stats.json"
        self.alerts("-r", PCAPS / "fragments.pcap", "--stats", stats)
        count = json.loads(stats.read_text())["portent"]["stats"]["evidence"]
        self.assertEqual(count["failed"], 0)
        self.assertEqual(count["packets"], len(packets(self.file)))
        self.assertGreater(count["incomplete"], 0)

    def test_nothing_changes_without_it(self):
        done = run("-q", "-r", PCAPS / "apt12.pcap")
        self.assertNotIn(b'"evidence":', done.stdout)


if __name__ == "__main__":
    ran = unittest.main(exit=False, argv=sys.argv).result
    failed = len(ran.failures) + len(ran.errors)
    print(f"{ran.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)
