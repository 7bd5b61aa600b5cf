#!/usr/bin/python3
"""A second opinion about expressions: formula-python.py DUMP [COUNT [SEED]]

Random expressions go to DUMP (formula-dump.c) and are read here by Python's own parser, whose
precedences are C's for the operators that there are, and evaluated with Python's unbounded
integers. Value or none, and cost, must agree; what costs too much must be refused.
"""
import ast
import random
import subprocess
import sys

MASK64 = (1 << 64) - 1
MASK32 = (1 << 32) - 1
CONSTANTS = [0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 65, 255, 256, 65535, 65536, MASK32, MASK32 + 1,
             0x87568289, 1 << 63, MASK64]
OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
OCTETS = [0, 1, 2, 10, 127, 128, 198, 254, 255]


class NoValue(Exception):
    """Division by zero."""


def number(r):
    value = r.choice(CONSTANTS) if r.random() < 0.7 else r.getrandbits(r.randint(1, 64))
    return r.choice([str, hex])(value)


def blank(r):
    return r.choice(["", "", " ", "  "])


def operand(r, depth, x):
    """A value, of at most `depth` further levels; x says whether there is an x here."""
    kind = r.random()
    if depth == 0 or kind < 0.35:
        names = ["o1", "o2", "o3", "o4", "addr"] + ["x", "x", "x"] * x
        return number(r) if r.random() < 0.3 else r.choice(names)
    if kind < 0.65:
        return "(" + chain(r, depth - 1, x) + ")"
    if kind < 0.75:
        return "~" + blank(r) + operand(r, depth - 1, x)
    if kind < 0.90:
        name = r.choice(["swap16", "swap32", "rotl32"])
        second = "," + blank(r) + chain(r, depth - 1, x) if name == "rotl32" else ""
        return name + blank(r) + "(" + chain(r, depth - 1, x) + second + ")"
    times = r.choice([1, 2, 3, 5, 16, 40, 1024])
    return "repeat(%d,%s%s,%s%s)" % (times, blank(r), chain(r, depth - 1, x), blank(r),
                                     chain(r, depth - 1, True))


def chain(r, depth, x):
    text = operand(r, depth, x)
    for _ in range(r.choice([0, 0, 1, 1, 1, 2, 3])):
        text += blank(r) + r.choice(OPERATORS) + blank(r) + operand(r, depth, x)
    return text


def rotl32(value, count):
    value, count = value & MASK32, count % 32
    return ((value << count) | (value >> (32 - count))) & MASK32


def swap32(value):
    return int.from_bytes((value & MASK32).to_bytes(4, "little"), "big")


def divided(a, b, remainder):
    if b == 0:
        raise NoValue
    return a % b if remainder else a // b


BINARY = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: divided(a, b, False),
    ast.Mod: lambda a, b: divided(a, b, True),
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitXor: lambda a, b: a ^ b,
    ast.LShift: lambda a, b: a << b if b < 64 else 0,
    ast.RShift: lambda a, b: a >> b if b < 64 else 0,
}


def evaluate(node, names):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        return ~evaluate(node.operand, names) & MASK64
    if isinstance(node, ast.BinOp):
        a, b = evaluate(node.left, names), evaluate(node.right, names)
        return BINARY[type(node.op)](a, b) & MASK64
    arguments = node.args
    if node.func.id == "repeat":
        value = evaluate(arguments[1], names)
        for _ in range(arguments[0].value):
            value = evaluate(arguments[2], {**names, "x": value})
        return value
    a = evaluate(arguments[0], names)
    if node.func.id == "rotl32":
        return rotl32(a, evaluate(arguments[1], names))
    return swap32(a) if node.func.id == "swap32" else rotl32(a, 16)


def cost(node):
    if isinstance(node, (ast.Constant, ast.Name)):
        return 0
    if isinstance(node, ast.UnaryOp):
        return 1 + cost(node.operand)
    if isinstance(node, ast.BinOp):
        return 1 + cost(node.left) + cost(node.right)
    if node.func.id == "repeat":
        return cost(node.args[1]) + node.args[0].value * max(1, cost(node.args[2]))
    return 1 + sum(cost(argument) for argument in node.args)


def expected(text, address):
    """(value or "none", cost), or ("refused",)."""
    node = ast.parse(text.strip(), mode="eval").body
    operations = cost(node)
    if operations > 1024:
        return ("refused",)
    octets = address.to_bytes(4, "big")
    names = {"o%d" % (i + 1): octets[i] for i in range(4)}
    names["addr"] = address
    try:
        return (str(evaluate(node, names)), str(operations))
    except NoValue:
        return ("none", str(operations))


def random_case(r):
    while True:
        text = blank(r) + chain(r, r.randint(0, 5), False) + blank(r)
        if len(text) <= 1024:
            break
    return text, int.from_bytes(bytes(r.choice(OCTETS) for _ in range(4)), "big")


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    r = random.Random(seed)
    cases = [random_case(r) for _ in range(count)]
    lines = "".join("%s\t%d\n" % case for case in cases)
    answers = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split("\n")[:-1]
    if len(answers) != count:
        sys.exit("%d answers to %d lines" % (len(answers), count))
    kinds = {"value": 0, "none": 0, "refused": 0}
    for (text, address), answer in zip(cases, answers):
        want = expected(text, address)
        fields = tuple(answer.split("\t")[:len(want)])
        if fields != want or (want == ("refused",) and "costs more than" not in answer):
            sys.exit("%s with address %d: expected %s, got %s" % (text, address, want, answer))
        kinds[want[0] if want[0] in kinds else "value"] += 1
    print("%d expressions: %d with a value, %d without, %d refused for their cost" %
          (count, kinds["value"], kinds["none"], kinds["refused"]))
    if min(kinds.values()) == 0:
        sys.exit("every kind should occur")


main()
