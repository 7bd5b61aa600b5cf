#!/usr/bin/python3
"""Runs the sensor and the model over seeded random captures; both must say the same.

    compare.py --sensor PATH [--seeds 1-20] [--packets 5000] [--shrink] [--ignore FIELD]
    compare.py --sensor PATH CAPTURE...

Compared are alerts, rotations, campaigns and repeats, in order: what was decided and from which evidence, not
how it is worded. At the first difference the lines of both sides and the packets around them are
printed, the capture is kept, and the exit status is 1. --shrink then looks for the fewest packets
that still differ. Exit status 2: nothing could be compared.
"""

import argparse
import functools
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import generate
import model
import wire

RULES = pathlib.Path(__file__).resolve().parent / "../../rules"
KINDS = {"dns_calculation_port_match": "alert", "dns_calculation_rotation": "rotation",
         "dns_calculation_campaign": "campaign", "dns_calculation_repeats": "repeats"}


def at(document, path, default=None):
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return default
        document = document[key]
    return document


def address(words):
    """An address as the model writes it; whatever is none stays as it is, and differs.

    NAT64 addresses are written as they are compared, so either form of them is welcome.
    """
    try:
        return words and wire.text(wire.compared(wire.ipaddress.ip_address(words).packed))
    except ValueError:
        return words


def lowered(names):
    """Names of a rotation are compared without regard to case."""
    return sorted({name.lower() for name in names})


def from_sensor(document):
    """The model's line for one document of the sensor; None for documents of other kinds."""
    kind = KINDS.get(at(document, "event.action"))
    if kind is None:
        return None
    if kind == "repeats":
        return {"kind": kind, "client": address(at(document, "source.ip")),
                "destination": address(at(document, "destination.ip")),
                "port": at(document, "destination.port"), "rule": at(document, "rule.id"),
                "count": at(document, "portent.suppressed_count")}
    line = {"kind": kind, "packet": at(document, "portent.packet.number"),
            "rule": at(document, "rule.id"), "verdict": at(document, "portent.verdict"),
            "severity": at(document, "event.severity")}
    if kind == "rotation":
        return {**line, "names": lowered(at(document, "portent.rotation.names", [])),
                "ips": sorted(map(address, at(document, "portent.rotation.ips", []))),
                "ports": sorted(at(document, "portent.rotation.ports", [])),
                "count": at(document, "portent.rotation.count"),
                "chance": at(document, "portent.rotation.chance")}
    if kind == "campaign":
        of = functools.partial(at, at(document, "portent.campaign"))
        return {**line, "key": of("key"), "count": of("count"),
                "clients": sorted(map(address, of("clients", []))),
                "names": lowered(of("names", [])), "ips": sorted(map(address, of("ips", []))),
                "ports": sorted(of("ports", []))}
    evidence = at(document, "portent.dns.packet.number")
    return {**line, "also": sorted(at(document, "portent.also", [])),
            "suppressed": at(document, "portent.suppressed_count", 0),
            "evidence_packet": evidence,
            "asked": None if evidence is None else at(document, "portent.dns.asked", False),
            "port_from": address(at(document, "portent.port_from.ip")),
            "twin": address(at(document, "portent.twin.ip")),
            "chance": at(document, "portent.chance"), "tries": at(document, "portent.tries"),
            "candidates": at(document, "portent.candidates")}


def same(ours, theirs, ignored=()):
    """Documents write a chance with seven digits; the program keeps weights of ports in 32 bits."""
    if ours is None or theirs is None or ours.keys() != theirs.keys():
        return False
    return all(isinstance(theirs[key], (int, float))
               and math.isclose(ours[key], theirs[key], rel_tol=1e-4)
               if key == "chance" else ours[key] == theirs[key]
               for key in ours if key not in ignored)


class SensorFailed(Exception):
    pass


