#!/usr/bin/python3
"""Sigma and Kusto, made from the rule files.

Kusto: every query through Microsoft's own parser and binder (kusto.js), which must also refuse spoilt
ones; and every calculation over the rule's test vectors, as Python reads the same text. Sigma: the form
of each rule, and the rules about connections over the table of documents, where together they must meet
what the detection rule for Elasticsearch meets.
"""
import ipaddress
import json
import os
import random
import re
import subprocess
import uuid
from pathlib import Path

import jsonschema
import yaml

import table
from checks import ELASTIC, ROOT, WORK, check, finish
from eql import values

HERE = Path(__file__).resolve().parent
MASK = (1 << 64) - 1


def rules():
    for path in sorted((ROOT / "rules").glob("*.json")):
        rule = json.loads(path.read_text(encoding="utf-8"))
        if "id" in rule:
            yield rule


# ---- Kusto ----

def kusto_problems(files):
    done = subprocess.run(["node", HERE / "kusto.js", Path(os.environ["BUILD"], "elastic/node_modules"),
                           *files], capture_output=True, text=True, check=False)
    check(done.returncode == 0, "kusto.js:", done.stderr[:500])
    return json.loads(done.stdout)


def check_syntax():
    files = sorted((ELASTIC / "kusto").glob("*.kql"))
    for path, problems in kusto_problems(files).items():
        check(not problems, path, problems)
    spoilt = []
    for path in files:
        text = path.read_text()
        for i, (word, wrong) in enumerate((("binary_and(", "binary_ant("), ("AnswerTime +", "AnswerTiem +"),
                                           ("| project", "| projekt"), ("materialize(", "materialize"))):
            check(word in text, path.name, "has no", word)
            spoilt.append(WORK / ("%s-%d.kql" % (path.stem, i)))
            spoilt[-1].write_text(text.replace(word, wrong, 1))
    for path, problems in kusto_problems(spoilt).items():
        check(problems, path, "is spoilt, and taken")
    return files


def python_of(text):
    """Names and expressions of a query, to be evaluated by Python."""
    names = {
        "binary_and": lambda a, b: a & b, "binary_or": lambda a, b: a | b,
        "binary_xor": lambda a, b: a ^ b, "binary_not": lambda a: ~a & MASK,
        "binary_shift_left": lambda a, n: a << n & MASK if n < 64 else 0,
        "binary_shift_right": lambda a, n: a >> n, "long": lambda _: None, "null": None,
        "iff": lambda test, yes, no: yes if test else no,
    }
    for name, arguments, body in re.findall(r"let (\w+) = \(([^)]*)\) \{ (.*) \};", text):
        parameters = [one.split(":")[0].strip() for one in arguments.split(",")]
        source = "lambda %s: %s" % (", ".join(parameters), body.replace(" / ", " // "))
        names[name] = eval(source, names)  # pylint: disable=eval-used
    found = {}
    for key, pattern in (("port", r"ExpectedPort = toint\((.*)\)$"), ("result", r"Calculated = (.*)$")):
        match = re.search(r"\| extend " + pattern, text, re.M)
        if match:
            found[key] = compile(match.group(1).replace(" / ", " // "), key, "eval")
    return names, found


def evaluate(code, names, address):
    a, b, c, d = ipaddress.ip_address(address).packed
    octets = {"o1": a, "o2": b, "o3": c, "o4": d, "addr": a << 24 | b << 16 | c << 8 | d}
    try:
        return eval(code, {**names, **octets})  # pylint: disable=eval-used
    except ZeroDivisionError:
        return None  # the `iff` before it says null; Python works out both sides


def check_vectors(files):
    by_id = {rule["id"]: rule for rule in rules()}
    for path in files:
        rule = by_id[path.stem.split("-", 1)[1]]
        text = path.read_text()
        names, found = python_of(text)
        for vector in rule["vectors"]:
            for key in found:
                if key not in vector:
                    continue
                wanted = vector[key]
                if key == "result" and wanted is not None:
                    wanted = int(ipaddress.ip_address(wanted))
                value = evaluate(found[key], names, vector["address"])
                check(value == wanted, path.name, vector, "gives", value)
            check("//   %s ->" % vector["address"] in text, path.name, "has no comment on", vector)
        check(set(found) == {"port" if key == "port" else "result" for key in ("port", "address")
                             if key in rule}, path.name, "calculates", set(found))
        check_formulas(rule, path, names, found)


