#!/usr/bin/python3
"""Noise that has a name: each scenario beside the alerts that it should give, and no other.

    scenarios.py [--table]      $PORTENT: the program

The expected severities are worked out by hand. With the shipped prior and one try, a port's share of
the rule's ports is its chance: 1 / 45045 for a port that nothing is known of, above 2e-3 (so 21) for
the ports that rules/ports.json gives a weight of its own, 1.5e-3 (so 47) for one that is merely
registered.
"""

import argparse
import random
import sys

from scene import Scene, apt12, numbered, severities, variant

CLIENT, OTHER = "10.0.0.5", "10.0.0.6"
C2 = "198.51.100.23"  # 198 * 51 + 100 = 10198; 198 * (51 + 100) = 29898

COLLISIONS = [  # of technique: a service at its provider's address, the port, expected severities
    ("Azure, 20 * (150 + 254)", "20.150.254.7", 8080, {}),  # excluded
    ("Azure, 20 * (150 + 103), SIP", "20.150.103.7", 5060, {21: 1}),
    ("Azure, 20 * (200 + 200)", "20.200.200.7", 8000, {}),  # excluded
    ("Azure, 20 * (250 + 200)", "20.250.200.7", 9000, {21: 1}),
    ("Azure, 20 * (240 + 220)", "20.240.220.7", 9200, {}),  # excluded
    ("Azure, 20 * (250 + 250)", "20.250.250.7", 10000, {21: 1}),
    ("an address whose port is merely registered, 60 * 100 + 0", "60.100.0.7", 6000, {47: 1}),
    ("Google Cloud, git, 34 * (27 + 250)", "34.27.250.7", 9418, {}),  # excluded
    ("Google Cloud customer, 34 * 147 + 230", "34.147.230.9", 5228, {21: 1}),
    ("Amazon, MQTT, 34 * 254 + 247", "34.254.247.9", 8883, {21: 1}),
    ("Meta, 57 * 144 + 235", "57.144.235.9", 8443, {}),  # excluded
    ("Netflix, 54 * 148 + 89", "54.148.89.232", 8081, {21: 1}),
    ("Netflix, 52 * 39 + 59", "52.39.59.139", 2087, {21: 1}),
    ("iCloud, 17 * (248 + 131)", "17.248.131.9", 6443, {21: 1}),
    ("rdap.registro.br, 200 * (160 + 2)", "200.160.2.80", 32400, {21: 1}),
    ("Apple push, 17 * 115 + 242", "17.115.242.9", 2197, {21: 1}),
    ("Apple, IMAP, 17 * 50 + 143", "17.50.143.9", 993, {21: 1}),
    ("Apple, submission, 17 * 30 + 77", "17.30.77.9", 587, {21: 1}),
    ("Apple, STUN by TCP, 17 * 190 + 248", "17.190.248.9", 3478, {21: 1}),
    ("Google, 172 * (217 + 211) - 65536", "172.217.211.9", 8080, {21: 1}),  # wrapped
    ("Amazon, 3 * 64 + 251", "3.64.251.9", 443, {}),
    ("wordpress.com, 192 * 0 + 80", "192.0.80.250", 80, {}),
    ("Apple push can't collide", "17.57.144.9", 5223, {}),
    ("Google mtalk can't collide", "142.250.102.188", 5228, {}),
] + [(f"Cloudflare, 104 * {o2} + {o3}", f"104.{o2}.{o3}.9", port, {21: 1})
     for o2, o3, port in ((18, 180, 2052), (18, 181, 2053), (19, 106, 2082), (18, 211, 2083),
                          (20, 6, 2086), (19, 111, 2087), (18, 223, 2095), (20, 16, 2096))]


def collision(address, port):
    def make(s):
        s.visit(0, CLIENT, "service.example", address, port)
    return make


def random_public(rng):
    while True:
        octets = [rng.randrange(1, 224), rng.randrange(256), rng.randrange(256), rng.randrange(1, 255)]
        if octets[0] not in (10, 100, 127, 169, 172, 192, 198):
            return ".".join(map(str, octets))


