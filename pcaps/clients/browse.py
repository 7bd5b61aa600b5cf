#!/usr/bin/python3
"""Somebody at a browser: resolves each name (A and AAAA) and opens a connection to it.

Usage: browse.py NAME:PORT ...
"""
import socket
import sys


def main():
    for target in sys.argv[1:]:
        name, port = target.split(":")
        with socket.create_connection((name, int(port)), timeout=4) as s:
            if port == "80":
                s.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode("ascii"))
                while s.recv(4096):
                    pass
            print(f"  {name} is {s.getpeername()[0]}, port {port}: connected")


main()
