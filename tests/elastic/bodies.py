#!/usr/bin/python3
"""Every body that is sent to Elasticsearch, held to the types of its own client (TypeScript).

One file is made of all templates, pipelines, mappings and queries, each `satisfies` the request that
carries it, and checked by tsc. That the check can fail is shown by spoiling one word of each kind.
"""
import json
import os
import re
import subprocess
from pathlib import Path

from checks import ELASTIC, WORK, check, finish, read_lines

NODE = Path(os.environ["BUILD"], "elastic")
# Folder: the request, and the key that its name goes into.
REQUESTS = {
    "component_template": ("ClusterPutComponentTemplateRequest", "name"),
    "hooks/component_template": ("ClusterPutComponentTemplateRequest", "name"),
    "index_template": ("IndicesPutIndexTemplateRequest", "name"),
    "ingest_pipeline": ("IngestPutPipelineRequest", "id"),
    "hooks/ingest_pipeline": ("IngestPutPipelineRequest", "id"),
    "ilm": ("IlmPutLifecycleRequest", "name"),
    "runtime": ("IndicesPutMappingRequest", "index"),
    "lookup/index": ("IndicesCreateRequest", "index"),
    "lookup/transform": ("TransformPutTransformRequest", "transform_id"),
}
# A word of each kind of body, and what is no such word.
SPOILT = {
    "ClusterPutComponentTemplateRequest": ('"type": "long"', '"type": "lnog"'),
    "IndicesPutIndexTemplateRequest": ('"priority"', '"prioritty"'),
    "IngestPutPipelineRequest": ('"processors"', '"procesors"'),
    "IlmPutLifecycleRequest": ('"rollover"', '"rolover"'),
    "IndicesCreateRequest": ('"type": "ip"', '"type": "ipp"'),
    "TransformPutTransformRequest": ('"retention_policy"', '"retension_policy"'),
    "IndicesPutMappingRequest": ('"script"', '"scrpt"'),
    "SecurityCreateApiKeyRequest": ('"role_descriptors"', '"role_descripters"'),
    "EqlSearchRequest": ('"tiebreaker_field"', '"tie_breaker_field"'),
    "EsqlQueryRequest": ('"query"', '"qeury"'),
}


def bodies():
    """(request, body) of all that is sent."""
    for folder, (request, key) in REQUESTS.items():
        for path in sorted((ELASTIC / folder).glob("*.json")):
            yield request, {key: path.stem, **json.loads(path.read_text(encoding="utf-8"))}
    yield "SecurityCreateApiKeyRequest", json.loads((ELASTIC / "api-key.json").read_text(encoding="utf-8"))
    for rule in read_lines(ELASTIC / "detection/rules.ndjson")[:-1]:
        if rule["type"] == "eql":
            yield "EqlSearchRequest", {
                "index": rule["index"], "query": rule["query"], "size": rule["max_signals"],
                "event_category_field": "event.category", "timestamp_field": "@timestamp",
                "tiebreaker_field": rule.get("tiebreaker_field", "event.sequence")}
        elif rule["type"] == "esql":
            yield "EsqlQueryRequest", {"query": rule["query"]}


def compiled(name, texts):
    """Lines of errors of tsc over (request, literal)."""
    folder = WORK / name
    folder.mkdir()
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    lines = ['import type { estypes } from "@elastic/elasticsearch";']
    for i, (request, text) in enumerate(texts):
        lines.append("export const body%d = %s satisfies estypes.%s;" % (i, text, request))
    (folder / "bodies.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "tsconfig.json").write_text(json.dumps({
        "compilerOptions": {"strict": True, "noEmit": True, "skipLibCheck": True, "module": "nodenext",
                            "moduleResolution": "nodenext", "target": "es2022", "types": []},
        "files": ["bodies.ts"]}))
    done = subprocess.run(["node", "node_modules/typescript/bin/tsc", "-p", "."], cwd=folder,
                          capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def privileges():
    """Every privilege that we name, to a machine or to a reader, is one; the types take any text there."""
    types = (NODE / "node_modules/@elastic/elasticsearch/lib/api/types.d.ts").read_text(encoding="utf-8")
    known = {kind: set(re.findall("'(\\w+)'", re.search("type Security%sPrivilege = ([^;]*)" % kind,
                                                       types).group(1))) for kind in ("Cluster", "Index")}
    role = json.loads((ELASTIC / "api-key.json").read_text())["role_descriptors"]["portent-shipper"]
    check(set(role["cluster"]) <= known["Cluster"], "no privilege:", role["cluster"])
    for index in role["indices"]:
        check(set(index["privileges"]) <= known["Index"], "no privilege:", index["privileges"])
    text = (ELASTIC / "README.md").read_text()
    named = set(re.findall(r"\bmanage_\w+", text))
    check(len(named) >= 5 and named <= known["Cluster"], "README: no privilege:", named - known["Cluster"])
    for name in re.findall(r"[A-Z]\w* (?:need|read)s? `(\w+)` and `(\w+)`", text):
        check(set(name) <= known["Index"], "README: no privilege:", name)


def main():
    privileges()
    subprocess.run([Path(__file__).parent / "install", NODE], check=True)
    texts = [(request, json.dumps(body)) for request, body in bodies()]
    errors = compiled("types", texts)
    check(not errors, "\n".join(errors[:20]))
    check(len(texts) >= 40, "only", len(texts), "bodies")
    # One of each kind with a word spoilt: each must be refused, and nothing else is in the file.
    spoilt = []
    for request, (word, wrong) in SPOILT.items():
        sound = next(text for kind, text in texts if kind == request and word in text)
        spoilt.append((request, sound.replace(word, wrong, 1)))
    refused = "\n".join(compiled("spoilt", spoilt))
    places = {int(line) for line in re.findall(r"bodies\.ts\((\d+),", refused)}
    for i, (request, _) in enumerate(spoilt):
        check(i + 2 in places, "a spoilt", request, "is not refused")
    print("   %d bodies" % len(texts))
    finish()


if __name__ == "__main__":
    main()
