#!/usr/bin/python3
"""The far end of a connection that is accepted: takes it, answers a request with one line, closes.

Usage: serve.py PORT ...        (prints "ready" when all of them listen)
"""
import selectors
import socket
import sys

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nNothing of interest.\n"


def main():
    selector = selectors.DefaultSelector()
    for port in sys.argv[1:]:
        listener = socket.create_server(("0.0.0.0", int(port)))
        selector.register(listener, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            with connection:
                if connection.recv(4096):
                    connection.sendall(ANSWER)


main()
