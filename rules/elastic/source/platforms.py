"""The rules for other platforms: Sigma, and Kusto for Microsoft Sentinel and Defender."""
import json

from detections import PROCESSES
from formula import Kusto

MADE = "Made by rules/elastic/make from rules/%s.json: change that."
# What no calculated destination is in.
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"]
FORMULAS = {"o1 * o2 + o3": "apt12", "o1 * (o2 + o3)": "variant"}


def limits_of(rule):
    """([(low, high)], excluded ports, excluded IPv4 networks)."""
    limits = rule.get("limits", {})
    ranges = []
    for part in limits.get("ports", ["1-65535"]):
        low, _, high = str(part).partition("-")
        ranges.append((int(low), int(high or low)))
    networks = [n for n in limits.get("exclude_destinations", []) if ":" not in n]
    return ranges, limits.get("exclude_ports", []), networks


def listed(values):
    return ", ".join(json.dumps(value) for value in values)


# ---- Kusto ----

# What a table of answers and a table of connections are called where, and how a device is known.
TABLES = {
    "defender": {
        "what": "Microsoft Defender, advanced hunting",
        "time": "Timestamp", "device": "DeviceId", "ip": "RemoteIP", "port": "RemotePort",
        "answers": '''DeviceNetworkEvents
| where Timestamp > ago(lookback) and ActionType == "DnsConnectionInspected"
| extend Dns = parse_json(AdditionalFields)
| mv-expand Answer = Dns.answers to typeof(string)
| project DeviceId, AnswerTime = Timestamp, Query = tostring(Dns.query), Answer''',
        "connections": '''DeviceNetworkEvents
| where Timestamp > ago(lookback) and Protocol == "Tcp"
    and ActionType in ("ConnectionAttempt", "ConnectionSuccess", "ConnectionFailed")
| where not(InitiatingProcessFileName in~ (%(processes)s))''',
        "show": "Timestamp, DeviceId, DeviceName, LocalIP, LocalPort, RemoteIP, RemotePort, "
                "InitiatingProcessFileName, InitiatingProcessCommandLine, ReportId",
    },
    "sentinel": {
        "what": "Microsoft Sentinel, by its information model (ASIM)",
        "time": "TimeGenerated", "device": "SrcIpAddr", "ip": "DstIpAddr", "port": "DstPortNumber",
        "answers": r'''_Im_Dns(starttime=ago(lookback))
| mv-expand Answer = extract_all(@"(\d+\.\d+\.\d+\.\d+)", DnsResponseName) to typeof(string)
| project SrcIpAddr, AnswerTime = TimeGenerated, Query = DnsQuery, Answer''',
        "connections": '''_Im_NetworkSession(starttime=ago(lookback))
| where NetworkProtocol =~ "TCP"
| where not(SrcProcessName has_any (%(processes)s))''',
        "show": "TimeGenerated, SrcIpAddr, SrcPortNumber, DstIpAddr, DstPortNumber, SrcProcessName, "
                "EventProduct",
    },
}

OCTETS = '''| extend addr = tolong(parse_ipv4(Answer))
| where isnotnull(addr)
| extend o1 = binary_and(binary_shift_right(addr, 24), 255), o2 = binary_and(binary_shift_right(addr, 16), 255),
    o3 = binary_and(binary_shift_right(addr, 8), 255), o4 = binary_and(addr, 255)'''


def port_conditions(rule, field):
    ranges, excluded, _ = limits_of(rule)
    lines = ["| where " + " or ".join("(%s between (%d .. %d))" % (field, *r) for r in ranges)]
    if excluded:
        lines.append("| where %s !in (%s)" % (field, listed(excluded)))
    return lines


def network_condition(rule, field):
    _, _, networks = limits_of(rule)
    if not networks:
        return []
    return ["| where not(ipv4_is_in_any_range(%s, dynamic([%s])))" % (field, listed(networks))]


def expectations(rule, table):
    """Answers with what the rule calculates from them."""
    lets, lines = [], [table["answers"], OCTETS]
    if "address" in rule:
        kusto = Kusto(rule["address"])
        lets += kusto.lets
        lines += ["| extend Calculated = " + kusto.text,
                  "| where Calculated between (0 .. 4294967295) and Calculated != addr",
                  "| extend ExpectedAddress = format_ipv4(Calculated, 32)",
                  "| where not(ipv4_is_in_any_range(ExpectedAddress, dynamic([%s])))"
                  % listed(PRIVATE)]
    if "port" in rule:
        kusto = Kusto(rule["port"])
        lets += [let for let in kusto.lets if let not in lets]
        lines += ["| extend ExpectedPort = toint(%s)" % kusto.text,
                  *port_conditions(rule, "ExpectedPort")]
    return lets, lines


def vectors(rule):
    lines = ["// Test vectors, by the same expressions:"]
    for vector in rule.get("vectors", []):
        wanted = ["%s %s" % (key, "none" if vector[key] is None else vector[key])
                  for key in ("port", "result") if key in vector]
        lines.append("//   %s -> %s" % (vector["address"], ", ".join(wanted)))
    return lines


