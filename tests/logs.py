#!/usr/bin/python3
"""Other programs' logs: Zeek's dns.log and conn.log, Suricata's EVE.

The logs are written here in the formats that their makers document, from what tshark reads in
pcaps/: so what they say does not come from our decoder. The alerts must be those of the captures.

Runs in the checkout; the program is $PORTENT. Ends with the line "N passed, N failed".
"""
import datetime
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PORTENT = os.path.abspath(os.environ.get("PORTENT", "build/sensor/portent"))
ROOT = pathlib.Path(__file__).resolve().parent.parent
PCAPS = ROOT / "pcaps"

TYPES = {1: "A", 5: "CNAME", 28: "AAAA", 65: "HTTPS"}
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN"}


def run(*words, **more):
    return subprocess.run([PORTENT, "-R", ROOT / "rules", *map(str, words)], capture_output=True,
                          timeout=300, **more)


# ---- what tshark reads in a capture ----

FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport",
          "udp.dstport", "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq_raw", "dns.id",
          "dns.flags", "dns.qry.name", "dns.qry.type", "dns.count.answers", "dns.resp.name",
          "dns.resp.type", "dns.resp.ttl", "dns.a", "dns.aaaa", "dns.cname"]


def number(text):
    return int(text, 0)


def rows_of(capture):
    words = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=/t", "-E",
             "aggregator=;", "-o", "tcp.relative_sequence_numbers:FALSE"]
    for field in FIELDS:
        words += ["-e", field]
    out = subprocess.run(words, capture_output=True, check=True).stdout.decode()
    for line in out.splitlines():
        yield {key: value.split(";") for key, value in zip(FIELDS, line.split("\t")) if value}


def records_of(row):
    """The answer section: owner, type, TTL, data."""
    a, aaaa, cname = (iter(row.get(key, [])) for key in ("dns.a", "dns.aaaa", "dns.cname"))
    count = number(row["dns.count.answers"][0])
    for owner, kind, ttl in list(zip(row.get("dns.resp.name", []), row.get("dns.resp.type", []),
                                     row.get("dns.resp.ttl", [])))[:count]:
        kind = number(kind)
        data = next({1: a, 28: aaaa, 5: cname}.get(kind, iter([""])))
        yield {"owner": owner, "type": kind, "ttl": number(ttl), "data": data}


def story_of(capture):
    """Queries, answers, connections and contacts, in the order of the capture."""
    seen, story = set(), []
    for row in rows_of(capture):
        v4, v6 = row.get("ip.src"), row.get("ipv6.src")
        if not v4 and not v6:
            continue
        kind = "tcp" if "tcp.flags" in row else "udp"
        what = {"time": row["frame.time_epoch"][0],
                "source": (v4 or v6)[-1], "target": (row.get("ip.dst") or row.get("ipv6.dst"))[-1]}
        if f"{kind}.srcport" not in row:
            continue
        what["sport"], what["dport"] = (number(row[f"{kind}.{end}port"][-1]) for end in ("src", "dst"))
        if "dns.id" in row and "dns.qry.name" in row:
            what["proto"] = kind
            flags = number(row["dns.flags"][0])
            what.update(what="answer" if flags & 0x8000 else "query", id=number(row["dns.id"][0]),
                        flags=flags, name=row["dns.qry.name"][0], type=number(row["dns.qry.type"][0]),
                        records=list(records_of(row)) if flags & 0x8000 else [])
            story.append(what)
        elif kind == "tcp" and number(row["tcp.flags"][-1]) & 0x17 == 2:
            key = (what["source"], what["target"], what["sport"], what["dport"], row["tcp.seq_raw"][-1])
            if key not in seen:
                story.append({**what, "what": "connection"})
            seen.add(key)
        elif kind == "udp" and what["dport"] == 443:
            story.append({**what, "what": "contact"})
    return story


# ---- Zeek: docs.zeek.org, "dns.log" and "conn.log" ----

DNS = """ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass qclass_name
qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected""".split()
CONN = """ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes
conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts
resp_ip_bytes tunnel_parents""".split()


