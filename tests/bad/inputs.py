#!/usr/bin/python3
"""Bad inputs, each with a canary behind it that must still alert.

    inputs.py [ROW ...]     all rows, or those named, as H7 A11
    inputs.py --list        the table: row, what it is, why, what is expected
    inputs.py --keep DIR    leave the captures there

The program is $PORTENT, else build/sensor/portent; the rules are those of the checkout. Ends with
the line "N passed, N failed"; an input counts as one. Rows: see README.md.
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import answers  # noqa: E402,F401  (these register their rows)
import captures  # noqa: E402
import fragments  # noqa: E402,F401
import frames  # noqa: E402
import link  # noqa: E402,F401
import messages  # noqa: E402,F401
import network  # noqa: E402,F401
import streams  # noqa: E402,F401
import tunnels  # noqa: E402,F401
from program import (ROOT, Writer, Wrong, check_canary, check_counters,  # noqa: E402
                     check_input, run)
from rows import CANARY, ROWS, File, Moves, canary  # noqa: E402
from soup import SOUP, run_soup  # noqa: E402


# ---- batches of inputs in one file, a canary behind each ----

def run_batch(sensor, folder, entries):
    """Raises Wrong. Returns nothing."""
    first, canaries, moves = entries[0], [], Moves()
    writer = Writer(first.link, first.nano)
    for entry in entries:
        for record in entry.records:
            writer.put(record.frame, record.pause, record.length, record.stamp)
        writer.now += entry.rest
        client, packets = canary(entry.link)
        for packet in packets:
            writer.put(packet)
        canaries.append(client)
        moves += entry.moves + CANARY
    path = folder / f"{first.row}.pcap"
    writer.write(path)
    # The documents of all answers too, unless that would be all that the run is about.
    few = all(len(entry.records) <= 1000 for entry in entries)
    result = run(sensor, folder, [path], "alert,dns" if few else "alert")
    if result.status != 0:
        raise Wrong(f"exit status {result.status}: {result.said}")
    if result.counters["capture.packets"] != writer.packets:
        raise Wrong(f"{result.counters['capture.packets']} packets of {writer.packets}")
    check_counters(result, moves)
    for entry, client in zip(entries, canaries):
        check_canary(result, client)
        try:
            check_input(result, entry)
        except Wrong as wrong:
            raise Wrong(f"{entry.name}: {wrong}")


# ---- whole files, a good one behind them ----

def run_files(sensor, folder, entries):
    paths, moves = [], Moves()
    for number, entry in enumerate(entries):
        paths.append(folder / f"{entry.row}-{number}.pcap")
        paths[-1].write_bytes(entry.data)
        moves += entry.moves
    client, records = captures.pcap_canary()
    good = folder / "good.pcap"
    good.write_bytes(frames.pcap_header() + records)
    result = run(sensor, folder, [*paths, good], "alert")
    faulty = any(entry.offset is not None for entry in entries)
    if result.status != (2 if faulty else 0):
        raise Wrong(f"exit status {result.status}")
    for path, entry in zip(paths, entries):
        said = [line for line in result.said if f"{path}: " in line]
        wanted = (rf"portent: {re.escape(str(path))}: byte {entry.offset}: .*({entry.reason})"
                  if entry.offset is not None else None)
        if (len(said) != 1 or not re.match(wanted, said[0])) if wanted else said:
            raise Wrong(f"{entry.name}: said {said}, not byte {entry.offset}, {entry.reason}")
        for canary_client in entry.canaries:
            check_canary(result, canary_client, entry.stamp)
            moves += CANARY
    check_canary(result, client)
    check_counters(result, moves + CANARY + clock_moves(result, entries))


def clock_moves(result, entries):
    """Simple packets have no time, which libpcap makes 1970: the clock may think about that."""
    if any("simple" in entry.name for entry in entries):
        return Moves({name: value for name, value in result.counters.items()
                      if name.startswith("clock.")})
    return Moves()


# ---- all rows ----

def batches(entries):
    out = collections.defaultdict(list)
    for entry in entries:
        out[entry.batch() if not isinstance(entry, File) else
            (entry.row, entry.offset is not None)].append(entry)
    return out.values()


def culprits(runner, sensor, folder, entries, wrong):
    """A batch went wrong: which of its inputs do so alone?"""
    out = []
    for entry in entries if len(entries) > 1 else []:
        try:
            runner(sensor, folder, [entry])
        except (Wrong, subprocess.TimeoutExpired) as alone:
            out.append(f"{entry.name}: " + str(alone).removeprefix(f"{entry.name}: "))
    return out or [f"{', '.join(e.name for e in entries[:3])} ({len(entries)} in all): {wrong}"]


def run_row(row, sensor, folder, entries):
    """Returns what went wrong, a sentence each."""
    out = []
    for batch in batches(entries):
        runner = run_files if isinstance(batch[0], File) else run_batch
        try:
            runner(sensor, folder, batch)
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            out += culprits(runner, sensor, folder, batch, wrong)
    return out


def report(row, count, faults, seconds):
    bad = f", {len(faults)} wrong" if faults else ""
    print(f"{row.id:4} {row.name}: {count} input{'s' * (count != 1)}{bad}, {seconds:.1f} s",
          flush=True)
    for fault in faults[:20]:
        print(f"  {fault}")
    if len(faults) > 20:
        print(f"  and {len(faults) - 20} more")


def prepare(rows):
    """All inputs, by row: the same whichever rows are asked for."""
    out = {}
    for row in rows:
        out[row.id] = list(row.make())
        for entry in out[row.id]:
            entry.row = row.id
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=18)
    args = parser.parse_args()
    rows = sorted(ROWS, key=lambda row: (row.id[0], int(row.id[1:])))
    if args.list:
        for row in rows:
            print(f"{row.id:4} {row.name}\n     why: {row.why}\n     expected: {row.expect}")
        print("{:4} {}\n     why: {}\n     expected: {}".format(*SOUP))
        return 0
    sensor = pathlib.Path(os.environ.get("PORTENT", ROOT / "build/sensor/portent")).resolve()
    inputs, passed, failed = prepare(rows), 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for row in rows:
            if args.rows and row.id not in args.rows:
                continue
            start, entries = time.monotonic(), inputs[row.id]
            faults = run_row(row, sensor, folder, entries)
            report(row, len(entries), faults, time.monotonic() - start)
            passed, failed = passed + len(entries) - len(faults), failed + len(faults)
        if not args.rows or "H18" in args.rows:
            try:
                run_soup(sensor, folder, [e for entries in inputs.values() for e in entries
                                          if not isinstance(e, File)], args.seed)
                passed += 1
            except (Wrong, subprocess.TimeoutExpired) as wrong:
                print(f"H18  {SOUP[1]}\n  {wrong}")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
