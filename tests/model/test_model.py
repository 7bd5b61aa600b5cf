#!/usr/bin/python3
"""Scenarios made by hand, with the arithmetic done by hand; each cites its number in design 4.

The addresses: 51.145.123.29 gives 51 * 145 + 123 = 7518 and 52.231.114.183 gives
52 * 231 + 114 = 12126 (apt12). 198.51.100.23 gives 198 * 51 + 100 = 10198, and as variant
198 * (51 + 100) = 29898. 20.250.0.5 gives 20 * 250 + 0 = 20 * (250 + 0) = 5000 both ways.
"""

import struct
import unittest

import generate
import luck
import model
import wire

CLIENT, OTHER, OUTSIDE = "10.0.0.5", "10.0.0.6", "203.0.113.9"
DAY = 86400
START = 1_700_000_000
TICK = 1e-6  # as a part of a second; exact enough, times are rounded to microseconds


class Scene:
    """Packets in the order in which they are put; times in seconds after START."""

    def __init__(self, nano=False, **options):
        self.records = []
        self.nano = nano
        self.options = model.Options(**options)

    def put(self, time, frame):
        self.records.append(((START * 10**6 + round(time * 10**6)) * 1000, frame))
        return len(self.records)

    def answer(self, time, client, name, *addresses, ttl=60, id=7, **how):
        records = [(generate.addr(a), ttl) for a in addresses]
        message = generate.response(id, name, records, **how)
        return self.datagram(time, "10.0.0.1", 53, client, 33333, message)

    def query(self, time, client, name, id=7, resolver="10.0.0.1", sport=33333):
        return self.datagram(time, client, sport, resolver, 53, generate.query(id, name))

    def datagram(self, time, source, sport, destination, dport, payload):
        return self.put(time, generate.frame(
            generate.addr(source), generate.addr(destination), 17,
            generate.udp(sport, dport, payload)))

    def quic(self, time, client, destination, payload=b"\xc0\0\0\0\1"):
        return self.datagram(time, client, 50000, destination, 443, payload)

    def syn(self, time, client, destination, port, sequence=None, **how):
        """Every SYN is another one unless its sequence number is given."""
        sequence = len(self.records) if sequence is None else sequence
        return self.put(time, generate.frame(
            generate.addr(client), generate.addr(destination), 6,
            generate.tcp(40000, port, sequence, **how)))

    def lines(self):
        return model.run(generate.write(self.records, self.nano), self.options)[0]

    def alerts(self, *keys):
        """Of every alert the fields that are asked for."""
        return [tuple(line[k] for k in keys) for line in self.lines() if line["kind"] == "alert"]

    def kinds(self):
        return [line["kind"] for line in self.lines()]

    def verdicts(self):
        return self.alerts("rule", "verdict", "severity")


CONFIRMED = ("apt12", "dns_confirmed", 73)
PORT_ONLY = ("apt12", "port_only", 21)


class Zones(unittest.TestCase):
    """One private address where VLANs or tunnels are part of who a client is."""

    def verdict(self, first, second, **options):
        s = Scene(**options)
        s.answer(0, CLIENT, "a.test", "51.145.123.29")
        s.syn(1, CLIENT, "51.145.123.29", 7518)
        s.records = [(time, put(data)) for (time, data), put in zip(s.records, (first, second))]
        (_, verdict, _), = s.verdicts()
        return verdict

    def test_only_the_number_that_counts_parts_clients(self):
        def seven(data):
            return generate.vxlan(data, 7)

        for second, wanted in (
                (seven, "dns_confirmed"),
                (lambda data: generate.vxlan(data, 8), "dns_other_client"),
                (lambda data: generate.gre(data, 7), "dns_other_client"),
                (lambda data: generate.vxlan(generate.ip_in_ip(data), 7), "dns_confirmed"),
                (lambda data: generate.vxlan(generate.vxlan(data, 7), 9), "dns_confirmed"),
                (lambda data: data, "dns_other_client")):
            self.assertEqual(self.verdict(seven, second, tunnel_clients=True), wanted)
            self.assertEqual(self.verdict(seven, second), "dns_confirmed")
            self.assertEqual(self.verdict(seven, second, vlan_clients=True), "dns_confirmed")


class Formulas(unittest.TestCase):
    def test_published_vectors(self):
        for function, given, wanted in (
                (model.swap16, "132.198.176.65", "176.65.132.198"),
                (model.swap16, "87.243.45.156", "45.156.87.243"),
                (model.nymaim, "127.33.12.14", "127.0.0.0"),
                (model.nymaim, "127.33.12.15", "127.0.0.1"),
                (model.nymaim, "192.202.176.55", "192.42.116.41"),
                (model.nymaim, "126.56.117.50", "190.43.116.42")):
            self.assertEqual(wire.text(function(generate.addr(given))), wanted)
        for function, given, wanted in (
                (model.apt12, "51.145.123.29", 7518), (model.apt12, "52.231.114.183", 12126),
                (model.apt12, "20.101.57.9", 2077), (model.variant, "20.101.57.9", 3160),
                (model.variant, "40.76.58.209", 5360)):
            self.assertEqual(function(generate.addr(given)), wanted)

    def test_ports_admitted(self):
        # 49151 - 4096 + 1 = 45056, less 11
        self.assertEqual(model.RULES["apt12"].ports_admitted, 45045)


