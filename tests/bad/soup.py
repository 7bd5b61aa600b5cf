"""Row H18: all inputs at random between good traffic."""
import random

import frames
from program import Writer, Wrong, check_canary, run
from rows import MS, S, START, canary

SOUP = ("H18", "all of the above at random between good traffic, canaries sprinkled in",
        "maltrail's mixed_soup.pcap", "all canaries alert; every packet is counted once")
COOKED = {1: 120000, 0: 8000, 108: 8000, 101: 8000, 113: 8000, 276: 8000}


def good_traffic(dice, wrap):
    """A few hundred frames that are as they should be."""
    out = []
    for number in range(300):
        client = bytes([10, 32, number >> 8, number & 255])
        server = bytes([93, 184, dice.randrange(256), dice.randrange(1, 255)])
        asked = frames.question(frames.dotted(f"www{number}.example"))
        number += 1
        out += [wrap(packet) for packet in (
            frames.ip(client, frames.RESOLVER, frames.UDP, frames.udp(
                dice.randrange(1024, 65536), 53, frames.message([asked], flags=frames.RD))),
            frames.ip(frames.RESOLVER, client, frames.UDP, frames.udp(53, 30000, frames.message(
                [asked], [frames.record(frames.pointer(12), frames.A, server)]))),
            frames.ip(client, server, frames.TCP, frames.tcp(40000 + number, 443)),
            frames.ip(client, server, frames.TCP, frames.tcp(
                40000 + number, 443, frames.ACK, data=dice.randbytes(dice.randrange(1400)))),
            frames.ip(server, client, frames.UDP, frames.udp(443, 50000, dice.randbytes(1200))))]
    return out


def cook(dice, link, count, entries):
    """The soup as a Writer, its canaries, and how many of its times are foreign."""
    records = [record for entry in entries if entry.link == link and len(entry.records) < 100
               for record in entry.records
               # A time a few seconds off is no foreign one: its rows need the clock for themselves.
               if not record.stamp or abs(record.stamp[0] - START // S) > 366 * 86400]
    small = [record for record in records if len(record.frame) < 8192]
    large = [record for record in records if len(record.frame) >= 8192]
    traffic, waiting, canaries = good_traffic(dice, frames.LINKS[link]), [], []
    writer, foreign, strangers = Writer(link), False, 0
    while writer.packets < count or waiting:
        pick = dice.random()
        pause = dice.choice((0, 1000, MS, MS))
        if writer.packets < count and pick < 0.01:
            client, packets = canary(link)
            canaries.append(client)
            waiting.append(packets)
        elif waiting and pick < 0.1:
            packets = dice.choice(waiting)
            writer.put(packets.pop(0), pause)
            if not packets:
                waiting.remove(packets)
            foreign = False
        elif pick < 0.5:
            record = dice.choice(large if large and dice.random() < 0.003 else small)
            # Two foreign times in a row would be a new time, and answers would be old by right.
            if not (record.stamp and foreign):
                writer.put(record.frame, pause, record.length, record.stamp)
                foreign = bool(record.stamp)
                strangers += foreign
        else:
            writer.put(dice.choice(traffic), pause)
            foreign = False
    return writer, canaries, strangers


def run_soup(sensor, folder, entries, seed):
    dice = random.Random(seed)
    for link, count in COOKED.items():
        writer, canaries, strangers = cook(dice, link, count, entries)
        path = folder / f"H18-{link}.pcap"
        writer.write(path)
        result = run(sensor, folder, [path], "alert" if link == 1 else "alert,dns,connection")
        if result.status != 0:
            raise Wrong(f"link type {link}: exit status {result.status}")
        for client in canaries:
            check_canary(result, client)
        decoded = sum(value for name, value in result.counters.items()
                      if name.startswith("decode.") and name != "decode.errors")
        if not decoded == result.counters["capture.packets"] == writer.packets:
            raise Wrong(f"link type {link}: {writer.packets} packets, {decoded} of them decoded")
        wanted = {"clock.epochs": 0, "clock.jumps": 0, "clock.foreign": strangers,
                  "cache.refused": 0}
        for name, value in wanted.items():
            if result.counters[name] != value:
                raise Wrong(f"link type {link}: {name} is {result.counters[name]}, not {value}")
        print(f"  H18, link type {link}: {writer.packets} packets, {len(canaries)} canaries")
