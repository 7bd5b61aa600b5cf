#!/usr/bin/python3
"""The ES|QL rules, by an evaluator of our own (esql.py): over the table, and over two sensors' documents.

What can be asked in EQL too must be met by the same documents. What cannot is held against one sensor that
sees everything: whether a name was contacted before, and rotation. The lookup index is filled here as the
transform says. Commands, functions and their types must be those that Elastic publishes (typed.py).
"""
import ipaddress
import json
from pathlib import Path

import esql
import shapes
import split
import table
import typed
from checks import ELASTIC, check, finish, leaves
from detections import field_types, parse, read_rules
from shapes import ours, put

TRANSFORM = json.loads((ELASTIC / "lookup/transform/portent-expected.json").read_text())
INDEX = json.loads((ELASTIC / "lookup/index/portent-expected.json").read_text())


def pivot(documents, types):
    """The rows of the lookup index: the transform as it is written, over documents."""
    rows = esql.Evaluator(documents, types).documents
    (needed,) = [TRANSFORM["source"]["query"]["bool"]["filter"]]
    groups = {}
    for index, row in rows:
        if index.startswith("logs-portent.expectation-") and all(
                row.get(one["exists"]["field"]) is not None for one in needed):
            key = tuple(row.get(by["terms"]["field"]) for by in TRANSFORM["pivot"]["group_by"].values())
            if None not in key:
                groups.setdefault(key, []).append(row)
    out = []
    for key, group in groups.items():
        line = dict(zip(TRANSFORM["pivot"]["group_by"], key))
        for name, aggregation in TRANSFORM["pivot"]["aggregations"].items():
            ((how, of),) = aggregation.items()
            line[name] = {"min": min, "max": max}[how](row[of["field"]] for row in group)
        out.append(line)
    return out


def answer(query, documents, types):
    """What a query gives over documents, each known by its place."""
    lookup = list(lookup_types()), pivot(documents, types)
    evaluator = esql.Evaluator(documents, types, {TRANSFORM["dest"]["index"]: lookup})
    for i, (_, row) in enumerate(evaluator.documents):
        row["_id"] = i
    return evaluator.run(query)


# ---- over the table ----

def over_table(query, types):
    """calculated-port, calculated while searching."""
    rows = list(table.single_events())
    documents = [document for _, document, _ in rows]
    met = lambda q: {row["_id"] for row in answer(q, documents, types)}  # noqa: E731
    found = met(query)
    for i, (why, document, wanted) in enumerate(rows):
        # It needs no calculated ports, so it meets documents that lack them too.
        lacks = "calculated_port_match" not in document.get("destination", {}) or why == "another formula"
        if not (lacks and i in found):
            check((i in found) == ("calculated-port" in wanted), "ES|QL", i in found, "in:", why)
    for what, mutant in esql.mutants(query):
        check(met(mutant) != found, "calculated-port-esql does not miss", what)


def contacted(seconds):
    """A client that was given two names' addresses, and connected to one on the port of the other."""
    return [table.PAIR(seconds=10), ours(table.C, 443, seconds), ours(table.A, 12126, 11)]


def turns(*pairs, client="10.20.30.40"):
    """Expectations and their connections: (address, port)."""
    out = []
    for i, (address, port) in enumerate(pairs):
        out += [shapes.expectation("same_address", address, port, address, seconds=10 * i),
                ours(address, port, 10 * i + 1, client)]
    return out


def over_vectors(query, types):
    """The arithmetic of calculated-port-esql over the vectors of every other implementation."""
    vectors = json.loads((Path(__file__).parent / "vectors.json").read_text())["destinations"]
    steps = [command for command in query if command[0] in ("from", "eval", "dissect")]
    for why, destination, wanted in vectors:
        ip = destination.get("ip")
        value = ipaddress.ip_address(ip) if isinstance(ip, str) and "%" not in ip and is_address(ip) else None
        if not value or value.version == 6 and not value.ipv4_mapped:
            continue  # a list, and IPv6 with an IPv4 address inside, is what the query does not know
        document = shapes.base("zeek.connection", 0, shapes.event("zeek.connection", ("connection",)))
        document["destination"] = destination
        (row,) = answer(steps, [document], types)
        check([row["Esql.apt12"], row["Esql.variant"]] == wanted[:2], "ES|QL:", why, row)


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


FAR = "51.145.123.29", 7518
NEAR = "198.51.100.77", 10198  # the same /24 and port as table.A
BESIDE = "198.51.101.9", 10199