class DelayLine(unittest.TestCase):
    def test_4_1_an_answer_may_be_50_ms_late(self):
        for late, wanted in ((0.05, CONFIRMED), (0.05 + TICK, PORT_ONLY)):
            s = Scene()
            s.syn(0, CLIENT, "51.145.123.29", 7518)
            s.answer(late, CLIENT, "a.test", "51.145.123.29")
            self.assertEqual(s.verdicts(), [wanted])

    def test_4_1_a_full_line_judges_its_oldest_early(self):
        for places, wanted in ((3, CONFIRMED), (2, PORT_ONLY)):
            s = Scene(places=places)
            s.syn(0, CLIENT, "51.145.123.29", 7518)
            s.syn(0.001, CLIENT, "192.0.2.1", 80)
            s.syn(0.002, CLIENT, "192.0.2.1", 80)
            s.answer(0.003, CLIENT, "a.test", "51.145.123.29")
            self.assertEqual(s.verdicts(), [wanted])

    def test_4_1_the_line_sorts(self):
        # The contact of 10 ms is written after the SYN of 20 ms, and still comes first: 47.
        s = Scene()
        s.answer(0, CLIENT, "port.test", "52.231.114.183")
        s.answer(0, CLIENT, "c2.test", "51.145.123.29", id=8)
        s.syn(0.020, CLIENT, "51.145.123.29", 12126)
        s.syn(0.010, CLIENT, "52.231.114.183", 443)
        self.assertEqual(s.verdicts(), [("apt12", "dns_other_address", 47)])


class Syn(unittest.TestCase):
    def test_4_2_a_copy_within_two_minutes_of_the_last(self):
        s = Scene()
        for time in (0, 0.00002, 120.00002, 240.00002):  # every one within 120 s of the last
            s.syn(time, CLIENT, "51.145.123.29", 7518, sequence=5)
        self.assertEqual(s.verdicts(), [PORT_ONLY])
        s.syn(360.000021, CLIENT, "51.145.123.29", 7518, sequence=5)
        self.assertEqual(s.alerts("packet", "suppressed"), [(1, 0), (5, 0)])

    def test_4_2_only_a_plain_syn(self):
        # URG, PSH, ECE and CWR do not matter
        for flags, count in ((0x02, 1), (0xC2, 1), (0x2A, 1), (0x12, 0), (0x06, 0), (0x03, 0)):
            s = Scene()
            s.syn(0, CLIENT, "51.145.123.29", 7518, flags=flags)
            self.assertEqual(len(s.lines()), count, hex(flags))


