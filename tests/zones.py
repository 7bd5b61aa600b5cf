#!/usr/bin/python3
"""One private address in two VLANs, or behind two numbers of a tunnel: one client, or two.

What --vlan-clients and --tunnel-clients change, and that without them nothing does. Runs in the checkout;
the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
sys.path.insert(0, str(ROOT / "tests/bad"))
sys.dont_write_bytecode = True

import frames  # noqa: E402
from fragments import Datagram  # noqa: E402
from rows import Story  # noqa: E402
from streams import Stream  # noqa: E402

START = 1795550223


def tagged(frame, *vlans):
    return frame[:12] + b"".join(struct.pack(">HH", 0x8100, v) for v in vlans) + frame[12:]


def in_vxlan(frame, vni):
    inner = struct.pack(">II", 0x08000000, vni << 8) + frame
    return frames.ethernet(frames.ipv4(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]), frames.UDP,
                                       frames.udp(50000, 4789, inner)))


def alerts(records, *flags):
    """(verdict, client, VLAN, tunnel's number, community id) of each alert, and the counters."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "made.pcap")
        path.write_bytes(frames.pcap_header() + b"".join(
            frames.pcap_record(START, 1000 * i, frame) for i, frame in enumerate(records)))
        done = subprocess.run([PORTENT, "-q", "-r", path, "-R", ROOT / "rules", "--format", "ecs", "-o", "-",
                               "--stats", pathlib.Path(folder, "stats"), *flags], capture_output=True, check=True)
        stats = json.loads(pathlib.Path(folder, "stats").read_text())
    found = []
    for d in map(json.loads, done.stdout.splitlines()):
        if d["event"]["action"] == "dns_calculation_port_match":
            found.append((d["portent"]["verdict"], d["source"]["ip"],
                          d["network"].get("vlan", {}).get("id"),
                          d["portent"].get("tunnel", {}).get("id", [None])[-1],
                          d["network"]["community_id"]))
    return found, stats["portent"]["stats"]


def story():
    made = Story()
    made.client = bytes([10, 1, 2, 3])
    return made


def verdicts(records, *flags):
    return [(verdict, vlan or tunnel) for verdict, _, vlan, tunnel, _ in alerts(records, *flags)[0]]


class Vlans(unittest.TestCase):
    def setUp(self):
        self.story = story()
        self.answer = frames.ethernet(self.story.respond(self.story.answer()))
        self.syn = frames.ethernet(self.story.syn())

    def test_another_vlan_is_another_client(self):
        records = [tagged(self.answer, 10), tagged(self.syn, 20)]
        self.assertEqual(verdicts(records), [("dns_confirmed", "20")])
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_other_client", "20")])

    def test_the_same_vlan_is_the_same_client(self):
        records = [tagged(self.answer, 10), tagged(self.syn, 10)]
        plain, _ = alerts(records)
        zoned, _ = alerts(records, "--vlan-clients")
        self.assertEqual(plain, zoned)
        self.assertEqual(zoned[0][:3], ("dns_confirmed", "10.1.2.3", "10"))

    def test_without_a_tag_is_a_place_too(self):
        records = [self.answer, tagged(self.syn, 20)]
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_other_client", "20")])

    def test_the_inner_tag_counts(self):
        records = [tagged(self.answer, 7, 10), tagged(self.syn, 7, 20)]
        self.assertEqual(verdicts(records), [("dns_confirmed", "7")])
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_other_client", "7")])

    def test_a_packet_in_two_vlans_is_one_or_two(self):
        records = [tagged(self.answer, 10), tagged(self.answer, 20), tagged(self.syn, 10), tagged(self.syn, 20)]
        found, stats = alerts(records)
        self.assertEqual(len(found), 1)
        self.assertEqual((stats["dns"]["copies"], stats["connection"]["copies"]), (1, 1))
        found, stats = alerts(records, "--vlan-clients")
        self.assertEqual([(v, vlan) for v, _, vlan, _, _ in found], [("dns_confirmed", "10"), ("dns_confirmed", "20")])
        self.assertEqual((stats["dns"]["copies"], stats["connection"]["copies"]), (0, 0))

    def test_fragments_are_put_together_within_a_vlan(self):
        datagram = Datagram(self.story)
        parts = [datagram.part(0, 24), datagram.part(24)]
        records = [tagged(parts[0], 10), tagged(parts[1], 20), tagged(self.syn, 10)]
        self.assertEqual(verdicts(records), [("dns_confirmed", "10")])
        self.assertEqual(verdicts(records, "--vlan-clients"), [("port_only", "10")])
        records = [tagged(p, v) for p in parts for v in (10, 20)] + [tagged(self.syn, 20)]
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_confirmed", "20")])

    def test_streams_are_read_within_a_vlan(self):
        stream = Stream(self.story)
        half = len(stream.wire) // 2
        parts = [stream.open(), stream.part(0, half), stream.part(half)]
        records = [tagged(p, v) for p in parts for v in (10, 20)] + [tagged(self.syn, 20)]
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_confirmed", "20")])
        records = [tagged(parts[0], 10), tagged(parts[1], 10), tagged(parts[2], 20), tagged(self.syn, 10)]
        self.assertEqual(verdicts(records, "--vlan-clients"), [("port_only", "10")])

    def test_a_client_is_written_and_allowed_by_its_address(self):
        records = [tagged(self.answer, 10), tagged(self.syn, 10)]
        with tempfile.TemporaryDirectory() as folder:
            path, known = pathlib.Path(folder, "portent.json"), pathlib.Path(folder, "known")
            path.write_text(json.dumps({"clients": {"by_vlan": True}, "allow": {"clients": [str(known)]}}))
            known.write_text("10.1.2.3\n")
            self.assertEqual(alerts(records, "-c", path)[0], [])
            known.write_text("10.1.2.4\n")
            self.assertEqual([a[1] for a in alerts(records, "-c", path)[0]], ["10.1.2.3"])

    def test_its_outcome_is_followed(self):
        answer = frames.ipv4(self.story.given, self.story.client, frames.TCP,
                             frames.tcp(self.story.port, 50000, frames.SYN | frames.ACK))
        records = [tagged(self.answer, 10), tagged(self.syn, 10), tagged(frames.ethernet(answer), 10)]
        for flags in (), ("--vlan-clients",):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "made.pcap")
                path.write_bytes(frames.pcap_header() + b"".join(
                    frames.pcap_record(START, 1000 * i, frame) for i, frame in enumerate(records)))
                done = subprocess.run([PORTENT, "-q", "-r", path, "-R", ROOT / "rules", "--format", "ecs", "-o", "-",
                                       "--log", "outcome", *flags], capture_output=True, check=True)
            outcomes = [d["portent"]["outcome"]["state"] for d in map(json.loads, done.stdout.splitlines())
                        if d["event"]["action"] == "connection_outcome"]
            self.assertEqual(outcomes, ["answered"])


