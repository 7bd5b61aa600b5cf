#!/usr/bin/python3
"""A client that behaves as Windows does: it asks for A and AAAA at once, from one port, and when
its SYN is answered by RST it sends the same SYN again.

Usage: windows.py NAME

The second habit comes from a filter on the socket that hides the RST from this machine's own TCP,
which therefore goes on as if nothing had come: the same SYN after one second and after three.
"""
import ctypes
import socket
import struct
import sys

SO_ATTACH_FILTER = 26


def hide_resets(s):
    """The filter sees TCP headers: load octet 13 (the flags); if RST is set, drop; else accept."""
    code = b"".join((
        struct.pack("HBBI", 0x30, 0, 0, 13),
        struct.pack("HBBI", 0x45, 0, 1, 0x04),
        struct.pack("HBBI", 0x06, 0, 0, 0),
        struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF),
    ))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def main():
    name = sys.argv[1]
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    (address,) = [a[4][0] for a in answers if a[0] == socket.AF_INET]
    o1, o2, o3, _ = socket.inet_aton(address)
    port = o1 * o2 + o3
    print(f"  {name} is {address}, port {port}:", end=" ", flush=True)
    with socket.socket() as s:
        hide_resets(s)
        s.settimeout(3.6)
        try:
            s.connect((address, port))
            print("connected")
        except TimeoutError:
            print("refused, and tried again")


main()
