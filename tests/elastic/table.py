"""The table: documents and sequences of documents, and which rules each of them meets."""
from shapes import (ANSWERS, CONNECTIONS, PROCESS, address_for, defender, endpoint, endpoint_dns,
                    expectation, our_alert, our_dns, our_near_miss, our_outcome, our_repeats, ours,
                    packetbeat, packetbeat_dns, put, suricata, suricata_alert, suricata_dns, sysmon,
                    sysmon_dns, zeek, zeek_dns)

A = "198.51.100.23"  # 198 * 51 + 100 = 10198; 198 * (51 + 100) = 29898
C = "52.231.114.183"  # 52 * 231 + 114 = 12126; 52 * (231 + 114) = 17940
S = "132.198.176.65"  # halves exchanged: 176.65.132.198
B = "203.0.113.9"

BAND, WIDE = {"calculated-port"}, {"calculated-port-wide"}
EXCLUDED = [8080, 8443, 8000, 8888, 9090, 9200, 9300, 9418, 27017, 27018, 28017]
PROCESSES = ["svchost.exe", "lsass.exe", "services.exe", "wininit.exe"]
# First and last address of each network, on the port that its formula gives.
PRIVATE = ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
           "192.168.255.255", "127.0.0.0", "127.255.255.255", "169.254.0.0", "169.254.255.255"]
BESIDE = ["9.255.255.255", "11.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
          "192.169.0.0", "126.255.255.255", "128.32.0.0", "169.253.255.255", "169.255.0.0"]


def apt12(address):
    a, b, c, _ = map(int, address.split("."))
    return a * b + c


def variant(address):
    a, b, c, _ = map(int, address.split("."))
    return a * (b + c)


def band_of(address):
    """A port of the band that one of the formulas gives for the address."""
    return next(p for p in (apt12(address), variant(address)) if 4096 <= p <= 49151)


def has_band_port(address):
    return any(4096 <= p <= 49151 and p not in EXCLUDED for p in (apt12(address), variant(address)))


