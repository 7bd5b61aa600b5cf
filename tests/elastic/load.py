#!/usr/bin/python3
"""rules/elastic/load against a stand-in for Elasticsearch and Kibana; and the shippers' files as YAML.

What arrives is what stands in the files, under their names, in an order in which nothing names what is
not there yet; a hook that somebody has is left alone; what is refused is said and makes the status 1.
"""
import http.server
import json
import os
import re
import subprocess
import threading

import yaml

from checks import ELASTIC, check, documents, finish, get, read_lines


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.there, self.refuse, self.half = [], set(), None, False
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, answer = 200, b'{"acknowledged":true}'
        if self.command == "HEAD":
            status = 405  # pipelines and transforms know no HEAD
        elif self.command == "GET":
            status = 200 if self.path in self.server.there else 404
        elif self.server.refuse and self.server.refuse in self.path:
            status = 400
        else:
            self.server.seen.append((self.command, self.path, dict(self.headers), body))
        if "_import" in self.path:
            answer = b'{"success":false,"rules_success":true,"errors":[{"rule_id":"x"}]}' \
                if self.server.half else b'{"success":true,"errors":[]}'
        if status != 200:
            answer = b'{"error":"no"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_PUT = do_POST = do_HEAD = do_GET = do

    def log_message(self, *_):
        pass


def load(server, *words, **environment):
    url = "http://127.0.0.1:%d" % server.server_port
    server.seen.clear()
    return subprocess.run([ELASTIC / "load", *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "ELASTICSEARCH": url, "KIBANA": url, **environment})


def files(folder):
    return {path.stem: json.loads(path.read_text()) for path in (ELASTIC / folder).glob("*.json")}


def check_templates(server):
    done = load(server, AUTH="elastic:secret")
    check(done.returncode == 0, "load:", done.stderr)
    sent = {path: json.loads(body) for _, path, _, body in server.seen}
    order = [path for _, path, _, _ in server.seen]
    for folder, api in (("component_template", "_component_template"),
                        ("index_template", "_index_template"),
                        ("ingest_pipeline", "_ingest/pipeline"), ("ilm", "_ilm/policy")):
        for name, body in files(folder).items():
            check(sent.get("/%s/%s" % (api, name)) == body, "not sent as it stands:", api, name)
    check(len(sent) == sum(len(files(f)) for f in ("component_template", "index_template",
                                                   "ingest_pipeline", "ilm")), "sent", sorted(sent))
    for name, body in files("index_template").items():
        at = order.index("/_index_template/" + name)
        for part in body["composed_of"]:
            ours = "/_component_template/" + part
            check(part in body["ignore_missing_component_templates"] or
                  (ours in order and order.index(ours) < at), name, "comes before", part)
    for body in files("component_template").values():
        pipeline = body["template"].get("settings", {}).get("index", {}).get("default_pipeline")
        check(not pipeline or "/_ingest/pipeline/" + pipeline in order, "no pipeline", pipeline)
    check(all(headers.get("Authorization", "").startswith("Basic ") for _, _, headers, _ in
              server.seen), "sent without authorisation")


def check_hooks(server):
    kept = "/_ingest/pipeline/logs-zeek.connection@custom"
    server.there = {kept}
    done = load(server, "hooks", API_KEY="a2V5")
    check(done.returncode == 0, "load hooks:", done.stderr)
    paths = {path for _, path, _, _ in server.seen}
    check(kept not in paths and "is there already" in done.stdout, "overwrote", kept)
    wanted = {"/_component_template/" + n for n in files("hooks/component_template")}
    wanted |= {"/_ingest/pipeline/" + n for n in files("hooks/ingest_pipeline")}
    check(paths == wanted - {kept}, "sent", paths ^ wanted)
    check(all(headers.get("Authorization") == "ApiKey a2V5" for _, _, headers, _ in server.seen),
          "sent without the key")


def check_rules(server):
    done = load(server, "rules")
    check(done.returncode == 0, "load rules:", done.stderr)
    for (_, path, headers, body), name in zip(server.seen, ("detection/rules.ndjson",
                                                            "dashboard/portent.ndjson")):
        check(headers.get("kbn-xsrf") and (ELASTIC / name).read_bytes() in body, "not sent:", name)
        check("_import?overwrite=true" in path, "sent to", path)
    check(len(server.seen) == 2, "sent", len(server.seen), "files")