def seconds(text):
    """Zeek has microseconds."""
    return f"{float(text[:-3] if len(text.split('.')[1]) == 9 else text):.6f}"


def zeek_ends(at, client="source"):
    there = "target" if client == "source" else "source"
    ports = {"source": "sport", "target": "dport"}
    return {"id.orig_h": at[client], "id.orig_p": at[ports[client]], "id.resp_h": at[there],
            "id.resp_p": at[ports[there]]}


def zeek_dns(story):
    rows, asked = [], {}
    for at in story:
        if at["what"] == "query":
            asked[at["source"], at["sport"], at["id"], at["name"].lower()] = at["time"]
        elif at["what"] == "answer":
            query = asked.get((at["target"], at["dport"], at["id"], at["name"].lower()))
            row = {"ts": seconds(query or at["time"]), "uid": f"C{len(rows)}",
                   **zeek_ends(at, "target"), "proto": at["proto"], "trans_id": at["id"],
                   "query": at["name"], "qclass": 1, "qclass_name": "C_INTERNET",
                   "qtype": at["type"], "qtype_name": TYPES.get(at["type"], "-"),
                   "rcode": at["flags"] & 15, "rcode_name": RCODES.get(at["flags"] & 15, "-"),
                   "AA": bool(at["flags"] & 0x400), "TC": bool(at["flags"] & 0x200),
                   "RD": bool(at["flags"] & 0x100), "RA": bool(at["flags"] & 0x80), "Z": 0,
                   "rejected": False}
            if query:
                row["rtt"] = f"{float(seconds(at['time'])) - float(seconds(query)):.6f}"
            if at["records"]:
                row["answers"] = [r["data"] for r in at["records"] if r["data"]]
                row["TTLs"] = [f"{r['ttl']}.000000" for r in at["records"] if r["data"]]
            rows.append(row)
    return rows


def zeek_conn(story):
    """In the order in which connections end: here the last one first."""
    rows = []
    for at in story:
        if at["what"] in ("connection", "contact"):
            tcp = at["what"] == "connection"
            rows.append({"ts": seconds(at["time"]), "uid": f"D{len(rows)}", **zeek_ends(at),
                         "proto": "tcp" if tcp else "udp", "conn_state": "S0" if tcp else "SF",
                         "history": "S" if tcp else "Dd", "missed_bytes": 0, "orig_pkts": 1,
                         **({} if tcp else {"service": "quic", "orig_bytes": 1200})})
    return rows[::-1]


def tsv(path, columns, rows):
    def text(value):
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "T" if value else "F"
        if isinstance(value, list):
            return ",".join(value) or "(empty)"
        return str(value)

    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-",
            f"#path\t{path}", "#open\t2026-11-24-04-00-00", "#fields\t" + "\t".join(columns),
            "#types\t" + "\t".join("string" for _ in columns)]
    return "\n".join(head + ["\t".join(text(row.get(c)) for c in columns) for row in rows] +
                     ["#close\t2026-11-24-05-00-00", ""]).encode()


def ndjson(rows):
    def plain(key, value):
        if key in ("ts", "rtt"):
            return float(value)
        return [float(v) for v in value] if key == "TTLs" else value

    return "".join(json.dumps({k: plain(k, v) for k, v in row.items()}, separators=(",", ":")) +
                   "\n" for row in rows).encode()


# ---- Suricata: docs.suricata.io, "Eve JSON Format" ----

