#!/usr/bin/python3
"""Captures as people keep them, made by the tools that people use: compressed, cut, from pipes.

Runs in the checkout; the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import gzip
import json
import lzma
import os
import pathlib
import pty
import re
import resource
import subprocess
import sys
import tempfile
import time
import unittest

PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
PCAPS = pathlib.Path("pcaps").resolve()
APT12 = PCAPS / "apt12.pcap"


def run(*words, **more):
    """Run the program."""
    return subprocess.run([PORTENT, *map(str, words)], capture_output=True, timeout=120, **more)


def tool(*words, stdin=None):
    """What a tool makes of its input."""
    return subprocess.run(list(map(str, words)), input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True).stdout


CONNECTION = b'"dataset":"portent.connection"'


def ids_of(lines):
    """Those of alerts. Which SYN completes a campaign may depend on when files are seen."""
    events = [json.loads(line)["event"] for line in lines.splitlines()]
    return [event["id"] for event in events if event["dataset"] == "portent.alert" and
            event["action"] != "dns_calculation_campaign"]


def ids(result):
    return ids_of(result.stdout)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.plain = APT12.read_bytes()
        self.alerts = ids(run("-q", "-r", APT12))
        self.assertEqual(len(self.alerts), 1)

    def path(self, name, data=None):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data)
        return path

    def expect(self, status, *words, says=None, **more):
        result = run(*words, **more)
        said = result.stderr.decode()
        self.assertEqual(result.returncode, status, said)
        if says is not None:
            self.assertRegex(said, says)
        return result


COMPRESSORS = {
    "gzip": ("gzip", "-c"), "gzip -1": ("gzip", "-1c"), "gzip -9": ("gzip", "-9c"),
    "zstd": ("zstd", "-qc"), "zstd -19": ("zstd", "-19", "-qc"),
    "zstd --check": ("zstd", "--check", "-qc"), "zstd --long": ("zstd", "--long=27", "-qc"),
    "zstd --no-check": ("zstd", "--no-check", "-qc"),
    "xz": ("xz", "-c"), "xz -9e": ("xz", "-9ec"), "xz -0": ("xz", "-0c"),
    "xz, several blocks": ("xz", "--block-size=100", "-c"),
}


class Compressed(Case):
    def test_what_tools_compress_is_read(self):
        for name, command in COMPRESSORS.items():
            with self.subTest(name):
                path = self.path("no-suffix", tool(*command, stdin=self.plain))
                self.assertEqual(ids(self.expect(0, "-q", "-r", path)), self.alerts)
                result = self.expect(0, "-q", "-r", "-", stdin=None, input=path.read_bytes())
                self.assertEqual(ids(result), self.alerts)

    def test_every_capture_gives_the_same_compressed(self):
        """Each with its numbers of frames and everything else in its documents but its name."""
        for capture in sorted(PCAPS.glob("*.pcap*")):
            with self.subTest(capture.name):
                here = self.path(capture.name, capture.read_bytes())
                plain = self.expect(0, "-q", "-r", here, "--log", "dns,connection").stdout
                for command in ("gzip", "-c"), ("zstd", "-qc"), ("xz", "-c"):
                    here.write_bytes(tool(*command, capture))
                    packed = self.expect(0, "-q", "-r", here, "--log", "dns,connection").stdout
                    wall = rb'"(created|ingested)": *"[^"]*"'
                    self.assertEqual(re.sub(wall, b"", packed), re.sub(wall, b"", plain))

    def test_files_put_behind_one_another_are_one(self):
        """cat a.gz b.gz > c.gz: one stream, for gzip as for us. A record lies across the seam."""
        for name in "gzip", "zstd", "xz":
            command = COMPRESSORS[name]
            data = b"".join(tool(*command, stdin=self.plain[i:i + 50])
                            for i in range(0, len(self.plain), 50))
            path = self.path("c", data)
            self.assertEqual(ids(self.expect(0, "-q", "-r", path)), self.alerts, name)

    def test_one_that_is_cut_gives_the_alerts_before_the_cut(self):
        """The capture twenty thousand times, so that the cut lies behind what matters."""
        more = self.plain + self.plain[24:] * 2000
        for name in "gzip", "zstd", "xz":
            data = tool(*COMPRESSORS[name], stdin=more)
            path = self.path("cut", data[:-40])
            result = self.expect(2, "-q", "-r", path, says=(
                rf"^portent: {path}: byte \d+ decompressed: {name}, near byte {len(data) - 40} of "
                "the file: the data is cut\n$"))
            self.assertEqual(ids(result)[:1], self.alerts, name)

    def test_a_damaged_one_gives_the_alerts_before_the_damage(self):
        more = self.plain + bytes(os.urandom(3000000))
        for name in "gzip", "xz":
            data = bytearray(tool(*COMPRESSORS[name], stdin=more))
            data[len(data) // 2] ^= 1
            path = self.path("damaged", data)
            self.assertEqual(ids(self.expect(2, "-q", "-r", path, says="byte")), self.alerts)

    def test_something_behind_the_data_is_said(self):
        for name in "gzip", "zstd", "xz":
            path = self.path("more", tool(*COMPRESSORS[name], stdin=self.plain) + b"more and more")
            result = self.expect(2, "-q", "-r", path, says=rf"{name}, near byte \d+ of the file")
            self.assertEqual(ids(result), self.alerts)

    def test_a_good_one_behind_a_bad_one_is_read(self):
        bad = self.path("bad.gz", gzip.compress(self.plain)[:30])
        good = self.path("good.gz", gzip.compress(self.plain))
        self.assertEqual(ids(self.expect(2, "-q", "-r", bad, "-r", good)), self.alerts)

    def test_what_is_no_capture_inside_is_named(self):
        for data, why in ((gzip.compress(b"words " * 9), "neither pcap nor pcapng"),
                          (gzip.compress(b""), "there is nothing in it"),
                          (gzip.compress(lzma.compress(self.plain)), "compressed twice, with xz"),
                          (tool("bzip2", "-c", stdin=self.plain), "compressed with bzip2"),
                          (b"snoop\0\0\0" + bytes(99), "of the format snoop, which is not read")):
            self.expect(2, "-q", "-r", self.path("x", data), says=why)

    def test_a_bomb_costs_time_and_no_memory(self):
        """A gigabyte of zeros in a megabyte: one capture, whose records are of length 0."""
        bomb = self.path("bomb.gz", gzip.compress(self.plain) + gzip.compress(bytes(1 << 30), 9))
        self.assertLess(bomb.stat().st_size, 1 << 21)
        usage = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
        result = self.expect(0, "-q", "-r", bomb)
        self.assertEqual(ids(result), self.alerts)
        usage.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        self.assertLess(usage[1], (64 + 16) << 10, usage)

    def test_a_window_of_gigabytes_is_refused(self):
        huge = self.path("huge.zst", tool("zstd", "--ultra", "--long=31", "-qc", stdin=self.plain))
        # zstd writes a small window where it knows the size; from a pipe it does not.
        data = bytearray(huge.read_bytes())
        if data[4] & 0x20 == 0:
            self.expect(2, "-q", "-r", huge, says="more than 128 MiB of memory")


def editcap(*words):
    """editcap, mergecap and dumpcap come with tshark."""
    return tool("editcap", *words)


class Several(Case):
    def whole(self):
        """All captures of pcaps/ in one file, as mergecap(1) puts them in order."""
        path = self.path("whole.pcap")
        sources = [p for p in sorted(PCAPS.glob("*.pcap*")) if "nsec" not in p.name]
        tool("mergecap", "-F", "pcap", "-w", path, *sources)
        return path

    def verdicts(self, result):
        """What must not depend on how the packets lie in files."""
        documents = [json.loads(line) for line in result.stdout.splitlines()]
        for document in documents:
            for key in "created", "sequence":
                document["event"].pop(key)
            for group in "packet", "pcap":
                document["portent"].pop(group, None)
            for group in "packet", "pcap":
                document["portent"].get("dns", {}).pop(group, None)
            document.pop("observer")
        return documents

    def test_a_capture_cut_in_many_files_gives_the_same(self):
        """editcap -c, as tcpdump -C and dumpcap -b do it; named in any order, and as a directory."""
        whole = self.whole()
        wanted = self.verdicts(self.expect(0, "-q", "-r", whole))
        self.assertGreater(len(wanted), 15)
        self.path("parts/x", b"").unlink()
        editcap("-F", "pcap", "-c", "7", whole, self.path("parts/p.pcap"))
        parts = sorted((self.folder / "parts").iterdir())
        self.assertGreater(len(parts), 20)
        for order in parts, parts[::-1], parts[1::2] + parts[::2]:
            words = [word for part in order for word in ("-r", part)]
            self.assertEqual(self.verdicts(self.expect(0, "-q", *words)), wanted)
        self.assertEqual(self.verdicts(self.expect(0, "-q", "-r", self.folder / "parts")), wanted)
        for part in parts[::2]:
            tool("zstd", "-q", "--rm", part)
        tool("gzip", *parts[1::2])
        self.assertEqual(self.verdicts(self.expect(0, "-q", "-r", self.folder / "parts")), wanted)

    def test_files_that_overlap_are_merged(self):
        """DNS in one file, the rest in another, as of two taps: what mergecap would have made."""
        whole = self.whole()
        wanted = self.verdicts(self.expect(0, "-q", "-r", whole))
        dns, rest = self.path("dns.pcap"), self.path("rest.pcapng")
        tool("tshark", "-r", whole, "-Y", "dns", "-F", "pcap", "-w", dns)
        tool("tshark", "-r", whole, "-Y", "not dns", "-F", "pcapng", "-w", rest)
        for order in (dns, rest), (rest, dns):
            words = [word for path in order for word in ("-r", path)]
            self.assertEqual(self.verdicts(self.expect(0, "-q", *words)), wanted)
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        with subprocess.Popen(["cp", dns, fifo]) as writer:
            result = self.expect(0, "-q", "-r", fifo, "-r", rest)
            writer.wait()
        self.assertEqual(self.verdicts(result), wanted)
        result = self.expect(0, "-q", "-r", rest, "-r", "-", input=dns.read_bytes())
        self.assertEqual(self.verdicts(result), wanted)

    def test_interfaces_of_different_link_types_in_one_pcapng(self):
        """mergecap keeps an interface for each input; libpcap refuses the file, we do not."""
        sources = [APT12, PCAPS / "quiet.pcap"]
        raw = self.path("raw.pcap", tool("editcap", "-F", "pcap", "-C", "14", "-L", "-T", "rawip4",
                                         APT12, "/dev/stdout"))
        both = self.path("both.pcapng")
        tool("mergecap", "-F", "pcapng", "-I", "none", "-w", both, raw, sources[1])
        refused = subprocess.run(["tcpdump", "-nr", both], capture_output=True, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(ids(self.expect(0, "-q", "-r", both)), self.alerts)

    def test_a_directory_says_what_it_left_out(self):
        self.path("d/a.pcap", self.plain)
        self.path("d/README", b"words, and no capture")
        self.path("d/sub/empty", b"")
        self.path("d/.hidden", b"not even looked at")
        result = self.expect(0, "-r", self.folder / "d", says=(
            r"2 files in the directories are no captures, and left out \(-v names them\)"))
        self.assertEqual(ids(result), self.alerts)
        self.expect(0, "-v", "-r", self.folder / "d",
                    says=rf"left out: {self.folder}/d/README: byte 0: neither pcap nor pcapng\n")
        self.path("d/s", b"snoop\0\0\0" + bytes(50))
        self.expect(2, "-q", "-r", self.folder / "d", says="of the format snoop")
        self.expect(2, "-r", self.path("only/words", b"words").parent,
                    says="no input could be read")

    def test_what_is_no_file_in_a_directory_is_counted_and_named(self):
        """A link that leads nowhere, one that leads to itself, a pipe that nobody writes to."""
        folder = self.path("d/a.pcap", self.plain).parent
        (folder / "x.pcap").symlink_to("nowhere")
        (folder / "circle.pcap").symlink_to("circle.pcap")
        os.mkfifo(folder / "pipe")
        result = self.expect(0, "-v", "-r", folder, says=(
            r"3 files in the directories are no captures, and left out \(-v names them\)"))
        self.assertEqual(ids(result), self.alerts)
        said = result.stderr.decode()
        for name, why in (("x.pcap", "a link that leads nowhere"), ("pipe", "no regular file"),
                          ("circle.pcap", "a link that leads nowhere")):
            self.assertIn(f"portent: left out: {folder}/{name}: {why}\n", said)

    def test_files_that_overlap_need_no_soft_limit(self):
        """The usual soft limit is far below the hard one."""
        files = [self.path(f"parts/{i}.pcap", self.plain) for i in range(100)]
        result = self.expect(0, "-r", files[0].parent, says=f"portent: {4 * len(files)} packets, ",
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                   (32, 4096)))
        self.assertNotIn("Too many open files", result.stderr.decode())

    def test_a_thousand_files_need_no_thousand_descriptors(self):
        whole = self.whole()
        wanted = self.verdicts(self.expect(0, "-q", "-r", whole))
        self.path("parts/x", b"").unlink()
        editcap("-F", "pcap", "-c", "1", whole, self.path("parts/p.pcap"))
        limit = 32
        self.assertGreater(len(list((self.folder / "parts").iterdir())), 5 * limit)
        result = self.expect(0, "-q", "-r", self.folder / "parts", preexec_fn=lambda: (
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))))
        self.assertEqual(self.verdicts(result), wanted)

    def test_since_and_until(self):
        """The same packets as editcap -A and -B leave: both take the first, and not the last."""
        whole = self.whole()
        wanted = self.path("some.pcap")
        tool("editcap", "-F", "pcap", "-A", "1795550230", "-B", "1795550238", whole, wanted)
        count = len(tool("tshark", "-r", wanted).splitlines())
        self.assertGreater(count, 20)
        for since, until in (("1795550230", "1795550238"),
                             ("2026-11-24T19:57:10Z", "2026-11-24T20:57:18+01:00")):
            result = self.expect(0, "-r", whole, "--since", since, "--until", until, says=(
                rf"portent: {count} packets, "))
            self.assertEqual(self.verdicts(result), self.verdicts(self.expect(0, "-r", wanted)))
            outside = len(tool("tshark", "-r", whole).splitlines()) - count
            self.assertRegex(result.stderr.decode(),
                             rf"{outside} packets outside --since and --until were not looked at")
        self.expect(1, "-r", whole, "--since", "yesterday", says='"yesterday" is no time: as 2026-')
        self.expect(1, "-r", whole, "--since", "2", "--until", "1",
                    says="--since is not before --until: nothing is left")


class Custody(Case):
    def test_the_state_document_names_every_input_with_its_digest(self):
        """As sha256sum(1) has them: of the files as they lie there, read to their ends or not."""
        cut = gzip.compress(self.plain + self.plain[24:] * 500)[:-30]
        empty = self.plain[:24]
        paths = [self.path(name, data) for name, data in (
            ("a.pcap", self.plain), ("b.zst", tool("zstd", "-qc", stdin=self.plain)),
            ("cut.gz", cut), ("damaged", self.plain[:200] + b"\xff" * 100000), ("none", empty))]
        words = [word for path in paths for word in ("-r", path)]
        result = self.expect(2, "-q", *words, "--log", "state")
        documents = [json.loads(line) for line in result.stdout.splitlines()]
        (stopped,) = [d for d in documents if d["portent"].get("inputs")]
        wanted = {}
        for line in tool("sha256sum", *paths).decode().splitlines():
            digest, name = line.split(maxsplit=1)
            wanted[name] = (digest, os.path.getsize(name))
        got = {i["name"]: (i["sha256"], i["size"]) for i in stopped["portent"]["inputs"]}
        self.assertEqual(got, wanted)
        self.assertEqual(stopped["portent"]["state"], "stopping")
        self.assertIn("hash", stopped["portent"]["rules"])
        self.assertIn("version", stopped["observer"])

    def test_a_pipe_is_hashed_too(self):
        result = self.expect(0, "-q", "-r", "-", "--log", "state", input=self.plain)
        wanted = tool("sha256sum", APT12).split()[0].decode()
        self.assertIn(wanted, result.stdout.decode())


class Progress(Case):
    def on_terminal(self, *words, pause, output=False):
        """Standard error on a terminal, standard output only if asked for; a slow pipe is read."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PORTENT, *words], stdin=subprocess.PIPE, stderr=theirs,
                                   stdout=theirs if output else subprocess.PIPE)
        os.close(theirs)
        process.stdin.write(self.plain)
        process.stdin.flush()
        time.sleep(pause)
        process.stdin.write(self.plain[24:] * 60000)
        process.stdin.close()
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # Linux says EIO when nobody holds the other end any more
            pass
        os.close(ours)
        if not output:
            process.stdout.read()
            process.stdout.close()
        self.assertEqual(process.wait(), 0)
        return said

    def test_it_is_shown_on_a_terminal_and_cleared(self):
        said = self.on_terminal("-r", "-", pause=1.5)
        self.assertRegex(said, rb"\r\d+\.\d MiB, \d+\.\d [KM]iB/s\x1b\[K")
        self.assertRegex(said, rb"\x1b\[K\r\x1b\[Kportent: \d+ packets")

    def test_alerts_on_the_same_terminal_leave_no_room_for_it(self):
        shown = rb"\d+\.\d MiB, \d+\.\d [KM]iB/s"
        said = self.on_terminal("-r", "-", "-o", self.path("alerts"), pause=1.5, output=True)
        self.assertRegex(said, shown)
        self.assertNotRegex(self.on_terminal("-r", "-", pause=1.5, output=True), shown)

    def test_quiet_shows_none_and_nor_does_a_file(self):
        self.assertEqual(self.on_terminal("-q", "-r", "-", pause=1.5), b"")
        self.assertNotIn(b"\r", self.expect(0, "-r", APT12).stderr)