def vertical_scan(s):
    s.answer(0, CLIENT, "scanned.example", C2)
    for port in range(1, 65536):
        s.syn(0.1 + port / 1000, CLIENT, C2, port)


def slow_scan(interval, ports=80):
    """A part of a scan that never ends: the ports before the one that matches, then that one."""
    def make(s):
        for i in range(ports):
            if i % 8 == 0:
                s.answer(i * interval, CLIENT, "scanned.example", C2)
            s.syn(i * interval + 1, CLIENT, C2, 10198 - (ports - 1) + i)
    return make


def horizontal_scan(s):
    """One port of all of 45.179.0.0/16, an address of each network: 45 * 179 + 33 = 8088."""
    for i in range(256):
        s.syn(i / 10, CLIENT, f"45.179.{i}.1", 8088)


def horizontal_scan_of_a_match(s):
    """Every address of the one network that gives the port."""
    for i in range(1, 255):
        s.syn(i / 10, CLIENT, f"45.179.33.{i}", 8088)


def sweep_and_a_match(s):
    """The sweep does not hide the one address of it that was given by DNS."""
    horizontal_scan_of_a_match(s)
    s.visit(12.03, CLIENT, "c2.example", "45.179.33.200", 8088)


def peers(s, matching=C2, resolved=False):
    """3 000 peers in 9 minutes at random high ports; one that fits, at the end."""
    rng = random.Random(1)
    for i in range(3000):
        address, port = random_public(rng), rng.randrange(1024, 65536)
        if port not in (apt12(address), variant(address), variant(address) % 65536):
            s.syn(i * 0.18, CLIENT, address, port)
    if resolved:
        s.answer(549, CLIENT, "tracker.example", matching)
    s.syn(550, CLIENT, matching, 10198)


def legacy(s):
    """An application that calculates its ports from addresses, on purpose: three servers."""
    for i, address in enumerate(("198.51.100.23", "203.0.113.9", "192.0.200.9")):
        s.visit(i * 60, CLIENT, f"site{i}.example", address, variant(address) % 65536)


def cdn(s):
    """A name with 300 addresses, one of which gives 20 * 250 + 222 = 5222; and a chat service."""
    rng = random.Random(2)
    addresses = [random_public(rng) for _ in range(299)] + ["20.250.222.7"]
    for i in range(0, 300, 5):
        s.answer(i / 10, CLIENT, "cdn.example", *addresses[i:i + 5])
        s.syn(i / 10 + 0.01, CLIENT, addresses[i], 443)
    s.visit(40, CLIENT, "chat.example", "51.145.123.29", 5222)


def proxy(s):
    """A proxy or forwarder resolves for everyone; what the client does is calculated."""
    s.answer(0, "10.0.0.53", "c2.example", C2, resolver="9.9.9.9")
    s.syn(1, CLIENT, C2, 10198)


def proxy_for_everyone(s):
    """A proxy resolves and connects for an office: 1 000 names, ten chat services, one of which fits:
    20 * 250 + 222 = 5222. No address of the others gives that port."""
    rng = random.Random(6)
    for i in range(1000):
        address = random_public(rng)
        port = 5222 if i % 100 == 50 else 443
        if i == 550:
            address = "20.250.222.7"
        elif 5222 in (apt12(address), variant(address) % 65536):
            continue
        s.visit(i, "10.0.0.54", f"n{i}.example", address, port)


def mail_server(s):
    """Ten minutes of deliveries, connections from outside, and one that fits: 17 * 30 + 77 = 587."""
    rng = random.Random(7)
    for i in range(600):
        address = random_public(rng)
        if not {25, 587} & {apt12(address), variant(address) % 65536}:
            s.visit(i, "10.0.0.25", f"mx{i}.example", address, 25)
        s.syn(i + 0.5, random_public(rng), "203.0.113.25", (25, 587, 993)[i % 3])
    s.visit(300.2, "10.0.0.25", "relay.example", "17.30.77.9", 587)


