#!/usr/bin/python3
"""Resolves each name, calculates the port from the address that it was given, and connects there.

Usage: connect.py [--ipv6] FORMULA NAME ...

One name is the plain Python test of DNS calculation; several are rotation, each tried as soon as
the one before has refused or has been silent for four seconds. With --ipv6 it asks for an IPv6
address and calculates with the IPv4 address inside it (NAT64).
"""
import argparse
import socket

FORMULAS = {
    "apt12": lambda o1, o2, o3, o4: o1 * o2 + o3,
    "variant": lambda o1, o2, o3, o4: o1 * (o2 + o3),
}


def resolve(name, ipv6):
    if not ipv6:
        address = socket.gethostbyname(name)
        return socket.AF_INET, address, socket.inet_aton(address)
    address = socket.getaddrinfo(name, None, socket.AF_INET6, socket.SOCK_STREAM)[0][4][0]
    return socket.AF_INET6, address, socket.inet_pton(socket.AF_INET6, address)[-4:]


def connect(family, address, port):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(4)
        try:
            s.connect((address, port))
            return "connected"
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "silent"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ipv6", action="store_true")
    parser.add_argument("formula", choices=FORMULAS)
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    for name in arguments.names:
        family, address, octets = resolve(name, arguments.ipv6)
        port = FORMULAS[arguments.formula](*octets)
        print(f"  {name} is {address}, port {port}:", connect(family, address, port))


main()
