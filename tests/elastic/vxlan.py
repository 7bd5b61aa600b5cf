#!/usr/bin/python3
"""A capture as it would look inside VXLAN (RFC 7348): vxlan.py FROM.pcap TO.pcap"""
import struct
import sys
from pathlib import Path

VNI = 5001
OUTER = bytes(12) + b"\x08\x00"


def wrapped(frame):
    vxlan = struct.pack(">II", 0x08000000, VNI << 8) + frame
    udp = struct.pack(">HHHH", 50000, 4789, 8 + len(vxlan), 0) + vxlan
    return OUTER + struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                               bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])) + udp


def main():
    data = Path(sys.argv[1]).read_bytes()
    out, at = [data[:24]], 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        frame = wrapped(data[at + 16:at + 16 + captured])
        out.append(struct.pack("<IIII", seconds, fraction, len(frame), len(frame) + length - captured))
        out.append(frame)
        at += 16 + captured
    Path(sys.argv[2]).write_bytes(b"".join(out))


if __name__ == "__main__":
    main()