def run_sensor(sensor, capture, rules, flags=()):
    command = [sensor, *flags, "-r", str(capture), "-o", "-", "--format", "ecs"]
    for rule in rules:
        command += ["-R", str(RULES / f"{rule}.json")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise SensorFailed("exit status %d: %s" % (
            done.returncode, done.stderr.decode(errors="replace").strip()[-500:]))
    documents = map(json.loads, done.stdout.splitlines())
    return [line for line in map(from_sensor, documents) if line]


def run_model(data, rules, arguments):
    lines, _ = model.run(data, model.Options(vlan_clients=arguments.vlan_clients,
                                             tunnel_clients=arguments.tunnel_clients),
                         {rule: model.RULES[rule] for rule in rules})
    for line in lines:
        if line["kind"] in ("rotation", "campaign"):
            line["names"] = lowered(line["names"])
    return lines


def difference(data, path, arguments, rules):
    """(index, line of the model, line of the sensor) where they part first, or None."""
    path.write_bytes(data)
    ours = run_model(data, rules, arguments)
    flags = [flag for flag, given in (("--vlan-clients", arguments.vlan_clients),
                                      ("--tunnel-clients", arguments.tunnel_clients)) if given]
    theirs = run_sensor(arguments.sensor, path, rules, flags)
    for i in range(max(len(ours), len(theirs))):
        pair = [side[i] if i < len(side) else None for side in (ours, theirs)]
        if not same(*pair, ignored=arguments.ignore):
            return i, *pair
    return None


def around(data, lines, near=6, before=25):
    """The packets around those that the lines name, and what their client had to do before."""
    packets = [wire.decode(n, t, f) for n, (t, f) in enumerate(wire.records(data), 1)]
    numbers = [line[key] for line in lines if line
               for key in ("packet", "evidence_packet") if line.get(key)]
    wanted = {n + d for n in numbers for d in range(-near, near + 1)}
    last = max(numbers, default=len(packets))
    for line in filter(None, lines):
        if "packet" in line:
            judged = packets[line["packet"] - 1]
            mine = [p.number for p in packets[:last] if p.kind != "other"
                    and judged.source in (p.source, p.destination)]
        else:
            mine = [p.number for p in packets if p.kind != "other"
                    and {line["client"], line["destination"]}
                    == {wire.text(p.source), wire.text(p.destination)}]
        wanted.update(mine[-before:])
    for packet in packets:
        if packet.number in wanted:
            print(("> " if packet.number in numbers else "  ") + wire.describe(packet))


def shrink(data, path, arguments, rules):
    """Leaves out packets, in ever smaller pieces, as long as the two still differ."""
    nano = data[:4] == b"\x4d\x3c\xb2\xa1"
    records = list(wire.records(data))
    piece = len(records) // 2
    while piece:
        start, shorter = 0, False
        while start < len(records):
            rest = records[:start] + records[start + piece:]
            try:
                differs = difference(generate.write(rest, nano), path, arguments, rules)
            except SensorFailed:
                differs = False
            if differs:
                records, shorter = rest, True
            else:
                start += piece
        piece = piece if shorter and piece == 1 else piece // 2
    data = generate.write(records, nano)
    path.write_bytes(data)
    return data


def report(name, data, path, found, arguments, rules):
    if arguments.shrink:
        small = path.with_suffix(".small.pcap")
        data = shrink(data, small, arguments, rules)
        path, found = small, difference(data, small, arguments, rules)
    index, ours, theirs = found
    print(f"{name}: line {index + 1} differs; capture kept: {path}")
    print("model:  " + json.dumps(ours))
    print("sensor: " + json.dumps(theirs))
    around(data, (ours, theirs))


def inputs(arguments):
    for path in arguments.capture:
        yield path, pathlib.Path(path).read_bytes()
    for seed in () if arguments.capture else arguments.seeds:
        yield f"seed {seed}", generate.capture(seed, arguments.packets, arguments.tunnels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("capture", nargs="*")
    parser.add_argument("--sensor", required=True, metavar="PATH")
    parser.add_argument("--seeds", type=model.span, default=model.span("1-20"), metavar="A-B")
    parser.add_argument("--packets", type=int, default=5000)
    parser.add_argument("--vlan-clients", action="store_true",
                        help="an address in two VLANs is two clients, for both")
    parser.add_argument("--tunnels", action="store_true",
                        help="generate captures with tunnels in them")
    parser.add_argument("--tunnel-clients", action="store_true",
                        help="an address behind two numbers of a tunnel is two clients, for both")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--ignore", action="append", default=[], metavar="FIELD",
                        help="do not compare this field (to look behind a known difference)")
    arguments = parser.parse_args()
    rules = [rule for rule in model.RULES if (RULES / f"{rule}.json").exists()]
    if not rules:
        print(f"none of {', '.join(model.RULES)} in {RULES.resolve()}", file=sys.stderr)
        return 2
    passed = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-model-"))
    for name, data in inputs(arguments):
        path = folder / f"{name.replace(' ', '-').replace('/', '_')}.pcap"
        try:
            found = difference(data, path, arguments, rules)
        except (SensorFailed, OSError, ValueError) as error:
            print(f"{name}: {error}; capture kept: {path}")
            found = True
        else:
            if found:
                report(name, data, path, found, arguments, rules)
        if found:
            print(f"{passed} passed, 1 failed")
            return 1
        passed += 1
        path.unlink()
    folder.rmdir()
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