def single_events():
    """(why, document, ids of the rules about single events that it meets)."""
    for shape in CONNECTIONS:
        yield "APT12's port, " + shape.__name__, shape(A, 10198), BAND
        yield "the variant's port, " + shape.__name__, shape(A, 29898), BAND
        yield "the port beside, " + shape.__name__, shape(A, 10199), set()
        yield "443, " + shape.__name__, shape(A, 443), set()
        yield "a wide port, " + shape.__name__, shape("20.101.57.9", 2077), WIDE
    for port, rules in ((4096, BAND), (4095, WIDE), (49151, BAND), (49152, WIDE), (1, WIDE),
                        (79, WIDE), (81, WIDE), (444, WIDE)):
        yield "port %d" % port, zeek(address_for(port), port), rules
    yield "8081 is not excluded", zeek(address_for(8081), 8081), BAND
    for port in EXCLUDED:
        yield "port %d is excluded" % port, zeek(address_for(port), port), set()
    for port in (80, 443):
        yield "port %d is never looked at" % port, zeek(address_for(port), port), set()
    for address in PRIVATE:
        port = apt12(address)
        if port:
            yield "private %s" % address, zeek(address, port), set()
        if has_band_port(address):
            yield "private %s, in the band" % address, zeek(address, band_of(address)), set()
    for address in BESIDE:
        rules = BAND if has_band_port(address) else WIDE
        port = band_of(address) if rules is BAND else apt12(address)
        yield "public %s" % address, zeek(address, port), rules
    # One inside of each private network, for both bands.
    for address, port in (("10.100.3.4", 1003), ("10.250.200.4", 4500), ("172.20.9.9", 3449),
                          ("172.30.9.9", 5169), ("192.168.20.1", 32276), ("169.254.1.1", 42927),
                          ("127.200.1.1", 25401), ("127.3.62.9", 443), ("127.3.60.9", 441)):
        yield "private %s:%d" % (address, port), zeek(address, port), set()
    # The second formula takes these two networks out of the band.
    for address in ("192.168.100.1", "169.254.50.1"):
        yield "private %s:%d" % (address, variant(address)), zeek(address, variant(address)), set()
    for name in PROCESSES:
        for spelt in (name, name.upper()):
            for address, port in ((A, 10198), ("20.101.57.9", 2077)):
                yield spelt, put(sysmon(address, port), "process.name", spelt), set()
    yield "a name that ends so", put(sysmon(A, 10198), "process.name", "mysvchost.exe"), BAND
    yield "no process, from an endpoint", put(endpoint(A, 10198), "process", None), BAND
    for address, port in ((A, 10198), ("20.101.57.9", 2077)):
        yield "our own alert", our_alert(address, port), {"promotion"}
        yield "what was held back", our_repeats(address, port), set()
        yield "what was nearly one", our_near_miss(address, port), set()
        yield "what became of it", our_outcome(address, port), set()
        yield "of no data stream", put(packetbeat(address, port), "data_stream", None), \
            WIDE if port == 2077 else BAND
        yield "Suricata's alert", suricata_alert(address, port), set()
        yield "UDP", put(zeek(address, port), "network.transport", "udp"), set()
        yield "another category", put(zeek(address, port), "event.category", ["host"]), set()
        yield "several categories", put(zeek(address, port), "event.category",
                                        ["host", "network"]), WIDE if port == 2077 else BAND
        yield "not calculated", put(zeek(address, port), "destination.calculated_port_match",
                                    None), set()
        yield "another formula", put(zeek(address, port), "destination.calculated_port_match",
                                     ["other"]), set()
        yield "no address", put(put(zeek(address, port), "destination.ip", None),
                                "destination.calculated_port_match", None), set()
        yield "no type", put(zeek(address, port), "event.type", None), set()
        yield "another type", put(zeek(address, port), "event.type", ["denied"]), set()
    yield "variant in the wide range", zeek("20.101.57.9", 3160), WIDE
    yield "above 65535 wrapped is no match", zeek("203.113.250.1", 8153), set()
    yield "IPv6", zeek("2001:db8::1", 10198), set()
    yield "mapped", zeek("::ffff:" + A, 10198), BAND
    yield "a rotation", our_alert(A, 10198, action="dns_calculation_rotation"), {"rotation"}
    yield "a campaign", our_alert(A, 10198, action="dns_calculation_campaign"), {"campaign"}
    yield "another's campaign", put(our_alert(A, 10198, action="dns_calculation_campaign"),
                                    "event.module", "other"), set()
    yield "a campaign without alert", put(our_alert(A, 1, action="dns_calculation_campaign"),
                                          "event.kind", "event"), set()
    yield "another module's alert", put(our_alert(A, 10198), "event.module", "other"), set()
    yield "another's rotation", put(our_alert(A, 10198, action="dns_calculation_rotation"),
                                    "event.module", "other"), set()
    yield "an action of ours without alert", put(our_alert(A, 1), "event.kind", "event"), set()
    yield "a rotation without alert", put(our_alert(A, 1, action="dns_calculation_rotation"),
                                          "event.kind", "event"), set()
    for shape in ANSWERS + [sysmon_dns, endpoint_dns]:
        yield "an answer, " + shape.__name__, shape([A]), set()
    for relation in ("same_address", "other_address", "pair", "calculated_address"):
        yield "expected, " + relation, expectation(relation, A, 10198, A), set()


# ---- sequences ----

SAME = lambda **k: expectation("same_address", A, 10198, A, **k)  # noqa: E731
OTHER = lambda **k: expectation("other_address", C, 12126, **k)  # noqa: E731
PAIR = lambda **k: expectation("pair", C, 12126, A, **k)  # noqa: E731
SWAP = lambda **k: expectation("calculated_address", S, None, "176.65.132.198", **k)  # noqa: E731
BOTH = lambda **k: expectation("calculated_address", S, 26312, "176.65.132.198", **k)  # noqa: E731
SAID, ELSEWHERE = {"expected-connection", "expected-elsewhere"}, {"expected-elsewhere"}


