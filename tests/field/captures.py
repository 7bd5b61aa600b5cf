#!/usr/bin/python3
"""The captures that Debian's source packages ship for their tests.

    captures.py FOLDER PACKAGE ...

fetches the packages' sources with apt, from where this machine's own sources list points, and
unpacks into FOLDER/captures every pcap and pcapng file in them, also a compressed one, known by its
content. What is there already is not fetched again. Exit status 0: they are there; 4: they cannot
be had here, and the last line says why.
"""
import gzip
import pathlib
import re
import subprocess
import sys
import tarfile

SOURCES = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
MAGICS = {bytes.fromhex(m) for m in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a")}
LARGEST = 1 << 26


class Unavailable(Exception):
    pass


def source_lists(folder):
    """The machine's own lists, asked for sources instead of programs."""
    found = False
    for path in SOURCES:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text()
        text = re.sub(r"^(Types:).*", r"\1 deb-src", text, flags=re.MULTILINE)
        text = re.sub(r"^deb(-src)?\s", "deb-src ", text, flags=re.MULTILINE)
        (folder / path.name).write_text(text)
        found = True
    if not found:
        raise Unavailable("apt has no sources list here")


def apt(folder, *words):
    options = {"Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": folder / "etc",
               "Dir::State::Lists": folder / "lists", "Dir::Cache": folder / "cache",
               "APT::Sandbox::User": "root"}
    command = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items()), *words]
    done = subprocess.run(command, cwd=folder / "sources", capture_output=True, text=True)
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.startswith("E:")] or ["no reason given"]
        raise Unavailable(f"apt-get {words[0]}: {last[0]}")


def fetch(folder, packages):
    for name in ("etc", "lists/partial", "cache/archives/partial", "sources"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    missing = [p for p in packages if not list((folder / "sources").glob(f"{p}_*.orig.tar.*"))]
    if missing:
        source_lists(folder / "etc")
        apt(folder, "update")
        apt(folder, "source", "--download-only", *missing)


def is_capture(octets):
    if octets[:2] == b"\x1f\x8b":
        try:
            octets = gzip.decompress(octets)
        except (OSError, EOFError):
            return False
    return octets[:4] in MAGICS


def unpack(archive, package, folder):
    """Names lose the version, so that the list of differences need not name it."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isfile() or not 24 <= member.size <= LARGEST:
                continue
            octets = tar.extractfile(member).read()
            if is_capture(octets):
                path = folder / package / pathlib.PurePosixPath(*pathlib.PurePosixPath(member.name).parts[1:])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(octets)


def main():
    folder, packages = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    try:
        fetch(folder, packages)
    except (Unavailable, OSError) as error:
        print(error)
        return 4
    for package in packages:
        for archive in (folder / "sources").glob(f"{package}_*.orig.tar.*"):
            if archive.suffix != ".asc" and not (folder / "captures" / package).exists():
                unpack(archive, package, folder / "captures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
