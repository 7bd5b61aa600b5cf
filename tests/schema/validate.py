#!/usr/bin/python3
"""Check NDJSON documents against the Elastic Common Schema.

    validate.py --schema ecs_flat-9.4.0.json [--custom fields.yml] [--counters counter.h]
                [--strict] [FILE ...]                             (standard input if no FILE)

For every document it reports ERROR lines for
  json        not one JSON object per line, duplicate keys, NaN, bad UTF-8, no final newline
  missing     @timestamp, ecs.version (the two fields ECS marks required)
  unknown     a field that is neither of ECS nor in --custom
  type        a value of the wrong Elasticsearch type
  array       an array where ECS does not normalise to array, or a scalar where it does
  allowed     a value outside allowed_values (event.kind, category, type, outcome, ...)
  expected    an event.type that no event.category expects; expected_values elsewhere
  pattern     a value that does not match the field's pattern (MAC addresses, ...)
  dotted      a key with a dot in it (ECS: fields are nested objects)
and WARN lines for
  category    an event.category none of whose expected event types is there
  protocol    category network and type protocol without network.protocol
  related     an address or host name of the document that related.ip or related.hosts lacks
  long        a keyword longer than its ignore_above: kept, not searchable
  date        a date without time zone, or finer than milliseconds; event.end before event.start
  version     ecs.version that is not the schema's
  stream      data_stream.* outside its rules, or not event.dataset
  empty       null, "", [] or {}: leave the field out instead
With --counters also: portent.stats.* of --custom are the names in counter.h, neither more nor less.
Exit status: 0 no errors (with --strict: no warnings either), 1 findings, 2 usage.
"""
import argparse
import datetime
import ipaddress
import json
import math
import re
import sys

import yaml

DATE = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
                  r"(Z|[+-]\d\d(?::?\d\d)?)?)?$")
BITS = {"long": 63, "integer": 31, "short": 15, "byte": 7}
TEXTS = {"keyword", "constant_keyword", "wildcard", "text", "match_only_text", "version"}
FLOATS = {"float", "double", "half_float", "scaled_float"}
CONTAINERS = {"object", "nested", "group"}
# Statistics that are no counters of the engine.
OTHERS = {"uptime", "memory.bytes", "capture.received", "capture.dropped",
          "capture.interface_dropped", "outcome.received", "outcome.dropped",
          "evidence.packets", "evidence.incomplete", "evidence.failed",
          "decode.errors", "dns.errors", "syn.preceded_share"}


def load_custom(path):
    """A fields.yml, nested lists of {name, type, fields, ...} -> {full name: definition}."""
    out = {}

    def walk(items, prefix):
        for item in items:
            name = prefix + item["name"]
            if item.get("type", "group") == "group":
                walk(item.get("fields", []), name + ".")
            else:
                out[name] = item

    with open(path, encoding="utf-8") as file:
        walk(yaml.safe_load(file), "")
    return out


