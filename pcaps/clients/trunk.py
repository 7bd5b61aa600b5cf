#!/usr/bin/python3
"""Two small switches with a trunk between them: frames travel the trunk with an 802.1Q tag.

Usage: trunk.py VLAN ACCESS TRUNK TRUNK ACCESS  (prints "ready" when it forwards)

A frame that comes in at an access port leaves by the trunk port beside it with the tag; one that
comes in by a trunk port leaves by the access port beside it without. (The kernel takes the tag off
what a packet socket receives, and needs no 802.1Q support of its own to carry one that we send.)
"""
import selectors
import socket
import struct
import sys

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def port(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((name, ETH_P_ALL))
    return s


def main():
    tag = struct.pack(">HH", 0x8100, int(sys.argv[1]))
    access_a, trunk_a, trunk_b, access_b = map(port, sys.argv[2:6])
    ways = {access_a: (trunk_a, tag), trunk_a: (access_a, b""),
            access_b: (trunk_b, tag), trunk_b: (access_b, b"")}
    selector = selectors.DefaultSelector()
    for s in ways:
        selector.register(s, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            frame, origin = key.fileobj.recvfrom(65535)
            if origin[2] == PACKET_OUTGOING:
                continue
            out, inserted = ways[key.fileobj]
            out.send(frame[:12] + inserted + frame[12:])


main()
