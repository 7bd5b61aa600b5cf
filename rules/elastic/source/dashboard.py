"""Kibana saved objects: two data views, the visualizations over them, and two dashboards."""
import json
import uuid

# Ids that stay the same each time, so that importing again replaces and does not double.
SPACE = uuid.UUID("5b1c8f5e-6a3b-5d7c-9f64-7d1c3c0a5e10")
LOGS, METRICS = "logs-portent.*", "metrics-portent.*"
LAYER = "layer"


def name_id(name):
    return str(uuid.uuid5(SPACE, name))


def reference(name, kind, identity):
    return {"name": name, "type": kind, "id": identity}


def saved(kind, name, attributes, references=()):
    return {"type": kind, "id": name_id(kind + ":" + name), "attributes": attributes,
            "references": list(references), "coreMigrationVersion": "8.8.0"}


def data_view(pattern, name):
    return saved("index-pattern", pattern, {"title": pattern, "name": name,
                                            "timeFieldName": "@timestamp"})


# ---- columns of Lens ----

def by_time():
    return {"label": "@timestamp", "dataType": "date", "operationType": "date_histogram",
            "sourceField": "@timestamp", "isBucketed": True, "scale": "interval",
            "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False}}


def top(field, size, order, kind="string"):
    return {"label": field, "dataType": kind, "operationType": "terms", "sourceField": field,
            "isBucketed": True, "scale": "ordinal",
            "params": {"size": size, "orderBy": {"type": "column", "columnId": order},
                       "orderDirection": "desc", "otherBucket": True, "missingBucket": False,
                       "parentFormat": {"id": "terms"}}}


def count():
    return {"label": "Count", "dataType": "number", "operationType": "count", "isBucketed": False,
            "scale": "ratio", "sourceField": "___records___", "params": {"emptyAsNull": True}}


def value(operation, field, label, kind="number"):
    return {"label": label, "dataType": kind, "operationType": operation, "sourceField": field,
            "isBucketed": False, "scale": "ratio", "customLabel": True,
            "params": {"emptyAsNull": True}}


def last(field, label):
    return {"label": label, "dataType": "number", "operationType": "last_value",
            "sourceField": field, "isBucketed": False, "scale": "ratio", "customLabel": True,
            "params": {"sortField": "@timestamp"},
            "filter": {"language": "kuery", "query": field + ": *"}}


def lens(name, pattern, kind, columns, visualization, query):
    state = {
        "visualization": visualization,
        "query": {"language": "kuery", "query": query},
        "filters": [],
        "datasourceStates": {"formBased": {"layers": {LAYER: {
            "columns": columns, "columnOrder": list(columns), "incompleteColumns": {}}}}},
        "internalReferences": [],
        "adHocDataViews": {},
    }
    return saved("lens", name, {"title": name, "description": "", "visualizationType": kind,
                                "state": state},
                 [reference("indexpattern-datasource-layer-" + LAYER, "index-pattern",
                            name_id("index-pattern:" + pattern))])


def over_time(name, pattern, columns, query, shape="bar_stacked", split=None):
    values = [key for key, column in columns.items() if not column["isBucketed"]]
    layer = {"layerId": LAYER, "layerType": "data", "seriesType": shape, "xAccessor": "time",
             "accessors": values}
    if split:
        layer["splitAccessor"] = split
    return lens(name, pattern, "lnsXY", columns, {
        "legend": {"isVisible": True, "position": "right"}, "preferredSeriesType": shape,
        "valueLabels": "hide", "layers": [layer]}, query)


def table(name, pattern, columns, query):
    return lens(name, pattern, "lnsDatatable", columns, {
        "layerId": LAYER, "layerType": "data",
        "columns": [{"columnId": key} for key in columns]}, query)


def metric(name, pattern, column, query):
    return lens(name, pattern, "lnsMetric", {"value": column}, {
        "layerId": LAYER, "layerType": "data", "metricAccessor": "value"}, query)


def search(name, pattern, query, columns):
    source = {"query": {"language": "kuery", "query": query}, "filter": [],
              "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index"}
    return saved("search", name, {
        "title": name, "description": "", "columns": columns, "sort": [["@timestamp", "desc"]],
        "grid": {}, "hideChart": True,
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)}},
        [reference("kibanaSavedObjectMeta.searchSourceJSON.index", "index-pattern",
                   name_id("index-pattern:" + pattern))])


# ---- dashboards ----

