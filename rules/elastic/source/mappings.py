"""Component and index templates, and lifecycles, from fields.yml and ecs.yml."""
import json

import yaml

# How long documents are kept: what an analyst goes back to, the evidence around it, and what is
# worth nothing once its window has passed.
RETENTION = {"logs": "90d", "metrics": "30d", "expectation": "2d"}
META = {"managed_by": "portent", "made_by": "rules/elastic/make"}
# What the ingest pipeline adds: rules and lifecycle ask for it.
PIPELINE_FIELDS = {"event.ingested": "date"}
# One data stream has one value of these.
CONSTANT = {"data_stream.type", "data_stream.dataset", "data_stream.namespace"}


def custom_fields(path):
    """{full name: definition} of a fields.yml."""
    out = {}

    def walk(items, prefix):
        for item in items:
            name = prefix + item["name"]
            if item.get("type", "group") == "group":
                walk(item.get("fields", []), name + ".")
            else:
                out[name] = item

    walk(yaml.safe_load(path.read_text(encoding="utf-8")), "")
    return out


def field_types(here):
    """{"logs": {field: type}, "metrics": {field: type}}."""
    custom = {name: item["type"] for name, item in custom_fields(here / "fields.yml").items()}
    ecs = yaml.safe_load((here / "ecs.yml").read_text(encoding="utf-8"))
    types = {name: kind for kind, names in ecs["types"].items() for name in names}
    logs = {**types, **{n: t for n, t in custom.items() if not n.startswith("portent.stats.")}}
    metrics = {name: types[name] for name in ecs["metrics"]}
    metrics.update({n: t for n, t in custom.items() if n.startswith("portent.stats.")})
    return {"logs": {**logs, **PIPELINE_FIELDS}, "metrics": {**metrics, **PIPELINE_FIELDS}}


def mapping(name, kind):
    if name in CONSTANT:
        return {"type": "constant_keyword"}
    if kind == "keyword":
        return {"type": kind, "ignore_above": 1024}
    return {"type": kind}


def properties(types):
    """A tree of mappings. An object that is a list stands as the fields it holds."""
    root = {"properties": {}}
    for name in sorted(types):
        if types[name] == "object":
            continue
        at = root
        *parents, last = name.split(".")
        for parent in parents:
            at = at["properties"].setdefault(parent, {"properties": {}})
        at["properties"][last] = mapping(name, types[name])
    return root["properties"]


def component(description, template):
    return {"template": template, "_meta": {"description": description, **META}}


def index_template(pattern, components, priority, retention):
    kind = pattern.split("-")[0]
    custom = "%s-portent@custom" % kind
    return {
        "index_patterns": [pattern],
        "priority": priority,
        "data_stream": {},
        "composed_of": components + ["ecs@mappings", custom],
        "ignore_missing_component_templates": ["ecs@mappings", custom],
        "template": {"lifecycle": {"data_retention": retention}},
        "_meta": {"description": "Data streams %s of the sensor portent" % pattern, **META},
    }


def lifecycle(retention):
    """The same for those who run index lifecycle management: hot, then gone."""
    return {"policy": {"phases": {
        "hot": {"min_age": "0ms",
                "actions": {"rollover": {"max_age": "7d", "max_primary_shard_size": "50gb"}}},
        "delete": {"min_age": retention, "actions": {"delete": {}}}},
        "_meta": dict(META)}}


def text(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def make(here, _rules):
    types = field_types(here)
    with_pipeline = {"settings": {"index": {"default_pipeline": "portent",
                                            "codec": "best_compression"}}}
    logs, metrics = ["portent-logs@mappings", "portent-logs@settings"], \
        ["portent-metrics@mappings", "portent-metrics@settings"]
    files = {
        "component_template/portent-logs@mappings.json": component(
            "Fields of what portent found and saw",
            {"mappings": {"date_detection": False, "properties": properties(types["logs"])}}),
        "component_template/portent-logs@settings.json": component(
            "Settings of what portent found and saw", with_pipeline),
        "component_template/portent-metrics@mappings.json": component(
            "Fields of what portent counted",
            {"mappings": {"date_detection": False, "properties": properties(types["metrics"])}}),
        "component_template/portent-metrics@settings.json": component(
            "Settings of what portent counted", with_pipeline),
        "index_template/logs-portent.json": index_template(
            "logs-portent.*-*", logs, 200, RETENTION["logs"]),
        "index_template/logs-portent.expectation.json": index_template(
            "logs-portent.expectation-*", logs, 210, RETENTION["expectation"]),
        "index_template/metrics-portent.json": index_template(
            "metrics-portent.*-*", metrics, 200, RETENTION["metrics"]),
        "ilm/portent.json": lifecycle(RETENTION["logs"]),
    }
    return {name: text(value) for name, value in files.items()}
