#!/usr/bin/python3
"""Kibana's saved objects: whole, and about fields that there are. No Kibana has seen them here.

Every reference leads to an object of the file, every text that holds JSON is JSON, every column that a
picture shows is defined and every field is mapped with a type that its operation can take, panels stand
side by side and nowhere on each other.
"""
import itertools
import json
import re
import sys

from checks import ELASTIC, check, finish, read_lines

sys.path.insert(0, str(ELASTIC / "source"))
import mappings  # noqa: E402

NUMBERS = {"max", "min", "median", "last_value"}


def view_of(thing, objects):
    """"logs" or "metrics": which data view it is about."""
    (found,) = [objects[r["type"], r["id"]] for r in thing["references"]
                if r["type"] == "index-pattern"]
    return found["attributes"]["title"].split("-")[0]


def check_query(name, query, types):
    for field in re.findall(r"([\w.@]+):", query):
        check(field in types, name, "asks for", field)


def check_lens(thing, types):
    name, state = thing["attributes"]["title"], thing["attributes"]["state"]
    (layer,) = state["datasourceStates"]["formBased"]["layers"].values()
    check(set(layer["columnOrder"]) == set(layer["columns"]), name, "orders other columns")
    buckets = [layer["columns"][c]["isBucketed"] for c in layer["columnOrder"]]
    for key, column in layer["columns"].items():
        field, operation = column["sourceField"], column["operationType"]
        check(operation == "count" or field in types, name, "shows", field)
        if operation in NUMBERS:
            check(types[field] in ("long", "double", "float", "date"), name, operation, "of", field)
        order = column.get("params", {}).get("orderBy", {}).get("columnId")
        check(order is None or order in layer["columns"], name, key, "is ordered by", order)
    shown = json.dumps(state["visualization"])
    for key in re.findall(r'"(?:columnId|xAccessor|splitAccessor|metricAccessor)": "(\w+)"', shown):
        check(key in layer["columns"], name, "shows a column", key)
    check(thing["attributes"]["visualizationType"] != "lnsXY" or buckets[0], name, "has no time")
    check_query(name, state["query"]["query"], types)
    (reference,) = thing["references"]
    check(reference["name"] == "indexpattern-datasource-layer-" +
          next(iter(state["datasourceStates"]["formBased"]["layers"])), name, reference["name"])


def check_search(thing, types):
    source = json.loads(thing["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    check(source["indexRefName"] in {r["name"] for r in thing["references"]}, "no index")
    check_query(thing["attributes"]["title"], source["query"]["query"], types)
    for field in thing["attributes"]["columns"]:
        check(field in types, thing["attributes"]["title"], "shows", field)


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and
            a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def check_dashboard(thing):
    name, attributes = thing["attributes"]["title"], thing["attributes"]
    json.loads(attributes["optionsJSON"])
    json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    panels = json.loads(attributes["panelsJSON"])
    references = {r["name"]: r for r in thing["references"]}
    used = set()
    for panel in panels:
        key = "%s:%s" % (panel["panelIndex"], panel["panelRefName"])
        check(references.get(key, {}).get("type") == panel["type"], name, "has no", key)
        used.add(key)
        for event in panel["embeddableConfig"].get("enhancements", {}).get(
                "dynamicActions", {}).get("events", []):
            key = "%s:drilldown:%s:%s:dashboardId" % (
                panel["panelIndex"], event["action"]["factoryId"], event["eventId"])
            check(references.get(key, {}).get("type") == "dashboard", name, "has no", key)
            used.add(key)
        check(panel["gridData"]["x"] + panel["gridData"]["w"] <= 48, name, "is too wide")
    check(used == set(references), name, "has references in vain:", set(references) - used)
    for one, other in itertools.combinations(panels, 2):
        check(not overlap(one["gridData"], other["gridData"]), name, "panels on each other")


def main():
    *things, last = read_lines(ELASTIC / "dashboard/portent.ndjson")
    objects = {(one["type"], one["id"]): one for one in things}
    check(len(objects) == len(things) == last["exportedCount"], "ids, or the count")
    types = mappings.field_types(ELASTIC)
    shown = set()
    for thing in things:
        for reference in thing["references"]:
            shown.add((reference["type"], reference["id"]))
            check((reference["type"], reference["id"]) in objects, "nothing is", reference)
        if thing["type"] == "lens":
            check_lens(thing, types[view_of(thing, objects)])
        elif thing["type"] == "search":
            check_search(thing, types[view_of(thing, objects)])
        elif thing["type"] == "dashboard":
            check_dashboard(thing)
    dashboards = {key for key in objects if key[0] == "dashboard"}
    check(set(objects) - shown <= dashboards, "stands on no dashboard:", set(objects) - shown - dashboards)
    finish()


if __name__ == "__main__":
    main()
