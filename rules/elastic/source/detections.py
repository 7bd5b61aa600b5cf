"""Detection rules: rules.ndjson, which Kibana imports, and one TOML file for each."""
import json
import re

import yaml

SCORES = {"low": 21, "medium": 47, "high": 73, "critical": 99}
PROCESSES = ["svchost.exe", "lsass.exe", "services.exe", "wininit.exe"]
WEB = [80, 443]
DATE = "2026/11/24"
# Of whom a destination cannot be: the networks of the published query. Ours has IPv6 ones beside.
# Whose connections are joined with our expectations.
ALL = ["logs-portent.*", "logs-zeek.connection-*", "logs-network_traffic.flow-*", "logs-suricata.eve-*",
       "logs-windows.sysmon_operational-*", "logs-endpoint.events.network-*", "logs-m365_defender.event-*"]
ECS_CUSTOM = ("destination.calculated_port_", "portent.")


def quoted(values):
    return ", ".join(str(v) if isinstance(v, int) else '"%s"' % v for v in values)


def placeholders(rules):
    """What the rule files say about the two published formulas."""
    apt12 = next(rule for rule in rules if rule["id"] == "apt12")
    limits = apt12["limits"]
    low, high = limits["ports"][0].split("-")
    private = [n for n in limits["exclude_destinations"] if ":" not in n]
    excluded = limits["exclude_ports"]
    processes = '(?process.name == null or not ?process.name in~ (%s))' % quoted(PROCESSES)
    tcp = '(?network.transport == null or ?network.transport == "tcp")'
    # Our outcomes and near misses are about connections, and are none.
    foreign = '(?data_stream.dataset == null or not ?data_stream.dataset == "portent.alert")'
    return {
        "private": quoted(private),
        "low": low,
        "high": high,
        "band": "destination.port >= %s and destination.port <= %s" % (low, high),
        "wide": "(destination.port < %s or destination.port > %s)" % (low, high),
        "excluded": quoted(excluded),
        "web": quoted(WEB),
        "never": quoted(sorted(excluded + WEB)),
        "processes": quoted(PROCESSES),
        "foreign": foreign,
        # ES|QL: a list equals nothing, so event.type, which is one, is looked at as a text.
        "esql_connection": 'event.kind == "event"\n'
                           '    AND (MV_CONCAT(event.type, ",") LIKE "*connection*"\n'
                           '      OR MV_CONCAT(event.type, ",") LIKE "*start*")\n'
                           '    AND (network.transport IS NULL OR network.transport == "tcp")\n'
                           '    AND (process.name IS NULL\n'
                           '      OR NOT TO_LOWER(process.name) IN (%s))' % quoted(PROCESSES),
        "all": ", ".join(ALL),
        "tcp": tcp,
        "connection": 'event.kind == "event" and event.type in ("connection", "start") and\n'
                      '    %s and\n'
                      '    %s and\n    %s' % (tcp, foreign, processes),
    }


def fill(query, words):
    return re.sub(r"<<(\w+)>>", lambda match: words[match.group(1)], query).strip()


def threat(rules):
    """ATT&CK as the rule file says it, in the form of Kibana."""
    data = next(rule for rule in rules if rule["id"] == "apt12")["threat"]
    level = lambda of: {key: of[key] for key in ("id", "name", "reference")}  # noqa: E731
    return [{"framework": "MITRE ATT&CK", "tactic": level(data["tactic"]),
             "technique": [{**level(data["technique"]),
                            "subtechnique": [level(data["subtechnique"])]}]}]


def required_fields(query, types):
    """Every field that the query names, with its type."""
    names = set(re.findall(r"[a-z_]+(?:\.[a-z_0-9]+)+", re.sub(r'"[^"]*"', "", query)))
    names |= {"event.category"} if "network where" in query else set()
    return [{"name": name, "type": types[name], "ecs": not name.startswith(ECS_CUSTOM)}
            for name in sorted(names) if name in types]


def note(rule, common):
    return (rule.get("note", "").strip() + "\n\n" + common["triage"].strip()).strip() + "\n"


