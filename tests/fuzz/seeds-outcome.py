#!/usr/bin/python3
"""Writes the first inputs of the fuzz target for outcomes: corpus/outcome. A run gives the same files again."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
SYN, SYN_ACK, FROM_CLIENT, FROM_SERVER, CLIENT_FIN, SERVER_FIN, CLIENT_RST, SERVER_RST, GARBAGE, TIME = range(10)
LOST, TWICE, AGAIN = 1, 2, 4
RECORDED, LIVE, CUT = 0, 1, 2


def step(what, length=0, fate=0, *, which=0, ms=1):
    return bytes([what << 2 | which, length, ms << 3 | fate])


def later(quarters):
    return step(TIME, quarters)


def talk(which=0, fate=0):
    return (step(SYN, which=which) + step(SYN_ACK, which=which) + step(FROM_CLIENT, 20, fate, which=which) +
            step(FROM_SERVER, 100, fate, which=which))


def close(which=0):
    return step(SERVER_FIN, 7, which=which) + step(CLIENT_FIN, 0, which=which)


STORIES = {
    "silent": step(SYN) + later(255),
    "refused": step(SYN) + step(SERVER_RST),
    "refused-then-answered": step(SYN) + step(SERVER_RST) + step(SYN, ms=20) + step(SYN_ACK) + close(),
    "closed-at-once": talk() + close(),
    "closed-later": talk() + later(1) + talk()[6:] + close(),
    "lost": talk(fate=LOST) + later(1) + talk(fate=LOST)[6:] + close(),
    "no-syn-ack": step(SYN) + step(FROM_SERVER, 9) + later(1) + close(),
    "late-syn-ack": step(SYN) + step(FROM_SERVER, 9) + step(FROM_SERVER, 9) + step(SYN_ACK) + close(),
    "lost-and-late-syn-ack": step(SYN) + step(FROM_SERVER, 9, LOST) + step(FROM_SERVER, 9) + step(SYN_ACK) + close(),
    "twice": talk(fate=TWICE) + talk(fate=AGAIN)[6:] + close(),
    "round": talk(1) + talk(2) + talk(3) + later(1) + 9 * step(FROM_SERVER, 255, which=1) + close(1) + close(2),
    "reset": talk() + later(1) + step(CLIENT_RST),
    "garbage": talk() + step(GARBAGE, 0x12, 9) + step(GARBAGE, 0xff, 2) + close(),
    "open": talk() + later(1) + talk()[6:],
}


def main():
    folder = os.path.join(HERE, "corpus", "outcome")
    os.makedirs(folder, exist_ok=True)
    for name, octets in STORIES.items():
        for how, kind in (RECORDED, ""), (LIVE, "-live"), (LIVE | CUT, "-cut"):
            with open(os.path.join(folder, name + kind), "wb") as file:
                file.write(bytes([how]) + octets)


if __name__ == "__main__":
    main()