class Verdicts(unittest.TestCase):
    def test_4_3_this_client_another_client_nobody(self):
        s = Scene()
        s.syn(0, CLIENT, "51.145.123.29", 7518)
        s.answer(1, OTHER, "a.test", "51.145.123.29")
        s.syn(2, CLIENT, "51.145.123.29", 7518)
        s.answer(3, CLIENT, "a.test", "51.145.123.29")
        s.syn(4, CLIENT, "51.145.123.29", 7518)
        self.assertEqual(
            s.alerts("verdict", "severity", "evidence_packet", "candidates", "chance"),
            [("port_only", 21, None, 1, 1 / 45045), ("dns_other_client", 47, 2, 1, 1 / 45045),
             ("dns_confirmed", 73, 4, 1, 1 / 45045)])

    def two_names(self, contact=None, given=True, time=2.0):
        s = Scene()
        s.answer(0, CLIENT, "port.test", "52.231.114.183")
        if given:
            s.answer(0.5, CLIENT, "c2.test", "51.145.123.29")
        if contact is not None:
            s.syn(contact, CLIENT, "52.231.114.183", 443)
        s.syn(time, CLIENT, "51.145.123.29", 12126)
        return s

    def test_4_3_the_port_of_another_address(self):
        for scene, severity in ((self.two_names(), 73), (self.two_names(contact=1), 47),
                                (self.two_names(given=False), 21)):
            self.assertEqual(
                scene.alerts("verdict", "severity", "evidence_packet", "port_from"),
                [("dns_other_address", severity, 1, "52.231.114.183")])

    def test_4_3_cross_window(self):
        self.assertEqual(len(self.two_names(time=60).lines()), 1)
        self.assertEqual(self.two_names(time=60 + TICK).lines(), [])

    def test_4_3_candidates_are_the_distinct_ports_passed(self):
        # Newest first: 10198; 2077 is not admitted; 7518 twice (one /24); 12126 is the third.
        s = Scene()
        s.answer(0, CLIENT, "port.test", "52.231.114.183")
        s.answer(1, CLIENT, "b.test", "51.145.123.29", "51.145.123.30")
        s.answer(2, CLIENT, "c.test", "20.101.57.9")
        s.answer(3, CLIENT, "d.test", "198.51.100.23")
        s.syn(4, CLIENT, "192.0.2.77", 12126)
        self.assertEqual(s.alerts("candidates", "chance"), [(3, 3 / 45045)])

    def test_4_3_the_first_name_not_contacted_suffices(self):
        # 40 * 126 + 20 = 50 * 100 + 60 = 5060; the newer one's name was contacted.
        s = Scene()
        s.answer(0, CLIENT, "silent.test", "40.126.20.1")
        s.answer(1, CLIENT, "loud.test", "50.100.60.2")
        s.answer(2, CLIENT, "c2.test", "51.145.123.29")
        s.syn(3, CLIENT, "50.100.60.2", 443)
        s.syn(4, CLIENT, "51.145.123.29", 5060)
        # Passed: 7518 is the destination's own and is not visited; 5060 twice is one port.
        self.assertEqual(s.alerts("severity", "port_from", "candidates"),
                         [(73, "40.126.20.1", 1)])

    def test_4_3_of_names_that_were_all_contacted_the_newest(self):
        s = Scene()
        s.answer(0, CLIENT, "old.test", "40.126.20.1")
        s.answer(1, CLIENT, "new.test", "50.100.60.2")
        s.answer(2, CLIENT, "c2.test", "51.145.123.29")
        s.syn(3, CLIENT, "50.100.60.2", 443)
        s.syn(3, CLIENT, "40.126.20.1", 443)
        s.syn(4, CLIENT, "51.145.123.29", 5060)
        self.assertEqual(s.alerts("severity", "port_from"), [(47, "50.100.60.2")])

    def asked(self, s, time, name, *addresses):
        s.query(time - 0.01, CLIENT, name)
        s.answer(time, CLIENT, name, *addresses)

    def test_5_what_nobody_asked_for_is_no_candidate_of_what_was(self):
        s = Scene()
        self.asked(s, 0, "port.test", "52.231.114.183")
        self.asked(s, 1, "c2.test", "192.0.2.77")
        s.answer(2, CLIENT, "forged.test", "198.51.100.23", "51.145.123.29", id=8)
        s.syn(3, CLIENT, "192.0.2.77", 12126)
        s.syn(4, CLIENT, "192.0.2.77", 7518)
        self.assertEqual(s.alerts("severity", "candidates"), [(73, 1), (73, 2)])

    def test_5_a_forged_hit_and_a_forged_contact_are_passed(self):
        # 40 * 126 + 20 = 50 * 100 + 60 = 5060.
        s = Scene()
        self.asked(s, 0, "port.test", "40.126.20.1")
        self.asked(s, 1, "c2.test", "51.145.123.29")
        s.answer(2, CLIENT, "again.test", "50.100.60.2", id=8)
        s.answer(2, CLIENT, "port.test", "192.0.2.77", id=9)
        s.syn(3, CLIENT, "192.0.2.77", 443)
        s.syn(3, CLIENT, "50.100.60.2", 443)
        s.syn(4, CLIENT, "51.145.123.29", 5060)
        self.assertEqual(s.alerts("severity", "port_from"), [(73, "40.126.20.1")])

    def test_5_of_a_silent_forged_name_and_a_contacted_one_the_higher_severity(self):
        for forged, wanted in ((1, (73, "50.100.60.2")), (200, (47, "40.126.20.1"))):
            s = Scene()
            self.asked(s, 0, "port.test", "40.126.20.1")
            self.asked(s, 1, "c2.test", "51.145.123.29")
            s.answer(2, CLIENT, "silent.test", "50.100.60.2", id=8)
            for i in range(forged):
                s.answer(3, CLIENT, f"f{i}.test", f"100.{100 + i // 2}.{i % 2 * 128}.9", id=20 + i)
            s.syn(4, CLIENT, "40.126.20.1", 443)
            s.syn(5, CLIENT, "51.145.123.29", 5060)
            self.assertEqual(s.alerts("severity", "port_from"), [wanted])

    def test_5_a_forged_answer_of_a_calculated_address_hides_nothing(self):
        for asked, wanted in ((False, 1), (True, 0)):
            s = Scene()
            self.asked(s, 0, "a.test", "132.198.176.65")
            if asked:
                self.asked(s, 1, "b.test", "176.65.132.198")
            s.answer(2, CLIENT, "forged.test", "176.65.132.198", id=8)
            s.syn(3, CLIENT, "176.65.132.198", 23789)
            self.assertEqual(len(s.lines()), wanted)

    def test_4_3_limits(self):
        # 40 * 201 + 40 = 8080; 20 * 101 + 57 = 2077; 192 * 168 + 5 = 32261; and the swap
        # of 90.81.10.1 is private.
        for destination, port in (("40.201.40.9", 8080), ("20.101.57.9", 2077),
                                  ("192.168.5.5", 32261)):
            s = Scene()
            s.answer(0, CLIENT, "a.test", destination)
            s.syn(1, CLIENT, destination, port)
            self.assertEqual(s.lines(), [])
            s.options.lab = True
            self.assertEqual(len(s.lines()), destination.startswith("192"))
        s = Scene()
        s.answer(0, CLIENT, "a.test", "90.81.10.1")
        s.syn(1, CLIENT, "10.1.90.81", 80)
        self.assertEqual(s.lines(), [])

    def test_4_3_address_rules(self):
        s = Scene()
        s.answer(0, CLIENT, "a.test", "132.198.176.65")
        s.answer(1, CLIENT, "b.test", "192.202.176.55")
        s.syn(900, CLIENT, "176.65.132.198", 23789)  # too late: 60 s of TTL, 600 s of window
        s.answer(1000, CLIENT, "a.test", "132.198.176.65")
        s.syn(1001, CLIENT, "176.65.132.198", 23789)
        s.answer(1002, CLIENT, "b.test", "192.202.176.55")
        s.answer(1003, CLIENT, "a.test", "8.8.8.8", "7.7.7.7")
        s.syn(1004, CLIENT, "192.42.116.41", 80)
        # 8.8.8.8, 7.7.7.7 and the hit: three addresses
        self.assertEqual(s.alerts("rule", "verdict", "severity", "candidates", "chance"), [
            ("swap16", "dns_confirmed", 73, 1, 1 / 2**32),
            ("nymaim", "dns_confirmed", 73, 3, luck.chance(3 / 2**32, 2))])

    def test_4_3_no_swap_onto_itself_or_onto_a_given_address(self):
        s = Scene()
        s.answer(0, CLIENT, "a.test", "8.8.8.8")
        s.syn(1, CLIENT, "8.8.8.8", 53)
        s.answer(2, CLIENT, "b.test", "132.198.176.65")
        s.answer(3, CLIENT, "c.test", "176.65.132.198")
        s.syn(4, CLIENT, "176.65.132.198", 80)
        self.assertEqual(s.lines(), [])

    def test_4_3_nat64_counts_as_its_ipv4_address(self):
        s = Scene()
        s.datagram(0, "fd00::1", 53, "fd00::5", 33333, generate.response(
            7, "a.test", [(generate.addr("64:ff9b::51.145.123.29"), 60)], qtype=wire.AAAA))
        s.syn(1, "fd00::5", "64:ff9b::51.145.123.29", 7518)
        self.assertEqual(s.verdicts(), [CONFIRMED])

    def xlat(self, contact=False):
        """464XLAT: given A records, connecting to 64:ff9b::/96."""
        s = Scene()
        for n, given in enumerate(("8.8.8.8", "51.145.123.29", "52.231.114.183")):
            s.datagram(n, "fd00::1", 53, "fd00::5", 33333, generate.response(
                n, "n%d.test" % n, [(generate.addr(given), 60)]))
        if contact:
            s.quic(5, "fd00::5", "64:ff9b::52.231.114.183")
        return s

    def test_4_3_nat64_is_the_ipv4_address_that_was_given(self):
        s = self.xlat()
        s.syn(10, "fd00::5", "64:ff9b::8.8.8.8", 443)  # no swap onto itself
        s.syn(11, "fd00::5", "64:ff9b::51.145.123.29", 7518)
        self.assertEqual(s.verdicts(), [CONFIRMED])
        for contact, severity in ((False, 73), (True, 47)):
            s = self.xlat(contact)
            s.syn(10, "fd00::5", "64:ff9b::51.145.123.29", 12126)
            self.assertEqual(s.verdicts(), [("apt12", "dns_other_address", severity)])

    def test_4_3_an_address_twice_in_an_answer_is_one_candidate(self):
        # 132.198.176.65 is the first of its answer, and stands there again.
        s = Scene()
        s.answer(0, CLIENT, "a.test", "132.198.176.65", "192.0.2.1", "132.198.176.65")
        s.syn(1, CLIENT, "176.65.132.198", 80)
        self.assertEqual(s.alerts("candidates", "chance"), [(1, 2.0**-32)])
        # 192.0.2.1, 192.0.2.2, and the hit
        s = Scene()
        s.answer(0, CLIENT, "a.test", "192.0.2.1", "192.0.2.2", "192.0.2.1", "132.198.176.65",
                 "192.0.2.2")
        s.syn(1, CLIENT, "176.65.132.198", 80)
        self.assertEqual(s.alerts("candidates", "chance"), [(3, 3 * 2.0**-32)])

    def test_4_3_the_newest_is_the_latest_in_time(self):
        # The second answer is half a second late; of equal times the later one is the newest.
        for late, evidence in ((0.5, 1), (1, 2)):
            s = Scene()
            s.answer(1, CLIENT, "a.test", "51.145.123.29")
            s.answer(late, CLIENT, "b.test", "51.145.123.29")
            s.syn(2, CLIENT, "51.145.123.29", 7518)
            self.assertEqual(s.alerts("evidence_packet"), [(evidence,)])


