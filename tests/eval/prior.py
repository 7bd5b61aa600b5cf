#!/usr/bin/python3
"""Makes rules/ports.json: how innocent connections fall on the ports before anything was seen.

Half of them on all ports alike. The other half on ports that a service is known by: every TCP port of
/etc/services (Debian's netbase, from IANA's registry) weighs 1, and those that hosts of an office or a
home reach across the internet every day weigh more. Their operators document them:

  5223, 2195-2197    Apple push (support.apple.com/HT203609)
  5228-5230          Google's FCM (firebase.google.com/docs/cloud-messaging)
  5222, 5269         XMPP (RFC 6120)          8883, 1883   MQTT (IANA)
  6881-6889          BitTorrent (BEP 3)       9001, 9030   Tor relays (torproject.org)
  27015-27050        Steam (help.steampowered.com)
  25565              Minecraft                32400        Plex
  5938               TeamViewer               6443         Kubernetes
  2052 2053 2082 2083 2086 2087 2095 2096 8880  Cloudflare's other HTTP ports
                     (developers.cloudflare.com/fundamentals/reference/network-ports)
  993 995 465 587    mail of clients (RFC 8314)       853  DNS over TLS (RFC 7858)
  8000 8008 8080 8081 8088 8443 8888 9000 9090  web servers and proxies beside 80 and 443
  3478, 5349         STUN and TURN by TCP (RFC 8489, RFC 8656): calls out of networks that let no UDP out
  5060-5061          SIP (RFC 3261)
  10000              Webmin (webmin.com), NDMP (IANA), Cisco's IPsec over TCP (its default)

The weights are estimates, no measurement: 10 for one port, 20 for 10 ports or more together. What a
sensor sees itself weighs more and more beside them (design 5).

    tests/eval/prior.py            says whether rules/ports.json is what this makes (netbase 6.4)
    tests/eval/prior.py --write
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = ROOT / "rules/ports.json"
NETBASE = "6.4"

DAILY = {
    "5223": 10, "2195-2197": 2, "5228-5230": 10, "5222": 10, "5269": 2, "8883": 10, "1883": 5,
    "6881-6889": 2, "9001": 5, "9030": 2, "27015-27050": 0.5, "25565": 5, "32400": 5, "5938": 10,
    "6443": 5, "2052-2053": 5, "2082-2083": 5, "2086-2087": 5, "2095-2096": 5, "8880": 5,
    "993": 20, "995": 10, "465": 10, "587": 10, "853": 10, "22": 20, "3389": 5, "8000": 10,
    "8008": 5, "8080": 20, "8081": 5, "8088": 5, "8443": 20, "8888": 5, "9000": 5, "9090": 5,
    "5060-5061": 10, "3478": 5, "5349": 2, "10000": 2,
}


def registered():
    ports = set()
    for line in pathlib.Path("/etc/services").read_text().splitlines():
        words = line.split("#")[0].split()
        if len(words) > 1 and words[1].endswith("/tcp"):
            ports.add(int(words[1].removesuffix("/tcp")))
    return ports - {80, 443}  # no port rule admits these two


def make():
    weights = {str(port): 1 for port in sorted(registered())}
    for port, weight in DAILY.items():
        weights[port] = weights.get(port, 0) + weight
    return json.dumps({
        "#": "How innocent connections fall on the ports; made by tests/eval/prior.py, which says "
             "where the figures are from. A weight is each port's of a range.",
        "uniform": 0.5,
        "ports": weights,
    }, indent=2) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        PORTS.write_text(make())
        return 0
    netbase = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "netbase"],
                             capture_output=True, text=True).stdout
    if netbase != NETBASE:
        print(f"prior: netbase {netbase or 'is not here'}, not {NETBASE}: not compared")
        return 0
    same = PORTS.read_text() == make()
    print("prior: 1 passed, 0 failed" if same else "prior: rules/ports.json is not what this makes")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
