"""Documents as other products and we write them, with the fields that matter here.

The shapes follow the sample events of Elastic's integrations for Zeek, Packetbeat (network_traffic),
Suricata, Sysmon (windows), Elastic Defend (endpoint) and Defender (m365_defender). What the pipelines
calculated-port and expected-port add to them is added here by arithmetic of its own.
"""
import copy
import ipaddress
from datetime import datetime, timedelta

START = datetime(2026, 11, 24, 4, 12, 5)
CLIENT = "10.20.30.40"
NEVER = {80, 443, 8080, 8443, 8000, 8888, 9090, 9200, 9300, 9418, 27017, 27018, 28017}


def when(seconds):
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds") + "Z"


def put(document, path, value):
    """The document with a field set, or without it where the value is None."""
    document = copy.deepcopy(document)
    *parents, last = path.split(".")
    at = document
    for key in parents:
        at = at.setdefault(key, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return document


def ports(address):
    """(octet1 * octet2 + octet3, octet1 * (octet2 + octet3)), None for what is no IPv4 address."""
    value = ipaddress.ip_address(address)
    value = getattr(value, "ipv4_mapped", None) or value
    if value in ipaddress.ip_network("64:ff9b::/96"):
        value = ipaddress.ip_address(value.packed[12:])
    if value.version == 6:
        return None
    a, b, c, _ = value.packed
    return a * b + c, a * (b + c)


def address_for(port, formula=0, first=range(11, 224)):
    """A public address whose formula gives the port."""
    for a in first:
        if a in (10, 127):
            continue
        for b in range(256):
            c = port - a * b if formula == 0 else (port // a - b if port % a == 0 else -1)
            address = "%d.%d.%d.9" % (a, b, c) if 0 <= c <= 255 else None
            if address and ipaddress.ip_address(address).is_global and ports(address)[formula] == port:
                return address
    raise ValueError("no address gives %d" % port)


def calculated(document):
    """What the pipeline calculated-port adds."""
    destination = document.get("destination", {})
    both = ports(destination["ip"]) if "ip" in destination else None
    if both:
        destination["calculated_port_apt12"], destination["calculated_port_variant"] = both
        match = [name for name, port in zip(("apt12", "variant"), both)
                 if port == destination.get("port")]
        if match:
            destination["calculated_port_match"] = match
    return document


def expected(document):
    """What the pipeline expected-port adds."""
    addresses = [a for a in document["dns"].get("resolved_ip", []) if ports(a)]
    found = []
    for address in addresses:
        found += [p for p in ports(address) if 0 < p < 65536 and p not in NEVER and p not in found]
    if addresses:
        document["portent"] = {"expected": {"relation": "answer", "ip": addresses}}
        if found:
            document["portent"]["expected"]["port"] = found
    return document


def event(dataset, kinds, category=("network",), kind="event", **more):
    return {"kind": kind, "category": list(category), "type": list(kinds), "dataset": dataset, **more}


def base(dataset, seconds, event_group):
    return {"@timestamp": when(seconds), "ecs": {"version": "9.4.0"}, "event": event_group,
            "data_stream": {"type": "logs", "dataset": dataset, "namespace": "default"}}


def flow(document, client, destination, port, transport="tcp"):
    document["source"] = {"address": client, "ip": client, "port": 50123}
    document["destination"] = {"address": destination, "ip": destination, "port": port}
    if transport:
        document["network"] = {"transport": transport, "type": "ipv4"}
    document["related"] = {"ip": [client, destination]}
    return calculated(document)


# ---- connections ----

def ours(destination, port, seconds=0, client=CLIENT):
    return flow(base("portent.connection", seconds,
                     event("portent.connection", ("connection", "start"), module="portent",
                           sequence=7)), client, destination, port)


def zeek(destination, port, seconds=0, client=CLIENT):
    return flow(base("zeek.connection", seconds,
                     event("zeek.connection", ("connection", "start", "end"))), client, destination, port)


def packetbeat(destination, port, seconds=0, client=CLIENT):
    return flow(base("network_traffic.flow", seconds,
                     event("network_traffic.flow", ("connection", "end"), action="network_flow")),
                client, destination, port)


def suricata(destination, port, seconds=0, client=CLIENT):
    document = base("suricata.eve", seconds, event("suricata.eve", ("connection",)))
    document["suricata"] = {"eve": {"event_type": "flow"}}
    return flow(document, client, destination, port)


def suricata_alert(destination, port, seconds=0, client=CLIENT):
    document = base("suricata.eve", seconds,
                    event("suricata.eve", ("allowed", "connection"), ("network", "intrusion_detection"),
                          "alert"))
    document["suricata"] = {"eve": {"event_type": "alert"}}
    return flow(document, client, destination, port)


PROCESS = {"name": "updater.exe", "executable": "C:\\Users\\u\\updater.exe", "pid": 4321,
           "entity_id": "{f7f24c5a-5a05-60cd-aacb-110000000000}"}


def sysmon(destination, port, seconds=0, client=CLIENT):
    document = base("windows.sysmon_operational", seconds,
                    event("windows.sysmon_operational", ("start", "connection", "protocol"),
                          code="3", provider="Microsoft-Windows-Sysmon"))
    document.update(host={"id": "host-1", "name": "pc1"}, process=dict(PROCESS))
    return flow(document, client, destination, port)


def endpoint(destination, port, seconds=0, client=CLIENT):
    document = base("endpoint.events.network", seconds,
                    event("endpoint.events.network", ("start",), action="connection_attempted"))
    document.update(host={"id": "host-1", "name": "pc1"}, process=dict(PROCESS))
    return flow(document, client, destination, port)


def defender(destination, port, seconds=0, client=CLIENT):
    """ConnectionSuccess of DeviceNetworkEvents: no network.transport."""
    document = base("m365_defender.event", seconds,
                    event("m365_defender.event", ("start",), action="connectionsuccess"))
    document.update(host={"id": "host-1", "name": "pc1"}, process=dict(PROCESS))
    return flow(document, client, destination, port, transport=None)


CONNECTIONS = [ours, zeek, packetbeat, suricata, sysmon, endpoint, defender]


def our_alert(destination, port, seconds=0, client=CLIENT, action="dns_calculation_port_match"):
    return flow(base("portent.alert", seconds,
                     event("portent.alert", ("connection", "start", "info"),
                           ("network", "intrusion_detection"), "alert", action=action,
                           module="portent", severity=73, risk_score=73.0, id="0" * 32)),
                client, destination, port)


def our_repeats(destination, port, seconds=0, client=CLIENT):
    return flow(base("portent.alert", seconds,
                     event("portent.alert", ("info",), ("network", "intrusion_detection"),
                           action="dns_calculation_repeats", module="portent")),
                client, destination, port)


def our_near_miss(destination, port, seconds=0, client=CLIENT):
    return flow(base("portent.alert", seconds,
                     event("portent.alert", ("connection", "start", "info"),
                           action="dns_calculation_near_miss", module="portent")),
                client, destination, port)


def our_outcome(destination, port, seconds=0, client=CLIENT):
    document = base("portent.alert", seconds,
                    event("portent.alert", ("connection", "info"), action="connection_outcome",
                          module="portent", outcome="success"))
    document["portent"] = {"alert": {"id": "0" * 32}, "outcome": {"state": "answered"}}
    return flow(document, client, destination, port)


# ---- answers ----

def answer(dataset, addresses, seconds, client, kinds=("connection", "protocol", "info")):
    document = base(dataset, seconds, event(dataset, kinds))
    document["dns"] = {"type": "answer", "question": {"name": "update.example.net", "type": "A"},
                       "resolved_ip": addresses}
    document["source"] = {"ip": client, "port": 53765}
    document["destination"] = {"ip": "192.0.2.53", "port": 53}
    document["network"] = {"transport": "udp", "protocol": "dns"}
    document["related"] = {"ip": [client, *addresses]}
    return expected(calculated(document))


def our_dns(addresses, seconds=0, client=CLIENT):
    document = answer("portent.dns", addresses, seconds, client)
    del document["portent"]  # no pipeline works on our own documents
    return document


def zeek_dns(addresses, seconds=0, client=CLIENT):
    return answer("zeek.dns", addresses, seconds, client)


def packetbeat_dns(addresses, seconds=0, client=CLIENT):
    return answer("network_traffic.dns", addresses, seconds, client, ("connection", "protocol"))


def suricata_dns(addresses, seconds=0, client=CLIENT):
    return answer("suricata.eve", addresses, seconds, client, ("protocol",))


def of_process(document):
    """An endpoint's own record of an answer: no ends of a flow, but who asked."""
    for key in ("source", "destination"):
        document.pop(key)
    document.update(host={"id": "host-1", "name": "pc1"}, process=dict(PROCESS))
    return document


def sysmon_dns(addresses, seconds=0, client=CLIENT):
    return of_process(answer("windows.sysmon_operational", ["::ffff:" + a for a in addresses],
                             seconds, client))


def endpoint_dns(addresses, seconds=0, client=CLIENT):
    return of_process(answer("endpoint.events.network", addresses, seconds, client,
                             ("protocol", "info")))


ANSWERS = [our_dns, zeek_dns, packetbeat_dns, suricata_dns]


def expectation(relation, address, port=None, ip=None, seconds=0, client=CLIENT):
    document = base("portent.expectation", seconds,
                    event("portent.expectation", ("info",), kind="enrichment", module="portent",
                          action="dns_calculation_expected", sequence=3, start=when(seconds),
                          end=when(seconds + 900)))
    document["rule"] = {"id": "apt12"}
    document["source"] = {"ip": client}
    document["dns"] = {"type": "answer", "question": {"name": "update.example.net"},
                       "resolved_ip": [address]}
    wanted = {"relation": relation}
    if ip:
        wanted["ip"] = ip
    if port:
        wanted["port"] = port
    document["portent"] = {"expected": wanted}
    document["related"] = {"ip": [client, address]}
    return document