def stamp(text):
    whole, part = text.split(".")
    at = datetime.datetime.fromtimestamp(int(whole), datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + part[:6] + "+0000"


def eve_ends(at, client="source"):
    there = "target" if client == "source" else "source"
    ports = {"source": "sport", "target": "dport"}
    return {"src_ip": at[client], "src_port": at[ports[client]], "dest_ip": at[there],
            "dest_port": at[ports[there]]}


def eve_query(at, version):
    ask = {"rrname": at["name"], "rrtype": TYPES.get(at["type"], "TXT")}
    if version == 3:
        return [{"version": 3, "type": "request", "id": at["id"], "queries": [ask]}]
    return [{"type": "query", "id": at["id"], **ask, "tx_id": 0}]


def eve_answer(at, version, grouped):
    records = [{"rrname": r["owner"], "rrtype": TYPES[r["type"]], "ttl": r["ttl"],
                "rdata": r["data"]} for r in at["records"] if r["data"]]
    ask = {"rrname": at["name"], "rrtype": TYPES.get(at["type"], "TXT")}
    rcode = {"rcode": RCODES.get(at["flags"] & 15, "NOERROR")}
    if version == 1:
        return [{"type": "answer", "id": at["id"], **rcode, **record} for record in records]
    head = {"version": version, "type": "response" if version == 3 else "answer", "id": at["id"],
            "flags": f"{at['flags']:x}", "qr": True, **rcode}
    head.update({"queries": [ask]} if version == 3 else ask)
    if grouped:
        groups = {}
        for record in records:
            groups.setdefault(record["rrtype"], []).append(record["rdata"])
        head["grouped"] = groups
    elif records:
        head["answers"] = records
    return [head]


def eve(story, version, grouped=False):
    """Flows stand behind everything, as their timeouts have it."""
    lines, flows = [], []
    for at in story:
        if at["what"] in ("query", "answer"):
            parts = eve_query(at, version) if at["what"] == "query" else eve_answer(at, version, grouped)
            client = "source" if at["what"] == "query" else "target"
            lines += [{"timestamp": stamp(at["time"]), "flow_id": 1, "event_type": "dns",
                       **eve_ends(at, client), "proto": at["proto"].upper(), "dns": dns}
                      for dns in parts]
        else:
            tcp = at["what"] == "connection"
            flows.append({"timestamp": "2030-01-01T00:00:00.000000+0000", "event_type": "flow",
                          **eve_ends(at), "proto": "TCP" if tcp else "UDP",
                          "flow": {"pkts_toserver": 1, "pkts_toclient": 0, "start": stamp(at["time"]),
                                   "state": "new", "reason": "timeout", "alerted": False},
                          **({"tcp": {"tcp_flags": "02", "tcp_flags_ts": "02", "tcp_flags_tc": "00",
                                      "syn": True, "state": "syn_sent"}} if tcp else
                             {"app_proto": "quic"})})
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines + flows).encode()


FORMATS = {
    "zeek, columns": lambda s: {"dns.log": tsv("dns", DNS, zeek_dns(s)),
                                "conn.log": tsv("conn", CONN, zeek_conn(s))},
    "zeek, JSON": lambda s: {"dns.log": ndjson(zeek_dns(s)), "conn.log": ndjson(zeek_conn(s))},
    "eve, version 1": lambda s: {"eve.json": eve(s, 1)},
    "eve, version 2": lambda s: {"eve.json": eve(s, 2)},
    "eve, version 2, grouped": lambda s: {"eve.json": eve(s, 2, True)},
    "eve, version 3": lambda s: {"eve.json": eve(s, 3)},
}


def docs_of(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def essence(docs):
    """What an alert is about."""
    return sorted((d["event"]["action"], d.get("rule", {}).get("id", ""), d["source"]["ip"],
                   d["destination"]["ip"], d["destination"].get("port"),
                   d["event"].get("severity"), d.get("portent", {}).get("verdict"))
                  for d in docs)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, files):
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
        return [self.folder / name for name in files]

    def read(self, *words, status=0, **more):
        result = run("--format", "ecs", *words, **more)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        return result


# The two addresses of a host are known by its MAC, which no log has: two clients.
WITHOUT_MACS = {"dual-stack.pcap": {(73, "dns_confirmed"): (47, "dns_other_client")}}


def without_macs(capture, alerts):
    weaker = WITHOUT_MACS.get(capture, {})
    return sorted(alert[:-2] + weaker.get(alert[-2:], alert[-2:]) for alert in alerts)