class Follow(Case):
    def start(self, path, *words):
        """The program, following; its alerts go to a file."""
        self.out = self.path("out.ndjson")
        self.process = subprocess.Popen([PORTENT, "-q", "--follow", "-r", str(path), "-o",
                                         str(self.out), *words], stderr=subprocess.PIPE)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.kill)

    def alerts_so_far(self):
        if not self.out.exists():
            return []
        return ids_of(self.out.read_bytes())

    def wait_for(self, count):
        until = time.monotonic() + 30
        while len(self.alerts_so_far()) < count and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(len(self.alerts_so_far()), count)

    def end(self, status=0):
        """Ends by TERM, and soon. What it said."""
        self.process.terminate()
        said = self.process.communicate(timeout=20)[1].decode()
        self.assertEqual(self.process.returncode, status, said)
        return said

    def test_a_file_that_grows_by_parts_of_records(self):
        """A record half there is waited for. The alert comes though no packet follows the SYN."""
        with open(self.path("growing.pcap", b""), "ab", buffering=0) as file:
            self.start(file.name)
            last_syn = self.plain.index(b"\x27\xd6") + 40  # port 10198, in the SYN
            for i in range(0, last_syn, 23):
                file.write(self.plain[i:min(i + 23, last_syn)])
                time.sleep(0.03)
            self.assertEqual(self.alerts_so_far(), [])
            file.write(self.plain[last_syn:])
            self.wait_for(1)
            file.write(self.plain[24:] * 3)
            self.assertEqual(self.end(), "")
        self.assertEqual(self.alerts_so_far(), self.alerts)

    def test_the_last_packet_of_all_is_judged_though_nothing_follows(self):
        """The SYN is the last thing in the file."""
        end = 24
        while b"\x27\xd6" not in self.plain[end + 16:end + 16 + 54]:
            end += 16 + int.from_bytes(self.plain[end + 8:end + 12], "little")
        end += 16 + int.from_bytes(self.plain[end + 8:end + 12], "little")
        self.start(self.path("syn.pcap", self.plain[:end]))
        self.wait_for(1)
        self.end()

    def test_a_file_that_is_replaced_or_begun_anew(self):
        path = self.path("capture.pcap", self.plain[:200])
        other = (PCAPS / "swap16.pcap").read_bytes()
        self.start(path)
        time.sleep(0.3)
        self.path("new", self.plain).rename(path)
        self.wait_for(1)
        path.write_bytes(other[:100])  # shorter than what was read
        time.sleep(0.3)
        with open(path, "ab") as file:
            file.write(other[100:])
        self.wait_for(3)  # that of swap16, and the rotation of both
        self.assertIn("byte", self.end(2))  # the first was cut by its replacement

    def test_a_directory_where_dumpcap_writes(self):
        """dumpcap -b, fed by a pipe: files of five packets each."""
        whole = self.path("whole.pcap")
        tool("mergecap", "-F", "pcap", "-w", whole,
             *[p for p in sorted(PCAPS.glob("*.pcap")) if "nsec" not in p.name])
        alone = run("-q", "-r", whole, "--log", "connection").stdout
        wanted = sorted(ids_of(alone))
        folder = self.path("ring/x").parent
        self.start(folder, "--log", "connection")
        with subprocess.Popen(["dumpcap", "-q", "-i", "-", "-b", "packets:5", "-w",
                               folder / "ring.pcapng"], stdin=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as writer:
            data = whole.read_bytes()
            for i in range(0, len(data), 1500):
                writer.stdin.write(data[i:i + 1500])
                writer.stdin.flush()
                time.sleep(0.05)
            writer.stdin.close()
            writer.wait()
        self.assertGreater(len(list(folder.iterdir())), 10)
        until = time.monotonic() + 30
        while (self.out.read_bytes().count(CONNECTION) < alone.count(CONNECTION) and
               time.monotonic() < until):
            time.sleep(0.02)  # until the last SYN is read
        self.end()
        self.assertEqual(sorted(self.alerts_so_far()), wanted)

    def test_a_directory_that_fills_while_a_file_is_cut(self):
        """tcpdump -C: name, name1, name2; the second was killed in the middle of a record."""
        folder = self.path("d/name", self.plain[:150]).parent
        self.start(folder)
        time.sleep(0.3)
        self.path("d/name1", self.plain)
        self.wait_for(1)
        self.path("d/name2", (PCAPS / "swap16.pcap").read_bytes())
        self.path("d/name3", b"")
        self.wait_for(3)
        said = self.end(2)
        self.assertRegex(said, rf"^portent: {folder}/name: byte \d+: truncated: [^\n]*\n$")

    def test_what_cannot_be_followed(self):
        self.expect(1, "--follow", "-r", APT12, "-r", APT12,
                    says="--follow wants one -r with a file or a directory")
        self.expect(1, "--follow", "-r", "-", says="--follow wants one -r")
        packed = self.path("a.gz", gzip.compress(self.plain))
        self.expect(2, "--follow", "-r", packed, says="a compressed file cannot be followed")
        self.expect(2, "--follow", "-r", self.folder / "none", says="No such file")


def main():
    result = unittest.TextTestRunner(verbosity=1).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