class Tunnels(unittest.TestCase):
    def test_another_number_is_another_client(self):
        made = story()
        answer = frames.ethernet(made.respond(made.answer()))
        syn = frames.ethernet(made.syn())
        records = [in_vxlan(answer, 100), in_vxlan(syn, 200)]
        self.assertEqual(verdicts(records), [("dns_confirmed", 200)])
        self.assertEqual(verdicts(records, "--vlan-clients"), [("dns_confirmed", 200)])
        self.assertEqual(verdicts(records, "--tunnel-clients"), [("dns_other_client", 200)])
        records = [in_vxlan(answer, 100), in_vxlan(syn, 100)]
        self.assertEqual(verdicts(records, "--tunnel-clients"), [("dns_confirmed", 100)])

    def test_both_at_once(self):
        made = story()
        answer = tagged(frames.ethernet(made.respond(made.answer())), 10)
        for vlan, vni, verdict in (10, 100, "dns_confirmed"), (11, 100, "dns_other_client"), (10, 101, "dns_other_client"):
            syn = in_vxlan(tagged(frames.ethernet(made.syn()), vlan), vni)
            found, _ = alerts([in_vxlan(answer, 100), syn], "--vlan-clients", "--tunnel-clients")
            self.assertEqual([a[0] for a in found], [verdict])


class Reserved(unittest.TestCase):
    """Addresses of 0001::/16 stand for zones inside, so nothing off the wire may be one."""

    def test_a_packet_with_such_an_address_is_malformed(self):
        made = story()
        forged = bytes.fromhex("0001000a000000000000") + b"\xff\xff" + made.client
        packet = frames.ipv6(frames.RESOLVER6, forged, frames.UDP, frames.udp(53, 40000, made.answer()))
        syn = tagged(frames.ethernet(made.syn()), 10)
        records = [frames.ethernet(packet, 0x86DD), syn]
        for flags in (), ("--vlan-clients",):
            found, stats = alerts(records, *flags)
            self.assertEqual([a[0] for a in found], ["port_only"])
            self.assertEqual(stats["decode"]["malformed"], 1)

    def test_a_record_with_such_an_address_is_skipped(self):
        made = story()
        forged = bytes.fromhex("0001000a00000000") + bytes(2) + b"\xff\xff" + made.given
        asked = frames.question(frames.dotted("bad.example"), frames.AAAA)
        message = frames.message([asked], [frames.record(frames.pointer(12), frames.AAAA, forged)])
        _, stats = alerts([frames.ethernet(made.respond(message))])
        self.assertEqual(stats["dns"]["skipped"], 1)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stderr).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