class Captures(Case):
    def test_logs_alert_as_their_captures_do(self):
        count = 0
        for capture in sorted(PCAPS.glob("*.pcap")):
            story = story_of(capture)
            wanted = without_macs(capture.name, essence(docs_of(self.read("-q", "-r", capture))))
            for name, write in FORMATS.items():
                with self.subTest(capture=capture.name, log=name):
                    files = [f for f in self.write(write(story)) if f.stat().st_size]
                    if not files:
                        continue
                    words = [w for f in files for w in ("-r", f)]
                    self.assertEqual(essence(docs_of(self.read("-q", *words))), wanted)
                    count += 1
        self.assertGreater(count, 100)


def apt12():
    return story_of(PCAPS / "apt12.pcap")


class Inputs(Case):
    def setUp(self):
        super().setUp()
        self.story = apt12()
        self.wanted = essence(docs_of(self.read("-q", "-r", PCAPS / "apt12.pcap")))
        self.assertEqual(len(self.wanted), 1)

    def test_a_directory_of_both_logs_is_merged(self):
        self.write({"conn.log": tsv("conn", CONN, zeek_conn(self.story)),
                    "dns.log": tsv("dns", DNS, zeek_dns(self.story)),
                    "http.log": tsv("http", ["ts", "uid", "id.orig_h", "host"], []),
                    "alerts.ndjson": b'{"@timestamp":"2026-11-24T04:00:00.000Z"}\n'})
        result = self.read("-v", "-r", self.folder)
        self.assertEqual(essence(docs_of(result)), self.wanted)
        said = result.stderr.decode()
        self.assertRegex(said, "left out: .*http.log: .*neither dns.log nor conn.log")
        self.assertRegex(said, "left out: .*alerts.ndjson: .*neither pcap nor pcapng, nor a log")

    def test_logs_that_are_compressed_and_come_through_a_pipe(self):
        data = eve(self.story, 2)
        path, = self.write({"e": gzip.compress(data)})
        self.assertEqual(essence(docs_of(self.read("-q", "-r", path))), self.wanted)
        self.assertEqual(essence(docs_of(self.read("-q", "-r", "-", input=data))), self.wanted)

    def test_answers_of_a_capture_and_connections_of_a_log(self):
        path, = self.write({"conn.log": tsv("conn", CONN, zeek_conn(self.story))})
        answers = self.folder / "answers.pcap"
        subprocess.run(["tcpdump", "-r", PCAPS / "apt12.pcap", "-w", answers, "udp", "port", "53"],
                       check=True, capture_output=True)
        doc, = docs_of(self.read("-q", "-r", path, "-r", answers))
        self.assertEqual(essence([doc]), self.wanted)
        self.assertEqual(doc["portent"]["log"]["type"], "conn")
        self.assertNotIn("log", doc["portent"]["dns"])
        self.assertEqual(doc["portent"]["dns"]["pcap"]["file"], str(answers))

    def test_what_the_log_does_not_say_is_stated(self):
        rows = {
            "zeek, columns": ("zeek", "conn", ["unfinished"], ["owners"]),
            "zeek, JSON": ("zeek", "conn", ["unfinished"], ["owners"]),
            "eve, version 1": ("suricata", "flow", ["unfinished"], ["question"]),
            "eve, version 2": ("suricata", "flow", ["unfinished"], None),
            "eve, version 2, grouped": ("suricata", "flow", ["unfinished"], ["owners", "ttls"]),
            "eve, version 3": ("suricata", "flow", ["unfinished"], None),
        }
        for name, (source, kind, lacks, dns_lacks) in rows.items():
            with self.subTest(name):
                files = self.write(FORMATS[name](self.story))
                doc, = docs_of(self.read("-q", *(w for f in files for w in ("-r", f))))
                portent = doc["portent"]
                self.assertEqual([portent["log"][k] for k in ("source", "type", "lacks")],
                                 [source, kind, lacks])
                self.assertEqual(portent["dns"]["log"].get("lacks"), dns_lacks)
                self.assertEqual("ttl" in portent["dns"], "ttls" not in (dns_lacks or []))
                self.assertEqual("ttl" in doc["dns"]["answers"][-1], "ttls" not in (dns_lacks or []))
                self.assertIs(portent["dns"]["asked"], True)
                self.assertNotIn("packet", portent)
                self.assertIn("finished connections only", doc["event"]["reason"])
                # The lines that it names say what the alert says.
                line = pathlib.Path(portent["log"]["file"]).read_text().splitlines()
                self.assertIn(doc["destination"]["ip"], line[portent["log"]["line"] - 1])
                line = pathlib.Path(portent["dns"]["log"]["file"]).read_text().splitlines()
                self.assertIn(doc["destination"]["ip"], line[portent["dns"]["log"]["line"] - 1])

    def test_a_filter_expression_means_nothing_for_a_log(self):
        path, = self.write({"e": eve(self.story, 2)})
        result = self.read("-r", path, "udp", status=2)
        self.assertIn(b"a filter expression is about packets", result.stderr)

    def test_since_and_until_hold_for_logs(self):
        path, = self.write({"e": eve(self.story, 2)})
        end = stamp(self.story[-1]["time"])[:19] + "Z"
        self.assertEqual(docs_of(self.read("-q", "-r", path, "--until", end)), [])
        self.assertEqual(essence(docs_of(self.read("-q", "-r", path, "--since", "2000-01-01"))),
                         self.wanted)

    def test_connections_and_expectations_are_told_dns_is_not(self):
        path, = self.write({"e": eve(self.story, 2)})
        kinds = [d["event"]["action"] for d in docs_of(
            self.read("-q", "-r", path, "--log", "dns,connection,expectation"))]
        self.assertIn("connection_attempted", kinds)
        self.assertFalse([k for k in kinds if k == "dns_answer"])