def kusto_query(rule, name):
    table = TABLES[name]
    lets, answers = expectations(rule, table)
    words = {"processes": listed(PROCESSES)}
    head = ["// %s" % rule["name"], "// For %s. %s" % (table["what"], MADE % rule["id"]),
            "// ATT&CK %s. Nothing has run this: its syntax and its names are checked."
            % rule["threat"]["subtechnique"]["id"], *vectors(rule), "let lookback = 1h;",
            "let window = 10m;", "let cross_window = 1m;", *lets]
    body = ["let expected = materialize(", *answers, ");", "let connections = materialize(",
            table["connections"] % words, *network_condition(rule, table["ip"]), ");"]
    time, show = table["time"], table["show"]
    keys = "%s" % table["device"]
    tail = "| where %s between (AnswerTime .. AnswerTime + %%s)" % time
    end = "| project %s, Query, Answer, AnswerTime, Relation" % show
    if "address" in rule:
        join = "$left.%s == $right.ExpectedAddress" % table["ip"]
        if "port" in rule:
            join += ", $left.%s == $right.ExpectedPort" % table["port"]
        # A calculated address that DNS gave as well is no calculation.
        body += ["connections", "| join kind=inner expected on %s, %s" % (keys, join),
                 tail % "window",
                 "| join kind=leftanti (expected | project %s, Given = Answer) on %s, "
                 "$left.%s == $right.Given" % (table["device"], keys, table["ip"]),
                 '| extend Relation = "calculated_address"', end]
    else:
        port = "$left.%s == $right.ExpectedPort" % table["port"]
        body += ["union (", "    connections",
                 "    | join kind=inner expected on %s, $left.%s == $right.Answer, %s"
                 % (keys, table["ip"], port),
                 "    " + tail % "window", '    | extend Relation = "same_address"', "), (",
                 "    connections", "    | join kind=inner expected on %s, %s" % (keys, port),
                 "    | where %s != Answer" % table["ip"], "    " + tail % "cross_window",
                 '    | extend Relation = "other_address"', ")", end]
    return "\n".join(head + body) + "\n"


# ---- Sigma ----

def yaml_value(value, indent):
    pad = " " * indent
    if isinstance(value, dict):
        return "".join("\n%s%s:%s" % (pad, key, yaml_value(inner, indent + 4))
                       for key, inner in value.items())
    if isinstance(value, list):
        return "".join("\n%s- %s" % (pad, json.dumps(one, ensure_ascii=False)) for one in value)
    return " " + (str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False))


def sigma(rule, identity, title, description, source, detection, level):
    document = {
        "title": title,
        "id": identity,
        "status": "experimental",
        "description": description,
        "references": ["https://attack.mitre.org/techniques/T1568/003/"],
        "author": ", ".join(rule["author"]),
        "date": "2026-11-24",
        "tags": ["attack.command-and-control", "attack.t1568", "attack.t1568.003"],
        "logsource": source,
        "detection": detection,
        "falsepositives": rule.get("false_positives", ["Luck"]),
        "level": level,
    }
    lines = ["# " + MADE % rule["id"]] + ["#" + line[2:] for line in vectors(rule)]
    body = "".join("%s:%s\n" % (key, yaml_value(value, 4)) for key, value in document.items())
    return "\n".join(lines) + "\n" + body


def sigma_identity(rule, what):
    import uuid
    return str(uuid.uuid5(uuid.UUID("5b1c8f5e-6a3b-5d7c-9f64-7d1c3c0a5e10"), what + rule["id"]))


def sigma_alert(rule):
    """Our own alert, for those who ship it elsewhere."""
    return sigma(rule, sigma_identity(rule, "alert:"), rule["name"][:100],
                 rule["description"] + " As the sensor portent saw it.",
                 {"product": "portent", "category": "ids"},
                 {"selection": {"event.kind": "alert", "event.module": "portent",
                                "event.action": "dns_calculation_port_match", "rule.id": rule["id"]},
                  "condition": "selection"}, "high")


def sigma_connection(rule, formula):
    """A connection with calculated ports, whoever saw it; Sigma itself cannot calculate."""
    ranges, excluded, networks = limits_of(rule)
    selection = {"event.kind": "event", "event.category": "network",
                 "event.type": ["connection", "start"],
                 "destination.calculated_port_match": formula}
    detection = {"selection": selection}
    for i, (low, high) in enumerate(ranges):
        detection["range_%d" % (i + 1)] = {"destination.port|gte": low, "destination.port|lte": high}
    if networks:
        detection["filter_private"] = {"destination.ip|cidr": networks}
    if excluded:
        detection["filter_port"] = {"destination.port": excluded}
    detection["filter_process"] = {"process.name": PROCESSES}
    detection["filter_udp"] = {"network.transport": ["udp", "icmp"]}
    detection["filter_portent"] = {"data_stream.dataset": "portent.alert"}  # an outcome, a near miss
    detection["condition"] = "selection and 1 of range_* and not 1 of filter_*"
    return sigma(rule, sigma_identity(rule, "connection:"), "Connection to the port of rule " + rule["id"],
                 "A connection to a public address on the port that a formula calculates from its octets. "
                 "Events need destination.calculated_port_match, which the pipeline or the Beats script "
                 "of portent adds.", {"category": "network_connection"}, detection, "medium")


def make(_here, rules):
    files = {}
    for rule in rules:
        for name in TABLES:
            files["kusto/%s-%s.kql" % (name, rule["id"])] = kusto_query(rule, name)
        files["sigma/%s.yml" % rule["id"]] = sigma_alert(rule)
        formula = FORMULAS.get(rule.get("port"))
        if formula and "address" not in rule:
            files["sigma/%s-connection.yml" % rule["id"]] = sigma_connection(rule, formula)
    return files