def check_formulas(rule, path, names, found):
    """The two published ones beside Python's own arithmetic."""
    own = {"o1 * o2 + o3": lambda a, b, c: a * b + c, "o1 * (o2 + o3)": lambda a, b, c: a * (b + c)}
    formula = own.get(rule.get("port"))
    chance = random.Random(1568)
    for _ in range(200 if formula else 0):
        a, b, c, d = (chance.randrange(256) for _ in range(4))
        value = evaluate(found["port"], names, "%d.%d.%d.%d" % (a, b, c, d))
        check(value == formula(a, b, c), path.name, (a, b, c, d), "gives", value)


# ---- Sigma ----

# What version 2 of Sigma's specification says of the keys that we use, and of no others.
TEXTS = {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 2}}
SIGMA = {
    "type": "object",
    "required": ["title", "id", "status", "description", "logsource", "detection", "level"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "maxLength": 256},
        "id": {"type": "string", "format": "uuid"},
        "status": {"enum": ["stable", "test", "experimental", "deprecated", "unsupported"]},
        "description": {"type": "string", "maxLength": 65535},
        "references": TEXTS,
        "author": {"type": "string"},
        "date": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])$"},
        "tags": {"type": "array", "uniqueItems": True, "items": {
            "type": "string", "pattern": "^[a-z0-9_-]+[.][a-z0-9._-]+$"}},
        "logsource": {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": {
            key: {"type": "string"} for key in ("category", "product", "service", "definition")}},
        "detection": {"type": "object", "required": ["condition"],
                      "properties": {"condition": {"type": "string"}},
                      "additionalProperties": {"type": ["object", "array"], "minProperties": 1,
                                               "minItems": 1}},
        "falsepositives": TEXTS,
        "level": {"enum": ["informational", "low", "medium", "high", "critical"]},
    },
}

def sigma_field(condition, document):
    """One line of a selection: `field|modifier: value or values`."""
    (name, wanted), found = condition, None
    name, _, modifier = name.partition("|")
    wanted = wanted if isinstance(wanted, list) else [wanted]
    found = values(document, name)
    if modifier == "cidr":
        return any(ipaddress.ip_address(v) in ipaddress.ip_network(n) for v in found for n in wanted)
    if modifier in ("gte", "lte"):
        return any(v >= wanted[0] if modifier == "gte" else v <= wanted[0] for v in found)
    check(not modifier, "no modifier of Sigma:", modifier)
    return bool({str(v).lower() for v in found} & {str(w).lower() for w in wanted})


def sigma_meets(rule, document):
    named = {key: all(sigma_field(line, document) for line in lines.items())
             for key, lines in rule["detection"].items() if key != "condition"}
    text = rule["detection"]["condition"]
    text = re.sub(r"1 of (\w+)\*", lambda m: str(any(
        met for key, met in named.items() if key.startswith(m.group(1)))), text)
    text = re.sub(r"\b(?!and\b|or\b|not\b|True\b|False\b)[a-z]\w*", lambda m: str(named[m.group()]),
                  text)
    return eval(text)  # pylint: disable=eval-used


def check_sigma():
    found = {path.stem: yaml.safe_load(path.read_text()) for path in
             sorted((ELASTIC / "sigma").glob("*.yml"))}
    check(len({rule["id"] for rule in found.values()}) == len(found), "ids of Sigma rules")
    for name, rule in found.items():
        check(str(uuid.UUID(rule["id"])) == rule["id"], name, "id")
        wrong = [error.message for error in jsonschema.Draft7Validator(SIGMA).iter_errors(rule)]
        check(not wrong, name, wrong)
        named = set(rule["detection"]) - {"condition"}
        asked = re.findall(r"\b(?!and\b|or\b|not\b|of\b)[a-z]\w*\*?", rule["detection"]["condition"])
        used = {one for one in named for word in asked
                if one == word or word.endswith("*") and one.startswith(word[:-1])}
        check(used == named, name, "asks not for", named - used)
        check("attack.t1568.003" in rule["tags"], name, "tags")
    for rule in rules():
        check(rule["id"] in found, "no Sigma rule for", rule["id"])
    for why, document, wanted in table.single_events():
        both = [name for name in ("apt12-connection", "variant-connection")
                if sigma_meets(found[name], document)]
        check(bool(both) == ("calculated-port" in wanted), "Sigma:", both, "in:", why)
        alert = sigma_meets(found["apt12"], {**document, "rule": {"id": "apt12"}})
        check(alert == ("promotion" in wanted), "Sigma, our alert:", alert, "in:", why)


def main():
    check_vectors(check_syntax())
    check_sigma()
    finish()


if __name__ == "__main__":
    main()
