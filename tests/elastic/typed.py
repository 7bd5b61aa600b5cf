"""Types of ES|QL, by the signatures that Elastic publishes for its own editor (@elastic/esql-definitions).

Every command must be one of theirs, and every function and operator must take what it is given: the
definitions are made from Elasticsearch's own tests. A text matches keyword, as Elasticsearch holds it.
"""
import json
import os
import subprocess
from pathlib import Path

from esql import Refused

OPERATORS = {"==": "equals", "!=": "not_equals", "<": "less_than", "<=": "less_than_or_equal",
             ">": "greater_than", ">=": "greater_than_or_equal", "+": "add", "-": "sub", "*": "mul",
             "/": "div", "%": "mod"}
COMMANDS = {"inline": "inline_stats", "lookup": "lookup_join"}
SCRIPT = """
const from = (what) => require(process.argv[1] + "/@elastic/esql-definitions/lib/generated/" + what);
const names = require(process.argv[1] + "/@elastic/esql-definitions/lib/index.js");
const sorted = (list) => Object.fromEntries(list.map((one) => [one.name, one]));
console.log(JSON.stringify({
  functions: sorted(from("functions/index.js").functionDefinitions),
  operators: sorted(from("operators/index.js").operatorDefinitions),
  commands: from("commands.js").commandDefinitions.map((one) => one.name)
    .concat(names.sourceCommandNames.map((one) => one.toLowerCase()))
    .concat(names.processingCommandNames.map((one) => one.toLowerCase().replaceAll(" ", "_"))) }));
"""


def definitions():
    folder = Path(os.environ["BUILD"], "elastic/node_modules").resolve()
    done = subprocess.run(["node", "-e", SCRIPT, folder], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def fits(signature, given):
    wanted = [one["type"] for one in signature["params"]]
    least = sum(not one["optional"] for one in signature["params"])
    if signature["variadic"] and len(given) > len(wanted):
        wanted += wanted[-1:] * (len(given) - len(wanted))
    return least <= len(given) <= len(wanted) and all(
        g in (w, "null") for w, g in zip(wanted, given))


class Typer:
    """Types of the columns after each command; refuses what Elasticsearch's own definitions do not have."""

    def __init__(self, columns, known, lookups=None):
        self.columns, self.known, self.lookups = dict(columns), known, lookups or {}
        self.columns.update({"_id": "keyword", "_index": "keyword", "_version": "long"})

    def run(self, commands):
        for name, *words in commands:
            if COMMANDS.get(name, name) not in self.known["commands"]:
                raise Refused("no command " + name)
            getattr(self, "do_" + name)(*words)
        return self.columns

    def called(self, kind, name, given):
        definition = self.known[kind].get(name.lower())
        if not definition or definition.get("snapshotOnly"):
            raise Refused("no function " + name)
        for signature in definition["signatures"]:
            if fits(signature, given):
                return signature["returnType"]
        raise Refused("%s does not take %s" % (name, ", ".join(given)))

    # ---- commands ----

    def do_from(self, _patterns, _metadata):
        pass

    def do_where(self, condition):
        self.boolean(condition)

    def do_eval(self, named):
        for name, what in named:
            self.columns[name] = self.of(what)

    def do_dissect(self, column, pattern):
        if self.columns[column] != "keyword":
            raise Refused("DISSECT of " + self.columns[column])
        self.columns.update({part.split("}")[0]: "keyword" for part in pattern.split("%{")[1:]})

    def do_keep(self, columns):
        self.columns = {name: self.columns[name] for name in columns}

    def do_mv_expand(self, _column):
        pass

    def made(self, made):
        out = {}
        for name, what, condition in made:
            if self.known["functions"].get(what[1].lower(), {}).get("type") != "agg":
                raise Refused("%s is no aggregation" % what[1])
            out[name] = self.of(what)
            if condition:
                self.boolean(condition)
        return out

    def do_stats(self, made, by):
        made = self.made(made)
        self.columns = {**{name: self.columns[name] for name in by}, **made}

    def do_inline(self, made, _by):
        self.columns.update(self.made(made))

    def do_lookup(self, index, on):
        for name in on:
            if self.columns[name] != self.lookups[index][name]:
                raise Refused("%s is %s here and %s there" % (name, self.columns[name],
                                                              self.lookups[index][name]))
        self.columns.update(self.lookups[index])

    # ---- expressions ----

    def boolean(self, what):
        if self.of(what) != "boolean":
            raise Refused("no condition: %r" % (what,))

    def of(self, what):
        kind, *rest = what
        if kind == "is":
            (value,) = rest
            return {bool: "boolean", int: "integer", str: "keyword"}.get(type(value), "null")
        if kind == "column":
            if rest[0] not in self.columns:
                raise Refused("Unknown column [%s]" % rest[0])
            return {"constant_keyword": "keyword", "match_only_text": "text",
                    "float": "double"}.get(self.columns[rest[0]], self.columns[rest[0]])
        if kind in ("and", "or", "not", "null"):
            for part in rest[0] if kind in ("and", "or") else rest:
                if kind == "null":
                    self.called("operators", "is_null", [self.of(part)])
                else:
                    self.boolean(part)
            return "boolean"
        if kind in ("compare", "count"):
            return self.called("operators", OPERATORS[rest[0]], [self.of(rest[1]), self.of(rest[2])])
        if kind == "in":
            for value in rest[1]:
                self.called("operators", "equals", [self.of(rest[0]), self.of(value)])
            return "boolean"
        if kind == "like":
            return self.called("operators", "like", [self.of(rest[0]), "keyword"])
        name, arguments = rest
        if name == "CASE":  # the signatures have one condition; more of them come in pairs
            conditions = [self.of(one) for one in arguments[:-1:2]]
            found = {self.of(one) for one in [*arguments[1::2], *arguments[len(arguments) & ~1:]]} - {"null"}
            if set(conditions) != {"boolean"} or len(found) != 1:
                raise Refused("CASE of %s" % sorted(found))
            return self.called("functions", "case", ["boolean", *found, *found])
        return self.called("functions", name, [self.of(one) for one in arguments])