class InsideAndContacted(unittest.TestCase):
    def test_4_4_scans_from_outside(self):
        s = Scene()
        s.answer(0, OTHER, "a.test", "51.145.123.29")
        s.syn(1, OUTSIDE, "51.145.123.29", 7518)
        s.syn(2, OUTSIDE, "198.51.100.23", 10198)
        self.assertEqual(s.lines(), [])
        s.answer(3, OUTSIDE, "b.test", "192.0.2.1")  # ever received DNS: inside
        s.syn(9 * DAY, OUTSIDE, "198.51.100.23", 10198)
        self.assertEqual(s.verdicts(), [PORT_ONLY])

    def shape(self, contact, ttl=60, time=30.0):
        """port.test gives the port; contact(scene) happens before the SYN."""
        s = Scene()
        s.answer(0, CLIENT, "port.test", "52.231.114.183", "192.0.2.8", ttl=ttl)
        contact(s)
        s.answer(time - 1, CLIENT, "c2.test", "51.145.123.29")
        s.syn(time, CLIENT, "51.145.123.29", 12126)
        return s.alerts("severity")[-1][0]

    def test_4_5_what_contacts_a_name(self):
        cases = (
            ("nothing", lambda s: None, 73),
            ("a SYN", lambda s: s.syn(1, CLIENT, "52.231.114.183", 80), 47),
            ("another address of the name", lambda s: s.syn(1, CLIENT, "192.0.2.8", 80), 47),
            ("QUIC", lambda s: s.quic(1, CLIENT, "192.0.2.8"), 47),
            ("a short header", lambda s: s.quic(1, CLIENT, "192.0.2.8", b"\x40\0\0\0\1"), 73),
            ("four octets", lambda s: s.quic(1, CLIENT, "192.0.2.8", b"\xc0\0\0\0"), 73),
            ("another client", lambda s: s.syn(1, OTHER, "192.0.2.8", 80), 73),
            ("no SYN", lambda s: s.syn(1, CLIENT, "192.0.2.8", 80, flags=0x12), 73),
            ("at the very time", lambda s: s.syn(30, CLIENT, "192.0.2.8", 80), 73),
            ("a tick before", lambda s: s.syn(30 - TICK, CLIENT, "192.0.2.8", 80), 47))
        for why, contact, severity in cases:
            self.assertEqual(self.shape(contact), severity, why)

    def test_4_5_case_does_not_matter(self):
        def contact(s):
            s.answer(1, CLIENT, "PORT.Test", "192.0.2.9", id=9)
            s.syn(2, CLIENT, "192.0.2.9", 80)
        self.assertEqual(self.shape(contact), 47)

    def test_4_5_a_contact_passes_on_while_the_older_counts(self):
        # Contact at 100 s; the name is resolved again at `again`, the SYN comes 30 s later.
        # At 600 s the first resolution still counts; a tick later it does not. The contact is
        # 530 s old then, younger than the window.
        for again, severity in ((600, 47), (600 + TICK, 73)):
            def contact(s, again=again):
                s.syn(100, CLIENT, "52.231.114.183", 80)
                s.answer(again, CLIENT, "port.test", "52.231.114.183")
            self.assertEqual(self.shape(contact, time=again + 30), severity)

    def test_4_5_a_contact_is_forgotten_after_a_window(self):
        for at, severity in ((630, 47), (630 + TICK, 73)):
            def contact(s):
                s.syn(30, CLIENT, "52.231.114.183", 80)
                s.answer(600, CLIENT, "port.test", "52.231.114.183", ttl=1800)
            self.assertEqual(self.shape(contact, ttl=1800, time=at), severity)


