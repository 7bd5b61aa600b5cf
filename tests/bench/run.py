#!/usr/bin/python3
"""What a packet costs: read() alone, a bare libpcap loop, tcpdump with the same filter, and portent, in
one run.

    run.py [--packets N] [--rounds N]       $BUILD: the build folder, $PORTENT: the program

CPU time (user and system) a packet, the captures in the page cache, all in turn in each round, so
that noise meets all of them; medians. Ratios are what counts. Fails where a bound of LIMITS is
broken.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build-tests"))
PORTENT = os.environ.get("PORTENT", str(BUILD / "sensor" / "portent"))
WORK = BUILD / "bench"

# Times of tcpdump on the same capture.
MIXED, WORST = 0.6, 1.5
# A SYN with 20 rules against one with 2; the mixed capture with 200 rules against 2.
TWENTY, TWO_HUNDRED = 1.5, 2.0
# Resident memory beyond the budget.
BUDGET, BEYOND = 64 << 20, 16 << 20

# What portent looks at, as a filter that holds for IPv6 and behind a VLAN tag. BPF's tcp[] knows IPv4
# only, and after "vlan" all that follows means the inner packet.
LOOKED_AT = ("(udp port 53 or tcp[tcpflags] & tcp-syn != 0 or "
             "(ip6 and ip6[6] == 6 and ip6[53] & 2 != 0))")
FILTER = f"{LOOKED_AT} or (vlan and {LOOKED_AT})"

failures = 0


def bound(what, value, limit, unit=""):
    global failures
    good = value <= limit
    failures += not good
    print(f"{what:44} {value:8.2f}{unit}  at most {limit:g}{unit}{'' if good else '  FAILED'}")


def cost(command):
    """CPU seconds and peak resident octets of a command."""
    with open(os.devnull, "w") as null:
        process = subprocess.Popen(command, stdout=null, stderr=subprocess.PIPE)
        words = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {process.returncode}\n{words.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def rounds(commands, count, packets):
    """Nanoseconds a packet, median of the rounds, for each command; the first round only warms up."""
    times = {name: [] for name in commands}
    memory = dict.fromkeys(commands, 0)
    for number in range(count + 1):
        for name, command in commands.items():
            seconds, resident = cost(command)
            memory[name] = max(memory[name], resident)
            if number:
                times[name].append(seconds * 1e9 / packets)
    return {name: statistics.median(values) for name, values in times.items()}, memory


def generate(kind, packets):
    path = WORK / f"{kind}-{packets}.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        with open(part, "wb") as out:
            subprocess.run([BUILD / "tests" / "bench-generate", kind, str(packets)], stdout=out,
                           check=True)
        part.rename(path)
    return str(path)


def portent(path, *arguments):
    return [PORTENT, "-q", "-r", path, "--format", "ecs", "-o", "/dev/null", *arguments]


def compare(kind, packets, count, limit):
    path = generate(kind, packets)
    filter_words = [FILTER]
    ns, memory = rounds({
        "read() alone": [str(BUILD / "tests" / "bench-read"), path],
        "bare libpcap loop": [str(BUILD / "tests" / "bench-bare"), path],
        "tcpdump": ["tcpdump", "-r", path, "-w", "/dev/null", *filter_words],
        "portent": portent(path),
    }, count, packets)
    alerts = counters(path)
    print(f"\n{kind}: {packets} packets, {os.path.getsize(path) / packets - 16:.0f} octets each, "
          f"{alerts['alert.generated']:.0f} alerts")
    for name, value in ns.items():
        print(f"  {name:20} {value:7.0f} ns a packet {value / ns['tcpdump']:6.2f} of tcpdump"
              f" {memory[name] / 2**20:6.1f} MiB resident")
    bound(f"{kind}: portent of tcpdump", ns["portent"] / ns["tcpdump"], limit)
    bound(f"{kind}: resident beyond the budget", (memory["portent"] - BUDGET) / 2**20,
          BEYOND / 2**20, " MiB")


def flat(value, prefix=""):
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat(inner, f"{prefix}{key}.")
        else:
            yield prefix + key, inner


def counters(path, *arguments):
    stats = WORK / "stats.json"
    subprocess.run(portent(path, "--stats", str(stats), *arguments), check=True,
                   stderr=subprocess.DEVNULL)
    found = dict(flat(json.loads(stats.read_text())))
    return {name.removeprefix("portent.stats."): value for name, value in found.items()}


def rules(count):
    """A folder with `count` rules: the two shipped port rules, and others of their kind."""
    folder = WORK / f"rules-{count}"
    folder.mkdir(exist_ok=True)
    for name in ("apt12", "variant"):
        (folder / f"{name}.json").write_text((ROOT / "rules" / f"{name}.json").read_text())
    rule = json.loads((ROOT / "rules" / "apt12.json").read_text())
    rule.pop("vectors", None)
    for number in range(2, count):
        rule["id"] = f"made-{number}"
        rule["port"] = f"(o1 * o2 + o3 + {number * 211}) % 65536"
        (folder / f"made-{number}.json").write_text(json.dumps(rule, indent=2) + "\n")
    return str(folder)


def compare_rules(packets, count):
    syns, mixed = generate("syns", packets), generate("mixed", packets)
    ns, _ = rounds({number: portent(syns, "-R", rules(number)) for number in (2, 20)}, count, packets)
    print(f"\nrules: a SYN with 2: {ns[2]:.0f} ns, with 20: {ns[20]:.0f} ns")
    bound("20 rules of 2, a SYN", ns[20] / ns[2], TWENTY)
    ns, _ = rounds({number: portent(mixed, "-R", rules(number)) for number in (2, 200)}, count,
                   packets)
    print(f"rules: mixed with 2: {ns[2]:.0f} ns, with 200: {ns[200]:.0f} ns a packet")
    bound("200 rules of 2, mixed", ns[200] / ns[2], TWO_HUNDRED)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    compare("mixed", asked.packets, asked.rounds, MIXED)
    compare("worst", asked.packets, asked.rounds, WORST)
    compare_rules(asked.packets, asked.rounds)
    print(f"{6 - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
