#!/usr/bin/python3
"""What APT12 does: one name is the destination, the address of the other gives the port.

Usage: two-names.py DESTINATION-NAME PORT-NAME [SECONDS]

With SECONDS, the port-giving name is resolved that long before the destination's; without, the
destination's is resolved first and nothing is waited for.
"""
import socket
import sys
import time


def main():
    destination_name, port_name = sys.argv[1:3]
    if len(sys.argv) > 3:
        giver = socket.gethostbyname(port_name)
        time.sleep(float(sys.argv[3]))
        destination = socket.gethostbyname(destination_name)
    else:
        destination = socket.gethostbyname(destination_name)
        giver = socket.gethostbyname(port_name)
    o1, o2, o3, _ = socket.inet_aton(giver)
    port = o1 * o2 + o3
    print(f"  {destination_name} is {destination}; {port_name} is {giver}, port {port}:", end=" ")
    with socket.socket() as s:
        s.settimeout(4)
        print("refused" if s.connect_ex((destination, port)) else "connected")


main()
