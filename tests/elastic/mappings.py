#!/usr/bin/python3
"""Templates against documents: each field that is written is mapped as what it is, and no other.

The types of ECS fields are compared with the published schema. A value is what Elasticsearch would take
for the type without changing it: a long is no text, an ip is an address.
"""
import ipaddress
import json
import os
import re
import subprocess
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from checks import ELASTIC, check, documents, finish, leaves

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def is_address(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


FITS = {
    "keyword": lambda v: isinstance(v, str) and len(v) <= 1024,
    "constant_keyword": lambda v: isinstance(v, str),
    "match_only_text": lambda v: isinstance(v, str),
    "ip": lambda v: isinstance(v, str) and is_address(v),
    "long": is_whole,
    "double": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "float": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "date": lambda v: isinstance(v, str) and bool(DATE.fullmatch(v)),
}


def read(name):
    return json.loads((ELASTIC / name).read_text(encoding="utf-8"))


def mapped(name):
    """{field: mapping} of a component template."""
    out = {}

    def walk(properties, prefix):
        for key, value in properties.items():
            if "properties" in value:
                walk(value["properties"], prefix + key + ".")
            else:
                out[prefix + key] = value
    walk(read("component_template/%s.json" % name)["template"]["mappings"]["properties"], "")
    return out


def committed():
    """The tree holds what the script makes of it now, and nothing that it no longer makes."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ELASTIC / "make", folder], check=True)
        made = {p.relative_to(folder): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
    for name, content in made.items():
        is_there = (ELASTIC / name).is_file() and (ELASTIC / name).read_bytes() == content
        check(is_there, "rules/elastic/%s is not what it should be: run rules/elastic/make" % name)
    folders = {name.parent for name in made if name.parent != Path(".")}
    for folder in folders:
        for path in (ELASTIC / folder).iterdir():
            if path.is_file():
                check(path.relative_to(ELASTIC) in made,
                      "%s is made by nothing" % path.relative_to(ELASTIC))


def template_for(stream):
    """The index template that a data stream's name gets, as Elasticsearch chooses it."""
    best = None
    for path in sorted((ELASTIC / "index_template").glob("*.json")):
        template = read("index_template/" + path.name)
        if any(fnmatch(stream, pattern) for pattern in template["index_patterns"]):
            if not best or template["priority"] > best["priority"]:
                best = template
    return best


def by_documents(fields):
    """Each value fits its field; returns {component: fields that were seen}."""
    seen, streams, wrong = {name: set() for name in fields}, {}, set()
    for source, document in documents():
        stream = document["data_stream"]
        name = "%(type)s-%(dataset)s-%(namespace)s" % stream
        if name not in streams:
            streams[name] = template_for(name)
            check(streams[name], "no index template for", name)
        component = streams[name]["composed_of"][0]
        for field, value in leaves(document):
            seen[component].add(field)
            mapping = fields[component].get(field)
            if not mapping:
                wrong.add("%s: %s is not mapped in %s" % (source, field, component))
            elif not FITS[mapping["type"]](value):
                wrong.add("%s: %s is %s, not %r" % (source, field, mapping["type"], value))
    check(not wrong, "\n".join(sorted(wrong)))
    check(len(streams) >= 4, "only the data streams", sorted(streams))
    return seen


def pipeline_fields():
    """What the pipelines of ours set, beside what documents have."""
    out = set()
    for path in (ELASTIC / "ingest_pipeline").glob("*.json"):
        for processor in json.loads(path.read_text(encoding="utf-8"))["processors"]:
            for kind in ("set", "append"):
                out.add(processor.get(kind, {}).get("field"))
    return out


def by_schema(fields):
    schema = json.loads(Path(os.environ["BUILD"], "schema", "ecs_flat-9.4.0.json").read_text())
    for component, names in fields.items():
        for name, mapping in names.items():
            ecs = schema.get(name)
            if not ecs:
                continue
            kind = "keyword" if mapping["type"] == "constant_keyword" else mapping["type"]
            wanted = "keyword" if ecs["type"] == "constant_keyword" else ecs["type"]
            check(kind == wanted, "%s: %s is %s, in ECS %s" % (component, name, kind, wanted))


def main():
    fields = {name: mapped(name) for name in ("portent-logs@mappings", "portent-metrics@mappings")}
    committed()
    seen = by_documents(fields)
    added = pipeline_fields()
    for component, names in fields.items():
        vain = set(names) - seen[component] - added
        check(not vain, "%s maps what no document has: %s" % (component, ", ".join(sorted(vain))))
    by_schema(fields)
    finish()


if __name__ == "__main__":
    main()
