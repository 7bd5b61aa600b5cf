#!/usr/bin/python3
"""The published schema, rules/schema.json, against what the program reads.

Every shipped rule fits it. Of the bad rules in tests/bad/rules, which the program refuses, it
refuses all but those that a schema cannot see; which these are stands here and is checked too.
Needs python3-jsonschema.
"""
import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
NO_RULES = {"schema.json", "ports.json"}

# A schema does not read expressions,
BEYOND = {
    "port-unknown-name", "port-ends", "port-comparison", "port-cost", "address-x", "address-octal",
    # does not compare numbers inside a string, or ports with one another,
    "range-65536", "range-backwards", "limits-no-port-left",
    # does not look at single bits,
    "network-bits", "network-ipv6-bits",
    # and Python keeps the last of two members with one name, where the program refuses both.
    "duplicate-key",
}


def main():
    schema = json.loads((ROOT / "rules/schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    passed = failed = 0

    def judge(good, sentence):
        nonlocal passed, failed
        passed += good
        failed += not good
        if not good:
            print(sentence)

    for path in sorted((ROOT / "rules").glob("*.json")):
        if path.name in NO_RULES:
            continue
        errors = [e.message for e in validator.iter_errors(json.loads(path.read_text()))]
        judge(not errors, f"{path}: {errors}")
    judge(passed >= 4, "fewer than four shipped rules")

    names = set()
    for path in sorted((ROOT / "tests/bad/rules").glob("*.json")):
        names.add(path.stem)
        try:
            refused = not validator.is_valid(json.loads(path.read_bytes()))
        except (ValueError, RecursionError):
            refused = True
        judge(refused == (path.stem not in BEYOND),
              f"{path}: the schema {'refuses' if refused else 'admits'} it")
    judge(BEYOND <= names, f"no such bad rules: {sorted(BEYOND - names)}")

    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