def met():
    """(why, documents, ids of all rules about sequences that they meet)."""
    for shape in CONNECTIONS:
        who = shape.__name__
        yield "same address, " + who, [SAME(), shape(A, 10198, 1)], SAID
        yield "swapped, " + who, [SWAP(), shape("176.65.132.198", 23789, 1)], {"expected-address"}
        yield "pair, " + who, [PAIR(), shape(A, 12126, 1)], {"expected-pair"}
        yield "another address, " + who, [OTHER(), shape(B, 12126, 1)], {"expected-port"}
        yield "wide, resolved, " + who, [zeek_dns(["20.101.57.9"]), shape("20.101.57.9", 2077, 1)], \
            {"resolved-connection-wide"}
        yield "resolved elsewhere, " + who, [zeek_dns([C]), shape(B, 12126, 1)], {"resolved-port"}
        for dns in ANSWERS:
            both = "%s, %s" % (dns.__name__, who)
            yield "resolved, " + both, [dns([B, A]), shape(A, 10198, 1)], {"resolved-connection"}
    yield "address and port", [BOTH(), ours("176.65.132.198", 26312, 1)], SAID
    yield "the last moment of the window", [SAME(), ours(A, 10198, 900)], SAID
    yield "wide ports too", [expectation("same_address", "20.101.57.9", 2077, "20.101.57.9"),
                             ours("20.101.57.9", 2077, 1)], SAID
    yield "wide, resolved", [zeek_dns(["20.101.57.9"]), zeek("20.101.57.9", 2077, 1)], \
        {"resolved-connection-wide"}
    yield "wide above the band", [zeek_dns([address_for(49152)]),
                                  zeek(address_for(49152), 49152, 1)], {"resolved-connection-wide"}
    yield "the variant, resolved", [zeek_dns([A]), zeek(A, 29898, 1)], {"resolved-connection"}
    yield "the variant, wide, resolved", [zeek_dns(["20.101.57.9"]), zeek("20.101.57.9", 3160, 1)], \
        {"resolved-connection-wide"}
    yield "a private address among the answers hides nothing", \
        [zeek_dns(["10.0.0.5", A]), zeek(A, 10198, 1)], {"resolved-connection"}
    yield "nor in the wide range", [zeek_dns(["10.0.0.5", "20.101.57.9"]),
                                    zeek("20.101.57.9", 2077, 1)], {"resolved-connection-wide"}
    yield "another address, from Zeek alone", [zeek_dns([C]), zeek(B, 12126, 1)], {"resolved-port"}
    yield "another address, the variant", [packetbeat_dns([C]), suricata(B, 17940, 1)], \
        {"resolved-port"}
    yield "another address, by its private one", [suricata_dns(["10.200.30.4"]), zeek(B, 2030, 1)], \
        {"resolved-port"}
    for dns, shape in ((sysmon_dns, sysmon), (endpoint_dns, endpoint), (sysmon_dns, endpoint)):
        who = "%s, %s" % (dns.__name__, shape.__name__)
        yield "one process, " + who, [dns([A]), shape(A, 10198, 1)], {"process-connection"}
        yield "one process, variant, " + who, [dns([A]), shape(A, 29898, 1)], {"process-connection"}
        yield "one process, wide, " + who, [dns(["20.101.57.9"]), shape("20.101.57.9", 2077, 1)], \
            {"process-connection"}
        yield "one process, a private one beside, " + who, \
            [dns(["10.0.0.5", A]), shape(A, 10198, 1)], {"process-connection"}
    plain = lambda *ends: put(packetbeat(*ends), "data_stream", None)  # noqa: E731
    for first, ends, rules in (
            (SAME(), (A, 10198, 1), SAID), (SWAP(), ("176.65.132.198", 23789, 1), {"expected-address"}),
            (PAIR(), (A, 12126, 1), {"expected-pair"}), (OTHER(), (B, 12126, 1), {"expected-port"}),
            (zeek_dns([A]), (A, 10198, 1), {"resolved-connection"}),
            (zeek_dns(["20.101.57.9"]), ("20.101.57.9", 2077, 1), {"resolved-connection-wide"}),
            (zeek_dns([C]), (B, 12126, 1), {"resolved-port"})):
        yield "of no data stream", [first, plain(*ends)], rules
    for path, value in (("event.type", ["connection"]), ("event.type", ["start"]),
                        ("network", None), ("process.name", None), ("data_stream", None)):
        yield "one process, %s %s" % (path, value), \
            [sysmon_dns([A]), put(sysmon(A, 10198, 1), path, value)], {"process-connection"}
    yield "answered", [our_alert(A, 10198), our_outcome(A, 10198, 1)], {"answered"}
    yield "answered, at 47", [put(our_alert(A, 10198), "event.severity", 47), our_outcome(A, 10198, 120)], \
        {"answered"}
    yield "eight copies of a SYN are one", [SAME()] + [ours(A, 10198, i) for i in range(1, 9)], SAID
    yield "two expectations, one connection", [SAME(), SAME(seconds=400), ours(A, 10198, 1000)], SAID


