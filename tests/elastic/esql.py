"""ES|QL as far as the rules use it: a parser, and an evaluator of rows.

This is our reading of Elastic's documentation, not its code. What it holds to:

- A comparison, a sum or a function of one value gives null where a value is missing, and where there are
  several of them: a list never equals anything. `WHERE` keeps a row only where the condition is true.
- A column that no index maps makes the query fail.
- `STATS ... BY` gives a row for each group and drops every other column; `INLINE STATS` keeps the rows and
  adds what is worked out for their group. An aggregation may have a `WHERE` of its own.
- `LOOKUP JOIN` gives a row for each row of the lookup index whose fields equal, one with nulls where there
  is none; the lookup's columns take the place of those of the same name. A null or a list equals none.
- `DISSECT` gives nulls where the pattern does not fit.
"""
import fnmatch
import ipaddress
import itertools
import re

from checks import leaves
from eql import Refused, milliseconds, tokens, without

TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<text>"(?:\\.|[^"\\])*")
  | (?P<number>\d+)
  | (?P<op>==|!=|<=|>=|[<>=()+\-*/%,|])
  | (?P<word>[A-Za-z_@*][\w.*@-]*)
""", re.X | re.S)
COMPARE = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
           "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}
COUNT = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
         "/": lambda a, b: a // b if b else None, "%": lambda a, b: a % b if b else None}
UNITS = {"milliseconds": 1, "seconds": 1000, "minutes": 60000}


# ---- the text: a list of commands, each a tuple; expressions are tuples too, the kind first ----

class Parser:
    def __init__(self, text):
        self.list, self.at = tokens(text, TOKEN), 0

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.list[at][1] if at < len(self.list) else None

    def is_word(self, *words):
        return all((self.peek(i) or "").upper() == word for i, word in enumerate(words))

    def accept(self, *words):
        if self.is_word(*words):
            self.at += len(words)
            return True
        return False

    def take(self, kind=None, wanted=None):
        if self.at >= len(self.list):
            raise Refused("ends where %r should be" % (wanted or kind))
        found, text = self.list[self.at]
        if (kind and found != kind) or (wanted and text.upper() != wanted):
            raise Refused("%r where %r should be" % (text, wanted or kind))
        self.at += 1
        return text

    def listed(self, one):
        out = [one()]
        while self.accept(","):
            out.append(one())
        return out

    def query(self):
        commands = [self.command()]
        while self.accept("|"):
            commands.append(self.command())
        if self.peek() is not None:
            raise Refused("%r behind the end" % self.peek())
        if commands[0][0] != "from" or any(c[0] == "from" for c in commands[1:]):
            raise Refused("a query begins with FROM")
        return commands

    def command(self):
        for name in ("from", "where", "eval", "dissect", "keep", "mv_expand", "sort", "limit"):
            if self.accept(name.upper()):
                return (name, *getattr(self, name)())
        for name, words in (("stats", ("STATS",)), ("inline", ("INLINE", "STATS"))):
            if self.accept(*words):
                return (name, *self.stats())
        if self.accept("LOOKUP", "JOIN"):
            index = self.take("word")
            self.take("word", "ON")
            return "lookup", index, self.listed(self.column)
        raise Refused("no command: %r" % self.peek())

    def column(self):
        return self.take("word")

    def where(self):
        return (self.any(),)

    def keep(self):
        return (self.listed(self.column),)

    def sort(self):
        return (self.listed(self.column),)

    def limit(self):
        return (int(self.take("number")),)

    def mv_expand(self):
        return (self.column(),)

    def dissect(self):
        column, pattern = self.column(), self.take("text")[1:-1]
        return column, pattern

    def named(self):
        name = self.column()
        self.take("op", "=")
        return name, self.any()

    def eval(self):
        return (self.listed(self.named),)

    def aggregation(self):
        name, what = self.named()
        if what[0] != "call":
            raise Refused("%s is no aggregation" % name)
        return name, what, self.any() if self.accept("WHERE") else None

    def stats(self):
        made = self.listed(self.aggregation)
        return made, self.listed(self.column) if self.accept("BY") else []

    def any(self):
        parts = [self.all()]
        while self.accept("OR"):
            parts.append(self.all())
        return ("or", parts) if len(parts) > 1 else parts[0]

    def all(self):
        parts = [self.negated()]
        while self.accept("AND"):
            parts.append(self.negated())
        return ("and", parts) if len(parts) > 1 else parts[0]

    def negated(self):
        if self.accept("NOT"):
            return "not", self.negated()
        return self.condition()

    def condition(self):
        left = self.sum()
        if self.accept("IS", "NOT", "NULL"):
            return "not", ("null", left)
        if self.accept("IS", "NULL"):
            return "null", left
        if self.accept("NOT", "IN"):
            return "not", ("in", left, self.values())
        if self.accept("IN"):
            return "in", left, self.values()
        if self.accept("LIKE"):
            return "like", left, self.take("text")[1:-1]
        if self.peek() in COMPARE:
            return "compare", self.take("op"), left, self.sum()
        return left

    def values(self):
        self.take("op", "(")
        out = self.listed(self.sum)
        self.take("op", ")")
        return out

    def sum(self):
        left = self.product()
        while self.peek() in ("+", "-"):
            left = "count", self.take("op"), left, self.product()
        return left

    def product(self):
        left = self.value()
        while self.peek() in ("*", "/", "%"):
            left = "count", self.take("op"), left, self.value()
        return left

    def value(self):
        if self.at >= len(self.list):
            raise Refused("ends where a value should be")
        kind, text = self.list[self.at]
        self.at += 1
        if kind == "text":
            return "is", re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return "is", int(text)
        if text == "(":
            inner = self.any()
            self.take("op", ")")
            return inner
        if text == "*":
            return "is", 1
        if kind != "word":
            raise Refused("%r where a value should be" % text)
        if text.upper() in ("TRUE", "FALSE", "NULL"):
            return "is", {"TRUE": True, "FALSE": False}.get(text.upper())
        if self.peek() == "(":
            self.at += 1
            arguments = [] if self.peek() == ")" else self.listed(self.any)
            self.take("op", ")")
            return "call", text.upper(), arguments
        return "column", text


def parse(text):
    return Parser(text).query()


# ---- functions ----

def as_list(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def as_value(values):
    return None if not values else values[0] if len(values) == 1 else values


def address(text):
    """As Elasticsearch writes an address: an IPv4 one inside ::ffff:0:0/96 is that."""
    value = ipaddress.ip_address(text)
    return str(getattr(value, "ipv4_mapped", None) or value)


def cidr_match(value, *networks):
    return any(ipaddress.ip_address(value) in ipaddress.ip_network(n) for n in networks)


def ip_prefix(value, four, six):
    length = four if ipaddress.ip_address(value).version == 4 else six
    return str(ipaddress.ip_network("%s/%d" % (value, length), strict=False).network_address)


# Functions of single values: null if any is null or a list.
SINGLE = {
    "TO_STRING": str, "TO_LOWER": str.lower, "TO_INTEGER": int, "CIDR_MATCH": cidr_match,
    "IP_PREFIX": ip_prefix,
    "DATE_DIFF": lambda unit, first, last: int((last - first) / UNITS[unit]),
}
AGGREGATE = {
    "MIN": lambda values: min(values, default=None), "MAX": lambda values: max(values, default=None),
    "COUNT": len, "COUNT_DISTINCT": lambda values: len(set(values)),
    "VALUES": lambda values: as_value(sorted(set(values))),
}


class Evaluator:
    """Of a query over documents; `types` maps fields to types, `lookups` indices to (columns, rows)."""

    def __init__(self, documents, types, lookups=None):
        self.types, self.lookups = types, lookups or {}
        self.documents = [(index_of(d), self.row(d)) for d in documents]

    def row(self, document):
        found = {}
        for name, value in leaves(document):
            kind = self.types.get(name)
            if kind == "ip":
                value = address(value)
            elif kind == "date":
                value = milliseconds({"@timestamp": value})
            found.setdefault(name, []).append(value)
        return {name: as_value(values) for name, values in found.items()}

    def run(self, commands):
        self.columns = set(self.types) | {"_id", "_index", "_version"}
        rows = []
        for name, *words in commands:
            rows = list(getattr(self, "do_" + name)(rows, *words))
        return rows

    # ---- commands ----

    def do_from(self, _rows, patterns, _metadata):
        return [dict(row) for index, row in self.documents
                if any(fnmatch.fnmatchcase(index, pattern) for pattern in patterns)]

    def do_where(self, rows, condition):
        self.check(condition)
        return [row for row in rows if self.of(condition, row) is True]

    def do_eval(self, rows, named):
        for name, what in named:
            self.check(what)
            self.columns.add(name)
            rows = [{**row, name: self.of(what, row)} for row in rows]
        return rows

    def do_dissect(self, rows, column, pattern):
        self.check(("column", column))
        names = re.findall(r"%\{([^}]+)\}", pattern)
        self.columns |= set(names)
        parts = re.split(r"%\{[^}]+\}", pattern)
        shape = re.compile("(.*?)".join(re.escape(part) for part in parts) + r"\Z")
        for row in rows:
            match = shape.match(row.get(column) or "") if isinstance(row.get(column), str) else None
            yield {**row, **dict(zip(names, match.groups() if match else [None] * len(names)))}

    def do_keep(self, rows, columns):
        for column in columns:
            self.check(("column", column))
        self.columns = set(columns)
        return [{name: row.get(name) for name in columns} for row in rows]

    def do_sort(self, rows, columns):
        return sorted(rows, key=lambda row: [str(row.get(name)) for name in columns])

    def do_limit(self, rows, most):
        return rows[:most]

    def do_mv_expand(self, rows, column):
        self.check(("column", column))
        for row in rows:
            for value in as_list(row.get(column)) or [None]:
                yield {**row, column: value}

    def groups(self, rows, by):
        out = {}
        for row in rows:
            for key in itertools.product(*(as_list(row.get(name)) or [None] for name in by)):
                out.setdefault(key, []).append(row)
        return out

    def aggregated(self, rows, made):
        out = {}
        for name, (_, function, arguments), condition in made:
            if function not in AGGREGATE:
                raise Refused("%s is no aggregation" % function)
            self.check(("and", [*arguments, condition or ("is", True)]))
            values = [v for row in rows if condition is None or self.of(condition, row) is True
                      for v in as_list(self.of(arguments[0], row))]
            out[name] = AGGREGATE[function](values)
        return out

    def do_stats(self, rows, made, by):
        for name in by:
            self.check(("column", name))
        out = [{**dict(zip(by, key)), **self.aggregated(group, made)}
               for key, group in self.groups(rows, by).items()]
        self.aggregated([], made)
        self.columns = set(by) | {name for name, _, _ in made}
        return out

    def do_inline(self, rows, made, by):
        for name in by:
            self.check(("column", name))
        known = {key: self.aggregated(group, made) for key, group in self.groups(rows, by).items()}
        self.columns |= {name for name, _, _ in made}
        for row in rows:
            key = tuple(row.get(name) for name in by)
            if any(isinstance(value, list) for value in key):
                raise Refused("INLINE STATS by a list: what that gives is not documented")
            yield {**row, **known[key]}

    def do_lookup(self, rows, index, on):
        if index not in self.lookups:
            raise Refused("no index " + index)
        for name in on:
            self.check(("column", name))
        added, table = self.lookups[index]
        self.columns |= set(added)
        for row in rows:
            key = [row.get(name) for name in on]
            found = [line for line in table if all(value is not None and not isinstance(value, list) and
                                                   line.get(name) == value
                                                   for name, value in zip(on, key))]
            for line in found or [{}]:
                yield {**row, **{name: line.get(name) for name in added if name not in on}}

    # ---- expressions ----

    def check(self, what):
        """Every column is one, every function is known."""
        kind = what[0]
        if kind == "column" and what[1] not in self.columns:
            raise Refused("Unknown column [%s]" % what[1])
        if kind == "call" and what[1] not in {*SINGLE, *AGGREGATE, "CASE", "MV_CONCAT", "NOW"}:
            raise Refused("Unknown function [%s]" % what[1])
        for part in what[1:]:
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, tuple):
                    self.check(one)

    def of(self, what, row):
        return getattr(self, "of_" + what[0])(row, *what[1:])

    def single(self, what, row):
        value = self.of(what, row)
        return None if isinstance(value, list) else value

    def of_is(self, _row, value):
        return value

    def of_column(self, row, name):
        return row.get(name)

    def of_and(self, row, parts):
        found = [self.of(part, row) for part in parts]
        return False if False in found else None if None in found else True

    def of_or(self, row, parts):
        found = [self.of(part, row) for part in parts]
        return True if True in found else None if None in found else False

    def of_not(self, row, part):
        value = self.of(part, row)
        return None if value is None else not value

    def of_null(self, row, part):
        return self.of(part, row) is None

    def of_compare(self, row, op, left, right):
        a, b = self.single(left, row), self.single(right, row)
        if a is None or b is None:
            return None
        if isinstance(a, str) != isinstance(b, str):
            raise Refused("%r %s %r: different types" % (a, op, b))
        return COMPARE[op](a, b)

    def of_count(self, row, op, left, right):
        a, b = self.single(left, row), self.single(right, row)
        return None if a is None or b is None else COUNT[op](a, b)

    def of_in(self, row, left, values):
        found = [self.of_compare(row, "==", left, value) for value in values]
        return True if True in found else None if None in found else False

    def of_like(self, row, left, pattern):
        value = self.single(left, row)
        return None if value is None else fnmatch.fnmatchcase(value, pattern)

    def of_call(self, row, name, arguments):
        if name == "CASE":
            for condition, value in zip(arguments[::2], arguments[1::2]):
                if self.of(condition, row) is True:
                    return self.of(value, row)
            return self.of(arguments[-1], row) if len(arguments) % 2 else None
        if name == "MV_CONCAT":
            values = as_list(self.of(arguments[0], row))
            return self.of(arguments[1], row).join(values) if values else None
        values = [self.single(argument, row) for argument in arguments]
        return None if None in values else SINGLE[name](*values)


def index_of(document):
    """The data stream; a Beat's own index for what is in none."""
    stream = document.get("data_stream")
    return "%(type)s-%(dataset)s-%(namespace)s" % stream if stream else "packetbeat-9.5.1"


# FROM is read here, because its patterns are no columns.
def _from(self):
    patterns = self.listed(self.column)
    return patterns, self.listed(self.column) if self.accept("METADATA") else []


setattr(Parser, "from", _from)


# ---- mutations ----

def mutants(commands):
    """(what is missing, the query without it): conditions and values of every WHERE and EVAL-less filter."""
    for i, (name, *words) in enumerate(commands):
        if name == "where":
            for what, changed in without(words[0]):
                yield "[%d] %s" % (i, what), commands[:i] + [("where", changed)] + commands[i + 1:]