DEEP = b"[" * 3000
BAD = {  # a line, and why it cannot be read
    "torn": (b'{"timestamp":"2026-11-24T04:00:00.000000+0000","event_ty', "no JSON object"),
    "words": (b"hello world", "neither JSON nor columns"),
    "an array": (b"[1,2,3]", "neither JSON nor columns"),
    "another object": (b'{"a":1}', "no line of Zeek or Suricata"),
    "deep": (b'{"event_type":' + DEEP, "no JSON object"),
    "a NUL octet": (b'{"event_type":"dns\0","timestamp":"x"}', "NUL"),
    "an escaped NUL": (b'{"event_type":"dns\\u0000","timestamp":"x"}', "no JSON object"),
    "no UTF-8": (b'{"event_type":"\xff\xfe","timestamp":"x"}', "no JSON object"),
    "no time": (b'{"timestamp":"yesterday","event_type":"dns","src_ip":"10.0.0.1","src_port":9,'
                b'"dest_ip":"10.0.0.2","dest_port":53,"proto":"UDP","dns":{"type":"query"}}',
                "timestamp is no time"),
    "no address": (b'{"timestamp":"x","event_type":"flow","src_ip":7,"proto":"TCP"}', "no addresses"),
    "a port too high": (b'{"timestamp":"x","event_type":"flow","src_ip":"10.0.0.1","src_port":65536,'
                        b'"dest_ip":"10.0.0.2","dest_port":53,"proto":"TCP"}', "no addresses"),
    "dns is a list": (b'{"timestamp":"2026-11-24T04:00:00.000000+0000","event_type":"dns",'
                      b'"src_ip":"10.0.0.1","src_port":9,"dest_ip":"10.0.0.2","dest_port":53,'
                      b'"proto":"UDP","dns":[]}', "dns is missing"),
    "flow is a number": (b'{"timestamp":"x","event_type":"flow","src_ip":"10.0.0.1","src_port":9,'
                         b'"dest_ip":"10.0.0.2","dest_port":53,"proto":"TCP","flow":3}',
                         "flow.start is no time"),
    "a name too long": (b'{"timestamp":"2026-11-24T04:00:00.000000+0000","event_type":"dns",'
                        b'"src_ip":"10.0.0.1","src_port":9,"dest_ip":"10.0.0.2","dest_port":53,'
                        b'"proto":"UDP","dns":{"type":"query","rrname":"' + b"a" * 64 + b'"}}',
                        "rrname is no name"),
    "too long": (b'{"event_type":"' + b"x" * (1 << 20) + b'"}', "longer than a mebibyte"),
    "much too long": (b"y" * (5 << 20), "longer than a mebibyte"),
}
BAD_COLUMNS = {
    "too few": (b"1764000000.0\tC1\t10.0.0.1", "columns are missing"),
    "too many": (b"\t".join([b"1"] * 99), "too many columns"),
    "a NUL octet": (b"\0" * 40, "NUL"),
    "no time": (b"\t".join([b"x"] * len(DNS)), "ts is no time"),
    "no address": (b"\t".join([b"1764000000.0"] + [b"x"] * (len(DNS) - 1)), "no addresses"),
    "too long": (b"z" * (3 << 20), "longer than a mebibyte"),
    "a header that is none": (b"#separator nothing", "no header"),
}