def near(rule, documents, connection):
    """(why, documents) that the rule must not meet: one thing at a time, for any of the sequences.

    `documents` is a pair that meets it, `connection` made the second one.
    """
    first, second = documents
    destination, port = second["destination"]["ip"], second["destination"]["port"]
    yield "the other way round", [put(first, "@timestamp", second["@timestamp"]),
                                  put(second, "@timestamp", first["@timestamp"])]
    yield "at one time", [put(first, "event.sequence", None),
                          put(put(second, "@timestamp", first["@timestamp"]), "event.sequence", None)]
    span = 92 if rule in ("expected-pair", "expected-port") else 60 if rule == "resolved-port" else 900
    yield "too late", [first, connection(destination, port, span + 0.001)]
    yield "the port beside", [first, connection(destination, port + 1, 1)] \
        if rule != "expected-address" else [first, connection("176.65.132.199", port, 1)]
    yield "an alert, no connection", [first, put(second, "event.kind", "alert")]
    yield "no type", [first, put(second, "event.type", ["info"])]
    yield "what became of one", [first, put(second, "data_stream.dataset", "portent.alert")]
    yield "UDP", [first, put(second, "network", {"transport": "udp"})]
    yield "of another category", [first, put(second, "event.category", ["host"])]
    yield "answer of another category", [put(first, "event.category", ["host"]), second]
    for name in PROCESSES:
        yield name, [first, put(put(second, "process", dict(PROCESS)), "process.name", name)]
    yield "a pipeline failed on it", [put(first, "event.kind", "pipeline_error"), second]
    if rule.startswith("expected"):
        yield "another data stream", [put(first, "data_stream.dataset", "other.expectation"), second]
        yield "another relation", [put(first, "portent.expected.relation", "other"), second]
    if rule == "process-connection":
        yield "another host", [first, put(second, "host.id", "host-2")]
        yield "another process", [first, put(second, "process.entity_id", "{other}")]
    elif rule != "expected-elsewhere":
        yield "another client", [first, connection(destination, port, 1, "10.20.30.41")]


def unanswered():
    """(why, documents) of an alert and what became of it."""
    alert, outcome = our_alert(A, 10198), our_outcome(A, 10198, 1)
    for state in ("refused", "silent"):
        yield state, [alert, put(outcome, "portent.outcome.state", state)]
    for severity in (21, 46):
        yield "severity %d" % severity, [put(alert, "event.severity", severity), outcome]
    yield "another's", [alert, put(outcome, "portent.alert.id", "1" * 32)]
    yield "too late", [alert, our_outcome(A, 10198, 120.001)]
    yield "the other way round", [put(alert, "@timestamp", outcome["@timestamp"]),
                                  put(outcome, "@timestamp", alert["@timestamp"])]
    for action in ("dns_calculation_rotation", "dns_calculation_campaign"):
        yield action, [our_alert(A, 10198, action=action), outcome]
    for name, one, other in (("alert", "pipeline_error", "event"), ("outcome", "alert", "pipeline_error")):
        yield "a pipeline failed on the " + name, [put(alert, "event.kind", one),
                                                   put(outcome, "event.kind", other)]
    yield "a near miss", [our_near_miss(A, 10198), outcome]
    yield "what was held back", [our_repeats(A, 10198), outcome]
    yield "alert of another category", [put(alert, "event.category", ["host"]), outcome]
    yield "outcome of another category", [alert, put(outcome, "event.category", ["host"])]


