#!/usr/bin/python3
"""The architecture, checked: who may include whom, and what core may link.

Floors stand bottom to top. A file includes files of lower floors, of its own module, and of its own
floor only where BESIDE says so. A new module is put on its floor here, or this test fails.

    tests/architecture.py       reads the sources, and the build folder $BUILD
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build-tests"))

# lib/, bottom to top: a floor is a folder. portent.h, which all may read, stands beside them.
FLOORS = ["base", "wire", "rule", "memory", "judge", "engine", "document"]

# What a module may include of its own floor: its header needs it, or it is a part of the other.
BESIDE = {
    "hash": {"pages"},
    "decoder": {"packet"},
    "glance": {"decoder", "packet", "tunnel"},
    "link": {"decoder"},
    "fragment": {"datagram", "packet"},
    "flow": {"packet"},
    "stream": {"flow", "packet"},
    "dns": {"name", "svcb"},
    "logged": {"dns"},
    "packet": {"link", "tunnel"},
    "tunnel": {"decoder", "link"},
    "unread": {"packet"},
    "expression": {"formula", "token"},
    "machine": {"expression", "formula"},
    "formula": {"machine", "token"},
    "formulas": {"formula", "machine"},
    "limit": {"strict"},
    "allow": {"entry"},
    "prior": {"rule", "strict"},
    "chance": {"verdict"},
    "rule": {"formulas", "limit", "strict", "vector"},
    "rules": {"rule", "limit", "strict", "prior"},
    "vector": {"rule", "strict"},
    "history": {"ring", "tries"},
    "visibility": {"recent"},
    "twin": {"recent"},
    "hosts": {"pool", "cells", "names", "clients"},
    "cells": {"hosts"},
    "names": {"cells"},
    "clients": {"cells", "names", "victim"},
    "victim": {"cells"},
    "fetch": {"cells"},
    "learn": {"clients", "names", "victim"},
    "contact": {"names"},
    "evidence": {"cells", "names"},
    "judge": {"verdict"},
    "cross": {"judge", "signature"},
    "calculated": {"chance", "judge", "signature"},
    "verdict": {"calculated", "cross", "judge", "signature"},
    "signature": {"judge"},
    "near": {"chance", "judge", "signature"},
    "hold": {"verdict"},
    "campaign": {"verdict"},
    "outbreak": {"verdict"},
    "outcome": {"verdict"},
    "state": {"event", "line"},
    "tell": {"event", "state"},
    "expect": {"state", "tell"},
    "message": {"state"},
    "ahead": {"message", "state"},
    "bearer": {"state"},
    "beside": {"state"},
    "exchange": {"bearer", "expect", "state", "tell"},
    "observe": {"bearer", "exchange", "message", "state", "tell"},
    "plan": {"expect", "state"},
    "intake": {"ahead", "observe", "state", "tell"},
    "reload": {"state", "tell"},
    "engine": {"expect", "plan", "state"},
    "reason": {"words"},
    "document": {"community", "words"},
    "groups": {"document"},
    "records": {"document", "words"},
    "alert": {"document", "identity", "words"},
    "stats": {"document", "ecs"},
    "report": {"document", "ecs", "words"},
    "status": {"document", "ecs", "identity"},
    "metrics": {"ecs"},
    "ecs": {"alert", "document", "identity", "words"},
    "text": {"words"},
}

# What core may take from outside: memory, text, arithmetic, JSON and two libraries' functions. No
# file, no socket, no clock, no environment, no output.
CORE_MAY_USE = re.compile("|".join([
    r"mem(cpy|move|set|cmp|chr|rchr|mem)",
    r"str(len|nlen|cmp|ncmp|casecmp|chr|rchr|str|spn|cspn|pbrk|dup|ndup|toul|toull|tol|toll|tod)",
    r"malloc|calloc|realloc|free|posix_memalign|mmap(64)?|munmap|madvise|qsort|qsort_r|bsearch|abort",
    r"v?snprintf|__(v?snprintf|mem\w+|str\w+)_chk|open_memstream",
    r"is(alnum|alpha|digit|print|space|xdigit)|to(lower|upper)|__ctype_\w+_loc",
    r"gmtime_r|strftime|htonl?s?|ntohl?s?|inet_(pton|ntop)",
    r"pow|exp|log|log1p|expm1|log10|floor|ceil|fabs",
    r"json_(?!load_file|loadf|dump_file|dumpf)\w+|jansson_\w+|nettle_\w+",
    r"pt_\w+",
    # the compiler's own
    r"__popcount\w+|__stack_chk_fail|__assert_fail|__errno_location|_GLOBAL_OFFSET_TABLE_",
]))

# Modules that run for each packet and keep nothing: they do not even know malloc.
NO_MEMORY = {"address", "clock", "counter", "packet", "glance", "link", "tunnel", "unread",
             "dns", "svcb", "chance", "community"}
MEMORY = {"malloc", "calloc", "realloc", "aligned_alloc", "strdup", "strndup"}

failures = []
checks = 0


def check(condition, sentence):
    global checks
    checks += 1
    if not condition:
        failures.append(sentence)
        print("architecture:", sentence)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M)


def check_core_file(path, floor):
    for name in includes(path):
        folder, _, file = name.rpartition("/")
        other = file.removesuffix(".h")
        check(
            name == "portent.h"
            or (folder in FLOORS and (ROOT / "lib" / name).exists()
                and (FLOORS.index(folder) < floor
                     or (folder == FLOORS[floor]
                         and (other == path.stem or other in BESIDE.get(path.stem, ()))))),
            f"{path.relative_to(ROOT)} includes {name}: not on a lower floor")


def check_upper_file(path, may):
    for name in includes(path):
        check(any((ROOT / folder / name).exists() for folder in may),
              f"{path.relative_to(ROOT)} includes {name}")


def check_includes():
    for floor, folder in enumerate(FLOORS):
        for path in sorted((ROOT / "lib" / folder).glob("*.[ch]")):
            check_core_file(path, floor)
    for path in sorted((ROOT / "lib" / "io").rglob("*.[ch]")):
        check_upper_file(path, ["lib"])
    for path in sorted((ROOT / "sensor").glob("*.[ch]")):
        check_upper_file(path, ["lib", "sensor"])
    for path in (ROOT / "lib").rglob("*.[ch]"):
        folder = str(path.parent.relative_to(ROOT / "lib"))
        check(folder in FLOORS or folder.split("/")[0] == "io" or path.name == "portent.h",
              f"{path.relative_to(ROOT)} stands on no floor")


def check_built():
    """A file that is not built is not checked by anything else."""
    text = "".join((ROOT / folder / "meson.build").read_text() for folder in ("lib", "sensor"))
    for path in [*(ROOT / "lib").rglob("*.c"), *(ROOT / "sensor").rglob("*.c")]:
        check(f"{path.name}'" in text, f"{path.relative_to(ROOT)} is in no meson.build")


def module_of(path):
    """An object file is called after its folder and its module."""
    return path.name.removesuffix(".c.o").rpartition("_")[2]


def core_objects():
    return sorted((BUILD / "lib" / "libcore.a.p").glob("*.o"))


def check_symbols():
    for path in core_objects():
        module = module_of(path)
        for line in run("nm", "--undefined-only", "--format=posix", path).splitlines():
            symbol = line.split()[0]
            check(CORE_MAY_USE.fullmatch(symbol), f"lib/{module}.c uses {symbol}")
            check(module not in NO_MEMORY or symbol not in MEMORY,
                  f"lib/{module}.c takes memory: {symbol}")


# Of libpcap: remote capture, and the parser of Ethernet addresses. CVE-2023-7256, CVE-2024-8006 and
# CVE-2025-11961 are in these; who never calls them has none.
NEVER_OF_LIBPCAP = {"pcap_open", "pcap_findalldevs_ex", "pcap_ether_aton", "pcap_ether_hostton",
                    "pcap_createsrcstr", "pcap_parsesrcstr"}


def check_libpcap():
    for folder in ("lib/libio.a.p", "sensor/libsensor.a.p", "sensor/portent.p"):
        for path in sorted((BUILD / folder).glob("*.o")):
            lines = run("nm", "--undefined-only", "--format=posix", path).splitlines()
            used = {line.split()[0] for line in lines} & NEVER_OF_LIBPCAP
            check(not used, f"{path.name} calls {used}")


def writable_symbols(path):
    lines = [line.split() for line in run("nm", "--format=posix", path).splitlines()]
    return ", ".join(line[0] for line in lines if line[1] in "dDbBC")


def check_no_globals():
    """No section of core can be written, but for constant tables of pointers (.data.rel.ro)."""
    section = re.compile(r"\]\s+(\S+)\s+\S+\s+\S+\s+\S+\s+(\S+)\s+\S+\s+(\S*W\S*)\s")
    for path in core_objects():
        for name, size, _ in section.findall(run("readelf", "--section-headers", "--wide", path)):
            check(name.startswith(".data.rel.ro") or int(size, 16) == 0,
                  f"lib/{module_of(path)}.c has data that can be written, in {name}: "
                  + writable_symbols(path))


def check_exports():
    header = (ROOT / "lib" / "portent.h").read_text()
    declared = set(re.findall(r"^PT_PUBLIC\b[^;(]*?\b(pt_\w+)\(", header, re.M))
    for path in (BUILD / "lib").glob("libportent.so.0"):
        exported = {line.split()[0] for line in
                    run("nm", "-D", "--defined-only", "--format=posix", path).splitlines()}
        check(exported == declared, "libportent.so and portent.h differ: "
              + ", ".join(sorted(exported ^ declared)))
        needed = run("readelf", "--dynamic", path)
        check("[libportent.so.0]" in needed, "libportent.so has another soname")
        return
    check(False, f"no libportent.so.0 in {BUILD / 'lib'}")


def main():
    check_includes()
    check_built()
    check(core_objects(), f"no objects of core in {BUILD}")
    check_symbols()
    check_libpcap()
    check_no_globals()
    check_exports()
    print(f"{checks - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