def many_names(fitting):
    """10 000 names an hour, SMTP to each. What fits, 5 * 4 + 5 = 25, is also the port of the 166
    connections of the minute after."""
    def make(s):
        rng = random.Random(3)
        for i in range(10000):
            address = "5.4.5.9" if fitting and i == 5000 else random_public(rng)
            if (fitting and i == 5000) or 25 not in (apt12(address), variant(address) % 65536):
                s.visit(i * 0.36, CLIENT, f"n{i}.example", address, 25)
    return make


def monitoring(s):
    """200 hosts, four ports each, round and round; one fits: 36 * 252 + 28 = 9100. The second round
    is just after the hold of 5 minutes, the third within the next, of 10."""
    rng = random.Random(4)
    hosts = [random_public(rng) for _ in range(199)] + ["36.252.28.9"]
    for r in range(3):
        for i, host in enumerate(hosts):
            s.answer(r * 300 + i, CLIENT, f"host{i}.example", host)
            for k, port in enumerate((22, 9100, 8081, 5666)):
                s.syn(r * 300 + i + 0.1 + k / 10, CLIENT, host, port)


def office(users, tries):
    """Users behind one address, each trying services on ports of their own; then a calculated one."""
    def make(s):
        rng = random.Random(5)
        for i in range(users * tries):
            s.syn(i * 0.5, "203.0.113.77", f"45.{i % 200}.{i // 200}.7", 40001 + rng.randrange(100))
        s.visit(users * tries * 0.5 + 1, "203.0.113.77", "c2.example", C2, 10198)
    return make


def dhcp(s):
    s.answer(0, CLIENT, "c2.example", C2)
    s.syn(300, CLIENT, C2, 10198)  # another host has the address now: nothing on the wire says so


def two_vlans(s):
    s.answer(0, CLIENT, "c2.example", C2, vlans=(10,))
    s.syn(1, CLIENT, C2, 10198, vlans=(20,))


def dns64(s):
    s.answer(0, "fd00::5", "c2.example", "64:ff9b::198.51.100.23")
    s.syn(0.1, "fd00::5", "64:ff9b::198.51.100.23", 10198)


def dual_stack(twins):
    """The answer goes to the client's IPv6 address: of the same MAC (4.11), or of another one."""
    def make(s):
        s.hosts = {"fd00::7:7": CLIENT} if twins else {}
        s.answer(0, "fd00::7:7", "c2.example", C2)
        s.syn(0.1, CLIENT, C2, 10198)
    return make


def from_outside(s):
    for i in range(20):
        s.syn(i, numbered("45.33.2.1", i), C2, 10198)