class OneAlert(unittest.TestCase):
    def test_4_6_name_decides_last(self):
        s = Scene()
        s.answer(0, CLIENT, "a.test", "20.250.0.5")
        s.syn(1, CLIENT, "20.250.0.5", 5000)
        self.assertEqual(s.alerts("rule", "also"), [("apt12", ["variant"])])

    def test_4_6_chance_before_name(self):
        # swap16 1 / 2^32, apt12 1 / 45045: both 73 and dns_confirmed need the destination to be
        # given and not given, so apt12 is only port_only here, and severity decides.
        s = Scene()
        s.answer(0, CLIENT, "a.test", "123.29.51.145")
        s.syn(1, CLIENT, "51.145.123.29", 7518)
        self.assertEqual(s.alerts("rule", "severity", "also"), [("swap16", 73, ["apt12"])])
        # 100 * 50 + 40 = 5040 (apt12), 42 * (100 + 20) = 5040 (variant), both not given: 21.
        # variant is the newer: one candidate, against two ports of apt12 (42 * 100 + 20 = 4220).
        s = Scene()
        s.answer(0, CLIENT, "a.test", "100.50.40.1")
        s.answer(1, CLIENT, "b.test", "42.100.20.1")
        s.syn(2, CLIENT, "192.0.2.77", 5040)
        self.assertEqual(s.alerts("rule", "candidates", "also"), [("variant", 1, ["apt12"])])


class Windows(unittest.TestCase):
    def test_4_7_how_long_a_resolution_counts(self):
        for ttl, life in ((0, 600), (60, 600), (601, 601), (1800, 1800), (86400, 3600),
                          (2**31 - 1, 3600), (2**31, 600), (2**32 - 1, 600)):
            for time, wanted in ((life, CONFIRMED), (life + TICK, PORT_ONLY)):
                s = Scene()
                s.answer(0, CLIENT, "a.test", "51.145.123.29", ttl=ttl)
                s.syn(time, CLIENT, "51.145.123.29", 7518)
                self.assertEqual(s.verdicts(), [wanted], ttl)

    def test_4_7_a_mirrored_answer_changes_nothing(self):
        for later, how, evidence in ((1, {}, 1), (1 + TICK, {}, 2), (0.5, {"id": 8}, 2),
                                     (0.5, {"ttl": 59}, 2), (0.5, {"name": "A.test"}, 2)):
            s = Scene()
            s.answer(0, CLIENT, "a.test", "51.145.123.29")
            s.answer(later, CLIENT, how.pop("name", "a.test"), "51.145.123.29", **how)
            s.syn(2, CLIENT, "51.145.123.29", 7518)
            self.assertEqual(s.alerts("evidence_packet"), [(evidence,)])

    def test_4_8_asked(self):
        cases = (((0, "A.Test"), {}, True), ((-30, "a.test"), {}, True),
                 ((-30 - TICK, "a.test"), {}, False), ((0, "b.test"), {}, False),
                 ((0, "a.test"), {"id": 8}, False), ((0, "a.test"), {"sport": 3}, False),
                 ((0, "a.test"), {"resolver": "10.0.0.2"}, False))
        for (time, name), how, asked in cases:
            s = Scene()
            s.query(time, CLIENT, name, **how)
            s.answer(0, CLIENT, "a.test", "51.145.123.29")
            s.syn(1, CLIENT, "51.145.123.29", 7518)
            self.assertEqual(s.alerts("asked"), [(asked,)], (time, name, how))

    def test_4_7_every_address_of_an_answer_whatever_else_is_in_it(self):
        s = Scene()
        s.answer(0, CLIENT, "a.test", "192.0.2.1", "51.145.123.29", alias="edge.node", noise=True,
                 flags=0x8183)
        s.syn(1, CLIENT, "51.145.123.29", 7518)
        s.syn(2, CLIENT, "20.250.0.9", 5000)  # glue: was not given
        self.assertEqual(s.alerts("verdict"), [("dns_confirmed",), ("port_only",)])


