#!/usr/bin/python3
"""What Potassium and Drifter do: DNS says A.B.C.D, they connect to C.D.A.B, port from a list.

Usage: swap16.py NAME PORT
"""
import socket
import sys


def main():
    name, port = sys.argv[1], int(sys.argv[2])
    answer = socket.gethostbyname(name)
    o1, o2, o3, o4 = answer.split(".")
    destination = f"{o3}.{o4}.{o1}.{o2}"
    print(f"  {name} is {answer}, destination {destination}, port {port}:", end=" ")
    with socket.socket() as s:
        s.settimeout(4)
        print("refused" if s.connect_ex((destination, port)) else "connected")


main()