class BadLines(Case):
    """Each before a canary: the alert of apt12.pcap."""

    def setUp(self):
        super().setUp()
        self.story = apt12()
        self.wanted = essence(docs_of(self.read("-q", "-r", PCAPS / "apt12.pcap")))

    def check(self, files, bad, why, place):
        paths = self.write(files)
        stats = self.folder / "stats.json"
        result = self.read(*(w for f in paths for w in ("-r", f)), "--stats", stats)
        self.assertEqual(essence(docs_of(result)), self.wanted)
        self.assertRegex(result.stderr.decode(), f"{bad}:{place}: .*{why}.*1 of [0-9]+ lines")
        self.assertEqual(json.loads(stats.read_text())["portent"]["stats"]["log"]["unreadable"], 1)

    def test_of_json(self):
        first = b'{"timestamp":"2026-11-24T03:00:00.000000+0000","event_type":"stats"}\n'
        for name, (line, why) in BAD.items():
            with self.subTest(name):
                self.check({"eve.json": first + line + b"\n" + eve(self.story, 2)}, "eve.json", why, 2)
                self.check({"eve.json": eve(self.story, 2) + line}, "eve.json", why, "[0-9]+")

    def test_of_columns(self):
        good = tsv("dns", DNS, zeek_dns(self.story))
        head, rest = good.split(b"\n#types", 1)
        for name, (line, why) in BAD_COLUMNS.items():
            if name.startswith("a header"):
                continue
            with self.subTest(name):
                self.check({"dns.log": head + b"\n" + line + b"\n#types" + rest,
                            "conn.log": tsv("conn", CONN, zeek_conn(self.story))}, "dns.log", why, 8)

    def test_lines_of_windows_and_headers_in_the_middle(self):
        dns = tsv("dns", DNS, zeek_dns(self.story)).replace(b"\n", b"\r\n")
        conn = tsv("conn", CONN, zeek_conn(self.story))
        paths = self.write({"all.log": conn.replace(b"#close", b"#open") + b"\n\n" + dns})
        self.assertEqual(essence(docs_of(self.read("-q", "-r", paths[0]))), self.wanted)

    def test_what_is_no_log_is_refused_by_name(self):
        for data, why in ((b'{"a":1}\n', "neither pcap nor pcapng, nor a log"),
                          (b"#separator \\x09\n#fields\tts\tuid\n", "neither dns.log nor conn.log"),
                          (b"hello, world: this is text\n", "neither pcap nor pcapng")):
            path, = self.write({"x": data})
            self.assertRegex(self.read("-r", path, status=2).stderr.decode(), why)