def check_lookup(server):
    done = load(server, "lookup")
    check(done.returncode == 0, "load lookup:", done.stderr)
    body = files("lookup/index")["portent-expected"], files("lookup/transform")["portent-expected"]
    check([(m, p, json.loads(b or b"null")) for m, p, _, b in server.seen] == [
        ("PUT", "/portent-expected", body[0]), ("PUT", "/_transform/portent-expected", body[1]),
        ("POST", "/_transform/portent-expected/_start", None)], "lookup:", server.seen)
    server.there = {"/portent-expected", "/_transform/portent-expected"}
    done = load(server, "lookup")
    check(done.returncode == 0 and not server.seen and done.stdout.count("there already") == 2,
          "lookup, again:", server.seen, done.stdout)
    server.there = set()
    server.refuse = "/portent-expected"
    done = load(server, "lookup")
    check(done.returncode == 1 and not [p for _, p, _, _ in server.seen if p.endswith("_start")],
          "a transform without its index was started")
    server.refuse = None


def check_refusals(server):
    server.half = True
    done = load(server, "rules")
    check(done.returncode == 1 and "rule_id" in done.stderr, "half an import is taken for one:", done.stderr)
    server.half = False
    server.refuse = "portent-logs@mappings"
    done = load(server)
    check(done.returncode == 1 and "400" in done.stderr, "a refusal is not said:", done.stderr)
    check(len(server.seen) > 5, "gave up after the first refusal")
    server.refuse = None
    done = subprocess.run([ELASTIC / "load"], capture_output=True, text=True, check=False,
                          env={**os.environ, "ELASTICSEARCH": "http://127.0.0.1:1"})
    check(done.returncode == 1, "nobody is there, and the status is", done.returncode)
    done = subprocess.run(["./load", "everything"], cwd=ELASTIC, capture_output=True, text=True, check=False)
    check(done.returncode == 1 and "./load hooks" in done.stderr, "a wrong word:", done.stderr)
    server.refuse = "_import"
    check(load(server, "rules").returncode == 1, "a refused import is taken for one")
    server.refuse = None


def holds(condition, document):
    """A condition of Beats."""
    (kind, inner), = condition.items()
    if kind == "not":
        return not holds(inner, document)
    if kind == "or":
        return any(holds(one, document) for one in inner)
    (field, value), = inner.items()
    return get(document, field) == [value]


def check_shippers():
    beats = yaml.safe_load((ELASTIC / "filebeat/filebeat.yml").read_text())
    ids = [one.get("id", one["type"]) for one in beats["filebeat.inputs"]]
    check(len(set(ids)) == len(ids), "Filebeat inputs need ids of their own")
    check([one.get("enabled", True) for one in beats["filebeat.inputs"]].count(True) == 1,
          "more than one input is on")
    for one in beats["filebeat.inputs"]:
        check(one["type"] != "filestream" or one["prospector.scanner.fingerprint.enabled"] and
              "file_identity.fingerprint" in one, "a rotated file would be read again")
    agent = yaml.safe_load((ELASTIC / "filebeat/elastic-agent.yml").read_text())
    streams = {"%(type)s-%(dataset)s" % one["data_stream"]: one["processors"][0]["drop_event"]["when"]
               for one in agent["inputs"][0]["streams"]}
    check(all("file_identity.fingerprint" in one for one in agent["inputs"][0]["streams"]), "Agent: identity")
    wrong = set()
    for _, document in documents():
        own = "%(type)s-%(dataset)s" % document["data_stream"]
        keep = [name for name, drop in streams.items() if not holds(drop, document)]
        if keep != [own]:
            wrong.add("%s goes to %s" % (own, keep))
    check(not wrong, "Agent:", wrong)
    key = json.loads((ELASTIC / "api-key.json").read_text())
    (index,) = key["role_descriptors"]["portent-shipper"]["indices"]
    check(all(any(re.fullmatch(name.replace(".", r"\.").replace("*", ".*"), stream + "-default")
                  for name in index["names"]) for stream in streams), "the key is not for all streams")
    check(len(read_lines(ELASTIC / "detection/rules.ndjson")) > 10, "few rules")


def main():
    server = Server()
    check_templates(server)
    check_hooks(server)
    check_rules(server)
    check_lookup(server)
    check_refusals(server)
    check_shippers()
    finish()


if __name__ == "__main__":
    main()
