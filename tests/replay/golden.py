#!/usr/bin/python3
"""Captures in, golden lines out (design 4.13, 6).

    golden.py --sensor PROGRAM            compare with the lines in this folder
    golden.py --sensor PROGRAM --write    write them anew: read every changed line before you commit it
    golden.py --sensor PROGRAM --captures DIR --loose
                                          other recordings of the same stories: ports, ids, times,
                                          sequence and packet numbers are masked on both sides

Beside the golden lines stands pcaps/expected.tsv, filled by hand arithmetic: every alert is held
against that too, so that a golden line can't be wrong in what matters.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PCAPS = HERE.parent.parent / "pcaps"
RULES = HERE.parent.parent / "rules"

# What is new in every run: the wall clock, the number of the line, the machine.
RUN = [("event", "created"), ("event", "sequence"), ("observer",)]
# What is new in every recording of the same story.
RECORDING = [("@timestamp",), ("event", "id"), ("event", "start"), ("event", "end"),
             ("source", "port"), ("source", "mac"), ("destination", "mac"),
             ("network", "community_id"), ("dns", "id"),
             ("portent", "packet"), ("portent", "dns", "packet"),
             ("portent", "dns", "answered_at"), ("portent", "dns", "seconds_since_answer")]


def mask(doc, paths):
    for *parents, last in paths:
        at = doc
        for key in parents:
            at = at.get(key, {})
        at.pop(last, None)


def lines_of(sensor, capture):
    """The program's documents for a capture, and its exit status."""
    # From the folder of the captures, so that the file's name is the same everywhere.
    done = subprocess.run([sensor, "-q", "-r", capture.name, "-R", RULES, "--format", "ecs", "-o", "-"],
                          cwd=capture.parent, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{capture.name}: exit status {done.returncode}: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def masked(docs, loose):
    out = []
    for doc in docs:
        host = doc.get("observer", {}).get("hostname")
        doc = json.loads(json.dumps(doc))
        mask(doc, RUN + (RECORDING if loose else []))
        hosts = doc.get("related", {}).get("hosts", [])
        if host in hosts:
            hosts.remove(host)
        if not hosts:
            doc.get("related", {}).pop("hosts", None)
        if loose and "reason" in doc.get("event", {}):
            reason = re.sub(r"\d[\d.]* m?s\b", "", doc["event"]["reason"])  # how long it took
            words = reason.split()
            doc["event"]["reason"] = " ".join(w for w in words if not w[0].isdigit() or "." not in w)
        out.append(json.dumps(doc, ensure_ascii=False, separators=(",", ":")))
    return out


def facts(doc):
    """An alert as expected.tsv writes it down."""
    return (str(doc["portent"]["packet"]["number"]), doc["rule"]["id"], doc["portent"]["verdict"],
            str(doc["event"]["severity"]), doc["destination"]["ip"], str(doc["destination"]["port"]))


def expected():
    table = {}
    for row in (PCAPS / "expected.tsv").read_text().splitlines()[1:]:
        capture, packet, rule, verdict, severity, destination, port, _ = row.split("\t")
        alerts = table.setdefault(capture, [])
        if rule != "silent":
            alerts.append((packet, rule, verdict, severity, destination, port))
    return table


def check(sensor, capture, wanted, args):
    """None, or what is wrong with this capture's lines."""
    docs = lines_of(sensor, capture)
    golden = HERE / (capture.name + ".ndjson")
    if args.write:
        golden.write_text("".join(line + "\n" for line in masked(docs, False)))
    alerts = [facts(doc) for doc in docs if doc["event"]["kind"] == "alert"]
    if args.loose:
        alerts, wanted = ([fact[1:] for fact in side] for side in (alerts, wanted))
    if alerts != wanted:
        return f"expected.tsv says {wanted}, the program {alerts}"
    told = [json.loads(line) for line in golden.read_text().splitlines()]
    left, right = masked(told, args.loose), masked(docs, args.loose)
    for number, (golden_line, line) in enumerate(zip(left, right), 1):
        if golden_line != line:
            return f"line {number}: " + "; ".join(changes(json.loads(golden_line), json.loads(line)))
    return None if len(left) == len(right) else f"{len(left)} golden lines, {len(right)} lines"


def changes(left, right, path=""):
    """What differs between two documents, field by field."""
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return [] if left == right else [f"{path[1:]}: golden {left!r}, program {right!r}"]
    return [change for key in sorted(left.keys() | right.keys())
            for change in changes(left.get(key), right.get(key), f"{path}.{key}")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sensor", required=True)
    parser.add_argument("--captures", type=pathlib.Path, default=PCAPS)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--loose", action="store_true")
    parser.add_argument("names", nargs="*", help="only these captures, as apt12.pcap")
    args = parser.parse_args()
    sensor = pathlib.Path(args.sensor).resolve()
    passed = failed = 0
    for name, wanted in expected().items():
        if args.names and name not in args.names:
            continue
        fault = check(sensor, args.captures.resolve() / name, wanted, args)
        passed, failed = passed + (fault is None), failed + (fault is not None)
        if fault:
            print(f"{name}: {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