class Checker:
    def __init__(self, schema, custom, version):
        self.fields = {**schema, **custom}
        self.version = version
        # Every proper beginning of a field's name is an object.
        self.objects = {name[:at] for name in self.fields
                        for at, character in enumerate(name) if character == "."}
        self.expected_types = {
            value["name"]: set(value.get("expected_event_types", []))
            for value in schema["event.category"]["allowed_values"]}

    def check(self, document):
        self.found, self.seen = [], {}
        self.walk(document, "")
        for name in ("@timestamp", "ecs.version"):
            if name not in self.seen:
                self.error("missing", name, "a required field is missing")
        self.categories()
        self.related()
        self.streams()
        self.span()
        return self.found

    def error(self, code, field, text):
        self.found.append(("ERROR", code, field, text))

    def warn(self, code, field, text):
        self.found.append(("WARN", code, field, text))

    # ---- one field after the other ----

    def walk(self, group, prefix):
        for key, value in group.items():
            name = prefix + key
            if "." in key:
                self.error("dotted", name, "the key has a dot in it")
            if value in (None, "", [], {}) and value is not False:
                self.warn("empty", name, "empty value %r" % (value,))
            if name in self.fields:
                self.field(name, self.fields[name], value)
            elif name in self.objects and isinstance(value, dict):
                self.walk(value, name + ".")
            else:
                self.error("unknown", name, "neither a field of ECS nor a custom one")

    def field(self, name, definition, value):
        listed = "array" in (definition.get("normalize") or [])
        if isinstance(value, list) and not listed and definition["type"] != "nested":
            self.error("array", name, "a list, where the field has one value")
        if listed and not isinstance(value, list):
            self.error("array", name, "one value, where the field has a list")
        values = value if isinstance(value, list) else [value]
        self.seen.setdefault(name, []).extend(values)
        for one in values:
            if definition["type"] in CONTAINERS:
                if isinstance(one, dict):
                    self.walk(one, name + ".")
                else:
                    self.error("type", name, "no object")
            else:
                self.value(name, definition, one)

    def value(self, name, definition, value):
        wanted = self.mismatch(name, definition["type"], value)
        if wanted:
            self.error("type", name, "%s must be %s, not %s"
                       % (definition["type"], wanted, json.dumps(value)[:80]))
            return
        allowed = [one["name"] for one in definition.get("allowed_values") or []]
        if allowed and value not in allowed:
            self.error("allowed", name, "%r is not one of %s" % (value, ", ".join(allowed)))
        expected = definition.get("expected_values")
        if expected and value not in expected:
            self.error("expected", name, "%r is not one of %s" % (value, ", ".join(expected)))
        if definition.get("pattern") and not re.search(definition["pattern"], str(value)):
            self.error("pattern", name, "%r does not match %s" % (value, definition["pattern"]))
        # Custom keywords are mapped with the limit that ECS gives its own.
        limit = definition.get("ignore_above", 1024 if definition["type"] == "keyword" else None)
        if limit and isinstance(value, str) and len(value) > limit:
            self.warn("long", name, "%d characters, of %d" % (len(value), limit))

    def mismatch(self, name, kind, value):
        """What the value should have been, None if it is."""
        if kind in TEXTS:
            return None if isinstance(value, str) else "a string"
        if kind == "boolean":
            return None if isinstance(value, bool) else "true or false"
        if kind in BITS:
            if isinstance(value, bool) or not isinstance(value, int):
                return "an integer"
            return None if -(1 << BITS[kind]) <= value < 1 << BITS[kind] else "in range"
        if kind in FLOATS:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return None if number and math.isfinite(value) else "a finite number"
        if kind == "ip":
            return None if is_address(value) else "an address"
        if kind in ("date", "date_nanos"):
            return self.date(name, kind, value)
        return "of a type that this program knows"

    def date(self, name, kind, value):
        match = DATE.match(value) if isinstance(value, str) else None
        if not match:
            return "an ISO 8601 date"
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        try:
            datetime.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0),
                              int(second or 0))
        except ValueError:
            return "a real date"
        if hour and not zone:
            self.warn("date", name, "no time zone in %r" % value)
        if kind == "date" and fraction and len(fraction) > 3:
            self.warn("date", name, "%r is finer than milliseconds" % value)
        return None

    # ---- rules over several fields ----

    def get(self, name):
        return [value for value in self.seen.get(name, []) if isinstance(value, (str, int))]

    def categories(self):
        categories, types = self.get("event.category"), self.get("event.type")
        known = [one for one in categories if one in self.expected_types]
        for one in types:
            if known and not any(one in self.expected_types[category] for category in known):
                self.error("expected", "event.type", "%r is of none of the categories" % one)
        if types and not categories:
            self.warn("category", "event.type", "event.type without event.category")
        for category in known:
            if not self.expected_types[category] & set(types):
                self.warn("category", "event.category", "%r has none of its types" % category)
        if "network" in categories and "protocol" in types and not self.get("network.protocol"):
            self.warn("protocol", "network.protocol", "missing, with event.type protocol")

    def related(self):
        related = set(self.get("related.ip"))
        for name in self.seen:
            data = name == "dns.answers.data"
            if name == "related.ip" or not (data or self.fields[name]["type"] == "ip"):
                continue
            for value in self.get(name):
                if is_address(value) and value not in related:
                    self.warn("related", "related.ip", "lacks %s of %s" % (value, name))
        related = set(self.get("related.hosts"))
        for name in ("destination.domain", "source.domain", "dns.question.name", "dns.answers.name",
                     "dns.answers.data", "observer.hostname", "host.name", "portent.dns.names",
                     "portent.dns.chain", "portent.rotation.names",
                     "portent.campaign.names"):
            for value in self.get(name):
                if not is_address(value) and value not in related:
                    self.warn("related", "related.hosts", "lacks %r of %s" % (value, name))
        for name in ("related.ip", "related.hosts"):
            if len(set(self.get(name))) != len(self.get(name)):
                self.warn("related", name, "has a value twice")

    def streams(self):
        for version in self.get("ecs.version"):
            if version != self.version:
                self.warn("version", "ecs.version", "%s, of a schema %s" % (version, self.version))
        for part in ("dataset", "namespace"):
            for value in self.get("data_stream." + part):
                if not re.fullmatch(r'[^\\/*?"<>| ,#:\-A-Z]{1,100}', value):
                    self.error("stream", "data_stream." + part, "%r is no such name" % value)
        if self.get("data_stream.dataset") != self.get("event.dataset"):
            self.warn("stream", "event.dataset", "is not data_stream.dataset")

    def span(self):
        start, end = self.get("event.start"), self.get("event.end")
        if start and end and start > end:
            self.warn("date", "event.end", "earlier than event.start")


