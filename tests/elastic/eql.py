"""EQL as far as the rules use it: a parser, and an evaluator of events and of sequences.

This is our reading of Elasticsearch's documentation, not its code. What it holds to:

- A comparison with a missing field is neither true nor false, and an event matches only what is true.
  Elasticsearch translates some conditions into searches in which such a comparison is false instead, and
  its negation true. evaluate(..., missing=False) is that reading: a rule must not depend on which it is.
- A list matches where one of its values does; `!=`, `not` and `not in` where none does.
- A field that nobody has mapped makes a query fail, unless it is written ?field: then it is null.
- A sequence joins on equal keys. A list as a key counts once for each value, several lists for each
  combination. The next event must be later (by time, then tiebreaker) and within maxspan of the first.
  One sequence waits for each key and stage: a newer first event takes the place of the older one, and
  the event that completes a sequence uses it up.
- A condition on a key that holds no `or` is also put to the same key of the other events.
"""
import ipaddress
import itertools
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<text>"(?:\\.|[^"\\])*")
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<op>==|!=|<=|>=|<|>|[()\[\],:=])
  | (?P<word>\??[A-Za-z_@][\w.@]*~?)
""", re.X | re.S)
UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
KEYWORDS = {"and", "or", "not", "in", "in~", "by", "where", "sequence", "with", "null", "true", "false"}


class Refused(Exception):
    """What Elasticsearch would refuse."""


def tokens(text, token=TOKEN):
    at, out = 0, []
    while at < len(text):
        match = token.match(text, at)
        if not match:
            raise Refused("no token at %r" % text[at:at + 20])
        at = match.end()
        if match.lastgroup != "space":
            out.append((match.lastgroup, match.group()))
    return out


# ---- conditions: tuples, the kind first ----

class Parser:
    def __init__(self, text):
        self.list = tokens(text)
        self.at = 0

    def peek(self):
        return self.list[self.at][1] if self.at < len(self.list) else None

    def take(self, wanted=None):
        if self.peek() is None or (wanted and self.peek() != wanted):
            raise Refused("%r where %r should be" % (self.peek(), wanted))
        self.at += 1
        return self.list[self.at - 1][1]

    def accept(self, wanted):
        if self.peek() == wanted:
            self.at += 1
            return True
        return False

    def query(self):
        if self.accept("sequence"):
            query = self.sequence()
        else:
            query = {"kind": "event", "items": [self.item()]}
        if self.peek() is not None:
            raise Refused("%r behind the end" % self.peek())
        return query

    def sequence(self):
        shared, maxspan, items = [], None, []
        if self.accept("by"):
            shared = self.keys()
        if self.accept("with"):
            self.take("maxspan")
            self.take("=")
            number = self.take()
            maxspan = int(number) * UNITS[self.take()]
        if self.accept("by"):
            raise Refused("by stands before with")
        while self.accept("["):
            item = self.item()
            self.take("]")
            item["by"] = shared + (self.keys() if self.accept("by") else [])
            items.append(item)
        if len(items) < 2 or len({len(item["by"]) for item in items}) != 1:
            raise Refused("a sequence has two events or more, with as many keys each")
        return {"kind": "sequence", "maxspan": maxspan, "items": items}

    def keys(self):
        out = [self.take()]
        while self.accept(","):
            out.append(self.take())
        return out

    def item(self):
        category = self.take()
        self.take("where")
        return {"category": category, "where": self.either()}

    def either(self):
        parts = [self.both()]
        while self.accept("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", parts)

    def both(self):
        parts = [self.negation()]
        while self.accept("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else ("and", parts)

    def negation(self):
        return ("not", self.negation()) if self.accept("not") else self.comparison()

    def comparison(self):
        if self.accept("("):
            inner = self.either()
            self.take(")")
            return inner
        if self.peek() == "cidrmatch":
            self.take()
            field, *networks = self.arguments()
            return ("cidrmatch", field[1], [n[1] for n in networks])
        left = self.value()
        negative = self.accept("not")
        if self.peek() in ("in", "in~"):
            test = (self.take(), left[1], [v[1] for v in self.arguments()])
            return ("not", test) if negative else test
        op = self.take()
        if op not in ("==", "!=", "<", "<=", ">", ">=", ":"):
            raise Refused("%r is no operator" % op)
        right = self.value()
        if left[0] != "field":
            raise Refused("a field stands on the left")
        if right[0] == "field":
            raise Refused("EQL cannot compare two fields: %s, %s" % (left[1], right[1]))
        return ("compare", op, left[1], right[1])

    def arguments(self):
        self.take("(")
        out = [self.value()]
        while self.accept(","):
            out.append(self.value())
        self.take(")")
        return out

    def value(self):
        kind = self.list[self.at][0] if self.at < len(self.list) else None
        text = self.take()
        if kind == "text":
            return "value", re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return "value", float(text) if "." in text else int(text)
        if text in ("null", "true", "false"):
            return "value", {"null": None, "true": True, "false": False}[text]
        if kind == "word" and text not in KEYWORDS:
            return "field", text
        raise Refused("%r where a value should be" % text)


def parse(text):
    return Parser(text).query()


def fields_of(condition):
    """Names of the fields that a condition asks for, with their question marks."""
    kind = condition[0]
    if kind in ("and", "or"):
        return [name for part in condition[1] for name in fields_of(part)]
    if kind == "not":
        return fields_of(condition[1])
    return [condition[2] if kind == "compare" else condition[1]]


def all_fields(query):
    names = []
    for item in query["items"]:
        names += fields_of(item["where"]) + item.get("by", [])
    return names


# ---- events ----

def values(document, name):
    """The values of a field, lists flattened. Dots lead through objects, and lists of objects."""
    found = [document]
    for key in name.lstrip("?").split("."):
        found = [inner for one in found if isinstance(one, dict) and key in one
                 for inner in (one[key] if isinstance(one[key], list) else [one[key]])]
    return [value for value in found if value is not None]


def canonical(value, kind):
    """As Elasticsearch writes a value of this type: an IPv4 address mapped into IPv6 is itself."""
    if kind == "ip":
        address = ipaddress.ip_address(value)
        return str(getattr(address, "ipv4_mapped", None) or address)
    return value


class Evaluator:
    """Queries over documents. `types` are those of mapped fields; None maps every field."""

    def __init__(self, documents, types=None, missing=None):
        self.documents = documents
        self.types = types
        self.missing = missing

    def check(self, query):
        for name in all_fields(query):
            if self.types is not None and not name.startswith("?") and name not in self.types:
                raise Refused("Unknown column [%s]" % name)
        if query["kind"] == "sequence" and self.types is not None:
            for names in zip(*(item["by"] for item in query["items"])):
                kinds = {self.types.get(name.lstrip("?")) for name in names}
                if len(kinds) > 1:
                    raise Refused("keys of different types: %s %s" % (names, kinds))

    def of(self, document, name):
        kind = (self.types or {}).get(name.lstrip("?"))
        return [canonical(value, kind) for value in values(document, name)]

    def test(self, condition, document):
        """True, False, or None for neither."""
        kind = condition[0]
        if kind == "and":
            results = [self.test(part, document) for part in condition[1]]
            return False if False in results else None if None in results else True
        if kind == "or":
            results = [self.test(part, document) for part in condition[1]]
            return True if True in results else None if None in results else False
        if kind == "not":
            result = self.test(condition[1], document)
            return None if result is None else not result
        return self.leaf(condition, document)

    def leaf(self, condition, document):
        kind = condition[0]
        if kind == "compare":
            _, op, name, wanted = condition
            found = self.of(document, name)
            if wanted is None:
                return (not found) if op == "==" else bool(found)
            if op == "!=":
                return self.missing if not found else wanted not in found
            return self.missing if not found else any(compare(op, v, wanted) for v in found)
        found = self.of(document, condition[1])
        if not found:
            return self.missing
        if kind == "cidrmatch":
            return any(in_network(value, network) for value in found for network in condition[2])
        if kind == "in~":
            return bool({str(v).lower() for v in found} & {str(v).lower() for v in condition[2]})
        return any(value in condition[2] for value in found)

    def matches(self, item, document):
        category = values(document, "event.category")
        if item["category"] != "any" and item["category"] not in category:
            return False
        return self.test(item["where"], document) is True

    # ---- queries ----

    def run(self, query):
        """Lists of documents: of one for an event, of all of a sequence."""
        self.check(query)
        if query["kind"] == "event":
            return [[d] for d in self.documents if self.matches(query["items"][0], d)]
        return self.sequences(propagated(query))

    def keys(self, item, document):
        return list(itertools.product(*(self.of(document, name) for name in item["by"])))

    def sequences(self, query):
        items, waiting, out = query["items"], {}, []
        for document in sorted(self.documents, key=order):
            stages = [i for i, item in enumerate(items) if self.matches(item, document)]
            for stage in reversed(stages):
                for key in self.keys(items[stage], document):
                    if stage == 0:
                        waiting[key, 0] = [document]
                        continue
                    before = waiting.get((key, stage - 1))
                    if not before or not follows(before, document, query["maxspan"]):
                        continue
                    del waiting[key, stage - 1]
                    if stage == len(items) - 1:
                        out.append(before + [document])
                    else:
                        waiting[key, stage] = before + [document]
        return out


def compare(op, value, wanted):
    if op == ":":
        return str(value).lower() == str(wanted).lower()
    return {"==": value == wanted, "<": value < wanted, "<=": value <= wanted,
            ">": value > wanted, ">=": value >= wanted}[op]


def in_network(value, network):
    address, network = ipaddress.ip_address(value), ipaddress.ip_network(network)
    return address.version == network.version and address in network


def order(document):
    sequence = values(document, "event.sequence")
    return (document["@timestamp"], not sequence, sequence[0] if sequence else 0)


def milliseconds(document):
    """Of an ISO 8601 time in UTC."""
    date, time = document["@timestamp"].rstrip("Z").split("T")
    year, month, day = map(int, date.split("-"))
    hour, minute, second = time.split(":")
    # days since 0000-03-01, as the civil calendar counts them
    year, month = (year - 1, month + 9) if month < 3 else (year, month - 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day
    return ((days * 24 + int(hour)) * 60 + int(minute)) * 60000 + round(float(second) * 1000)


def follows(before, document, maxspan):
    if order(before[-1]) >= order(document):
        return False
    span = milliseconds(document) - milliseconds(before[0])
    return maxspan is None or span <= maxspan


def propagated(query):
    """Conditions on a key without `or`, put to the same key of the other events."""
    extra = {i: [] for i in range(len(query["items"]))}
    for i, item in enumerate(query["items"]):
        where = item["where"]
        for part in where[1] if where[0] == "and" else [where]:
            names = set(fields_of(part))
            if has_or(part) or len(names) != 1:
                continue
            for place, key in enumerate(item["by"]):
                if key.lstrip("?") != next(iter(names)).lstrip("?"):
                    continue
                for j, other in enumerate(query["items"]):
                    if j != i:
                        extra[j].append(renamed(part, other["by"][place]))
    items = [{**item, "where": ("and", [item["where"]] + extra[i])}
             for i, item in enumerate(query["items"])]
    return {**query, "items": items}


def has_or(condition):
    kind = condition[0]
    if kind == "or":
        return True
    if kind == "and":
        return any(has_or(part) for part in condition[1])
    return kind == "not" and has_or(condition[1])


def renamed(condition, name):
    kind = condition[0]
    if kind in ("and", "or"):
        return kind, [renamed(part, name) for part in condition[1]]
    if kind == "not":
        return kind, renamed(condition[1], name)
    if kind == "compare":
        return kind, condition[1], name, condition[3]
    return kind, name, condition[2]


# ---- mutations: what a query is without one of its parts ----

def without(condition):
    """(what is missing, the condition without it) for each conjunct, alternative and list value."""
    kind = condition[0]
    if kind in ("and", "or"):
        for i, part in enumerate(condition[1]):
            rest = condition[1][:i] + condition[1][i + 1:]
            yield str(part), (kind, rest) if len(rest) > 1 else rest[0]
            for what, changed in without(part):
                yield what, (kind, condition[1][:i] + [changed] + condition[1][i + 1:])
    elif kind == "not":
        for what, changed in without(condition[1]):
            yield what, (kind, changed)
    elif kind in ("in", "in~", "cidrmatch") and len(condition[2]) > 1:
        for i, value in enumerate(condition[2]):
            yield "%s of %s" % (value, condition[1]), (
                kind, condition[1], condition[2][:i] + condition[2][i + 1:])


def mutants(query):
    """(what is missing, the query without it): conditions, values, keys, maxspan."""
    for i, item in enumerate(query["items"]):
        def with_item(changed, i=i):
            return {**query, "items": query["items"][:i] + [changed] + query["items"][i + 1:]}
        for what, where in without(item["where"]):
            yield "[%d] %s" % (i, what), with_item({**item, "where": where})
        yield "[%d] category" % i, with_item({**item, "category": "any"})
    if query["kind"] == "sequence":
        for place in range(len(query["items"][0]["by"])):
            yield "key %d" % place, {**query, "items": [
                {**item, "by": item["by"][:place] + item["by"][place + 1:]}
                for item in query["items"]]}
        if query["maxspan"] is not None:
            yield "maxspan", {**query, "maxspan": None}