def drilldown(target):
    """A click on a value opens the other dashboard, filtered by it."""
    event = name_id("drilldown:" + target)
    action = {"factoryId": "DASHBOARD_TO_DASHBOARD_DRILLDOWN", "name": target,
              "config": {"useCurrentFilters": True, "useCurrentDateRange": True,
                         "openInNewTab": False}}
    return event, {"enhancements": {"dynamicActions": {"events": [
        {"eventId": event, "triggers": ["FILTER_TRIGGER"], "action": action}]}}}


def dashboard(name, description, rows, leads_to=None):
    """`rows` is a list of (height, [(width, object, whether a click leads on)])."""
    panels, references, y = [], [], 0
    for height, row in rows:
        x = 0
        for width, what, leads in row:
            index = str(len(panels) + 1)
            panel = {"type": what["type"], "panelIndex": index, "embeddableConfig": {},
                     "panelRefName": "panel_" + index,
                     "gridData": {"x": x, "y": y, "w": width, "h": height, "i": index}}
            references.append(reference("%s:panel_%s" % (index, index), what["type"], what["id"]))
            if leads and leads_to:
                event, panel["embeddableConfig"] = drilldown(leads_to)
                references.append(reference(
                    "%s:drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:%s:dashboardId" % (index, event),
                    "dashboard", name_id("dashboard:" + leads_to)))
            panels.append(panel)
            x += width
        y += height
    return saved("dashboard", name, {
        "title": name, "description": description, "timeRestore": False, "version": 1,
        "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
        "panelsJSON": json.dumps(panels),
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(
            {"query": {"language": "kuery", "query": ""}, "filter": []})}}, references)


def shares(name):
    """A share from 0 to 1, by the sensor that reports it."""
    return {"time": by_time(), "sensor": top("observer.name", 10, "sight"),
            "sight": last(name, "Share of eligible SYNs that an answer preceded")}