class Order(Case):
    def conn(self, ts, client="10.9.8.7", dst="198.51.100.23", port=10198, sport=1024):
        return {"ts": f"{ts:.6f}", "uid": "C", "id.orig_h": client, "id.orig_p": sport,
                "id.resp_h": dst, "id.resp_p": port, "proto": "tcp", "conn_state": "SF",
                "history": "ShADadFf"}

    def dns(self, ts, client="10.9.8.7", dst="198.51.100.23"):
        return {"ts": f"{ts:.6f}", "uid": "D", "id.orig_h": client, "id.orig_p": 999,
                "id.resp_h": "10.9.8.1", "id.resp_p": 53, "proto": "udp", "trans_id": 5,
                "rtt": "0.010000", "query": "a.example", "qclass": 1, "qtype": 1, "rcode": 0,
                "answers": [dst], "TTLs": ["60.000000"]}

    def test_a_connection_of_hours_stands_far_behind_its_beginning(self):
        """It ends after 20 000 others that began later, as it does in a conn.log."""
        begin = 1764000000
        rows = [self.conn(begin + 2 + i, "10.1.1.1", "192.0.2.1", 80, 1024 + i) for i in range(20000)]
        files = self.write({"conn.log": tsv("conn", CONN, rows + [self.conn(begin + 1)]),
                            "dns.log": tsv("dns", DNS, [self.dns(begin)])})
        doc, = docs_of(self.read("-q", "-r", files[0], "-r", files[1]))
        self.assertEqual(doc["portent"]["verdict"], "dns_confirmed")
        self.assertEqual(doc["portent"]["log"]["line"], 20009)

    def test_one_beyond_the_window_alerts_and_says_so(self):
        """More lines than 32 MiB hold, ten in a second: its answer no longer counts then."""
        begin, count = 1764000000, 400000
        with open(self.folder / "conn.log", "wb") as out:
            head, _, _ = tsv("conn", CONN, []).partition(b"#close")
            out.write(head)
            for i in range(count):
                out.write(b"%d.%06d\tC\t10.1.1.%d\t%d\t192.0.2.1\t80\ttcp" % (
                    begin + 2 + i // 10, i % 10 * 100000, i // 60000, 1024 + i % 60000) +
                    b"\t-" * 4 + b"\tSF" + b"\t-" * 3 + b"\tShADadFf" + b"\t-" * 5 + b"\n")
            out.write(tsv("conn", CONN, [self.conn(begin + 1)])[len(head):])
        self.write({"dns.log": tsv("dns", DNS, [self.dns(begin)])})
        stats = self.folder / "stats.json"
        doc, = docs_of(self.read("-q", "-r", self.folder / "conn.log", "-r", self.folder / "dns.log",
                                 "--stats", stats))
        self.assertEqual(doc["portent"]["verdict"], "port_only")
        self.assertEqual(doc["portent"]["log"]["lacks"], ["unfinished", "order"])
        self.assertEqual(doc["@timestamp"], "2025-11-24T16:00:01.000Z")
        self.assertIn("so far behind others", doc["event"]["reason"])
        self.assertEqual(json.loads(stats.read_text())["portent"]["stats"]["log"]["late"], 1)

    def test_a_connection_whose_syn_was_not_seen_is_none(self):
        begin = 1764000000
        for state, history, alerts in (("OTH", "Cc", 0), ("SHR", "h", 0), ("OTH", "D", 0),
                                       ("S0", "S", 1), ("REJ", "Sr", 1), ("SF", "^hADad", 0),
                                       ("RSTO", None, 1), ("OTH", None, 0)):
            with self.subTest(state=state, history=history):
                row = {**self.conn(begin + 1), "conn_state": state, "history": history}
                files = self.write({"conn.log": tsv("conn", CONN, [row]),
                                    "dns.log": tsv("dns", DNS, [self.dns(begin)])})
                self.assertEqual(len(docs_of(self.read("-q", "-r", files[0], "-r", files[1]))), alerts)

    def test_multicast_dns_is_no_answer(self):
        begin = 1764000000
        row = {**self.dns(begin), "id.resp_p": 5353}
        files = self.write({"conn.log": tsv("conn", CONN, [self.conn(begin + 1)]),
                            "dns.log": tsv("dns", DNS, [row])})
        doc, = docs_of(self.read("-q", "-r", files[0], "-r", files[1]))
        self.assertEqual(doc["portent"]["verdict"], "port_only")


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - min(bad, result.testsRun)} passed, {bad} failed")
    sys.exit(bad > 0)
