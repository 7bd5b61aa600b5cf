#!/usr/bin/python3
"""Captures that others made, read by portent and by tshark, frame by frame.

    compare.py PORTENT FOLDER [LIST]

Of every capture below FOLDER the resolutions (frame, client, question, address, TTL) and the SYNs
(frame, addresses, ports, of the innermost packet) must be the same. What differs must stand in LIST:
a line for each capture, of three columns parted by tabs: its name, the frames (parted by commas, or
* for all), and the reason. A line that explains nothing any more is wrong too.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import theirs

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLOSED = ("A", "AAAA", "HTTPS", "SVCB")


def resolutions_of(document, number):
    for record in document["dns"].get("answers", []):
        if record["type"] in CLOSED:
            yield (number, document["client"]["ip"], document["dns"]["question"]["name"],
                   theirs.plain(record["data"]), record["ttl"])


def sees(portent, path):
    done = subprocess.run([portent, "-q", "-r", path, "-R", ROOT / "rules", "--format", "ecs",
                           "--log", "dns,connection", "-o", "-"], capture_output=True)
    resolutions, syns = set(), set()
    for document in map(json.loads, done.stdout.splitlines()):
        number = document.get("portent", {}).get("packet", {}).get("number")
        if document["event"]["action"] == "dns_answer":
            resolutions |= set(resolutions_of(document, number))
        elif document["event"]["action"] == "connection_attempted":
            syns.add((number, *(document[end]["ip"] for end in ("source", "destination")),
                      *(document[end]["port"] for end in ("source", "destination"))))
    if done.returncode not in (0, 2):
        syns.add((0, f"exit status {done.returncode}", done.stderr.decode()[-2000:]))
    return resolutions, syns


def differences(portent, path):
    """[(frame, a sentence)], how many resolutions and SYNs tshark saw."""
    ours, others, found = sees(portent, path), theirs.sees(path), []
    for we, they in zip(ours, others):
        found += [(row[0], f"only tshark: {row[1:]}") for row in they - we]
        found += [(row[0], f"only portent: {row[1:]}") for row in we - they]
    return sorted(found), len(others[0]), len(others[1])


def explanations(path):
    rows = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, frames, reason = line.split("\t")
            rows[name] = None if frames == "*" else {int(f) for f in frames.split(",")}
            assert reason.strip(), f"{name}: no reason"
    return rows


def judge(name, found, known, used):
    """How many differences of a capture nobody explained."""
    unexplained = 0
    for frame, sentence in found:
        if name in known and (known[name] is None or frame in known[name]):
            used.setdefault(name, set()).add(frame)
            continue
        print(f"{name}, frame {frame}: {sentence}")
        unexplained += 1
    return unexplained


def stale(known, used):
    for name, frames in known.items():
        if name not in used or (frames and frames - used[name]):
            yield f"{name}: the list explains a difference that is none"


def main():
    portent, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    known = explanations(pathlib.Path(sys.argv[3])) if len(sys.argv) > 3 else {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda path: differences(portent, path), paths))
    used, failed = {}, 0
    for path, (found, _, _) in zip(paths, results):
        failed += judge(str(path.relative_to(folder)), found, known, used) > 0
    old = list(stale(known, used))
    print(*old, sep="\n", end="\n" if old else "")
    print(f"field: {len(paths)} captures: {sum(r[1] for r in results)} resolutions and "
          f"{sum(r[2] for r in results)} SYNs of tshark's; {len(used)} captures with explained differences")
    print(f"{len(paths) - failed} passed, {failed + len(old)} failed")
    return 1 if failed or old else 0


if __name__ == "__main__":
    sys.exit(main())
