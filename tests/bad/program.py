"""Running the program over captures, and holding what it says against what a row expects."""
import collections
import ipaddress
import json
import os
import pathlib
import re
import resource
import subprocess

import frames
from rows import MS, PORT, S, START

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECONDS = 10  # of a core, for one run of the program
SEVERITY = {"dns_confirmed": 73, "dns_other_address": 73, "port_only": 21}
# Every counter with one of these names or beginnings is held against what the row says.
HELD = re.compile(r"capture\.odd_|clock\.|decode\.(?!errors)|fragment\.(?!waiting)|"
                  r"stream\.(?!followed)|dns\.(?!errors)|"
                  r"alert\.|connection\.(attempts|copies|quic|early|forgotten)|cache\.(evicted|refused)")
ENVIRONMENT = {**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


class Wrong(Exception):
    pass


def text(address):
    return str(ipaddress.ip_address(address))


# ---- running the program ----

class Result:
    def __init__(self, done, stats):
        self.status = done.returncode
        self.said = done.stderr.decode(errors="replace").splitlines()
        self.alerts = collections.defaultdict(list)
        self.answers = collections.defaultdict(list)
        self.campaigns = 0
        for line in done.stdout.split(b"\n")[:-1]:
            document = json.loads(line)
            if document["event"]["action"] == "dns_calculation_campaign":
                self.campaigns += 1  # the canaries of all inputs are clients of one rule
            elif document["event"]["kind"] == "alert":
                self.alerts[document["source"]["ip"]].append(document)
            elif document["event"]["dataset"] == "portent.dns":
                self.answers[document["source"]["ip"]].append(document)
        self.counters = flat(stats)
        self.counters["alert.generated"] -= self.campaigns


def flat(group, prefix=""):
    if not isinstance(group, dict):
        return {prefix[:-1]: group}
    return {name: value for key, inner in group.items()
            for name, value in flat(inner, f"{prefix}{key}.").items()}


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))


def run(sensor, folder, files, log):
    """All files as one stream. Raises Wrong for what no input may do."""
    stats = folder / "stats.json"
    stats.unlink(missing_ok=True)
    words = [word for file in files for word in ("-r", file)]
    done = subprocess.run([sensor, *words, "-R", ROOT / "rules", "--format", "ecs", "-o", "-",
                           "--log", log, "--stats", stats], capture_output=True, timeout=300,
                          env=ENVIRONMENT, preexec_fn=limit)
    strange = [line for line in done.stderr.decode(errors="replace").splitlines()
               if not line.startswith("portent: ")]
    if done.returncode not in (0, 2) or strange:
        raise Wrong(f"exit status {done.returncode}: " + " | ".join(strange[:6]))
    if done.stdout and not done.stdout.endswith(b"\n"):
        raise Wrong("the last line of the output has no end")
    try:
        return Result(done, json.loads(stats.read_text())["portent"]["stats"])
    except (ValueError, KeyError) as error:
        raise Wrong(f"output that is no JSON: {error}")


# ---- what is held against what ----

def check_counters(result, moves):
    names = {name for name in result.counters if HELD.match(name)} | set(moves)
    wrong = [f"{name} is {result.counters.get(name)}, not {moves[name]}" for name in sorted(names)
             if result.counters.get(name) != moves[name]]
    if wrong:
        raise Wrong("; ".join(wrong))


def check_alert(result, client, verdict, asked=None, stamp=None, vlans=None, tunnel=None):
    alerts = result.alerts[text(client)]
    seen = [(a["portent"]["verdict"], a["event"]["severity"]) for a in alerts]
    if seen != ([(verdict, SEVERITY[verdict])] if verdict else []):
        raise Wrong(f"{text(client)}: alerts {seen}, not {verdict}")
    for alert in alerts:
        told = alert["portent"].get("dns", {}).get("asked")
        if told != asked:
            raise Wrong(f"{text(client)}: portent.dns.asked {told}, not {asked}")
        if stamp and alert["@timestamp"] != stamp:
            raise Wrong(f"{text(client)}: @timestamp {alert['@timestamp']}, not {stamp}")
        network = alert["network"]
        seen = [group["vlan"]["id"] for group in (network, network.get("inner", {}))
                if "vlan" in group]
        if vlans is not None and seen != vlans:
            raise Wrong(f"{text(client)}: VLANs {seen}, not {vlans}")
        told = alert["portent"].get("tunnel", {})
        if tunnel is not None and (told.get("type"), told.get("id")) != tunnel:
            raise Wrong(f"{text(client)}: tunnel {told}, not {tunnel}")


def check_canary(result, client, stamp=None):
    check_alert(result, client, "dns_confirmed", True, stamp)
    alert = result.alerts[text(client)][0]
    if (alert["destination"]["ip"], alert["destination"]["port"]) != ("198.51.100.23", PORT):
        raise Wrong(f"canary {text(client)}: another destination")


def check_documents(result, entry):
    """The DNS document, and the names in the alert, against what the octets say."""
    documents = result.answers[text(entry.client)]
    if len(documents) != 1:
        raise Wrong(f"{len(documents)} DNS documents")
    dns = documents[0]["dns"]
    seen = [(a["name"], a["type"], a["ttl"], a.get("data")) for a in dns.get("answers", [])]
    if entry.answers is not None and seen != entry.answers:
        raise Wrong(f"answers {seen}, not {entry.answers}")
    if entry.question is not None and dns["question"]["name"] != entry.question:
        raise Wrong(f"question {dns['question']['name']!r}, not {entry.question!r}")
    for alert in result.alerts[text(entry.client)]:
        if entry.question is not None and alert["destination"]["domain"] != entry.question:
            raise Wrong(f"destination.domain {alert['destination']['domain']!r}")
        if entry.answers and entry.answers[-1][1] in ("A", "AAAA") and not [
                a for a in alert["dns"]["answers"]
                if (a["name"], a["type"], a.get("ttl"), a["data"]) == entry.answers[-1]]:
            raise Wrong(f"the alert's answers {alert['dns']['answers']} lack {entry.answers[-1]}")


def check_input(result, entry):
    if entry.client is None:
        return
    asked = entry.asked
    if asked is None and entry.alert and entry.alert.startswith("dns_"):
        asked = False  # most stories hold no query
    check_alert(result, entry.client, entry.alert, asked, entry.stamp, entry.vlans,
                entry.tunnel)
    if entry.answers is not None or entry.question is not None:
        check_documents(result, entry)


# ---- a capture file, packet by packet ----

class Writer:
    def __init__(self, link=1, nano=False):
        self.unit = 1 if nano else 1000
        self.data = bytearray(frames.pcap_header(link, nano=nano))
        self.now = START
        self.packets = 0

    def put(self, frame, pause=MS, length=None, stamp=None):
        self.now += pause
        seconds, fraction = stamp or divmod(self.now, S)
        fraction = fraction if stamp else fraction // self.unit
        self.data += frames.pcap_record(seconds, fraction, frame, length=length)
        self.packets += 1

    def write(self, path):
        path.write_bytes(self.data)
