#!/usr/bin/python3
"""Writes the first inputs of the fuzz target for capture files: corpus/archive.

A run gives the same files again. What a fuzzer found worth keeping is added to the folder by hand.
"""
import gzip
import lzma
import os
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "corpus", "archive")
TWO, FOLLOWED, FILTERED, BOUNDED = 1, 2, 4, 8


def pcap(*seconds, order="<", magic=0xA1B2C3D4, link=1, version=(2, 4), extra=b"", snaplen=65535):
    data = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link)
    for second in seconds:
        frame = bytes(14) + bytes(second % 50)
        data += struct.pack(order + "IIII", second, 7, len(frame), len(frame)) + extra + frame
    return data


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def pcapng(*seconds, order="<", link=1, options=b"", second_link=None):
    data = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    data += block(1, struct.pack(order + "HHI", link, 0, 96) + options, order)
    if second_link is not None:
        data += block(1, struct.pack(order + "HHI", second_link, 0, 0), order)
    for i, second in enumerate(seconds):
        time, frame = second * 10**6, bytes(20)
        interface = i % 2 if second_link is not None else 0
        data += block(6, struct.pack(order + "IIIII", interface, time >> 32, time & 0xFFFFFFFF,
                                     20, 60) + frame, order)
    data += block(3, struct.pack(order + "I", 20) + bytes(20), order)
    data += block(2, struct.pack(order + "HHIIII", 0, 0, 0, 5, 20, 20) + bytes(20), order)
    return data + block(5, bytes(8), order)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) + bytes(4)


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def main():
    os.makedirs(OUT, exist_ok=True)
    one, two = pcap(5, 6, 7), pcap(4, 6, 8000, 9, order=">")
    seeds = {
        "pcap": (0, one), "pcap-big": (0, two), "pcap-nano": (0, pcap(1, 2, magic=0xA1B23C4D)),
        "pcap-patched": (0, pcap(1, 2, magic=0xA1B2CD34, extra=bytes(8))),
        "pcap-2.2": (0, pcap(1, version=(2, 2))), "pcap-clipped": (0, pcap(40, snaplen=8)),
        "pcapng": (0, pcapng(1, 2)), "pcapng-big": (0, pcapng(1, 2, order=">")),
        "pcapng-links": (0, pcapng(1, 2, 3, second_link=113)),
        "pcapng-binary-time": (0, pcapng(1, options=option(9, b"\x94"))),
        "pcapng-offset": (0, pcapng(1, options=option(14, struct.pack("<q", 9**9)))),
        "pcapng-sections": (0, pcapng(1) + pcapng(2, order=">", link=101)),
        "gzip": (0, gzip.compress(one, mtime=0)),
        "gzip-members": (0, gzip.compress(one[:50], mtime=0) + gzip.compress(one[50:], mtime=0)),
        "zstd": (0, zstd(one)), "xz": (0, lzma.compress(one)),
        "gzip-twice": (0, gzip.compress(gzip.compress(one, mtime=0), mtime=0)),
        "cut": (0, one[:-3]), "followed": (FOLLOWED, one[:-3]), "followed-ng": (FOLLOWED, pcapng(1)),
        "filtered": (FILTERED, one), "bounded": (BOUNDED, one),
        "snoop": (0, b"snoop\0\0\0\0\0\0\2"), "words": (0, b"no capture at all"),
    }
    for name, (flags, data) in seeds.items():
        with open(os.path.join(OUT, name), "wb") as file:
            file.write(bytes([flags, 0]) + data)
    for name, first, second in (("two", one, two), ("two-kinds", zstd(two), pcapng(5, 6)),
                                ("two-foreign", pcap(10**9, 6, 7), two)):
        share = -(-len(first) * 256 // (len(first) + len(second)))
        with open(os.path.join(OUT, name), "wb") as file:
            file.write(bytes([TWO, share]) + first + second)


if __name__ == "__main__":
    main()