class Rotation(unittest.TestCase):
    #  10 * 200 is too small; x.200.n.9 gives x * 200 + n
    GIVEN = [("%d.200.%d.9" % (30 + n, n), (30 + n) * 200 + n) for n in range(1, 9)]

    def scene(self, times, given=None):
        s = Scene()
        for n, (time, (address, port)) in enumerate(zip(times, given or self.GIVEN)):
            s.answer(time, CLIENT, "n%d.test" % n, address)
            s.syn(time + 1, CLIENT, address, port)
        return s

    def test_4_9_at_two_then_four_then_eight(self):
        lines = self.scene(range(0, 80, 10)).lines()
        found = [line for line in lines if line["kind"] == "rotation"]
        self.assertEqual([(line["packet"], line["count"]) for line in found],
                         [(4, 2), (8, 4), (16, 8)])
        self.assertEqual(lines[2]["kind"], "rotation")  # follows the alert of its match
        first = found[0]
        self.assertEqual(first["rule"], "dns-calculation-rotation")
        self.assertEqual((first["severity"], first["verdict"]), (99, "dns_confirmed"))
        self.assertEqual(first["names"], ["n0.test", "n1.test"])
        self.assertEqual(first["ips"], ["31.200.1.9", "32.200.2.9"])
        self.assertEqual(first["ports"], [6201, 6402])
        # The second match is the second try: 1 / 45045 * 2 / 45045.
        self.assertAlmostEqual(first["chance"], 2 * 45045**-2, delta=2e-14)

    def test_4_9_the_smaller_of_networks_and_ports(self):
        same_network = [("31.200.1.9", 6201), ("31.200.1.10", 6201)]
        same_port = [("50.100.60.2", 5060), ("40.126.20.1", 5060)]
        two_ports = [("198.51.100.23", 10198), ("198.51.100.24", 29898)]
        for given in (same_network, same_port, two_ports):
            self.assertNotIn("rotation", self.scene((0, 10), given).kinds())
        # A third one makes two networks and three ports; two chances are multiplied, not three.
        lines = self.scene((0, 10, 20), two_ports + [("51.145.123.29", 7518)]).lines()
        self.assertEqual((lines[-1]["count"], len(lines[-1]["ports"])), (2, 3))
        self.assertAlmostEqual(lines[-1]["chance"], 3 * 45045**-2, delta=5e-14)

    def test_4_9_a_48_of_ipv6(self):
        for second, wanted in (("2001:db8:77::2", 0), ("2001:db8:78::1", 1)):
            s = Scene()
            for n, (destination, (_, port)) in enumerate(zip(("2001:db8:77::1", second),
                                                             self.GIVEN)):
                s.datagram(n, "fd00::1", 53, "fd00::5", 33333, generate.response(
                    n, "n%d.test" % n, [(generate.addr(self.GIVEN[n][0]), 60)]))
                s.syn(n + 0.1, "fd00::5", destination, port)
            self.assertEqual(s.kinds().count("rotation"), wanted)

    def test_4_9_within_a_window(self):
        self.assertIn("rotation", self.scene((0, 600)).kinds())
        self.assertNotIn("rotation", self.scene((0, 600 + TICK)).kinds())

    def test_4_9_announced_again_after_a_quiet_window(self):
        lines = self.scene((0, 10, 700, 710)).lines()
        self.assertEqual([line["packet"] for line in lines if line["kind"] == "rotation"], [4, 8])
        # Not quiet: at 600 s the second one is still kept, and only the third comes new: 2 of 4.
        self.assertEqual(self.scene((0, 10, 600, 620)).kinds().count("rotation"), 1)

    def test_4_9_joint_chance(self):
        # Two matches with 32 candidates each, the second at the second try: 2 * (32 / 45045)^2 is
        # 1.009e-6, too likely; with 31 it is 0.947e-6.
        for count, wanted in ((32, 0), (31, 1)):
            s = Scene()
            # n * 128 + 60 for n = 60..: the hit is the last of the answer
            crowd = ["%d.128.60.1" % (60 + n) for n in range(count)]
            for n, destination in enumerate(("192.0.2.7", "198.51.101.7")):
                last = "%d.128.60.1" % (180 + n)
                s.answer(n, CLIENT, "x%d.test" % n, *crowd[1:], last)
                s.syn(n + 0.1, CLIENT, destination, (180 + n) * 128 + 60)
            # The second search passes the first answer never: its hit is in the newer answer.
            self.assertEqual([line["candidates"] for line in s.lines()
                              if line["kind"] == "alert"], [count, count])
            self.assertEqual(s.kinds().count("rotation"), wanted)
            # A confirmed match makes three: the power of two is 2, and the next alert is at 4.
            for n, (address, port) in enumerate(Rotation.GIVEN[:2], 3):
                s.answer(n, CLIENT, "y%d.test" % n, address)
                s.syn(n + 0.1, CLIENT, address, port)
            self.assertEqual([line["count"] for line in s.lines() if line["kind"] == "rotation"],
                             [2, 4] if wanted else [3, 4])


class Luck(unittest.TestCase):
    """Design section 5, by hand."""

    def test_5_chance(self):
        for share, tries, wanted in ((1 / 45045, 1, 1 / 45045), (0.5, 2, 0.75), (1.5, 3, 1),
                                     (1 / 45045, 100, 2.2175644253438e-3)):
            self.assertAlmostEqual(luck.chance(share, tries), wanted, delta=1e-15)

    def test_5_lowered(self):
        for severity, chance, wanted in ((73, 4.9e-4, 73), (73, 5e-4, 47), (47, 5e-4, 21),
                                         (21, 5e-4, 21), (73, 1.9e-3, 47), (73, 2e-3, 21)):
            self.assertEqual(luck.lowered(severity, chance), wanted)

    def test_5_tries_lower_a_match(self):
        # 22.5 tries make 5e-4 of 1 / 45045; the counter of tries may be one off.
        for others, severity in ((20, 73), (24, 47)):
            s = Scene()
            s.answer(0, CLIENT, "a.test", "198.51.100.23")
            for n in range(others):
                s.syn(1 + n / 10, CLIENT, "203.0.113.7", 20000 + n)
            s.syn(5, CLIENT, "198.51.100.23", 10198)
            (found, tries), = s.alerts("severity", "tries")
            self.assertEqual(found, severity)
            self.assertAlmostEqual(tries, others + 1, delta=1)


