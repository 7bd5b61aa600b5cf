#!/usr/bin/python3
"""What Nymaim (2018) does: sixteen rounds over every A record; the one that is the sum of the
others is a checksum and is set aside; the rest are tried in order, port 80.

Usage: nymaim.py NAME
"""
import socket
import struct
import sys


def transform(address):
    (v,) = struct.unpack("<I", socket.inet_aton(address))
    for _ in range(16):
        v = (((v ^ 0x87568289) - 0x78643587) & 0xFFFFFFFF) ^ 0x18482642
    return v


def main():
    name = sys.argv[1]
    answers = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    values = [transform(a[4][0]) for a in answers]
    total = sum(values)
    for value in values:
        if (total - value) & 0xFFFFFFFF == value:
            continue
        destination = socket.inet_ntoa(struct.pack("<I", value))
        # Two of the published answers become 127.0.0.0 and 127.0.0.1: they leave no packet.
        with socket.socket() as s:
            s.settimeout(4)
            result = "failed" if s.connect_ex((destination, 80)) else "connected"
        print(f"  {name}: destination {destination}, port 80:", result)


main()