SCENARIOS = [
    ("scan of all ports of a resolved host, 1 000 a second", vertical_scan, {21: 2}),
    ("slow scan of it, a port every 15 s (40 tries in the window)", slow_scan(15), {47: 1}),
    ("slow scan of it, a port a minute (10 tries)", slow_scan(60), {73: 1}),
    ("one port of a /16, one address of each /24", horizontal_scan, {21: 1}),
    ("one port of the one /24 that fits, all addresses", horizontal_scan_of_a_match, {21: 1}),
    ("the same, and one of them was resolved in between: it does not wait, its 254 tries are its own", sweep_and_a_match, {21: 2}),
    ("3 000 peers at random high ports, one fits", peers, {21: 1}),
    ("the same, and that one was resolved", lambda s: peers(s, resolved=True), {21: 1}),
    ("legacy application with calculated ports, 3 servers", legacy, {73: 3, 99: 1}),
    ("CDN with 300 addresses, one gives the port of a chat service", cdn, {21: 1}),
    ("a proxy or forwarder resolves for the client, a real match", proxy, {47: 1}),
    ("a proxy resolves and connects for everyone, one chat service fits", proxy_for_everyone, {21: 1}),
    ("mail server, 600 deliveries, one relay fits on 587", mail_server, {21: 1}),
    ("10 000 names an hour and SMTP to each, none gives 25", many_names(False), {}),
    ("10 000 names an hour and SMTP to each, one gives 25", many_names(True), {21: 167}),
    ("monitoring of 200 hosts on four ports, three rounds of 5 minutes, one fits", monitoring,
     {21: 2}),
    ("office behind one address, 20 tries in the window, a real match", office(10, 2), {73: 1}),
    ("office behind one address, 60 tries, a real match", office(10, 6), {47: 1}),
    ("office behind one address, 800 tries, a real match", office(50, 16), {21: 1}),
    ("an address that DHCP hands on to a second host, a real match", dhcp, {73: 1}),
    ("one private address in two VLANs: taken for one client", two_vlans, {73: 1}),
    ("DNS64, a real match", dns64, {73: 1}),
    ("dual stack, the answer went to the other address, a real match", dual_stack(True), {73: 1}),
    ("the same, but the two addresses have different MACs", dual_stack(False), {47: 1}),
    ("the internet scans a server on its calculated port", from_outside, {}),
] + [(f"{name}: port {port}", collision(address, port), wanted)
     for name, address, port, wanted in COLLISIONS]


BEACONS = [  # seconds between connections, hours: what is written is at most a tenth where `ten` says so
    (60, 1, True),
    (300, 24, True),
    (3600, 24 * 7, True),
    (900, 1, False),  # four connections in all
]


def alerts_by_hand(interval, hours):
    """4.10: held for 5 minutes after the first alert; after each further one twice as long, up to 24 h.
    The next one after that is an alert. Returns how many were held back before each alert."""
    held, hold, until, counts = 0, 300, None, []
    for now in range(0, hours * 3600, interval):
        if until is not None and now < until:
            held += 1
            continue
        hold = hold if until is None else min(2 * hold, 86400)
        counts, held, until = counts + [held], 0, now + hold
    return counts, held


def beacon(interval, hours, ten):
    """Every document about a beacon that resolves its name each time; a sentence if it is wrong."""
    s = Scene()
    for now in range(0, hours * 3600, interval):
        s.visit(now, CLIENT, "c2.example", C2, 10198)
    count, (wanted, left) = hours * 3600 // interval, alerts_by_hand(interval, hours)
    found = s.run()
    got = [d.get("portent", {}).get("suppressed_count", 0) for d in found
           if d["event"]["kind"] == "alert"]
    told = [d["portent"]["suppressed_count"] for d in found
            if d["event"]["action"] == "dns_calculation_repeats"]
    if got != wanted or told != [left] * (left > 0) or len(got) + len(told) != len(found):
        return f"{wanted} and {left} held back, by hand; {got} and {told} found"
    if sum(got) + sum(told) + len(got) != count:
        return f"{count} connections, {sum(got) + sum(told) + len(got)} accounted for"
    if ten and 10 * len(found) > count:
        return f"{len(found)} documents about {count} connections"
    return ""


def words(counts):
    return ", ".join(f"{n} at {s}" for s, n in sorted(counts.items(), reverse=True)) or "none"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", action="store_true", help="print it all, for the README")
    table = parser.parse_args().table
    passed = failed = 0
    if table:
        print("| scenario | alerts |\n|---|---|")
    for name, make, wanted in SCENARIOS:
        scene = Scene()
        make(scene)
        found = severities(scene.run("--home-network", "203.0.113.77/32"))
        passed += found == wanted
        failed += found != wanted
        if table:
            print(f"| {name} | {words(found)} |")
        if found != wanted:
            print(f"scenarios: {name}: {words(wanted)} expected, {words(found)} found")
    for row in BEACONS:
        wrong = beacon(*row)
        passed += not wrong
        failed += bool(wrong)
        if wrong:
            print(f"scenarios: a beacon each {row[0]} s for {row[1]} h: {wrong}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