def is_address(value):
    try:
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def no_duplicates(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key stands twice among %s" % ", ".join(key for key, _ in pairs))
    return out


def no_constant(text):
    raise ValueError("%s is not JSON" % text)


def documents(raw):
    """(line number, document or error) of NDJSON octets."""
    if raw and not raw.endswith(b"\n"):
        yield 0, ValueError("the last line has no end")
    for number, line in enumerate(raw.removesuffix(b"\n").split(b"\n") if raw else [], 1):
        try:
            document = json.loads(line.decode("utf-8"), object_pairs_hook=no_duplicates,
                                  parse_constant=no_constant)
            if not isinstance(document, dict):
                raise ValueError("not an object")
            yield number, document
        except ValueError as error:
            yield number, error


def check_counters(path, custom):
    """Is every counter a custom field, and every custom field of the statistics a counter?"""
    with open(path, encoding="utf-8") as file:
        counters = set(re.findall(r'X\(\w+, "([a-z0-9_.]+)",', file.read()))
    prefix = "portent.stats."
    fields = {name[len(prefix):] for name in custom if name.startswith(prefix)} - OTHERS
    fields = {name for name in fields if not name.startswith(("output", "allow."))}
    for name in sorted(counters - fields):
        yield 0, ("ERROR", "unknown", prefix + name, "a counter that --custom does not have")
    for name in sorted(fields - counters):
        yield 0, ("ERROR", "unknown", prefix + name, "a field that no counter has")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", required=True, help="ecs_flat-VERSION.json")
    parser.add_argument("--custom", help="fields.yml")
    parser.add_argument("--counters", help="counter.h")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()

    with open(arguments.schema, encoding="utf-8") as file:
        schema = json.load(file)
    custom = load_custom(arguments.custom) if arguments.custom else {}
    version = re.search(r"\d+\.\d+\.\d+", arguments.schema)
    checker = Checker(schema, custom, version and version[0])
    count, severities = 0, []

    def report(name, line, finding):
        severities.append(finding[0])
        print("%s:%d: %s %s %s: %s" % (name, line, *finding))

    if arguments.counters:
        for line, finding in check_counters(arguments.counters, custom):
            report(arguments.counters, line, finding)
    for name in arguments.files or ["-"]:
        raw = sys.stdin.buffer.read() if name == "-" else open(name, "rb").read()
        for line, document in documents(raw):
            count += 1
            if isinstance(document, ValueError):
                report(name, line, ("ERROR", "json", "", str(document)))
                continue
            for finding in checker.check(document):
                report(name, line, finding)
    errors = severities.count("ERROR")
    print("%d documents, %d errors, %d warnings" % (count, errors, len(severities) - errors),
          file=sys.stderr)
    return 1 if errors or (arguments.strict and severities) else 0


if __name__ == "__main__":
    sys.exit(main())
