#!/usr/bin/python3
"""The command line, checked against the built program: exit status, what is said, what is written.

Runs in the checkout; the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import fcntl
import hashlib
import json
import os
import pty
import re
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
RULES = os.path.abspath("rules")
PCAPS = os.path.abspath("pcaps")
APT12 = f"{PCAPS}/apt12.pcap"
QUIET = f"{PCAPS}/quiet.pcap"

# A capture of one SYN over raw IPv4 (link type 101): 203.0.113.5 to 198.51.100.23, port 10198,
# which is 198 * 51 + 100. The client has a public address, and no DNS.
SYN = (struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) +
       struct.pack("<IIII", 1795550223, 0, 40, 40) +
       struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, bytes([203, 0, 113, 5]),
                   bytes([198, 51, 100, 23])) +
       struct.pack(">HHIIBBHHH", 40000, 10198, 1, 0, 0x50, 0x02, 1024, 0, 0))


def run(*words, stdin=b"", **more):
    """Run the program; strings out, whatever the bytes."""
    return subprocess.run([PORTENT, *words], input=stdin, capture_output=True, timeout=60, **more)


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def actions(documents):
    return [d["event"]["action"] for d in documents]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def expect(self, status, *words, says=None, **more):
        """The exit status; what standard error says, as a regular expression."""
        result = run(*words, **more)
        said = result.stderr.decode()
        self.assertEqual(result.returncode, status, said)
        if says is not None:
            self.assertRegex(said, says)
        for line in said.splitlines():
            self.assertTrue(line.startswith("portent: "), line)
        if result.stdout:
            self.assertTrue(result.stdout.endswith(b"\n"))
        return result

    def fails(self, status, sentence, *words):
        """One line on standard error, nothing on standard output."""
        result = self.expect(status, *words)
        self.assertEqual(result.stderr.decode(), f"portent: {sentence}\n")
        self.assertEqual(result.stdout, b"")


class Words(Case):
    def test_help_and_version_go_to_standard_output(self):
        for flag in "-h", "--help":
            result = self.expect(0, flag)
            self.assertIn(b"usage: portent -r FILE|DIR", result.stdout)
            self.assertEqual(result.stderr, b"")
        for flag in "-V", "--version":
            self.assertRegex(self.expect(0, flag).stdout, rb"\Aportent \d+\.\d+\.\d+\n\Z")

    def test_without_input_there_is_nothing_to_do(self):
        self.fails(1, "there is no input: -r FILE reads a capture, -i IFACE captures live "
                      "(see portent --help)")

    def test_n_of_tcpdump_changes_nothing(self):
        plain = lines(self.expect(0, "-q", "-r", APT12))
        for flag in "-n", "-nn", "--numeric":
            (alert,) = lines(self.expect(0, flag, "-q", "-r", APT12))
            self.assertEqual(alert["event"]["id"], plain[0]["event"]["id"])
        self.assertEqual(len(lines(self.expect(0, "-qnnr", APT12))), 1)
        self.assertIn("-n, --numeric accepted for tcpdump's sake; names are never looked up",
                      " ".join(self.expect(0, "--help").stdout.decode().split()))

    def test_one_is_singular(self):
        """In what is said and in the line about counters: 1 rule, 1 DNS answer, 1 SYN."""
        apt12 = f"{RULES}/apt12.json"
        self.expect(0, "-R", apt12, "-r", APT12, says=r"^portent: memory budget 64M, 1 rule\n")
        self.expect(0, "-r", APT12, says=r"^portent: memory budget 64M, \d+ rules\n")
        text = self.expect(0, "-q", "-r", APT12, "--log", "stats", "--format", "text").stdout
        self.assertIn(b" stats: 4 packets, 1 DNS answer, 1 SYN (1 eligible, 1 of them preceded by "
                      b"an answer), 1 alert\n", text)
        rule = self.path("r.json", json.dumps({
            "id": "one", "name": "n", "port": "o4 + 10000",
            "vectors": [{"address": "198.51.100.23", "port": 10023}]}))
        self.assertIn(b", 1 test vector) ok\n", self.expect(0, "-T", "-R", rule).stdout)

    def test_a_file_without_r_is_no_filter(self):
        self.fails(1, "there is no input: -r is missing before the file (see portent --help)",
                   APT12)

    def test_wrong_usage_is_one_line_and_status_1(self):
        self.fails(1, "there is no option --nonsense (see portent --help)", "--nonsense")
        self.fails(1, "there is no option -I (see portent --help)", "-I", "eth0")
        self.fails(1, "-r reads a capture and -i captures live: it is one or the other",
                   "-r", APT12, "-i", "eth0")
        self.fails(1, "--output: x is given twice", "-r", APT12, "-o", "x", "-o", "x")

    def test_an_unknown_option_is_refused(self):
        self.assertIn("there is no option", self.expect(1, "--no-such-option").stderr.decode())

    def test_a_control_character_in_a_name_stays_off_the_terminal(self):
        result = self.expect(2, "-q", "-r", "no\x1b[31mfile")
        self.assertNotIn(b"\x1b", result.stderr)

    def test_what_is_said_to_the_journal_has_a_priority(self):
        """sd-daemon(3): <3> is an error, <6> information; only for the stream that it names."""
        read, write = os.pipe()
        with os.fdopen(read) as said, os.fdopen(write, "w") as end:
            status = os.fstat(end.fileno())
            for stream, pattern in (
                    (f"{status.st_dev}:{status.st_ino}", r"<6>memory budget .*\n<3>/nonexistent: "),
                    (f"{status.st_dev}:{status.st_ino + 1}", r"portent: memory budget .*\n")):
                subprocess.run([PORTENT, "-r", "/nonexistent"], stderr=end, timeout=60,
                               env={"JOURNAL_STREAM": stream})
                text = os.read(said.fileno(), 65536).decode()
                self.assertRegex(text, rf"\A{pattern}")

    def test_quiet_says_nothing(self):
        self.assertEqual(self.expect(0, "-q", "-r", APT12).stderr, b"")


class Filter(Case):
    def test_words_are_joined(self):
        result = self.expect(0, "-r", APT12, "tcp", "and", "port", "10198",
                             says="2 packets, 0 DNS answers")
        self.assertEqual(lines(result)[0]["portent"]["verdict"], "port_only")

    def test_one_that_drops_dns_is_said(self):
        last = "portent: no DNS was seen: no verdict can be stronger than port_only\n"
        said = self.expect(0, "-r", APT12, "tcp").stderr.decode()
        self.assertTrue(said.endswith(last), said)
        said = self.expect(0, "-r", APT12, "tcp or dst port 53").stderr.decode()
        self.assertTrue(said.endswith("portent: no DNS answer with an address was seen: no verdict "
                                      "can be stronger than port_only\n"), said)
        self.assertNotIn(last, self.expect(0, "-r", APT12).stderr.decode())
        self.assertNotIn(last, self.expect(0, "-r", QUIET, "tcp port 1").stderr.decode())

    def test_one_that_leaves_nothing_to_find_is_said_even_if_quiet(self):
        """Silence would mean that nothing is there."""
        said = self.expect(0, "-q", "-r", APT12, "port 53").stderr.decode()
        self.assertEqual(said, "portent: nothing could be found: no TCP SYN passed the filter "
                               "expression\n")
        said = self.expect(0, "-q", "-r", APT12, "port 1").stderr.decode()
        self.assertEqual(said, "portent: nothing could be found: no packet passed the filter "
                               "expression\n")
        self.assertEqual(self.expect(0, "-q", "-r", APT12, "--since", "2027-01-01T00:00:00Z",
                                     "tcp").stderr.decode(),
                         "portent: nothing could be found: no packet between --since and --until "
                         "passed the filter expression\n")
        for words in ([QUIET, "tcp"], [QUIET], [APT12, "tcp"], [APT12, "--log", "dns", "udp"]):
            self.assertEqual(self.expect(0, "-q", "-r", *words).stderr, b"", words)

    def test_a_bad_one_is_wrong_usage(self):
        result = self.expect(1, "-r", APT12, "tcp", "port", says="syntax error")
        self.assertEqual(result.stdout, b"")

    def test_one_that_lets_nothing_pass_is_said(self):
        self.expect(0, "-r", APT12, "port 1",
                    says="nothing found: no packet passed the filter expression")


    def test_what_was_asked_for_is_the_cause(self):
        """And not the capture: its connections, and its DNS, are there."""
        said = self.expect(0, "-r", APT12, "udp").stderr.decode()
        self.assertIn("nothing found: no TCP SYN passed the filter expression\n", said)
        self.assertNotIn("not in the capture", said)
        said = self.expect(0, "-r", QUIET, "tcp").stderr.decode()
        self.assertIn("nothing found: no DNS passed the filter expression", said)
        self.expect(0, "-r", APT12, "--since", "2027-01-01T00:00:00Z",
                    says="nothing found: no packet lies between --since and --until\n")
        self.expect(0, "-r", APT12, "--since", "2027-01-01T00:00:00Z", "tcp",
                    says="no packet between --since and --until passed the filter expression\n")


class Inputs(Case):
    def test_several_are_one_stream_in_the_order_given(self):
        """The query and answer in one file, the SYN in the next: still one story."""
        head, tail = self.cut_in_two(APT12, packets=2)
        result = self.expect(0, "-q", "-r", head, "-r", tail)
        (alert,) = lines(result)
        self.assertEqual(alert["portent"]["verdict"], "dns_confirmed")
        self.assertEqual(alert["portent"]["pcap"]["file"], tail)
        self.assertEqual(alert["portent"]["packet"]["number"], 1)
        self.assertEqual(alert["portent"]["dns"]["packet"]["number"], 2)
        (alone,) = lines(self.expect(0, "-q", "-r", tail))
        self.assertEqual(alone["portent"]["verdict"], "port_only")

    def cut_in_two(self, path, packets):
        with open(path, "rb") as file:
            data = file.read()
        order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        at = 24
        for _ in range(packets):
            at += 16 + struct.unpack_from(order + "I", data, at + 8)[0]
        return self.path("head.pcap", data[:at]), self.path("tail.pcap", data[:24] + data[at:])

    def test_standard_input(self):
        with open(APT12, "rb") as file:
            result = self.expect(0, "-q", "-r", "-", stdin=file.read())
        (alert,) = lines(result)
        self.assertEqual(alert["portent"]["pcap"]["file"], "-")

    def test_standard_input_twice_is_refused(self):
        self.fails(1, "standard input is given twice, and can be read only once",
                   "-r", "-", "-r", "-")

    def test_a_bad_one_does_not_stop_the_next_and_the_status_is_2(self):
        text, folder = self.path("text.pcap", "this is no capture"), self.path("folder")
        os.mkdir(folder)
        for bad in "/nonexistent/x.pcap", folder, text:
            result = self.expect(2, "-q", "-r", bad, "-r", APT12,
                                 says=f"^portent: {re.escape(bad)}: ")
            self.assertEqual(len(lines(result)), 1)

    def test_one_that_cannot_be_opened_has_no_offset_and_nothing_to_explain(self):
        folder = self.path("folder")
        os.mkdir(folder)
        for bad, why in (("/nonexistent/x.pcap", "No such file or directory"),
                         (folder, "a directory without files")):
            self.fails(2, f"{bad}: {why}", "-q", "-r", bad)
            said = self.expect(2, "-r", bad, "-r", bad).stderr.decode()
            self.assertNotIn("nothing found", said)
            self.assertTrue(said.endswith("portent: no input could be read\n"), said)
        said = self.expect(2, "-r", "/nonexistent/x.pcap", "-r", QUIET).stderr.decode()
        self.assertIn("nothing found: 3 SYNs went", said)
        self.assertNotIn("no input could", said)

    def test_one_that_is_cut_still_gives_its_alerts(self):
        """The file ends inside the record behind the SYN: name, offset and reason are said."""
        with open(APT12, "rb") as file:
            data = file.read()
        cut = self.path("cut.pcap", data[:-5])
        result = self.expect(2, "-q", "-r", cut, says=rf"^portent: {re.escape(cut)}: byte \d+: ")
        self.assertEqual(len(lines(result)), 1)

    def test_packets_of_a_dead_end_are_explained(self):
        empty = self.path("empty.pcap", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        self.expect(0, "-r", empty, says="nothing found: there were no packets")
        self.expect(0, "-r", f"{PCAPS}/syn-ack.pcap", says="nothing found: no TCP SYN was seen")
        self.expect(0, "-r", QUIET, says="3 SYNs went where a rule calculates")
        self.expect(0, "-r", QUIET, "tcp port 1",
                    says="nothing found: no packet passed the filter expression")


class Outputs(Case):
    def test_a_file_is_appended_to_and_readable_by_nobody_else(self):
        out = self.path("out.ndjson")
        for count in 1, 2:
            self.expect(0, "-q", "-r", APT12, "-o", out)
            with open(out, "rb") as file:
                self.assertEqual(len(file.read().splitlines()), count)
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode) & 0o137, 0)

    def test_every_one_of_several_gets_every_line(self):
        a, b = self.path("a"), self.path("b")
        result = self.expect(0, "-q", "-r", APT12, "-o", a, "-o", "-", "-o", b)
        for path in a, b:
            with open(path, "rb") as file:
                self.assertEqual(file.read(), result.stdout)

    def test_one_that_cannot_be_opened_ends_the_start(self):
        result = self.expect(3, "-r", APT12, "-o", "/nonexistent/x",
                             says="^portent: /nonexistent/x: ")
        self.assertEqual(result.stdout, b"")

    def test_the_capture_itself_is_no_output(self):
        with open(APT12, "rb") as file:
            before = file.read()
        capture = self.path("a.pcap", before)
        link = self.path("link.pcap")
        os.link(capture, link)
        for flag in "-o", "--stats":
            for name in capture, link:
                self.fails(1, f"{name} and {capture} are one file", "-r", capture, flag, name)
        with open(capture, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_two_names_of_one_file_are_refused(self):
        out = self.path("out", "")
        other = self.path("./out")
        self.fails(1, f"{other} and {out} are one file", "-r", APT12, "-o", out, "-o", other)

    def test_a_reader_that_went_away_is_said_and_ends_the_run(self):
        read, write = os.pipe()
        os.close(read)
        result = subprocess.run([PORTENT, "-q", "-r", APT12], stdout=write, stderr=subprocess.PIPE,
                                timeout=60)
        os.close(write)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(result.stderr, b"portent: -: Broken pipe: nothing more is written there\n")

    def test_one_lost_reader_does_not_take_the_other(self):
        out = self.path("out")
        read, write = os.pipe()
        os.close(read)
        result = subprocess.run([PORTENT, "-q", "-r", APT12, "-o", "-", "-o", out], stdout=write,
                                stderr=subprocess.PIPE, timeout=60)
        os.close(write)
        self.assertEqual(result.returncode, 3)
        with open(out, "rb") as file:
            self.assertEqual(len(file.read().splitlines()), 1)

    def test_a_file_that_may_not_grow_is_a_lost_output(self):
        """RLIMIT_FSIZE: the signal that goes with it must not end the run without last words."""
        out, said = self.path("out"), self.path("said")
        result = run("-r", APT12, "-o", out, "-o", said, "--log", "dns,connection",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"File too large", result.stderr)
        self.assertIn(b"1 alert", result.stderr)
        for path in out, said:
            with open(path, "rb") as file:
                self.assertEqual(file.read(), b"")

    def test_a_lock_that_somebody_holds_is_not_waited_for(self):
        """Whoever may read the file can hold its lock for ever."""
        out = self.path("out", "")
        with open(out, "rb") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            self.assertEqual(run("-q", "-r", APT12, "-o", out).returncode, 0)
            self.assertEqual(len(holder.read().splitlines()), 1)

    def test_standard_descriptors_that_are_closed_are_not_mixed_up(self):
        """An output file opened as descriptor 2 would be given our last words."""
        out = self.path("out")
        result = subprocess.run(
            ["/bin/sh", "-c", 'exec "$0" "$@" 0<&- 1>&- 2>&-', PORTENT, "-r", APT12, "-o", out],
            timeout=60, check=False)
        self.assertEqual(result.returncode, 0)
        with open(out, "rb") as file:
            (line,) = file.read().splitlines()
        json.loads(line)


class Format(Case):
    def on_terminal(self, *words, environment=None):
        main, other = pty.openpty()
        result = subprocess.run([PORTENT, "-q", *words], stdout=other, stderr=subprocess.PIPE,
                                timeout=60,
                                env={**os.environ, "TERM": "xterm", **(environment or {})})
        os.close(other)
        self.assertEqual(result.returncode, 0, result.stderr)
        text = b""
        try:
            while chunk := os.read(main, 65536):
                text += chunk
        except OSError:
            pass  # the other end is closed
        os.close(main)
        return text

    def test_ecs_in_a_pipe_and_text_on_a_terminal(self):
        self.assertTrue(self.expect(0, "-q", "-r", APT12).stdout.startswith(b'{"@timestamp"'))
        text = self.on_terminal("-r", APT12)
        self.assertIn(b"198.51.100.23:10198", text)
        self.assertNotIn(b"{", text)

    def test_each_can_be_asked_for(self):
        text = self.expect(0, "-q", "-r", APT12, "--format", "text").stdout
        self.assertEqual(len(text.splitlines()), 1)
        self.assertIn(b"apt12", text)
        self.assertTrue(self.on_terminal("-r", APT12, "--format", "ecs").startswith(b'{"@time'))

    def test_colour_is_for_terminals_that_want_it(self):
        self.assertIn(b"\x1b[", self.on_terminal("-r", APT12))
        self.assertNotIn(b"\x1b[", self.on_terminal("-r", APT12, environment={"NO_COLOR": "1"}))
        self.assertNotIn(b"\x1b[", self.on_terminal("-r", APT12, environment={"TERM": "dumb"}))
        self.assertNotIn(b"\x1b[", self.expect(0, "-q", "-r", APT12, "--format=text").stdout)


class Kinds(Case):
    def test_alerts_alone_by_default(self):
        self.assertEqual(actions(lines(self.expect(0, "-q", "-r", APT12))),
                         ["dns_calculation_port_match"])

    def test_others_when_asked_for(self):
        documents = lines(self.expect(0, "-q", "-r", APT12, "--log", "dns,connection,stats"))
        datasets = [d["data_stream"]["dataset"] for d in documents]
        self.assertEqual(sorted(datasets), ["portent.alert", "portent.connection", "portent.dns",
                                            "portent.stats"])
        self.assertEqual(datasets[-1], "portent.stats")
        self.assertEqual([d["event"]["sequence"] for d in documents], [1, 2, 3, 4])

    def test_connection_ports(self):
        for ports, count in ("10198-10198", 1), ("1-1023", 0):
            documents = lines(self.expect(0, "-q", "-r", APT12, "--log", "connection",
                                          "--connection-ports", ports))
            self.assertEqual(len(documents), 1 + count)

    def test_near_misses(self):
        self.assertEqual(self.expect(0, "-q", "-r", f"{PCAPS}/excluded-port.pcap").stdout, b"")
        documents = lines(self.expect(0, "-q", "--near-misses", "-r",
                                      f"{PCAPS}/excluded-port.pcap"))
        self.assertEqual(set(actions(documents)), {"dns_calculation_near_miss"})

    def test_states_of_a_replay_when_asked_for(self):
        documents = lines(self.expect(0, "-q", "-r", APT12, "--log", "state"))
        self.assertEqual(actions(documents),
                         ["sensor_state", "sensor_started", "dns_calculation_port_match",
                          "sensor_stopped"])
        states = [d["portent"]["state"] for d in documents if "log" in d]
        self.assertEqual(states, ["starting", "running", "stopping"])
        started = documents[1]
        self.assertEqual(started["message"], f"Sensor started, reading {APT12}")
        self.assertRegex(started["portent"]["config"]["hash"], "^[0-9a-f]{64}$")
        self.assertRegex(started["portent"]["rules"]["hash"], "^[0-9a-f]{64}$")
        self.assertEqual(len({d["event"]["id"] for d in documents}), 4)


class SelfTest(Case):
    """Does an alert get out? What is made up is marked, and the network is not touched."""

    def rule(self, name, **keys):
        keys = {"id": name, "name": name, "limits": {"ports": ["1-65535"]}, **keys}
        return self.path(f"{name}.json", json.dumps(keys))

    def test_an_alert_of_a_port_rule_and_one_of_an_address_rule_arrive(self):
        result = self.expect(0, "--self-test", "-o", "-", says="(?m)^portent: self-test passed$")
        documents = lines(result)
        self.assertEqual(actions(documents), ["dns_calculation_port_match"] * 2)
        self.assertEqual([d["rule"]["id"] for d in documents], ["apt12", "nymaim"])
        for document in documents:
            self.assertEqual(document["tags"], ["portent_self_test"])
            self.assertEqual(document["portent"]["verdict"], "dns_confirmed")
            self.assertEqual(document["dns"]["question"]["name"], "portent-self-test.invalid")

    def test_no_socket_but_those_of_outputs_is_made(self):
        trace = self.path("trace")
        subprocess.run(["strace", "-f", "-e", "trace=network", "-o", trace, PORTENT, "-q",
                        "--self-test", "-o", "-"], check=True, capture_output=True, timeout=60,
                       # A leak checker cannot work where strace does.
                       env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        with open(trace, encoding="utf-8") as file:
            self.assertNotIn("socket(", file.read())

    def test_any_rules(self):
        for rule, told in (
                (self.rule("narrow", port="o1 * o2 + o3", limits={"ports": ["40000-40003"]}), 1),
                (self.rule("far", port="(addr >> 12) & 0xffff",
                           limits={"ports": ["7"], "exclude_destinations": ["198.51.100.0/24"]}),
                 1),
                (self.rule("turned", address="swap32(addr)"), 1),
                (self.rule("both", port="o4 * 256 + o1", address="swap16(addr)"), 1)):
            documents = lines(self.expect(0, "--self-test", "-o", "-", "-R", rule))
            self.assertEqual(len(documents), told, rule)
            self.assertEqual(documents[0]["tags"], ["portent_self_test"])

    def test_a_rule_that_no_address_meets(self):
        rule = self.rule("never", port="70000 + o1")
        self.expect(3, "--self-test", "-o", "-", "-R", rule,
                    says="rule never: no address was found that it leads anywhere from")

    def test_an_allow_list_that_has_everything(self):
        everything = self.path("all", "0.0.0.0/0\n")
        result = self.expect(3, "--self-test", "-o", "-", "--allow-destinations", everything,
                             says="(?s)made no alert .is there an allow list.*self-test failed")
        self.assertEqual(result.stdout, b"")
        one = self.path("one", "198.51.100.0/24\n")
        self.expect(0, "--self-test", "-o", "-", "--allow-destinations", one)

    def test_an_output_that_takes_nothing(self):
        self.expect(3, "--self-test", "-o", "/dev/full", says="output /dev/full: ")
        self.expect(3, "--self-test", "-o", "unix:" + self.path("nobody"),
                    says="output unix:.*: [0-9]+ lines (wait|were dropped)")

    def test_text_is_marked_too(self):
        result = self.expect(0, "--self-test", "-o", "-", "--format", "text")
        for line in result.stdout.decode().splitlines():
            self.assertTrue(line.startswith("[self-test] "), line)


class Metrics(Case):
    def test_a_replay_writes_them_at_its_end(self):
        path = self.path("portent.prom", "old\n")
        self.expect(0, "-q", "-r", APT12, "--metrics", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("\nportent_capture_packets_total 4\n", text)
        self.assertIn("\nportent_alert_generated_total 1\n", text)
        self.assertNotIn("portent_alarm_active", text)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                 capture_output=True, check=False, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_a_file_that_cannot_be_written(self):
        self.expect(3, "-r", APT12, "--metrics", "/nowhere/x.prom")


class Stats(Case):
    def read(self, path):
        with open(path, encoding="ascii") as file:
            text = file.read()
        self.assertEqual(text.count("\n"), 1)
        return json.loads(text)["portent"]["stats"]

    def test_the_file_has_what_the_document_has(self):
        path = self.path("stats.json")
        result = self.expect(0, "-q", "-r", APT12, "--log", "stats", "--stats", path)
        told, written = lines(result)[-1]["portent"]["stats"], self.read(path)
        self.assertEqual(written["capture"]["packets"], 4)
        self.assertEqual(written["capture"]["dropped"], 0)
        self.assertEqual(written["alert"]["generated"], 1)
        self.assertEqual(written["syn"], {"eligible": 1, "preceded_by_answer": 1,
                                          "preceded_share": 1.0})
        self.assertEqual(told["output"]["delivered"], 1)     # the alert
        self.assertEqual(written["output"]["delivered"], 2)  # and the stats document
        self.assertEqual([o["destination"] for o in written["outputs"]], ["-"])
        for both in told, written:
            self.assertGreater(both.pop("uptime"), 0)
            self.assertGreater(both.pop("memory")["bytes"], 0)
            del both["output"], both["outputs"]
        self.assertEqual(told, written)

    def test_it_is_replaced_as_a_whole(self):
        path = self.path("stats.json", "old\n" * 10000)
        self.expect(0, "-q", "-r", APT12, "--stats", path)
        self.assertEqual(self.read(path)["capture"]["packets"], 4)
        self.assertEqual(os.listdir(self.folder.name), ["stats.json"])

    def test_a_fifo_is_written_to_and_stays(self):
        """Renaming a file over a device would take it from everybody. A FIFO stands in for one: no
        test aims at /dev, for a fault would hit it."""
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.expect(0, "-q", "-r", APT12, "--stats", fifo)
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))
        written = json.loads(os.read(reader, 65536))
        self.assertEqual(written["portent"]["stats"]["alert"]["generated"], 1)

    def test_a_link_stays_and_what_it_leads_to_is_replaced(self):
        target, link = self.path("target", "old\n" * 10000), self.path("link")
        os.symlink(target, link)
        self.expect(0, "-q", "-r", APT12, "--stats", link)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(self.read(target)["alert"]["generated"], 1)

    def test_standard_output_gets_it_behind_the_events(self):
        for name in "-", "/proc/self/fd/1":
            out = self.path("out" + name.replace("/", "_"))
            with open(out, "wb") as file:
                result = subprocess.run([PORTENT, "-q", "-r", APT12, "--stats", name], stdout=file,
                                        stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            with open(out, "rb") as file:
                alert, stats = map(json.loads, file.read().splitlines())
            self.assertEqual(alert["event"]["kind"], "alert")
            self.assertEqual(stats["portent"]["stats"]["alert"]["generated"], 1)

    def test_a_place_that_cannot_be_written_is_said_at_the_start(self):
        result = self.expect(3, "-r", APT12, "--stats", "/nonexistent/x",
                             says="^portent: /nonexistent/x: No such file or directory$")
        self.assertEqual(result.stdout, b"")


class Rules(Case):
    INVENTED = {"id": "invented", "name": "n", "port": "o4 + 10000",
                "vectors": [{"address": "198.51.100.23", "port": 10023}]}

    def rule(self, **changes):
        return self.path("invented.json", json.dumps({**self.INVENTED, **changes}))

    def test_without_r_the_tree_s_own_are_used(self):
        shown = self.expect(0, "--print-config").stdout
        self.assertEqual(json.loads(shown)["rules"], [RULES])

    def test_a_file_alone_and_several_folders(self):
        rule = self.rule()
        self.assertEqual(self.expect(0, "-q", "-R", rule, "-r", APT12).stdout, b"")
        result = self.expect(0, "-T", "-R", rule, "-R", RULES)
        self.assertIn(b"rule invented (", result.stdout)
        self.assertIn(b"rule apt12 (", result.stdout)

    def test_a_bad_one_is_refused_with_its_place(self):
        bad = self.path("bad.json", '{\n  "id": "x",\n  "name": "n",\n  "port": "o5"\n}\n')
        for also in (), ("-T",), ("--explain", "192.0.2.1"):
            self.expect(1, "-R", bad, "-r", APT12, *also,
                        says=rf"portent: {re.escape(bad)}:4:\d+: port: ")

    def test_a_vector_that_fails_refuses_the_start_too(self):
        bad = self.rule(vectors=[{"address": "198.51.100.23", "port": 10024}])
        for also in (), ("-T",):
            self.expect(1, "-R", bad, "-r", APT12, *also,
                        says=rf"portent: {re.escape(bad)}: rule invented: test vector 1: ")

    def test_a_folder_that_is_not_there(self):
        self.expect(1, "-R", "/nonexistent", "-r", APT12, says="^portent: /nonexistent: ")

    def test_lab_lets_private_destinations_count(self):
        capture = f"{PCAPS}/private-destination.pcap"
        self.assertEqual(self.expect(0, "-q", "-r", capture).stdout, b"")
        self.assertGreater(len(lines(self.expect(0, "-q", "--lab", "-r", capture))), 0)


class AllowLists(Case):
    """What a list has is no alert: it is counted, by its entry too, and told as a near miss."""

    def near(self, capture, **lists):
        """Alerts, and the lists and entries of near misses, with one text for each list."""
        flags = [word for name, text in lists.items()
                 for word in (f"--allow-{name}", self.path(name, text))]
        documents = lines(self.expect(0, "-q", "--near-misses", "-r", f"{PCAPS}/{capture}.pcap",
                                      *flags))
        allowed = [d["portent"]["near_miss"] for d in documents
                   if d["event"]["kind"] == "event" and
                   d["portent"]["near_miss"]["reason"] == "allow_listed"]
        alerts = [d for d in documents if d["event"]["kind"] == "alert"]
        return len(alerts), [(near["list"], near["entry"]) for near in allowed]

    def test_each_list(self):
        for lists, entry in (({"clients": "10.20.30.0/24"}, ("client", "10.20.30.0/24")),
                             ({"destinations": "198.51.100.23"}, ("destination", "198.51.100.23")),
                             ({"names": "C2.example.net"}, ("name", "C2.example.net")),
                             ({"names": "*.example.net # all"}, ("name", "*.example.net")),
                             ({"ports": "10000-10200"}, ("port", "10000-10200"))):
            with self.subTest(lists):
                self.assertEqual(self.near("apt12", **lists), (0, [entry]))

    def test_what_is_not_on_a_list_is_an_alert(self):
        self.assertEqual(self.near("apt12", clients="198.51.100.23", destinations="10.20.30.40",
                                   names="example.net\nnet", ports="10197\n10199"), (1, []))

    def test_cname_targets_count(self):
        for name in "www.example.net", "pop.cdn.example.org", "a7.cdn.example.org":
            self.assertEqual(self.near("cname-chain", names=name), (0, [("name", name)]))

    def test_the_name_that_gave_the_port_alone_does_not(self):
        """Malware may ask any name for its arithmetic: only where it connects to counts."""
        self.assertEqual(self.near("two-names", names="calc.example.org"), (1, []))
        self.assertEqual(self.near("two-names", names="c2.example.net"),
                         (0, [("name", "c2.example.net")]))

    def test_a_calculated_address_has_no_name(self):
        self.assertEqual(self.near("swap16", names="c2.example.net"), (1, []))
        self.assertEqual(self.near("swap16", destinations="176.65.132.198"),
                         (0, [("destination", "176.65.132.198")]))

    def answer_from(self, records):
        """One answer of 8.8.8.8 to a question for c2.example.net, with these records of owner, type
        and data, and then the SYN that the address calculates: 198 * 51 + 100."""
        def name(text):
            return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"

        def packet(protocol, source, destination, rest, time):
            body = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(rest), 1, 0, 64, protocol, 0,
                               bytes(source), bytes(destination)) + rest
            return struct.pack("<IIII", 1795550223, time, len(body), len(body)) + body

        message = struct.pack(">HHHHHH", 7, 0x8180, 1, len(records), 0, 0) + \
            name("c2.example.net") + struct.pack(">HH", 1, 1)
        for owner, kind, data in records:
            data = name(data) if kind == 5 else bytes(data)
            message += name(owner) + struct.pack(">HHIH", kind, 1, 300, len(data)) + data
        client, server = (10, 20, 30, 40), (198, 51, 100, 23)
        udp = struct.pack(">HHHH", 53, 40000, 8 + len(message), 0) + message
        syn = struct.pack(">HHIIBBHHH", 40000, 10198, 1, 0, 0x50, 0x02, 1024, 0, 0)
        return self.path("answer.pcap", SYN[:24] + packet(17, (8, 8, 8, 8), client, udp, 0) +
                         packet(6, client, server, syn, 1000))

    def test_a_name_that_the_records_do_not_lead_to_does_not_count(self):
        """Who answers for his own name may put any other beside it: it allows him nothing."""
        address = (198, 51, 100, 23)
        names = self.path("names", "cdn.example.org\n")
        for records, alerts in (
                ([("c2.example.net", 5, "cdn.example.org"), ("cdn.example.org", 1, address)], 0),
                ([("cdn.example.org", 1, address)], 1),
                ([("c2.example.net", 1, address), ("cdn.example.org", 1, (192, 0, 2, 1))], 1),
                ([("www.example.com", 5, "cdn.example.org"), ("cdn.example.org", 1, address)], 1)):
            with self.subTest(records):
                shown = lines(self.expect(0, "-q", "-r", self.answer_from(records),
                                          "--allow-names", names))
                self.assertEqual(len(shown), alerts)

    def test_the_name_that_another_client_was_given_counts(self):
        found = self.near("other-client", names="c2.example.net")
        self.assertEqual(set(found[1]), {("name", "c2.example.net")})
        self.assertEqual(found[0], 0)

    def test_without_near_misses_it_is_counted(self):
        names, stats = self.path("names", "# known\nc2.example.net\nother.example\n"), \
            self.path("stats.json")
        result = self.expect(0, "-v", "-r", APT12, "--allow-names", names, "--stats", stats,
                             says=r"near_miss\.allow_listed")
        self.assertEqual(result.stdout, b"")
        said = result.stderr.decode()
        self.assertIn("portent: allow lists: 1 of 2 entries allowed a match\n", said)
        self.assertIn(f"1  name c2.example.net ({names}:2)\n", said)
        with open(stats) as file:
            allow = json.load(file)["portent"]["stats"]
        self.assertEqual(allow["near_miss"]["allow_listed"], 1)
        self.assertEqual(allow["alert"]["generated"], 0)
        self.assertEqual(allow["match"], {"apt12": 0, "variant": 0, "other": 0,
                                          "no_value": allow["match"]["no_value"]})
        self.assertEqual(allow["allow"], {"entries": 2, "used": 1, "most": [
            {"list": "name", "entry": "c2.example.net", "file": names, "line": 2, "matches": 1}]})

    def test_a_rotation_does_not_count_them(self):
        flags = ("--allow-ports", self.path("ports", "1-65535"))
        self.assertEqual(self.expect(0, "-q", "-r", f"{PCAPS}/rotation.pcap", *flags).stdout, b"")

    def test_text_and_reason_say_the_entry(self):
        clients = self.path("clients", "\n10.20.30.40\n")
        flags = ("-q", "--near-misses", "-r", APT12, "--allow-clients", clients)
        self.assertIn(b", client allow-listed by 10.20.30.40\n",
                      self.expect(0, *flags, "--format", "text").stdout)
        (near,) = lines(self.expect(0, *flags))
        self.assertTrue(near["event"]["reason"].endswith(
            f"; no match, because the client is allow-listed, by 10.20.30.40 in {clients} line 2"),
            near["event"]["reason"])

    def test_the_configuration_names_them(self):
        names = self.path("names", "c2.example.net\n")
        config = self.path("c.json", json.dumps({"allow": {"names": [names]}}))
        self.assertEqual(self.expect(0, "-q", "-c", config, "-r", APT12).stdout, b"")
        self.assertIn(b"allow lists (1 entry) ok\n", self.expect(0, "-T", "-c", config).stdout)

    def test_a_bad_one_is_refused_with_its_place(self):
        bad = self.path("bad", "192.0.2.1\n  192.0.2.300\n")
        for also in (), ("-T",):
            self.expect(1, "-r", APT12, "--allow-destinations", bad, *also,
                        says=rf'^portent: {bad}:2:3: "192.0.2.300" is no address')
        self.expect(1, "-r", APT12, "--allow-names", "/nonexistent/x",
                    says=r"/nonexistent/x: this cannot be read: No such file or directory")
        self.expect(1, "-r", APT12, "--allow-names", self.folder.name,
                    says=r"this cannot be read: Is a directory")


class Explain(Case):
    def explain(self, address, *words):
        result = self.expect(0, "--explain", address, *words)
        self.assertEqual(result.stderr, b"")
        head, *rows = result.stdout.decode().splitlines()
        for row in rows:
            self.assertLessEqual(len(row), 100)
        rules = re.split(r"\n  (?! )", "\n" + "\n".join(rows))  # other lines are indented further
        return head, {words[0]: " ".join(words[1:]) for words in map(str.split, rules[1:])}

    # By hand: 198 * 51 + 100 = 10198; 198 * (51 + 100) = 29898; halves of 198.51.100.23 exchanged.
    def test_an_address_that_every_limit_lets_pass(self):
        head, rows = self.explain("198.51.100.23")
        self.assertEqual(head, "198.51.100.23: o1 198, o2 51, o3 100, o4 23")
        self.assertEqual(rows["apt12"], "port 10198 would match 198 * 51 + 100 = 10198")
        self.assertEqual(rows["variant"], "port 29898 would match 198 * (51 + 100) = 29898")
        self.assertEqual(rows["swap16"], "100.23.198.51, any port would match if the address was "
                                         "not itself given by DNS swap16(198.51.100.23) = "
                                         "100.23.198.51")

    def test_a_port_outside_the_limits(self):
        # 20 * 101 + 57 = 2077, the documented address
        self.assertEqual(self.explain("20.101.57.9")[1]["apt12"],
                         "port 2077 dropped: port 2077 is outside its ports 20 * 101 + 57 = 2077")

    def test_an_excluded_port(self):
        # 80 * 100 + 80 = 8080
        self.assertEqual(self.explain("80.100.80.1")[1]["apt12"],
                         "port 8080 dropped: port 8080 is one that it excludes "
                         "80 * 100 + 80 = 8080")

    def test_a_result_that_is_no_port(self):
        self.assertEqual(self.explain("255.255.255.1")[1]["variant"],
                         "no port dropped: 130050 is no port 255 * (255 + 255) = 130050")

    def test_an_excluded_destination_and_a_lab(self):
        # 192 * 168 + 1 = 32257
        self.assertEqual(self.explain("192.168.1.9")[1]["apt12"],
                         "port 32257 dropped: 192.168.1.9 is excluded as a destination (but gives "
                         "a port for others) 192 * 168 + 1 = 32257")
        self.assertEqual(self.explain("192.168.1.9", "--lab")[1]["apt12"],
                         "port 32257 would match 192 * 168 + 1 = 32257")

    def test_calculated_addresses_that_cannot_be_meant(self):
        self.assertEqual(self.explain("8.8.8.8")[1]["swap16"],
                         "8.8.8.8, any port dropped: it calculates the address itself "
                         "swap16(8.8.8.8) = 8.8.8.8")
        self.assertIn("dropped: 10.0.8.9 is private", self.explain("8.9.10.0")[1]["swap16"])

    def test_no_value(self):
        rule = self.path("r.json", json.dumps({"id": "quotient", "name": "n",
                                               "port": "1000 / o4"}))
        self.assertEqual(self.explain("192.0.2.0", "-R", rule)[1]["quotient"],
                         "no port dropped: the port expression has no value 1000 / 0 = no value")

    def test_ipv4_inside_ipv6(self):
        for address in "64:ff9b::c633:6417", "::ffff:198.51.100.23":
            self.assertTrue(self.explain(address)[1]["apt12"].startswith("port 10198"), address)
        result = self.expect(0, "--explain", "2001:db8::1")
        self.assertEqual(result.stdout,
                         b"2001:db8::1 holds no IPv4 address: no rule calculates with it\n")

    def test_columns_are_aligned_and_arithmetic_stands_below(self):
        rows = self.expect(0, "--explain", "20.101.57.9").stdout.decode().splitlines()[1:]
        starts = {re.search("would|dropped", row).start() for row in rows if row[2] != " "}
        self.assertEqual(len(starts), 1)
        below = {re.match(" *", row).end() for row in rows if row[2] == " "}
        self.assertEqual(below, {re.match("  [a-z0-9-]+ +", rows[0]).end()})

    def test_what_cannot_be_broken_is_not_lost(self):
        """150 digits without a blank: longer than the line that they stand on."""
        long = "+".join(["o4"] * 75)
        rule = self.path("r.json", json.dumps({"id": "long", "name": "n", "port": long}))
        shown = self.expect(0, "--explain", "192.0.2.9", "-R", rule).stdout.decode()
        self.assertIn(" = 675", " ".join(shown.split()))

    def test_a_port_behind_the_address(self):
        # 20 * 101 + 57 = 2077; 20 * (101 + 57) = 3160
        for text in "20.101.57.9:2077", "[::ffff:20.101.57.9]:2077", "[64:ff9b::1465:3909]:2077":
            head, rows = self.explain(text)
            self.assertEqual(head, text + ": o1 20, o2 101, o3 57, o4 9")
            self.assertEqual(rows["apt12"], "port 2077 dropped: port 2077 is outside its ports "
                                            "20 * 101 + 57 = 2077")
            self.assertEqual(rows["apt12-wide"], "port 2077 would match 20 * 101 + 57 = 2077")
            self.assertEqual(rows["variant-wide"], "port 3160 does not give port 2077 "
                                                   "20 * (101 + 57) = 3160")
            said = self.expect(0, "--explain", text).stdout.decode().splitlines()[-1]
            self.assertEqual(said, "port 2077 of 20.101.57.9 is given by apt12 (dropped), apt12-wide")
        said = self.expect(0, "--explain", "20.101.57.9:443").stdout.decode().splitlines()[-1]
        self.assertEqual(said, "no rule gives port 443 of 20.101.57.9")

    def test_a_port_that_an_address_rule_does_not_admit(self):
        rule = self.path("r.json", json.dumps({"id": "web", "name": "n", "address": "swap16(addr)",
                                               "limits": {"ports": ["443"]}}))
        self.assertIn("dropped: port 80 is outside its ports",
                      self.explain("57.9.20.101:80", "-R", rule)[1]["web"])
        self.assertIn("would match", self.explain("57.9.20.101:443", "-R", rule)[1]["web"])

    def test_what_is_no_address(self):
        self.fails(1, '--explain: "198.51.100" is no IP address', "--explain", "198.51.100")
        for text in ("198.51.100.1:", "198.51.100.1:0", "198.51.100.1:65536", "198.51.100.1:1-2",
                     "[::1", "[::1]443", "::1]:443", "[198.51.100.1:443", "198.51.100:443"):
            self.fails(1, f'--explain: "{text}" is no IP address, nor one with a port behind it',
                       "--explain", text)


class Configuration(Case):
    def test_a_flag_wins_over_it(self):
        config = self.path("c.json", '{"format": "text", "lab": true}')
        self.assertNotIn(b"{", self.expect(0, "-q", "-c", config, "-r", APT12).stdout)
        lines(self.expect(0, "-q", "-c", config, "-r", APT12, "--format", "ecs"))

    def test_a_bad_one_is_refused_with_its_place(self):
        config = self.path("c.json", '{\n  "observer": {\n    "nmae": "x"\n  }\n}\n')
        self.fails(1, f"{config}:3:5: observer.nmae: this key is unknown; did you mean name?",
                   "-c", config, "-r", APT12)

    def test_what_the_engine_would_refuse_is_refused_with_its_place(self):
        for text, sentence in (('{"reorder": "2s"}', "1:13: reorder: 2s is out of range: 0s to 1s"),
                               ('{"cross_window":"0s"}',
                                "1:17: cross_window: 0s is out of range: 1ns to 1d"),
                               ('{"cross_window":"2h"}',
                                "1:17: cross_window: 2h is longer than max_window, which is 1h"),
                               ('{"throttle":"0s"}',
                                "1:13: throttle: 0s is out of range: 1ns to 1d")):
            config = self.path("c.json", text)
            for also in (), ("-T",), ("--print-config",):
                self.fails(1, f"{config}:{sentence}", "-c", config, "-r", APT12, *also)

    def test_what_is_printed_is_what_help_says(self):
        printed = json.loads(self.expect(0, "--print-config").stdout)
        shown = " ".join(self.expect(0, "--help").stdout.decode().split())
        for key in ("memory", "reorder", "window", "max_window", "cross_window", "throttle",
                    "expectation_skew",
                    "connection_ports", "format"):
            self.assertRegex(shown, rf"\b{key}\b[^\[\]]*(\[key \w+; |\[|; )"
                                    rf"default {re.escape(printed[key])}\]")

    def test_what_is_printed_can_be_used(self):
        printed = self.expect(0, "--print-config", "--lab", "--memory=32M", "--log=dns").stdout
        config = self.path("c.json", printed)
        again = self.expect(0, "-c", config, "--print-config").stdout
        self.assertEqual(self.values(again), self.values(printed))
        self.expect(0, "-c", config, "-r", APT12, says="memory budget 32M")

    def values(self, printed):
        """What --print-config shows without its comments."""
        return {key: self.values(json.dumps(value)) if isinstance(value, dict) else value
                for key, value in json.loads(printed).items() if not key.startswith("#")}

    def test_what_is_printed_says_where_it_comes_from_and_its_hash(self):
        config = self.path("c.json", '{\n"window": "20m", "lab": false,\n"observer": {"name": "dmz"}}')
        text = self.expect(0, "-c", config, "--print-config", "--lab").stdout
        printed = json.loads(text)
        self.assertEqual(printed["# window"], f"{config}:2")
        self.assertEqual(printed["observer"]["# name"], f"{config}:3")
        self.assertEqual((printed["# lab"], printed["lab"]), ("--lab", True))
        self.assertEqual(printed["# memory"], "default")
        plain = json.dumps(self.values(text), sort_keys=True, separators=(",", ":"),
                           ensure_ascii=False)
        self.assertEqual(printed["# sha256"], hashlib.sha256(plain.encode()).hexdigest())

    def test_the_name_of_the_sensor(self):
        config = self.path("c.json", '{"observer": {"name": "dmz-7"}}')
        (alert,) = lines(self.expect(0, "-q", "-c", config, "-r", APT12))
        self.assertEqual(alert["observer"]["name"], "dmz-7")
        self.assertEqual(alert["observer"]["hostname"], os.uname().nodename)

    def test_home_networks_say_who_is_inside(self):
        """No answer was seen: only an inside client's SYN counts (design 4.4)."""
        capture = self.path("syn.pcap", SYN)
        self.expect(0, "-r", capture, says="nothing found: no DNS was seen")
        (alert,) = lines(self.expect(0, "-q", "-r", capture, "--home-network", "203.0.113.0/24"))
        self.assertEqual(alert["portent"]["verdict"], "port_only")
        self.assertEqual(alert["network"]["direction"], "outbound")
        config = self.path("c.json", '{"home_networks": ["203.0.113.0/24"]}')
        self.assertEqual(len(lines(self.expect(0, "-q", "-r", capture, "-c", config))), 1)
        self.assertEqual(self.expect(0, "-q", "-r", capture, "-c", config, "--home-network",
                                     "192.0.2.0/24").stdout, b"")


    def test_a_private_address_is_inside_whatever_the_home_networks_are(self):
        documents = lines(self.expect(0, "-q", "-r", APT12, "--log", "dns,connection",
                                      "--home-network", "203.0.113.0/24"))
        self.assertEqual({(d["data_stream"]["dataset"], d["network"]["direction"])
                          for d in documents},
                         {("portent.alert", "outbound"), ("portent.connection", "outbound"),
                          ("portent.dns", "internal")})  # 10.20.30.1 answered