def more_near():
    """(rule, why, documents)."""
    yield from (("answered", why, documents) for why, documents in unanswered())
    same, pair = SAME(), PAIR()
    for rule in ("expected-connection", "expected-elsewhere"):
        yield rule, "a pair", [pair, ours(A, 12126, 1)]
        yield rule, "another address", [same, ours("198.51.100.24", 10198, 1)]
    yield "expected-connection", "for any port", [SWAP(), ours("176.65.132.198", 443, 1)]
    yield "expected-address", "for one port", [BOTH(), ours("176.65.132.198", 1, 1)]
    yield "expected-address", "the same address", [put(same, "portent.expected.port", None),
                                                   ours(A, 10198, 1)]
    yield "expected-pair", "the same address", [same, ours(A, 10198, 1)]
    yield "expected-pair", "another address", [pair, ours("198.51.100.24", 12126, 1)]
    yield "expected-port", "a pair", [pair, ours(B, 12126, 1)]
    yield "expected-port", "its own port", [OTHER(), ours(C, 12126, 1)]
    yield "resolved-port", "its own port", [zeek_dns([C]), zeek(C, 12126, 1)]
    yield "resolved-port", "our expectation", [put(OTHER(), "event.kind", "event"), zeek(B, 12126, 1)]
    for rule, first in (("expected-port", lambda p: expectation("other_address", C, p)),
                        ("resolved-port", lambda p: put(zeek_dns([C]), "portent.expected.port", [p]))):
        for address in ("10.0.0.9", "172.16.0.9", "192.168.0.9", "127.0.0.9", "169.254.0.9"):
            yield rule, "private " + address, [first(12126), zeek(address, 12126, 1)]
    for rule, dns, shape in (("resolved-connection", zeek_dns, zeek),
                             ("process-connection", sysmon_dns, sysmon)):
        for address, port in (("10.250.200.4", 4500), ("172.30.9.9", 5169), ("192.168.20.1", 32276),
                              ("127.200.1.1", 25401), ("169.254.1.1", 42927)):
            yield rule, "private " + address, [dns([address]), shape(address, port, 1)]
        for port in EXCLUDED:
            address = address_for(port)
            yield rule, "port %d" % port, [dns([address]), shape(address, port, 1)]
        yield rule, "another address of the answer", [dns([B]), shape(A, 10198, 1)]
        yield rule, "no formula", [dns([A]), shape(A, 10197, 1)]
        yield rule, "another formula", [dns([A]), put(shape(A, 10197, 1),
                                                      "destination.calculated_port_match", ["x"])]
        yield rule, "no addresses", [dns([]), shape(A, 10198, 1)]
    for port in (80, 443):
        address = address_for(port)
        yield "process-connection", "port %d" % port, [sysmon_dns([address]), sysmon(address, port, 1)]
        yield "resolved-connection-wide", "port %d" % port, [zeek_dns([address]),
                                                             zeek(address, port, 1)]
    for port in (4095, 49152):
        address = address_for(port)
        yield "resolved-connection", "port %d" % port, [zeek_dns([address]), zeek(address, port, 1)]
    for port in (4096, 49151):
        address = address_for(port)
        yield "resolved-connection-wide", "port %d" % port, [zeek_dns([address]),
                                                             zeek(address, port, 1)]
    for address, port in (("10.100.3.4", 1003), ("172.20.9.9", 3449), ("192.168.100.1", 51456),
                          ("127.3.60.9", 441), ("169.254.50.1", 51376)):
        yield "resolved-connection-wide", "private " + address, [zeek_dns([address]),
                                                                 zeek(address, port, 1)]
    yield "resolved-connection-wide", "no formula", [zeek_dns(["20.101.57.9"]),
                                                     zeek("20.101.57.9", 2078, 1)]
    yield "resolved-connection-wide", "another formula", [
        zeek_dns(["20.101.57.9"]),
        put(zeek("20.101.57.9", 2078, 1), "destination.calculated_port_match", ["x"])]
    yield "resolved-connection-wide", "another address of the answer", [zeek_dns([B]),
                                                                        zeek("20.101.57.9", 2077, 1)]
    yield "resolved-connection-wide", "no addresses", [zeek_dns([]), zeek("20.101.57.9", 2077, 1)]
    yield "process-connection", "no process", [sysmon_dns([A]), put(sysmon(A, 10198, 1), "process", None)]
    yield "process-connection", "Defender says no answers", [our_dns([A]), defender(A, 10198, 1)]
