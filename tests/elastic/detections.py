#!/usr/bin/python3
"""The detection rules over the table of documents, with every part of every query taken away once.

Each rule must meet exactly the documents and sequences that the table says, whichever way a missing
field is read (eql.py), and each condition, list value, key and span must make a difference to some line
of the table: what is not missed when it is gone does not belong there. What Kibana wants of a rule is
checked by name and type; the TOML files must say the same as the NDJSON.
"""
import itertools
import json
import os
import re
import sys
import tomllib
import uuid
from pathlib import Path

import eql
import table
from checks import ELASTIC, check, documents, finish, read_lines

sys.path.insert(0, str(ELASTIC / "source"))
import mappings  # noqa: E402

SCORES = {"low": 21, "medium": 47, "high": 73, "critical": 99}


def read_rules():
    """({id: rule}, last line). The ids are those of the TOML files, in the order of the NDJSON."""
    *rules, last = read_lines(ELASTIC / "detection/rules.ndjson")
    names = {tomllib.loads(path.read_text())["rule"]["rule_id"]: path.stem
             for path in sorted((ELASTIC / "detection").glob("*.toml"))}
    return {names[rule["rule_id"]]: rule for rule in rules}, last


def field_types():
    """Every field of ECS and of ours, as mapped."""
    schema = json.loads(Path(os.environ["BUILD"], "schema", "ecs_flat-9.4.0.json").read_text())
    types = {name: field["type"] for name, field in schema.items()}
    types.update(mappings.field_types(ELASTIC)["logs"])
    return {name: "keyword" if kind == "constant_keyword" else kind for name, kind in types.items()}


# ---- what Kibana wants ----

def minutes(text):
    number, unit = re.fullmatch(r"(?:now-)?(\d+)([smh])", text).groups()
    return int(number) * {"s": 1 / 60, "m": 1, "h": 60}[unit]


def check_form(name, rule, types):
    texts = ("rule_id", "name", "description", "license", "type", "language", "query", "severity",
             "interval", "from", "to", "timestamp_override", "note", "setup")
    check(all(isinstance(rule.get(key), str) and rule[key] for key in texts), name, "lacks a text")
    check(str(uuid.UUID(rule["rule_id"])) == rule["rule_id"], name, "has no UUID")
    check(rule["severity"] in SCORES and rule["risk_score"] == SCORES[rule["severity"]], name, "score")
    check(rule["language"] == {"query": "kuery"}.get(rule["type"], rule["type"]), name, "language")
    check(("index" in rule) == (rule["type"] != "esql"), name, "index")
    check(rule["enabled"] is False, name, "runs before its data are there")
    for one in rule["threat"]:
        check(one["tactic"]["id"] == "TA0011" and one["technique"][0]["id"] == "T1568" and
              one["technique"][0]["subtechnique"][0]["id"] == "T1568.003", name, "ATT&CK")
        check(one["technique"][0]["subtechnique"][0]["reference"].endswith("/T1568/003/"), name)
    for field in rule["required_fields"]:
        check(types.get(field["name"]) == field["type"], name, "requires", field)
        check(field["ecs"] == (not field["name"].startswith(("portent.", "destination.calculated"))),
              name, "ecs of", field)
    for field in rule["investigation_fields"]["field_names"]:
        check(field in types or rule["type"] == "esql" and field + " =" in rule["query"], name, "shows",
              field)
    if rule.get("severity_mapping"):
        check({m["value"]: m["severity"] for m in rule["severity_mapping"]} ==
              {str(score): severity for severity, score in SCORES.items()}, name, "severity mapping")


def check_query(name, query, types):
    used = {field.lstrip("?") for field in eql.all_fields(query)}
    check(used <= set(types), name, "asks for", used - set(types))


def check_span(name, rule, query):
    span = (query["maxspan"] or 0) / 60000
    room = minutes(rule["from"]) - minutes(rule["interval"]) - span
    check(room >= 2, name, "looks back %s: both events must be in it" % rule["from"])
    check(rule["tiebreaker_field"] == "event.sequence", name, "tiebreaker")


def check_toml(name, rule):
    toml = tomllib.loads((ELASTIC / ("detection/%s.toml" % name)).read_text())["rule"]
    for key, value in toml.items():
        same = value.strip() == rule[key].strip() if isinstance(value, str) else value == rule[key]
        check(same, name, "TOML and NDJSON differ in", key)
    missing = set(rule) - set(toml) - {"required_fields", "enabled", "version"}
    check(not missing, name, "TOML lacks", missing)


# ---- over the table ----

def kuery(query):
    """`field : "value" and ...` as an event query of EQL."""
    parts = [re.fullmatch(r'([\w.]+) : "(\w+)"', part).groups() for part in query.split(" and ")]
    where = ("and", [("compare", "==", field, value) for field, value in parts])
    return {"kind": "event", "items": [{"category": "any", "where": where}]}


def parse(rule):
    return kuery(rule["query"]) if rule["type"] == "query" else eql.parse(rule["query"])


def met_single(query, rows, types, missing):
    """Numbers of the rows that the query meets."""
    run = eql.Evaluator([], types, missing)
    run.check(query)
    return [run.matches(query["items"][0], document) for _, document, _ in rows]


def met_sequence(query, scenarios, types, missing=None):
    return [len(eql.Evaluator(documents, types, missing).run(query)) for documents in scenarios]


def single_rules(rules, types):
    rows = list(table.single_events())
    for name, rule in rules.items():
        if rule["type"] == "esql" or rule["query"].startswith("sequence"):
            continue
        query = parse(rule)
        check_query(name, query, types)
        for missing in (None, False):
            for (why, _, wanted), met in zip(rows, met_single(query, rows, types, missing)):
                check(met == (name in wanted), name, "meets" if met else "does not meet", why)
        before = met_single(query, rows, types, None)
        for what, mutant in eql.mutants(query):
            if rule["type"] == "query" and "category" in what:
                continue  # Kibana's query language has none
            check(met_single(mutant, rows, types, None) != before, name, "does not miss", what)
    return len(rows)


