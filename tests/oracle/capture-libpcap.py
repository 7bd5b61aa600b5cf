#!/usr/bin/python3
"""Our reader of capture files beside libpcap's: pcaps/, the whole files of the bad inputs, mutants.

    capture-libpcap.py PROGRAM MUTANTS [SEED]     the program is capture-differential
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "bad"))

import captures  # noqa: E402,F401  (registers its rows)
from rows import ROWS, File  # noqa: E402


def bad_files(folder):
    for row in ROWS:
        for number, entry in enumerate(row.make()):
            if isinstance(entry, File):
                path = folder / f"{row.id}-{number}"
                path.write_bytes(entry.data)
                yield str(path)


def main():
    program, mutants, seed = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["1"])[0]
    sound = [str(path) for path in sorted((ROOT / "pcaps").glob("*.pcap*"))]
    with tempfile.TemporaryDirectory() as folder:
        bad = list(bad_files(pathlib.Path(folder)))
        for count, files in (mutants, sound), (str(int(mutants) // 10), bad):
            result = subprocess.run([program, count, seed, *files], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(result.stdout, end="")
            if result.returncode != 0:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
