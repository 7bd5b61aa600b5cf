#!/usr/bin/python3
"""Two sensors, one finding: captures split in two, and the sequences over what both sensors wrote.

One sensor gets the DNS packets of a capture and writes expectations, the other gets all the rest and
writes connections. What the rules find in both together is held against what one sensor that sees the
whole capture finds alone: each of its alerts with DNS evidence, by client, destination and port, and
nothing where it finds nothing. The captures are those of pcaps/, and some made of each rule file's test
vectors, so that no rule is without one. Then the connections come from other products instead.
"""
import ipaddress
import json
import os
import struct
import subprocess

import eql
import inputs
import shapes
from checks import ROOT, WORK, check, finish, read_lines
from detections import field_types, parse, read_rules

# The rule that stands for a verdict, by whether the destination was given to the client.
CLEAR = ("expected-connection", "expected-address", "expected-pair")
# Who else may have seen the connections.
OTHERS = (shapes.zeek, shapes.packetbeat, shapes.suricata, shapes.sysmon, shapes.endpoint, shapes.defender)


def is_dns(frame):
    """A packet from or to port 53, behind VLAN tags and inside VXLAN; and fragments of UDP."""
    at, kind = 14, struct.unpack_from(">H", frame, 12)[0]
    while kind in (0x8100, 0x88A8):
        kind, at = struct.unpack_from(">H", frame, at + 2)[0], at + 4
    if kind not in (0x0800, 0x86DD):
        return False
    protocol = frame[at + 9] if kind == 0x0800 else frame[at + 6]
    if kind == 0x0800 and protocol == 17 and struct.unpack_from(">H", frame, at + 6)[0] & 0x3FFF:
        return True
    at += (frame[at] & 15) * 4 if kind == 0x0800 else 40
    if len(frame) < at + 4:
        return False
    ports = struct.unpack_from(">HH", frame, at)
    if protocol == 17 and ports[1] == 4789:
        return is_dns(frame[at + 16:])
    return protocol in (6, 17) and 53 in ports


def split(path):
    """Two captures, answers and connections; None for a file that is no plain pcap."""
    data = path.read_bytes()
    magic = struct.unpack_from("<I", data)[0]
    if magic not in (0xa1b2c3d4, 0xa1b23c4d):
        return None
    parts = {True: [data[:24]], False: [data[:24]]}
    at = 24
    while at < len(data):
        captured = struct.unpack_from("<I", data, at + 8)[0]
        end = at + 16 + captured
        parts[is_dns(data[at + 16:end])].append(data[at:end])
        at = end
    out = []
    for which, name in ((True, "answers"), (False, "connections")):
        target = WORK / ("split-" + name + ".pcap")
        target.write_bytes(b"".join(parts[which]))
        out.append(target)
    return out


def run(capture, *words):
    out = WORK / "split.ndjson"
    out.unlink(missing_ok=True)
    subprocess.run([os.environ["PORTENT"], "-q", "-r", capture, "--format", "ecs", "-o", out, *words],
                   check=True, cwd=ROOT)
    return read_lines(out) if out.exists() else []


def expired(capture):
    """What one sensor would have found but for the age of the answer, by client and destination.

    It knows to the second how long an answer counts; the span of a sequence is fixed, and longer, because
    an expectation is not told again at every answer.
    """
    return {(d["source"]["ip"], d["destination"]["ip"], d["destination"]["port"])
            for d in run(capture, "--near-misses")
            if d.get("portent", {}).get("near_miss", {}).get("reason") == "expired"}


def rule_for(alert):
    """Which of the sequences says what an alert of one sensor says.

    Two addresses of one host are known by their MAC; to two sensors they are two clients.
    """
    verdict = alert["portent"]["verdict"]
    if verdict == "dns_other_client" or "twin" in alert["portent"]:
        return "expected-elsewhere"
    if verdict == "dns_other_address":
        return "expected-pair" if "domain" in alert["destination"] else "expected-port"
    return "expected-address" if "address_from" in alert["portent"] else "expected-connection"


