#!/usr/bin/python3
"""The calculated ports: one table of vectors through every implementation that can be run here.

Painless (in Groovy, see painless.groovy), the Beats script (in Node), and the sensor itself, which is
given a capture with a SYN to each destination that a packet can have. Expected values in vectors.json
were worked out by hand. That Painless finds nothing outside of its own library is checked by name.
"""
import ipaddress
import json
import os
import re
import struct
import subprocess
from pathlib import Path

from checks import ELASTIC, WORK, check, finish, read_lines

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "vectors.json"
FIELDS = ("calculated_port_apt12", "calculated_port_variant", "calculated_port_match")

# Methods of Painless's library (java.lang.String, List, Map, doc values) that the scripts may call, and
# functions of their own.
KNOWN = {"add", "charAt", "contains", "containsKey", "emit", "equals", "get", "indexOf", "length", "put",
         "remove", "size", "startsWith", "substring", "toString", "valueOf",
         "dotted", "hexDigit", "octets", "ArrayList", "HashMap", "if", "for", "while"}


def java_home():
    java = subprocess.run(["sh", "-c", "readlink -f $(command -v java)"], capture_output=True,
                          text=True, check=True).stdout.strip()
    return str(Path(java).parent.parent)


def groovy():
    environment = dict(os.environ, JAVA_HOME=java_home())
    done = subprocess.run(
        ["groovy", HERE / "painless.groovy", ELASTIC / "ingest_pipeline",
         ELASTIC / "runtime/calculated-port.json", VECTORS],
        capture_output=True, text=True, env=environment, check=False)
    check(done.returncode == 0, "groovy:", done.stderr[-2000:])
    return json.loads(done.stdout)


def node():
    done = subprocess.run(["node", HERE / "beats.js", ELASTIC / "calculated-port.js", VECTORS],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 0, "node:", done.stderr[-2000:])
    return json.loads(done.stdout)


# ---- the sensor ----

def can_be_sent(destination):
    try:
        ipaddress.ip_address(destination.get("ip"))
        return isinstance(destination.get("port"), int)
    except ValueError:
        return False


def syn(destination, port, number):
    tcp = struct.pack(">HHIIBBHHH", 40000 + number, port, number, 0, 0x50, 0x02, 64240, 0, 0)
    address = ipaddress.ip_address(destination)
    if address.version == 4:
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0,
                         bytes([10, 20, 30, 40]), address.packed)
        kind = 0x0800
    else:
        ip = struct.pack(">IHBB16s16s", 6 << 28, len(tcp), 6, 64,
                         ipaddress.ip_address("fd00::40").packed, address.packed)
        kind = 0x86DD
    return bytes(6) + bytes([2, 0, 0, 0, 0, 1]) + struct.pack(">H", kind) + ip + tcp


def sensor(vectors):
    """{place in the table: destination.* of the connection document}."""
    capture, out = WORK / "vectors.pcap", WORK / "vectors.ndjson"
    places = [i for i, vector in enumerate(vectors) if can_be_sent(vector[1])]
    data = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for i in places:
        frame = syn(vectors[i][1]["ip"], vectors[i][1]["port"], i)
        data += struct.pack("<IIII", 1795500000 + i, 0, len(frame), len(frame)) + frame
    capture.write_bytes(data)
    subprocess.run([os.environ["PORTENT"], "-q", "-r", capture, "--log", "connection",
                    "--format", "ecs", "-o", out], check=True)
    documents = [d for d in read_lines(out) if d["event"]["dataset"] == "portent.connection"]
    check(len(documents) == len(places), len(documents), "connection documents of", len(places))
    return {d["source"]["port"] - 40000: d["destination"] for d in documents}


# ---- what the results are held against ----

def fields_of(destination):
    return [destination.get(name) for name in FIELDS]


def wanted(vector):
    return vector[2] or [None, None, None]


def indexed(vector):
    """Would Elasticsearch have indexed the address at all? An ip field refuses what is none."""
    values = vector[1].get("ip", [])
    values = values if isinstance(values, list) else [values]
    try:
        return all(ipaddress.ip_address(value) and "%" not in value for value in values)
    except ValueError:
        return False


def main():
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    jvm, beats, own = groovy(), node(), sensor(vectors["destinations"])
    for i, vector in enumerate(vectors["destinations"]):
        why = vector[0]
        check(fields_of(jvm["ingest"][i]) == wanted(vector), "ingest:", why, jvm["ingest"][i])
        check(fields_of(beats["ingest"][i]) == wanted(vector), "Beats:", why, beats["ingest"][i])
        if i in own:
            check(fields_of(own[i]) == wanted(vector), "sensor:", why, own[i])
        if indexed(vector):
            values = [jvm["runtime"][i]["destination." + name] for name in FIELDS]
            want = [[w] if isinstance(w, int) else w or [] for w in wanted(vector)]
            check(values == want, "runtime field:", why, values)
    check(beats["bare"] == {}, "Beats: no destination", beats["bare"])
    for i, vector in enumerate(vectors["answers"]):
        check(jvm["answers"][i] == vector[2], "answer:", vector[0], jvm["answers"][i])
    for path in sorted((ELASTIC / "source").glob("*.painless")):
        code = re.sub(r"//.*|'[^']*'", "", path.read_text(encoding="utf-8"))
        called = set(re.findall(r"(\w+)\s*\(", code)) - {"int"}
        check(called <= KNOWN, path.name, "calls", called - KNOWN)
    check(len(own) >= 15, "only", len(own), "vectors went through the sensor")
    finish()


if __name__ == "__main__":
    main()