def scenarios():
    """(why, documents, ids of these rules that they meet)."""
    for why, documents, wanted in table.met():
        rules = set()
        if "expected-connection" in wanted:
            rules.add("expected-lookup")
        if "expected-pair" in wanted:
            rules.add("expected-uncontacted")
        # What is in no data stream is in none of the indices that these ask.
        rules = rules if all("data_stream" in d for d in documents) else set()
        yield why, documents, rules
    yield "contacted a minute before", contacted(-60), set()
    yield "contacted between the two", contacted(10.5), set()
    yield "contacted at once", contacted(11), {"expected-uncontacted"}
    yield "contacted afterwards", contacted(12), {"expected-uncontacted"}
    yield "another client contacted it", [
        *contacted(12), ours(table.C, 443, 1, "10.20.30.41")], {"expected-uncontacted"}
    yield "contacted, an endpoint's word", [
        table.PAIR(), shapes.endpoint(table.C, 443, 0.5), ours(table.A, 12126, 1)], set()
    yield "two turns", turns((table.A, 10198), FAR), {"expected-rotation", "expected-lookup"}
    yield "two turns, other products", [
        *turns((table.A, 10198))[:1], shapes.zeek(table.A, 10198, 1), *turns(FAR)[:1],
        shapes.defender(*FAR, 1)], {"expected-rotation", "expected-lookup"}
    yield "two turns in one network", turns((table.A, 10198), NEAR), {"expected-lookup"}
    yield "two ports in one network", turns((table.A, 10198), (table.A, 29898)), {"expected-lookup"}
    yield "two turns, calculated addresses", [
        put(d, "portent.expected.relation", "calculated_address") if "port" not in d["source"] else d
        for d in turns((table.A, 10198), FAR)], {"expected-rotation", "expected-lookup"}
    yield "two turns, a record at their end", [
        put(d, "event.type", ["connection", "end"]) if "port" in d["source"] else d
        for d in turns((table.A, 10198), FAR)], {"expected-rotation", "expected-lookup"}
    yield "one port, two networks", turns((table.A, 10198), (shapes.address_for(10198), 10198)), \
        {"expected-lookup"}
    yield "networks side by side", turns((table.A, 10198), BESIDE), {"expected-rotation",
                                                                     "expected-lookup"}
    yield "a turn of each of two clients", [
        *turns((table.A, 10198)), *[put(d, "source.ip", "10.20.30.41") for d in turns(FAR)]], \
        {"expected-lookup"}
    for name in table.PROCESSES:
        yield "rotation by " + name, [put(d, "process.name", name) for d in
                                      turns((table.A, 10198), FAR) if "port" in d["source"]] + \
            [d for d in turns((table.A, 10198), FAR) if "port" not in d["source"]], set()
    for path, value in (("event.kind", "alert"), ("event.type", ["info"]), ("network.transport", "udp"),
                        ("data_stream.dataset", "portent.alert")):
        yield "rotation, %s %s" % (path, value), [
            put(d, path, value) if "port" in d["source"] else d for d in turns((table.A, 10198), FAR)], set()
    yield "rotation of other streams", [
        put(d, "data_stream.dataset", "other") if "port" not in d["source"] else d
        for d in turns((table.A, 10198), FAR)], set()
    said = lambda address, at: put(put(put(  # noqa: E731
        shapes.suricata_dns([address]), "network", None), "event.type", ["connection"]),
        "@timestamp", shapes.when(at))
    yield "another product's answers are no expectations", [
        said(table.A, 0), ours(table.A, 10198, 1), said(FAR[0], 2), ours(*FAR, 3)], set()
    yield "rotation of pairs", [
        put(d, "portent.expected.relation", "pair") if "port" not in d["source"] else d
        for d in turns((table.A, 10198), FAR)], {"expected-uncontacted"}
    yield "the other way round", turns((table.A, 10198), FAR)[1::2] + [
        put(put(d, "@timestamp", shapes.when(100)), "event.start", shapes.when(100)) for d in turns((table.A, 10198), FAR)[::2]], set()
    yield "after the end", [put(table.SAME(), "event.end", shapes.when(0.9)), ours(table.A, 10198, 1)], set()


def over_scenarios(queries, types):
    near = [(rule, why, documents) for rule, why, documents in table.more_near()]
    near += [("expected-connection", why, d) for why, d in table.near(
        "expected-connection", [table.SAME(), ours(table.A, 10198, 1)], ours)]
    near += [("expected-pair", why, d) for why, d in table.near(
        "expected-pair", [table.PAIR(), ours(table.A, 12126, 1)], ours)]
    same = {"expected-connection": "expected-lookup", "expected-pair": "expected-uncontacted"}
    cases = list(scenarios())
    for name, query in queries.items():
        for why, documents, wanted in cases:
            met = bool(answer(query, documents, types))
            check(met == (name in wanted), name, "meets" if met else "does not meet", why)
        own = [(why, d) for rule, why, d in near if same.get(rule) == name and why != "a pair"]
        # An expectation's answer may be of any category: ES|QL asks for the data stream.
        for why, documents in own:
            if why not in ("answer of another category", "a pipeline failed on it",
                           "of another category"):
                check(not answer(query, documents, types), name, "meets", why)
        every = [d for _, d, _ in cases] + [d for _, d in own]
        before = [len(answer(query, d, types)) for d in every]
        for what, mutant in esql.mutants(query):
            try:
                after = [len(answer(mutant, d, types)) for d in every]
            except esql.Refused:
                continue
            check(after != before, name, "does not miss", what)
    return len(cases)


# ---- over two sensors' documents of a capture ----

def who(rows):
    return {(row["source.ip"], row["destination.ip"], row["destination.port"]) for row in rows}


