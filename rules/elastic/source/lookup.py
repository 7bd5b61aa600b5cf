"""The lookup index of expectations, and the transform that keeps it, for joins of ES|QL."""
import mappings

NAME = "portent-expected"
# What a connection is looked up by, and what is known of each then.
KEYS = ["source.ip", "portent.expected.ip", "portent.expected.port", "portent.expected.relation",
        "rule.id", "dns.question.name"]
START, END = "portent.expected.start", "portent.expected.end"
# Only from when to when an expectation holds is in no document under that name.
OWN = {START: "date", END: "date"}


def make(here, _rules):
    types = {**mappings.field_types(here)["logs"], **OWN}
    index = {
        "settings": {"index": {"mode": "lookup"}},
        "mappings": {"dynamic": False, "_meta": mappings.META,
                     "properties": mappings.properties({name: types[name] for name in [*KEYS, *OWN]})},
    }
    transform = {
        "description": "Where a client would connect that calculates (T1568.003), while it counts",
        "source": {"index": ["logs-portent.expectation-*"], "query": {"bool": {"filter": [
            {"exists": {"field": "portent.expected.ip"}},
            {"exists": {"field": "portent.expected.port"}}]}}},
        "dest": {"index": NAME},
        "pivot": {
            "group_by": {name: {"terms": {"field": name}} for name in KEYS},
            "aggregations": {START: {"min": {"field": "event.start"}},
                             END: {"max": {"field": "event.end"}}}},
        "frequency": "30s",
        "sync": {"time": {"field": "event.ingested", "delay": "30s"}},
        "retention_policy": {"time": {"field": END, "max_age": "2h"}},
        "_meta": mappings.META,
    }
    return {"lookup/index/%s.json" % NAME: mappings.text(index),
            "lookup/transform/%s.json" % NAME: mappings.text(transform)}
