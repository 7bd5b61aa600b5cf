#!/usr/bin/python3
"""Inputs for documents that no capture of pcaps/ gives: inputs.py FOLDER

answered.pcap: an alert whose connection carries data. encrypted.pcap: a client that asks public encrypted resolvers, and connects where nothing was resolved.
zeek/, grouped/: two captures as other programs' logs, in which what a log cannot say is lacking.
vxlan.pcap: a capture as it would look inside VXLAN (RFC 7348).
"""
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import logs  # noqa: E402

HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
CLIENT, RESOLVER = bytes([10, 20, 30, 40]), bytes([10, 20, 30, 1])
VNI = 5001


def record(seconds, frame, fraction=0):
    return struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame


def ip(protocol, payload, destination, source=CLIENT):
    return bytes(12) + b"\x08\x00" + struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source,
        destination) + payload


def udp(source, destination, payload):
    return struct.pack(">4H", source, destination, 8 + len(payload), 0) + payload


def syn(number, address, port, client=CLIENT):
    return ip(6, struct.pack(">HHIIBBHHH", 40000 + number, port, 7 * number + 1, 0, 0x50, 2, 1024, 0, 0),
              bytes(map(int, address.split("."))), client)


def question(name):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b".")) + b"\0"
    return labels + struct.pack(">2H", 1, 1)


def query(name):
    return ip(17, udp(40000, 53, struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + question(name)), RESOLVER)


def answer(name, *addresses, client=CLIENT):
    message = struct.pack(">6H", 7, 0x8180, 1, len(addresses), 0, 0) + question(name)
    for address in addresses:
        message += struct.pack(">3HIH", 0xC00C, 1, 1, 60, 4) + bytes(map(int, address.split(".")))
    return ip(17, udp(53, 40000, message), client, RESOLVER)


def encrypted():
    """DNS over TLS and over HTTPS, a query for such a resolver's name, and a SYN to 203.0.113.9:5000."""
    frames = [query("dns.google"), syn(1, "8.8.8.8", 853), syn(2, "8.8.8.8", 443),
              syn(3, "203.0.113.9", 5000)]
    return capture(frames)


def capture(frames, start=1795500000):
    """One a second."""
    return HEADER + b"".join(record(start + i, frame) for i, frame in enumerate(frames))


def answered():
    """An alert whose connection is answered, with data, and closed by both sides."""
    there, port, here = bytes([198, 51, 100, 23]), 10198, 40001

    def segment(up, flags, sequence, acknowledged, data=b""):
        ends = (here, port) if up else (port, here)
        return ip(6, struct.pack(">HHIIBBHHH", *ends, sequence, acknowledged, 0x50, flags, 1024, 0, 0) +
                  data, *((there, CLIENT) if up else (CLIENT, there)))

    return capture([answer("c2.example.net", "198.51.100.23"), segment(True, 2, 100, 0),
                    segment(False, 0x12, 900, 101), segment(True, 0x18, 101, 901, b"hello"),
                    segment(False, 0x18, 901, 106, b"do this"), segment(False, 0x11, 908, 106),
                    segment(True, 0x11, 106, 909)])


def vxlan(data):
    """Every frame of a capture inside a tunnel."""
    out, at = [data[:24]], 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        inner = struct.pack(">II", 0x08000000, VNI << 8) + data[at + 16:at + 16 + captured]
        frame = ip(17, udp(50000, 4789, inner), bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1]))
        out.append(struct.pack("<IIII", seconds, fraction, len(frame), len(frame) + length - captured))
        out.append(frame)
        at += 16 + captured
    return b"".join(out)


def main():
    folder = Path(sys.argv[1])
    (folder / "encrypted.pcap").write_bytes(encrypted())
    (folder / "answered.pcap").write_bytes(answered())
    (folder / "vxlan.pcap").write_bytes(vxlan((ROOT / "pcaps/apt12.pcap").read_bytes()))
    for name, form, source in (("zeek", "zeek, JSON", "apt12"),
                                ("grouped", "eve, version 2, grouped", "two-names")):
        (folder / name).mkdir()
        story = logs.story_of(ROOT / "pcaps" / (source + ".pcap"))
        for file, data in logs.FORMATS[form](story).items():
            (folder / name / file).write_bytes(data)


if __name__ == "__main__":
    main()
