"""A rule's expression in Kusto's query language, where numbers are signed and bits have functions."""
import re

# From weakest to strongest, as in C.
LEVELS = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "%"]]
BITS = {"|": "binary_or", "^": "binary_xor", "&": "binary_and", "<<": "binary_shift_left",
        ">>": "binary_shift_right"}
# Functions of rules that Kusto lacks.
FUNCTIONS = {
    "swap16": "let swap16 = (v: long) { binary_or(binary_shift_left(binary_and(v, 65535), 16), "
              "binary_and(binary_shift_right(v, 16), 65535)) };",
    "swap32": "let swap32 = (v: long) { binary_or(binary_or(binary_shift_left(binary_and(v, 255), 24), "
              "binary_shift_left(binary_and(v, 65280), 8)), "
              "binary_or(binary_and(binary_shift_right(v, 8), 65280), "
              "binary_and(binary_shift_right(v, 24), 255))) };",
    "rotl32": "let rotl32 = (v: long, n: long) { binary_and(binary_or("
              "binary_shift_left(binary_and(v, 4294967295), n % 32), "
              "binary_shift_right(binary_and(v, 4294967295), 32 - n % 32)), 4294967295) };",
}
TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[a-z]\w*|<<|>>|[-+*/%&|^~(),])")


class Kusto:
    """`text` is the expression, `lets` what has to stand before the query."""

    def __init__(self, expression):
        self.tokens, at = [], 0
        while at < len(expression.rstrip()):
            match = TOKEN.match(expression, at)
            if not match:
                raise ValueError("no token at %r" % expression[at:])
            self.tokens.append(match.group(1))
            at = match.end()
        self.at, self.lets, self.rounds = 0, [], 0
        self.text = self.level(0)
        if self.at != len(self.tokens):
            raise ValueError("%r is left" % self.tokens[self.at:])

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.peek()
        if token is None or (wanted and token != wanted):
            raise ValueError("%r where %r should be" % (token, wanted))
        self.at += 1
        return token

    def need(self, let):
        if let not in self.lets:
            self.lets.append(let)

    def level(self, n):
        if n == len(LEVELS):
            return self.unary()
        left = self.level(n + 1)
        while self.peek() in LEVELS[n]:
            op, right = self.take(), self.level(n + 1)
            if op in BITS:
                left = "%s(%s, %s)" % (BITS[op], left, right)
            elif op in "/%":
                # Where it would divide by zero, a rule has no value.
                left = "iff((%s) == 0, long(null), (%s) %s (%s))" % (right, left, op, right)
            else:
                left = "(%s %s %s)" % (left, op, right)
        return left

    def unary(self):
        if self.peek() == "~":
            self.take()
            return "binary_not(%s)" % self.unary()
        token = self.take()
        if token == "(":
            inner = self.level(0)
            self.take(")")
            return inner
        if token[0].isdigit():
            return str(int(token, 0) if token[:2] in ("0x", "0X") else int(token))
        if token == "repeat":
            return self.repeat()
        if token in FUNCTIONS:
            self.need(FUNCTIONS[token])
            self.take("(")
            arguments = [self.level(0)]
            while self.peek() == ",":
                self.take()
                arguments.append(self.level(0))
            self.take(")")
            return "%s(%s)" % (token, ", ".join(arguments))
        if token in ("o1", "o2", "o3", "o4", "addr", "x"):
            return token
        raise ValueError("%r is no word of a rule" % token)

    def repeat(self):
        self.take("(")
        count = int(self.take(), 0)
        self.take(",")
        value = self.level(0)
        self.take(",")
        body = self.level(0)
        self.take(")")
        self.rounds += 1
        name = "round%d" % self.rounds
        self.need("let %s = (x: long) { %s };" % (name, body))
        return name + "(" + (name + "(") * (count - 1) + value + ")" * count