# A pair for each rule that the near misses are made of.
def pairs():
    from shapes import ours, sysmon, sysmon_dns, zeek, zeek_dns
    a, wide = table.A, "20.101.57.9"
    yield "expected-connection", [table.SAME(), ours(a, 10198, 1)], ours
    yield "expected-elsewhere", [table.SAME(), ours(a, 10198, 1)], ours
    yield "expected-address", [table.SWAP(), ours("176.65.132.198", 23789, 1)], ours
    yield "expected-pair", [table.PAIR(), ours(a, 12126, 1)], ours
    yield "expected-port", [table.OTHER(), ours(table.B, 12126, 1)], ours
    yield "resolved-connection", [zeek_dns([a]), zeek(a, 10198, 1)], zeek
    yield "resolved-connection-wide", [zeek_dns([wide]), zeek(wide, 2077, 1)], zeek
    yield "resolved-port", [zeek_dns([table.C]), zeek(table.B, 12126, 1)], zeek
    yield "process-connection", [sysmon_dns([a]), sysmon(a, 10198, 1)], sysmon


def sequence_rules(rules, types):
    queries = {name: parse(rule) for name, rule in rules.items()
               if rule["query"].startswith("sequence")}
    scenarios = list(table.met())
    near = list(table.more_near())
    for name, documents, connection in pairs():
        near += [(name, why, out) for why, out in table.near(name, documents, connection)]
    for name, query in queries.items():
        check_query(name, query, types)
        check_span(name, rules[name], query)
        own = [(why, documents) for rule, why, documents in near if rule == name]
        check(len(own) >= 15, name, "has few near misses")
        for missing in (None, False):
            found = met_sequence(query, [d for _, d, _ in scenarios], types, missing)
            for (why, _, wanted), met in zip(scenarios, found):
                check(met == (name in wanted), name, "finds", met, "in:", why)
            for (why, _), met in zip(own, met_sequence(query, [d for _, d in own], types, missing)):
                check(met == 0, name, "finds", met, "in:", why)
        everything = [d for _, d, _ in scenarios] + [d for _, d in own]
        before = met_sequence(query, everything, types)
        for what, mutant in eql.mutants(query):
            check(met_sequence(mutant, everything, types) != before, name, "does not miss", what)
    return sum(len(d) for _, d, _ in scenarios) + sum(len(d) for _, _, d in near)


def over_ours(rules, types):
    """Each of our alerts is raised by one rule, and those that were answered by another beside it."""
    promoting = {name: parse(rule) for name, rule in rules.items() if rule["type"] == "query"}
    answered, count = parse(rules["answered"]), 0
    for name, group in itertools.groupby(documents("captures"), lambda pair: pair[0]):
        found = [document for _, document in group]
        run = eql.Evaluator([], types)
        for alert in (d for d in found if d["event"]["kind"] == "alert"):
            met = [rule for rule, query in promoting.items() if run.matches(query["items"][0], alert)]
            check(len(met) == 1, name, alert["event"]["action"], "is raised by", met)
        states = {d["portent"]["alert"]["id"]: d["portent"]["outcome"]["state"] for d in found
                  if d["event"]["action"] == "connection_outcome"}
        wanted = {d["event"]["id"] for d in found if d["event"]["kind"] == "alert" and
                  d["event"]["severity"] >= 47 and states.get(d["event"]["id"]) == "answered"}
        raised = [pair[0]["event"]["id"] for pair in eql.Evaluator(found, types).run(answered)]
        check(sorted(wanted) == sorted(raised), name, "answered:", wanted, raised)
        count += len(raised)
    check(count >= 1, "no alert of ours was answered")


def refused():
    """What made the published query fail is refused here too."""
    for query, sentence in (
            ("network where destination.calculated_port_apt12 == destination.port", "two fields"),
            ("network where process.nome == \"x\"", "Unknown column"),
            ("sequence [network where true == true] by source.ip "
             "[network where event.kind == \"x\"] by host.id", "where"),
            ("sequence [network where event.kind == \"x\"] by source.ip "
             "[network where event.kind == \"x\"] by host.id", "different types"),
            ("sequence [network where event.kind == \"x\"] by source.ip "
             "[network where event.kind == \"x\"]", "as many keys"),
            ("sequence with maxspan=1m by source.ip [network where event.kind == \"x\"]", "by")):
        try:
            eql.Evaluator([], {"event.kind": "keyword", "source.ip": "ip", "host.id": "keyword",
                               "destination.port": "long",
                               "destination.calculated_port_apt12": "long"}).run(eql.parse(query))
            check(False, "not refused:", query)
        except eql.Refused as error:
            check(sentence in str(error) or sentence == "where", query, "refused with", error)


def main():
    rules, last = read_rules()
    types = field_types()
    check(last["exported_count"] == last["exported_rules_count"] == len(rules), "the last line")
    check(len({rule["rule_id"] for rule in rules.values()}) == len(rules), "ids are not distinct")
    check(len({rule["name"] for rule in rules.values()}) == len(rules), "names are not distinct")
    for name, rule in rules.items():
        check_form(name, rule, types)
        check_toml(name, rule)
    single, sequences = single_rules(rules, types), sequence_rules(rules, types)
    over_ours(rules, types)
    check(single >= 60, "the table has only", single, "documents")
    refused()
    print("   %d documents alone, %d in sequences" % (single, sequences))
    finish()


if __name__ == "__main__":
    main()
