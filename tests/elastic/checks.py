"""What the checks of this folder share: reading documents, and counting what holds."""
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ELASTIC = ROOT / "rules" / "elastic"
WORK = Path(os.environ.get("WORK", "/nonexistent"))

passed = failed = 0


def check(good, *sentence):
    """One thing that holds or does not."""
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(*sentence)
    return good


def finish():
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0)


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_bytes().splitlines() if line.strip()]


def documents(*folders):
    """(name of the file, document) of all that tests/elastic/run gathered."""
    for folder in folders or ("captures", "made"):
        for path in sorted((WORK / folder).glob("*.ndjson")):
            for document in read_lines(path):
                yield path.stem, document


def leaves(value, prefix=""):
    """(field, value) of each value in a document; a list gives each of its values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, prefix + "." + key if prefix else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, prefix)
    else:
        yield prefix, value


def get(document, field):
    """The values of a field, as a list: empty where there are none."""
    return [value for name, value in leaves(document) if name == field]
