#!/usr/bin/python3
"""Captures as people keep them, made by the tools that people use: compressed, cut, from pipes.

Runs in the checkout; the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import gzip
import json
import lzma
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
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


def ids(result):
    return [json.loads(line)["event"]["id"] for line in result.stdout.splitlines()]


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


def main():
    result = unittest.TextTestRunner(verbosity=1).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
