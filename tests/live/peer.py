#!/usr/bin/python3
"""A real client, in a network namespace of its own: a line says what to do, a line what was done.

    {"to": [ADDRESS, PORT], "send": OCTETS, "take": OCTETS, "end": "close"|"reset"|"keep"}

With "again" it is done on the connection that was kept last.
"""
import json
import socket
import struct
import sys

KEPT = []


def answer(ask):
    told = {"sent": 0, "taken": 0}
    address, port = ask["to"]
    if ask.get("again"):
        sock = KEPT[-1]
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.settimeout(ask.get("timeout", 30))
        try:
            sock.connect((address, port))
        except OSError as error:
            told["error"] = type(error).__name__
            return told
    told["port"] = sock.getsockname()[1]
    # How much of either is to come, so that the server knows without an end of the stream.
    sock.sendall(struct.pack(">II", ask["send"], ask["take"]) + bytes(ask["send"]))
    told["sent"] = 8 + ask["send"]
    while told["taken"] < ask["take"]:
        piece = sock.recv(65536)
        if not piece:
            break
        told["taken"] += len(piece)
    if ask["end"] == "keep":
        KEPT.append(sock)
        return told
    if ask["end"] == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    return told


def main():
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