def alone(capture):
    """{(rule, client, destination, port)} of one sensor's alerts that have DNS evidence."""
    return {(rule_for(d), d["source"]["ip"], d["destination"]["ip"], d["destination"]["port"])
            for d in run(capture) if d["event"]["action"] == "dns_calculation_port_match"
            and d["portent"]["verdict"] != "port_only"}


def told(parts):
    """(expectations of the one sensor, connections of the other)."""
    answers, connections = parts
    return ([d for d in run(answers, "--log", "expectation") if d["event"]["kind"] != "alert"],
            [d for d in run(connections, "--log", "connection")
             if d["event"]["dataset"] == "portent.connection"])


def together(documents, queries, types):
    """The same of the sequences over both sensors' documents."""
    found = set()
    for name, query in queries.items():
        for sequence in eql.Evaluator(documents, types).run(query):
            last = sequence[-1]
            found.add((name, last["source"]["ip"], last["destination"]["ip"],
                       last["destination"]["port"]))
    return found


def seen_by(shape, connection):
    """A connection as another product writes it."""
    there = connection["destination"]
    return shapes.put(shape(there["ip"], there["port"], client=connection["source"]["ip"]),
                      "@timestamp", connection["@timestamp"])


# ---- a capture for each rule file ----

def admits(rule, port):
    limits = rule.get("limits", {})
    return port not in limits.get("exclude_ports", []) and any(
        int(low) <= port <= int(high or low)
        for low, _, high in (part.partition("-") for part in limits.get("ports", ["1-65535"])))


def hits(rule):
    """(address that DNS gives, address and port of the connection) by the rule's own test vectors."""
    for vector in rule["vectors"]:
        port, result = vector.get("port", 23789), vector.get("result", vector["address"])
        if port and result and admits(rule, port) and ipaddress.ip_address(result).is_global:
            yield vector["address"], result, port


def made():
    """(path, rule, whether it is about the address that was given), of every rule file."""
    for path in sorted((ROOT / "rules").glob("*.json")):
        rule = json.loads(path.read_text(encoding="utf-8"))
        if "id" not in rule:
            continue
        given, destination, port = next(hits(rule))
        given_too = "8.8.4.4"  # another name's address: the connection goes there in the second capture
        stories = {"same": [inputs.answer("c2.example.net", given), inputs.syn(1, destination, port)]}
        if "address" not in rule:
            first, second = inputs.answer("a.example", given), inputs.answer("b.example", given_too)
            stories["pair"] = [first, second, inputs.syn(1, given_too, port)]
            stories["other"] = [first, inputs.syn(1, given_too, port)]
        for name, frames in stories.items():
            target = WORK / ("split-%s-%s.pcap" % (rule["id"], name))
            target.write_bytes(inputs.capture(frames))
            yield target, rule["id"]


def main():
    rules, _ = read_rules()
    types = field_types()
    queries = {name: parse(rule) for name, rule in rules.items()
               if name.startswith("expected-") and rule["type"] == "eql"}
    alerts, met = 0, set()
    captures = [(path, None) for path in sorted((ROOT / "pcaps").glob("*.pcap"))] + list(made())
    for capture, rule in captures:
        parts = split(capture)
        if not check(parts, capture.name, "is no plain pcap"):
            continue
        wanted, (answers, connections) = alone(capture), told(parts)
        if rule:
            check(wanted, capture.name, "one sensor finds nothing")
            check(rule in {d["rule"]["id"] for d in answers}, capture.name, "has no expectation of", rule)
        found = together(answers + connections, queries, types)
        check(wanted <= found, capture.name, "two sensors miss", wanted - found)
        more = {one for one in found - wanted if one[0] in CLEAR and one[1:] not in expired(capture)}
        check(not more, capture.name, "two sensors say more:", more)
        for shape in OTHERS if wanted else ():
            others = together(answers + [seen_by(shape, d) for d in connections], queries, types)
            check(others == found, capture.name, "with", shape.__name__, others ^ found)
        alerts += len(wanted)
        met |= {one[0] for one in wanted}
    check(alerts >= 40, "only", alerts, "alerts in all captures")
    check(met == set(queries), "no capture for", set(queries) - met)
    print("   %d alerts of one sensor, all found by two" % alerts)
    finish()


if __name__ == "__main__":
    main()