def over_captures(queries, rules, types):
    told = {"pairs": 0, "rotations": 0}
    sequence = {"expected-connection": parse(rules["expected-connection"])}
    captures = sorted((split.ROOT / "pcaps").glob("*.pcap")) + [path for path, _ in split.made()]
    for capture in captures:
        alerts = split.run(capture)
        answers, connections = split.told(split.split(capture))
        documents = answers + connections
        found = who(answer(queries["expected-uncontacted"], documents, types))
        pairs = {(d["source"]["ip"], d["destination"]["ip"], d["destination"]["port"]): d["event"]["severity"]
                 for d in alerts if d.get("portent", {}).get("verdict") == "dns_other_address"
                 and "domain" in d["destination"] and d["event"]["action"].endswith("_match")}
        strong = {key for key, severity in pairs.items() if severity == 73}
        check(strong <= found and found <= strong | split.expired(capture), capture.name,
              "uncontacted:", found ^ strong)
        rotating = {d["source"]["ip"] for d in alerts
                    if d["event"]["action"] == "dns_calculation_rotation"}
        turning = {row["source.ip"] for row in answer(queries["expected-rotation"], documents, types)}
        check(rotating == turning, capture.name, "rotation:", rotating ^ turning)
        looked = who(answer(queries["expected-lookup"], documents, types))
        joined = {key for _, *key in map(tuple, split.together(documents, sequence, types))
                  for key in [tuple(key)]}
        check(looked == joined - split.expired(capture), capture.name, "lookup:", looked ^ joined)
        told["pairs"] += len(strong)
        told["rotations"] += len(rotating)
    check(told["pairs"] >= 5 and told["rotations"] >= 2, "only", told)
    return told


# ---- words and types ----

def lookup_types():
    """{field: type} of the lookup index."""
    return {name.replace(".properties", "").rsplit(".", 1)[0]: value
            for name, value in leaves(INDEX["mappings"]["properties"], "") if name.endswith(".type")}


def well_typed(queries, types):
    known, lookups = typed.definitions(), {TRANSFORM["dest"]["index"]: lookup_types()}
    for name, query in queries.items():
        try:
            typed.Typer(types, known, lookups).run(query)
            check(True)
        except esql.Refused as error:
            check(False, name, error)
    check(set(lookups[TRANSFORM["dest"]["index"]]) == {*TRANSFORM["pivot"]["group_by"],
                                                      *TRANSFORM["pivot"]["aggregations"]},
          "the lookup index maps other fields than the transform writes")
    for query, sentence in (
            ("FROM a | WHERE CIDR_MATCH(destination.port, \"10.0.0.0/8\")", "does not take"),
            ("FROM a | WHERE destination.port == \"80\"", "does not take"),
            ("FROM a | WHERE destination.port", "no condition"),
            ("FROM a | EVAL b = CASE(TRUE, destination.ip, destination.port)", "CASE"),
            ("FROM a | EVAL b = TO_LOWWER(event.kind)", "no function"),
            ("FROM a | STATS b = TO_LOWER(event.kind) BY source.ip", "no aggregation"),
            ("FROM a | EVAL b = IP_PREFIX(destination.ip, 24)", "does not take"),
            ("FROM a | EVAL portent.expected.ip = destination.port | LOOKUP JOIN portent-expected ON "
             "portent.expected.ip", "here and")):
        try:
            typed.Typer(types, known, lookups).run(esql.parse(query))
            check(False, "not refused by its types:", query)
        except esql.Refused as error:
            check(sentence in str(error), query, "refused with", error)


def refused():
    """What Elasticsearch refuses is refused here."""
    types = {"source.ip": "ip", "destination.port": "long", "@timestamp": "date"}
    for query, sentence in (
            ("FROM logs-* | WHERE source.ipp IS NULL", "Unknown column"),
            ("FROM logs-* | EVAL a = TO_LOWWER(source.ip)", "Unknown function"),
            ("FROM logs-* | STATS a = COUNT(*) BY source.ip | KEEP destination.port", "Unknown column"),
            ("FROM logs-* | STATS a = TO_LOWER(source.ip) BY source.ip", "no aggregation"),
            ("FROM logs-* | LOOKUP JOIN nothing ON source.ip", "no index"),
            ("FROM logs-* | WHEER source.ip IS NULL", "no command"),
            ("WHERE source.ip IS NULL", "begins with FROM"),
            ("FROM logs-* | WHERE destination.port == \"80\"", "different types")):
        try:
            esql.Evaluator([ours(table.A, 80)], types).run(esql.parse(query))
            check(False, "not refused:", query)
        except esql.Refused as error:
            check(sentence in str(error), query, "refused with", error)


def main():
    rules, _ = read_rules()
    types = field_types()
    queries = {name: esql.parse(rule["query"]) for name, rule in rules.items()
               if rule["type"] == "esql"}
    well_typed(queries, types)
    refused()
    over_vectors(queries["calculated-port-esql"], types)
    over_table(queries.pop("calculated-port-esql"), types)
    cases = over_scenarios(queries, types)
    told = over_captures(queries, rules, types)
    print("   %d scenarios; of captures %s" % (cases, told))
    finish()


if __name__ == "__main__":
    main()
