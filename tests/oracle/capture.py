"""Captures made from octets, and what tshark and our own decoders (dump) see in them."""

import struct
import subprocess
import xml.etree.ElementTree


def write(path, linktype, frames):
    """Frames are octets, or (octets, length on the wire)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype))
        for number, frame in enumerate(frames):
            octets, length = frame if isinstance(frame, tuple) else (frame, len(frame))
            file.write(struct.pack("<IIII", 1000 + number, 0, len(octets), length) + octets)


def dump(program, mode, path):
    """One list of fields per frame."""
    run = subprocess.run([program, mode, path], stdout=subprocess.PIPE, check=True, text=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


# Without a home no preferences of the user, who may have changed what is decoded.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


def tshark(path, *options):
    return subprocess.Popen(["tshark", "-n", "-r", path, *options], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=ENVIRONMENT)


def tshark_protocols():
    run = subprocess.run(["tshark", "-G", "protocols"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=True, text=True)
    return {line.split("\t")[2] for line in run.stdout.splitlines()}


def packets(path, *options):
    """The trees that tshark makes of each frame (PDML), one at a time."""
    # tshark passes on control characters of the packet, which XML may not hold.
    controls = bytes(range(0x20)).translate(None, b"\t\n\r")
    parser = xml.etree.ElementTree.XMLPullParser()
    with tshark(path, "-T", "pdml", *options) as process:
        for line in process.stdout:
            line = line.translate(bytes.maketrans(controls, b"?" * len(controls)))
            text = line.decode("utf-8", "replace")
            parser.feed(text.replace("\ufffe", "?").replace("\uffff", "?"))
            for _, element in parser.read_events():
                if element.tag == "packet":
                    yield element
                    element.clear()


def ipv4(protocol, payload, source=bytes([192, 0, 2, 53]), destination=bytes([10, 0, 0, 1])):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    return header + source + destination + payload


def udp(source, destination, payload):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload
