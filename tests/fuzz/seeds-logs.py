#!/usr/bin/python3
"""Writes the first inputs of the fuzz targets for logs: corpus/zeek, corpus/eve and corpus/log.

They are the logs that tests/logs.py makes of two captures. A run gives the same files again.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import logs  # noqa: E402


def write(target, name, data):
    path = HERE / "corpus" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


for capture in "cname-chain", "ipv6":
    story = logs.story_of(logs.PCAPS / f"{capture}.pcap")
    for name, make in logs.FORMATS.items():
        for file, data in make(story).items():
            label = name.replace(",", "").replace(" ", "-") + "-" + file.split(".")[0] + "-" + capture
            write("log", label, data)
            if "columns" in name:
                write("zeek", label, data)
                continue
            for i, line in enumerate(data.splitlines()[:2] + data.splitlines()[-1:]):
                write("eve", f"{label}-{i}", line)
write("log", "broken", b'{"event_type":"dns"\n{"timestamp":"x","event_type":"flow"}\n\0\n#separator \\x09\n')