def make_rule(rule, common, words, types, rules):
    query = fill(rule["query"], words)
    out = {
        "rule_id": rule["uuid"],
        "name": rule["name"],
        "description": rule["description"],
        "author": ["portent"],
        "license": "Apache-2.0",
        "version": 1,
        "type": rule["type"],
        "language": {"query": "kuery"}.get(rule["type"], rule["type"]),
        "query": query,
        "severity": rule["severity"],
        "risk_score": SCORES[rule["severity"]],
        "enabled": False,
        "interval": "5m",
        # Events of both ends must be in the range: the interval, the span, and four minutes for
        # documents to arrive.
        "from": "now-%dm" % (5 + rule.get("span", 0) + 4),
        "to": "now",
        "max_signals": 100,
        "timestamp_override": "event.ingested",
        "tags": ["Domain: Network", "Use Case: Threat Detection", "Tactic: Command and Control",
                 "Resources: Investigation Guide"],
        "references": common["references"],
        "false_positives": common["false_positives"],
        "threat": threat(rules),
        "note": note(rule, common),
        "setup": rule.get("setup", "The index templates of rules/elastic are loaded.\n"),
        "investigation_fields": {"field_names": rule["fields"]},
        "required_fields": required_fields(query, types),
    }
    if "index" in rule:
        out["index"] = rule["index"]
    if rule.get("sequence"):
        out["tiebreaker_field"] = "event.sequence"
    if rule.get("promote"):
        out["rule_name_override"] = "rule.name"
        out["severity_mapping"] = [
            {"field": "event.severity", "operator": "equals", "severity": severity, "value": str(n)}
            for severity, n in SCORES.items()]
        out["risk_score_mapping"] = [
            {"field": "event.risk_score", "operator": "equals", "value": ""}]
    return out


# ---- TOML ----

def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[%s]" % ", ".join(toml_value(one) for one in value)
    if isinstance(value, dict):
        return "{ %s }" % ", ".join("%s = %s" % (k, toml_value(v)) for k, v in value.items())
    if "\n" in value and "'''" not in value:
        return "'''\n%s'''" % value
    return json.dumps(value, ensure_ascii=False)


def toml_table(name, values):
    lines = ["[%s]" % name] if name else []
    lines += ["%s = %s" % (key, toml_value(value)) for key, value in values.items()]
    return "\n".join(lines) + "\n"


def make_toml(rule):
    metadata = {"creation_date": DATE, "integration": ["portent"], "maturity": "production",
                "updated_date": DATE}
    plain = {k: v for k, v in rule.items() if k not in ("threat", "required_fields", "enabled",
                                                        "version")}
    parts = [toml_table("metadata", metadata), toml_table("rule", plain)]
    for one in rule["threat"]:
        parts.append("[[rule.threat]]\n" + toml_table("", {"framework": one["framework"]}))
        for technique in one["technique"]:
            base = {k: v for k, v in technique.items() if k != "subtechnique"}
            parts.append("[[rule.threat.technique]]\n" + toml_table("", base))
            for sub in technique["subtechnique"]:
                parts.append("[[rule.threat.technique.subtechnique]]\n" + toml_table("", sub))
        parts.append(toml_table("rule.threat.tactic", one["tactic"]))
    return "\n".join(parts)


def make(here, rules):
    import mappings
    source = yaml.safe_load((here / "source/detections.yml").read_text(encoding="utf-8"))
    types = {**mappings.field_types(here)["logs"], "process.name": "keyword",
             "process.entity_id": "keyword", "host.id": "keyword"}
    words = placeholders(rules)
    made = {rule["id"]: make_rule(rule, source["common"], words, types, rules)
            for rule in source["rules"]}
    lines = [json.dumps(rule, ensure_ascii=False) for rule in made.values()]
    # The last line of an export, by which Kibana checks that it has all.
    lines.append(json.dumps({
        "exported_count": len(made), "exported_rules_count": len(made), "missing_rules": [],
        "missing_rules_count": 0, "exported_exception_list_count": 0,
        "exported_exception_list_item_count": 0, "missing_exception_list_item_count": 0,
        "missing_exception_list_items": [], "missing_exception_lists": [],
        "missing_exception_lists_count": 0}))
    files = {"detection/rules.ndjson": "\n".join(lines) + "\n"}
    files.update({"detection/%s.toml" % name: make_toml(rule) for name, rule in made.items()})
    return files