class Test(Case):
    def test_all_is_well(self):
        out = self.path("out")
        result = self.expect(0, "-T", "-o", out, "-o", "-", "tcp")
        for line in result.stdout.decode().splitlines():
            self.assertTrue(line.endswith(" ok"), line)
        self.assertEqual(result.stderr, b"")
        self.assertFalse(os.path.exists(out), "a test leaves nothing behind")

    def test_a_place_for_stats_that_is_not_there(self):
        result = self.expect(1, "-T", "--stats", "/nonexistent/x")
        self.assertEqual(result.stderr,
                         b"portent: stats /nonexistent/x: No such file or directory\n"
                         b"portent: 1 fault: with it the sensor does not start\n")

    def test_a_place_for_metrics_that_is_not_there(self):
        result = self.expect(1, "-T", "--metrics", "/nonexistent/m.prom")
        self.assertEqual(result.stderr,
                         b"portent: metrics /nonexistent/m.prom: No such file or directory\n"
                         b"portent: 1 fault: with it the sensor does not start\n")
        result = self.expect(3, "-r", APT12, "--metrics", "/nonexistent/m.prom")
        self.assertIn(b"portent: /nonexistent/m.prom: No such file or directory\n", result.stderr)
        self.assertEqual(result.stdout, "" if isinstance(result.stdout, str) else b"")

    def test_standard_output_that_is_closed(self):
        for arguments, status in (("-r " + APT12, 3), ("-r " + APT12 + " -o " + self.path("x"), 0)):
            result = subprocess.run(["sh", "-c", f"exec {PORTENT} -q {arguments} >&-"],
                                    capture_output=True, timeout=60, check=False)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertEqual(b"standard output is closed" in result.stderr, status == 3)

    def test_a_replay_that_is_told_to_open_its_outputs_anew(self):
        """HUP and USR1 end no replay: what was found goes on being written, to the new file."""
        out = self.path("out")
        with subprocess.Popen([PORTENT, "-q", "--format", "text", "-r", "-", "-o", out],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            with open(APT12, "rb") as file:
                octets = file.read()
            while not os.path.exists(out):
                time.sleep(0.01)
            process.stdin.write(octets[:60])
            process.stdin.flush()
            time.sleep(0.2)
            os.rename(out, out + ".1")
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
                process.send_signal(number)
            time.sleep(0.2)
            process.stdin.write(octets[60:])
            process.stdin.close()
            self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())
        with open(out, encoding="utf-8") as file:
            self.assertIn("HIGH apt12 ", file.read())

    def test_a_set_of_rules_without_one(self):
        ports = "rules/ports.json"
        result = self.expect(1, "-r", APT12, "-R", ports)
        self.assertIn(b"there is no rule here", result.stderr)

    def test_every_fault_is_said(self):
        bad = self.path("bad.json", "[]")
        result = self.expect(1, "-T", "-R", bad, "-o", "/nonexistent/x", "-o", "/", "--stats", "/",
                             "tcp", "port")
        said = result.stderr.decode()
        for fault in ("syntax error", f"{bad}:1:1: ", "output /nonexistent/x: ",
                      "output /: Is a directory", "stats /: Is a directory"):
            self.assertIn(fault, said)
        self.assertTrue(said.endswith("portent: 5 faults: with them the sensor does not start\n"), said)

    def verdicts(self, status, *flags, **more):
        return self.expect(status, "-T", *flags, **more).stdout.decode().splitlines()

    @unittest.skipIf(os.geteuid(), "who may not capture is told so")
    def test_an_interface_that_is_not_there_is_no_fault(self):
        shown = self.verdicts(0, "-i", "lo", "-i", "nonesuch", "-o", self.path("events"))
        self.assertIn("interface lo ok", shown)
        self.assertIn("interface nonesuch is not there now", shown)
        self.assertIn("permission to capture ok", shown)

    @unittest.skipIf(os.geteuid(), "who may not capture is told so")
    def test_the_spool_is_looked_at(self):
        flags = ("-i", "lo", "-o", self.path("events"), "--spool")
        self.assertIn(f"spool {self.path('s')} ok", self.verdicts(0, *flags, self.path("s")))
        self.assertEqual(os.listdir(self.folder.name), [])
        self.verdicts(1, *flags, "/nonexistent/s", says=r"^portent: spool /nonexistent/s: No such")
        self.verdicts(1, *flags, self.path("file", "x"), says=r"^portent: spool .*: Not a directory")

    def test_sockets_are_not_tried(self):
        shown = self.verdicts(0, "-o", "unix:/nonexistent/x", "-o", "tcp:192.0.2.1:5045")
        for name in "unix:/nonexistent/x", "tcp:192.0.2.1:5045":
            self.assertIn(f"output {name} ok (whether anyone listens is not tried)", shown)

    def test_quiet_shows_faults_alone(self):
        self.assertEqual(self.verdicts(0, "-q"), [])
        self.assertEqual(self.verdicts(1, "-q", "-o", "/nonexistent/x", says="^portent: output /none"),
                              [])


