"""Ingest pipelines, the hooks that integrations call, and runtime fields."""
import mappings

# Data streams whose events carry connections (calculated-port) or DNS answers (expected-port).
CONNECTIONS = "calculated-port"
ANSWERS = "expected-port"
STREAMS = {
    "endpoint.events.network": [CONNECTIONS, ANSWERS],
    "m365_defender.event": [CONNECTIONS],
    "network_traffic.dns": [ANSWERS],
    "network_traffic.flow": [CONNECTIONS],
    "suricata.eve": [CONNECTIONS, ANSWERS],
    "windows.sysmon_operational": [CONNECTIONS, ANSWERS],
    "zeek.connection": [CONNECTIONS],
    "zeek.dns": [ANSWERS],
}
# Web ports: so much goes there that a port which equals a formula's says nothing.
WEB = [80, 443]


def on_failure(name):
    return [{"append": {"field": "error.message",
                        "value": name + ": {{{ _ingest.on_failure_message }}}"}}]


def script(here, name, condition, params=None):
    source = "".join((here / "source" / part).read_text(encoding="utf-8")
                     for part in ("octets.painless", name + ".painless"))
    processor = {"lang": "painless", "tag": name, "if": condition, "source": source,
                 "on_failure": on_failure(name)}
    if params:
        processor["params"] = params
    return {"script": processor}


def own():
    """What our documents pass: a second copy of a document becomes the same document."""
    return {
        "description": "Documents of the sensor portent",
        "processors": [
            {"set": {"field": "event.ingested", "value": "{{{_ingest.timestamp}}}",
                     "override": False}},
            {"set": {"field": "_id", "copy_from": "event.id", "ignore_empty_value": True,
                     "if": "ctx._id == null && ctx.event?.id != null"}},
            {"pipeline": {"name": "portent@custom", "ignore_missing_pipeline": True}},
        ],
        "on_failure": [{"set": {"field": "event.kind", "value": "pipeline_error"}}]
        + on_failure("portent"),
        "_meta": mappings.META,
    }


def pipeline(description, processors):
    return {"description": description, "processors": processors, "_meta": mappings.META}


def runtime(here):
    read = lambda name: (here / "source" / name).read_text(encoding="utf-8")  # noqa: E731
    start = read("octets.painless") + read("runtime.painless")
    return {
        "destination.calculated_port_apt12": {
            "type": "long", "script": {"source": start + "emit((long) apt12);\n"}},
        "destination.calculated_port_variant": {
            "type": "long", "script": {"source": start + "emit((long) variant);\n"}},
        "destination.calculated_port_match": {
            "type": "keyword", "script": {"source": start + read("runtime-match.painless")}},
    }


def hook_mappings(here, parts):
    """The fields that a hook adds, for the data stream's own @custom component template."""
    custom = mappings.custom_fields(here / "fields.yml")
    prefixes = {CONNECTIONS: "destination.calculated_port_", ANSWERS: "portent.expected."}
    wanted = {name: item["type"] for name, item in custom.items()
              if any(name.startswith(prefixes[part]) for part in parts)}
    return mappings.component("Fields that portent's pipelines add",
                              {"mappings": {"properties": mappings.properties(wanted)}})


def make(here, rules):
    never = sorted({port for rule in rules if "port" in rule
                    for port in rule.get("limits", {}).get("exclude_ports", [])} | set(WEB))
    files = {
        "ingest_pipeline/portent.json": own(),
        "ingest_pipeline/calculated-port.json": pipeline(
            "Adds destination.calculated_port_* to an event with an IPv4 destination (T1568.003)",
            [script(here, CONNECTIONS, "ctx.destination?.ip != null")]),
        "ingest_pipeline/expected-port.json": pipeline(
            "Adds portent.expected.*: where a client would connect that calculates (T1568.003)",
            [script(here, ANSWERS, "ctx.dns?.resolved_ip != null", {"never": never})]),
        "runtime/calculated-port.json": {"runtime": runtime(here)},
    }
    for stream, parts in STREAMS.items():
        name = "logs-%s@custom.json" % stream
        files["hooks/ingest_pipeline/" + name] = pipeline(
            "Hook of %s: portent's pipelines" % stream,
            [{"pipeline": {"name": part, "ignore_missing_pipeline": True}} for part in parts])
        files["hooks/component_template/" + name] = hook_mappings(here, parts)
    return {name: mappings.text(value) for name, value in files.items()}