class Holds(unittest.TestCase):
    def matches(self, *times):
        s = Scene()
        for time in times:
            s.syn(time, CLIENT, "51.145.123.29", 7518)
        return s

    def test_4_10_held_counted_doubled(self):
        # Until 300; alert at 300, until 300 + 600 = 900; alert at 900, until 900 + 1200 = 2100.
        s = self.matches(0, 10, 299.9, 300, 899.9, 900, 2099.9)
        self.assertEqual(s.alerts("packet", "suppressed"), [(1, 0), (4, 2), (6, 1)])
        self.assertEqual(s.lines()[-1], {
            "kind": "repeats", "client": CLIENT, "destination": "51.145.123.29", "port": 7518,
            "rule": "apt12", "count": 1})

    def test_4_10_the_longest_hold_is_a_day(self):
        # 5 min * 2^n: 300 600 1200 2400 4800 9600 19200 38400 76800, then 86400, not 153600.
        times, length = [0], 300
        while length < 153600:
            times.append(times[-1] + length)
            length *= 2
        times += [times[-1] + DAY - TICK, times[-1] + DAY]
        s = self.matches(*times)
        self.assertEqual(s.alerts("packet", "suppressed")[-2:], [(10, 0), (12, 1)])

    def test_4_10_a_higher_severity_passes_at_once(self):
        s = self.matches(0, 10)
        s.answer(20, CLIENT, "a.test", "51.145.123.29")
        s.syn(21, CLIENT, "51.145.123.29", 7518)  # passes with 1; until 21 + 300
        s.syn(320, CLIENT, "51.145.123.29", 7518)
        s.syn(321, CLIENT, "51.145.123.29", 7518)
        self.assertEqual(s.alerts("packet", "severity", "suppressed"),
                         [(1, 21, 0), (4, 73, 1), (6, 73, 1)])

    def test_4_10_a_sweep_of_a_network_is_one_finding(self):
        s = Scene()
        for n in (29, 30, 31):
            s.syn(n, CLIENT, f"51.145.123.{n}", 7518)  # the first alerts, the others wait with it
        s.syn(32, CLIENT, "51.145.123.29", 7518)
        s.answer(40, CLIENT, "a.test", "51.145.123.30")
        s.syn(41, CLIENT, "51.145.123.30", 7518)  # has DNS evidence: waits for nobody
        s.answer(42, CLIENT, "b.test", "51.145.123.29")
        s.syn(43, CLIENT, "51.145.123.29", 7518)  # the first address: tells the three
        self.assertEqual(s.alerts("severity", "suppressed"), [(21, 0), (73, 0), (73, 3)])
        s.syn(800, CLIENT, "51.145.123.30", 7518)  # its own hold is over, its evidence too
        s.syn(801, CLIENT, "51.145.123.31", 7518)  # that of the network is over as well
        self.assertEqual(s.alerts("severity", "suppressed")[3:], [(21, 0), (21, 0)])

    def test_4_10_forgotten_after_a_day_of_silence(self):
        # At last match + 24 h it is remembered, a tick later it is not: the count leaves before
        # the alert, which is a first one again.
        s = self.matches(0, 10, 10 + DAY)
        self.assertEqual([(line["kind"], line.get("suppressed")) for line in s.lines()],
                         [("alert", 0), ("alert", 1)])
        s = self.matches(0, 10, 10 + DAY + TICK)
        self.assertEqual([(line["kind"], line.get("suppressed")) for line in s.lines()],
                         [("alert", 0), ("repeats", None), ("alert", 0)])

    def test_4_10_the_last_words_begin_with_the_oldest(self):
        s = Scene()
        for time, (address, port) in ((0, ("51.145.123.29", 7518)), (1, ("198.51.100.23", 10198)),
                                      (2, ("198.51.100.23", 10198)), (3, ("51.145.123.29", 7518))):
            s.syn(time, CLIENT, address, port)
        self.assertEqual([line["port"] for line in s.lines() if line["kind"] == "repeats"],
                         [10198, 7518])