def make(_here, _rules):
    alerts = 'event.kind: "alert"'
    matches = 'event.action: "dns_calculation_port_match"'
    evidence_name, main_name = "portent: evidence of one client", "portent: DNS Calculation"
    severity = value("max", "event.severity", "Highest severity")
    packets = {"time": by_time(), "sensor": top("observer.name", 10, "packets"),
               "packets": value("max", "portent.stats.capture.packets", "Packets since the start")}
    lost = {"time": by_time(), "sensor": top("observer.name", 10, "lost"),
            "lost": value("max", "portent.stats.capture.dropped", "Packets lost by the capture")}
    outcomes, reports = 'event.action: "connection_outcome"', 'event.action: "visibility_report"'
    parts = {
        "count": metric("portent alerts", LOGS, count(), alerts),
        "worst": metric("portent highest severity", LOGS, severity, alerts),
        "clients": metric("portent clients with alerts", LOGS,
                          value("unique_count", "source.ip", "Clients"), alerts),
        "verdict": over_time("portent alerts by verdict", LOGS, {
            "time": by_time(), "verdict": top("portent.verdict", 5, "count"), "count": count()},
            alerts, split="verdict"),
        "rule": over_time("portent alerts by rule", LOGS, {
            "time": by_time(), "rule": top("rule.id", 10, "count"), "count": count()}, alerts,
            split="rule"),
        "client": table("portent top clients", LOGS, {
            "client": top("source.ip", 20, "count", "ip"), "count": count(), "severity": severity},
            alerts),
        "name": table("portent top names", LOGS, {
            "name": top("dns.question.name", 20, "count"), "count": count(),
            "clients": value("unique_count", "source.ip", "Clients")}, alerts),
        "destination": table("portent top destinations", LOGS, {
            "ip": top("destination.ip", 20, "count", "ip"),
            "port": top("destination.port", 5, "count", "number"), "count": count(),
            "clients": value("unique_count", "source.ip", "Clients")}, matches),
        "chance": table("portent chance of luck", LOGS, {
            "rule": top("rule.id", 10, "count"), "count": count(),
            "least": value("min", "portent.chance", "Least chance"),
            "median": value("median", "portent.chance", "Median chance"),
            "most": value("max", "portent.chance", "Greatest chance")}, matches),
        "alerts": search("portent alerts, newest first", LOGS, alerts, [
            "event.severity", "portent.verdict", "source.ip", "destination.ip", "destination.port",
            "dns.question.name", "event.reason"]),
        "packets": over_time("portent packets", METRICS, packets, 'event.kind: "metric"', "line",
                             "sensor"),
        "lost": over_time("portent packets lost", METRICS, lost, 'event.kind: "metric"', "line",
                          "sensor"),
        "sight": over_time("portent eyesight", METRICS, shares("portent.stats.syn.preceded_share"),
                           'event.kind: "metric"', "line", "sensor"),
        "seen_by_day": over_time("portent eyesight by report", LOGS,
                                 shares("portent.visibility.preceded_share"), reports, "line", "sensor"),
        "blind": table("portent blind spots", LOGS, {
            "sensor": top("observer.name", 20, "silent"),
            "silent": value("max", "portent.visibility.silent_clients", "Clients never seen to resolve"),
            "encrypted": value("max", "portent.visibility.encrypted_clients",
                               "Clients of an encrypted resolver"),
            "unasked": value("max", "portent.visibility.unasked", "Answers whose query was not seen"),
            "forgotten": value("max", "portent.visibility.forgotten", "Clients that gave way")}, reports),
        "outcome": over_time("portent outcomes", LOGS, {
            "time": by_time(), "state": top("portent.outcome.state", 5, "count"), "count": count()},
            outcomes, split="state"),
        "campaign": table("portent campaigns", LOGS, {
            "what": top("portent.campaign.value", 20, "clients"),
            "clients": value("unique_count", "portent.campaign.clients", "Clients"),
            "seen": value("max", "@timestamp", "Last seen", "date")},
            'event.action: "dns_calculation_campaign"'),
        "outcomes": search("portent outcomes of alerts", LOGS, outcomes, [
            "portent.outcome.state", "portent.outcome.end", "source.ip", "destination.ip",
            "destination.port", "source.bytes", "destination.bytes", "portent.alert.id"]),
        "seen": table("portent sensors", METRICS, {
            "sensor": top("observer.name", 50, "seen"),
            "seen": value("max", "@timestamp", "Last heard of", "date"),
            "version": top("observer.version", 3, "seen"),
            "dropped": value("max", "portent.stats.output.dropped.disk_full", "Lost, disk full"),
            "down": value("max", "portent.stats.output.dropped.peer_down", "Lost, nobody reads")},
            'event.kind: "metric"'),
        "answers": search("portent answers", LOGS, 'event.dataset: "portent.dns"', [
            "source.ip", "dns.question.name", "dns.resolved_ip", "dns.response_code"]),
        "connections": search("portent connections", LOGS, 'event.dataset: "portent.connection"', [
            "source.ip", "destination.ip", "destination.port", "destination.domain",
            "destination.calculated_port_match", "network.community_id"]),
        "evidence": search("portent alerts with their evidence", LOGS, alerts, [
            "event.reason", "portent.arithmetic", "portent.chance", "portent.dns.answered_at",
            "portent.dns.names", "network.community_id", "portent.evidence.file", "portent.pcap.file",
            "portent.packet.number", "event.id"]),
    }
    p = parts
    objects = [data_view(LOGS, "portent: what it found"),
               data_view(METRICS, "portent: what it counted"), *parts.values(),
               dashboard(evidence_name, "What is known of a client: filter by source.ip.", [
                   (16, [(48, p["evidence"], False)]), (10, [(48, p["outcomes"], False)]),
                   (16, [(48, p["answers"], False)]), (16, [(48, p["connections"], False)])]),
               dashboard(main_name, "What the sensors found, and how well they see.", [
                   (6, [(16, p["count"], False), (16, p["worst"], False),
                        (16, p["clients"], False)]),
                   (12, [(24, p["verdict"], False), (24, p["rule"], False)]),
                   (14, [(16, p["client"], True), (16, p["name"], True),
                         (16, p["destination"], True)]),
                   (10, [(24, p["chance"], False), (24, p["campaign"], False)]),
                   (10, [(48, p["outcome"], False)]), (18, [(48, p["alerts"], False)]),
                   (12, [(24, p["packets"], False), (24, p["lost"], False)]),
                   (12, [(24, p["sight"], False), (24, p["seen"], False)]),
                   (12, [(24, p["seen_by_day"], False), (24, p["blind"], False)])], evidence_name)]
    lines = [json.dumps(one, ensure_ascii=False) for one in objects]
    lines.append(json.dumps({"exportedCount": len(objects), "missingRefCount": 0,
                             "missingReferences": []}))
    return {"dashboard/portent.ndjson": "\n".join(lines) + "\n"}