class Signals(Case):
    def start(self, *words):
        process = subprocess.Popen([PORTENT, "-r", "-", *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        return process

    def test_int_and_term_end_the_run_and_status_is_0(self):
        for number in signal.SIGINT, signal.SIGTERM:
            process = self.start("--log", "stats")
            with open(APT12, "rb") as file:
                process.stdin.write(file.read())
            process.stdin.flush()
            process.stderr.readline()  # the start is over, handlers are there
            time.sleep(0.3)
            process.send_signal(number)
            out, said = self.end(process)
            self.assertEqual(process.returncode, 0, said)
            self.assertEqual(actions([json.loads(line) for line in out.splitlines()]),
                             ["dns_calculation_port_match", "sensor_stats"])
            self.assertIn(b"1 alert\n", said)
            self.assertNotIn(b"Interrupted", said)

    def test_an_alert_does_not_wait_for_the_end_of_standard_input(self):
        """As behind tcpdump -w - | portent -r -: the next line may be hours away."""
        process = self.start("-q")
        with open(f"{PCAPS}/rotation.pcap", "rb") as file:
            process.stdin.write(file.read())
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 20)
        self.assertTrue(ready, "the alert is still in a buffer")
        json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        self.end(process)

    def test_what_waits_for_a_packet_after_it_does_not_wait_for_ever(self):
        """The SYN is the last that comes, and the pipe stays open; time is that of packets."""
        with open(APT12, "rb") as file:
            data = file.read()
        cut, at = data[:24], 24
        for _ in range(3):  # the query, the answer, the SYN
            size = 16 + struct.unpack_from("<I", data, at + 8)[0]
            cut, at = cut + data[at:at + size], at + size
        process = self.start("-q")
        process.stdin.write(cut)
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], 30)
        self.assertTrue(ready, "the SYN is not judged")
        self.assertEqual(json.loads(process.stdout.readline())["portent"]["verdict"],
                         "dns_confirmed")
        process.send_signal(signal.SIGINT)
        self.end(process)

    def test_the_text_of_a_stop_names_the_signal_once(self):
        process = self.start("--log", "state", "--format", "text")
        process.stderr.readline()  # the start is over, handlers are there
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        out, _ = self.end(process)
        self.assertRegex(out, rb"Z sensor stopping: Sensor stopped by SIGTERM\n\Z")

    def end(self, process):
        """Standard input stays open: it is the signal that ends the run."""
        out, said = process.stdout.read(), process.stderr.read()
        process.wait(timeout=30)
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        return out, said

    def test_a_full_disk_is_waited_for_until_a_signal(self):
        process = subprocess.Popen([PORTENT, "-r", APT12, "-o", "/dev/full"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        said = process.stderr.readline() + process.stderr.readline()
        self.assertIn(b"/dev/full: No space left on device: waiting", said)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        self.assertEqual(process.wait(timeout=30), 3)
        process.stderr.close()


class Memory(Case):
    def test_the_budget_is_said_at_the_start(self):
        self.expect(0, "-r", APT12, says="^portent: memory budget 64M, ")
        self.expect(0, "-r", APT12, "--memory", "8M", says="^portent: memory budget 8M, ")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stderr).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