class Time(unittest.TestCase):
    def scene(self, foreign, *, second=None, answer=0.0, syn=30.0):
        """An answer, a packet (or two) with a strange time, and the SYN."""
        s = Scene()
        s.answer(answer, CLIENT, "a.test", "51.145.123.29")
        for time in filter(lambda t: t is not None, (foreign, second)):
            s.put(time, bytes(60))
        s.syn(syn, CLIENT, "51.145.123.29", 7518)
        return s.verdicts()

    def test_4_12_one_packet_with_a_foreign_time_changes_nothing(self):
        for foreign in (-40, -10 * 365 * DAY, 3601, 365 * DAY):
            self.assertEqual(self.scene(foreign), [CONFIRMED], foreign)

    def test_4_12_two_of_them_are_a_new_epoch(self):
        # Back by ten years: the engine stands at 0 s, so the SYN is 30 s after the answer.
        old = -10 * 365 * DAY
        self.assertEqual(self.scene(old, syn=old + 30), [CONFIRMED])
        self.assertEqual(self.scene(old, syn=old + 600), [CONFIRMED])
        self.assertEqual(self.scene(old, syn=old + 600 + TICK), [PORT_ONLY])
        # Two that do not agree, one back and one ahead, are two foreign packets.
        self.assertEqual(self.scene(-1000, second=3601), [CONFIRMED])
        # Ahead: the clock goes along, and the answer is too old.
        self.assertEqual(self.scene(3601, second=3602, syn=3603), [PORT_ONLY])

    def test_4_12_max_window_ahead_and_a_second_back_are_believed(self):
        # A second back: the SYN of -1 s has its own time, from before the answer.
        self.assertEqual(self.scene(None, syn=-1), [PORT_ONLY])
        self.assertEqual(self.scene(None, syn=-0.05), [CONFIRMED])
        # More: it waits, nothing disagrees, and it has the engine's time.
        self.assertEqual(self.scene(None, syn=-1 - TICK), [CONFIRMED])
        self.assertEqual(self.scene(3600, syn=3600.5), [PORT_ONLY])
        # Believed at once: the engine stands at 3600 s, so the SYN of 599 s waits, and has 3600 s.
        self.assertEqual(self.scene(3600, syn=599), [PORT_ONLY])
        # A tick more is a foreign packet: the engine still stands at 0 s.
        self.assertEqual(self.scene(3600 + TICK, syn=599), [CONFIRMED])

    def test_4_12_a_jump_is_at_most_four_days(self):
        # 4 days and an hour ahead become 4 days; from there on the clock runs as before.
        s = Scene()
        s.syn(0, CLIENT, "51.145.123.29", 7518)
        s.syn(10, CLIENT, "51.145.123.29", 7518)
        for time in (0, 1):
            s.put(4 * DAY + 3610 + time, bytes(60))
        s.answer(4 * DAY + 3620, CLIENT, "a.test", "198.51.100.23")
        s.syn(4 * DAY + 3620 + 600, CLIENT, "198.51.100.23", 10198)
        self.assertEqual([(line["kind"], line.get("verdict")) for line in s.lines()],
                         [("alert", "port_only"), ("repeats", None), ("alert", "dns_confirmed")])
        # Ten years ahead: the engine stands four days later, and time goes on from there.
        s = Scene()
        s.put(0, bytes(60))
        for time in (0, 1):
            s.put(3650 * DAY + time, bytes(60))
        s.answer(3650 * DAY + 2, CLIENT, "a.test", "198.51.100.23")
        s.syn(3650 * DAY + 3, CLIENT, "198.51.100.23", 10198)
        lines, engine = model.run(generate.write(s.records, False))
        self.assertEqual(lines[0]["verdict"], "dns_confirmed")
        self.assertEqual(engine.now, (START + 4 * DAY + 3) * 10**9)

    def test_4_12_time_may_stand_still(self):
        s = Scene()
        for n, (address, port) in enumerate(Rotation.GIVEN):
            s.answer(0, CLIENT, "n%d.test" % n, address)
            s.syn(0, CLIENT, address, port)
        self.assertEqual(len(s.alerts()), 8)

    def test_4_13_the_same_from_either_kind_of_file(self):
        for nano in (False, True):
            s = Scene(nano)
            s.answer(0, CLIENT, "a.test", "51.145.123.29")
            s.syn(1, CLIENT, "51.145.123.29", 7518)
            data = generate.write(s.records, nano)
            swapped = struct.pack(">IHHiIII", *struct.unpack_from("<IHHiIII", data))
            offset = 24
            while offset < len(data):
                head = struct.unpack_from("<IIII", data, offset)
                swapped += struct.pack(">IIII", *head) + data[offset + 16:offset + 16 + head[2]]
                offset += 16 + head[2]
            self.assertEqual(model.run(data)[0], model.run(swapped)[0])
            self.assertEqual(s.verdicts(), [CONFIRMED])

    def test_4_13_the_generator_repeats_itself(self):
        for seed in (1, 2):
            data = generate.capture(seed, 500)
            self.assertEqual(data, generate.capture(seed, 500))
            self.assertEqual(data[:4] == b"\x4d\x3c\xb2\xa1", seed % 2 == 1)


class Wire(unittest.TestCase):
    def test_names(self):
        message = bytes(12) + b"\3www\4test\0" + b"\1a\xc0\x10" + b"\xc0\x18"
        self.assertEqual(wire.dns_name(message, 12), ((b"www", b"test"), 22))
        self.assertEqual(wire.dns_name(message, 22), ((b"a", b"test"), 26))
        self.assertEqual(wire.name_text((b"a.b", b"\\\x00\xff ")), "a\\046b.\\092\\000\\255\\032")
        for pointer in (b"\xc0\x1c", b"\xc0\x1e", b"\x40"):  # to itself, forwards, no label
            with self.assertRaises(wire.Malformed):
                wire.dns_name(message + pointer + bytes(4), 28)

    def test_tags_options_extension_headers(self):
        four = [generate.addr(a) for a in (CLIENT, "51.145.123.29")]
        six = [generate.addr(a) for a in ("fd00::5", "2001:db8::1")]
        segment = generate.tcp(1, 7518, 9)
        for frame in (generate.frame(*four, 6, segment, (1,)),
                      generate.frame(*four, 6, segment, (1, 2), options=b"\1\1\1\0"),
                      generate.frame(*four, 6, segment) + b"padding",
                      generate.frame(*six, 6, segment, extension=True)):
            packet = wire.decode(1, 0, frame)
            self.assertEqual((packet.kind, packet.dport, packet.sequence), ("syn", 7518, 9))
        fragment = bytearray(generate.frame(*four, 6, segment))
        fragment[20] |= 0x20
        self.assertEqual(wire.decode(1, 0, bytes(fragment)).kind, "other")


if __name__ == "__main__":
    unittest.main()
