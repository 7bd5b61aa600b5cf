#!/usr/bin/python3
"""rules/elastic/README.md: its sessions are run, its files are there, its rules have those names."""
import os
import re
import subprocess
import tempfile
from pathlib import Path

from checks import ELASTIC, ROOT, check, finish, read_lines

TEXT = (ELASTIC / "README.md").read_text(encoding="utf-8")


def sessions():
    """(command, what it shows) of the blocks that are sessions."""
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def run_sessions():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pcaps").symlink_to(ROOT / "pcaps")
        for command, shown in sessions():
            command = command.replace("sensor/run", os.environ["PORTENT"])
            done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True,
                                  check=False)
            check(done.returncode == 0 and done.stdout + done.stderr == shown, command, "shows",
                  done.stdout + done.stderr)


def sensor_commands():
    """What the shell blocks tell the reader to run of the sensor is a command line that it takes."""
    commands = re.findall(r"^portent (.*)$", "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.S)), re.M)
    check(len(commands) >= 2, "README runs no sensor")
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            words = command.replace("eth1", "lo").replace("suspect.pcap", str(ROOT / "pcaps/apt12.pcap"))
            words = words.replace("/var/log/portent", folder).split()
            done = subprocess.run([os.environ["PORTENT"], "-T", *words], capture_output=True, text=True,
                                  check=False)
            check(done.returncode == 0, "portent", command, "is refused:", done.stderr)


def named_files():
    first = TEXT[TEXT.index("| Here"):TEXT.index("## From")]
    column = " ".join(line.split("|")[1] for line in first.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`([\w./-]+?)/?`", column)) | {"load", "api-key.json", "source", "make",
                                                          "README.md"}
    for path in ELASTIC.iterdir():
        check(any(name.split("/")[0] == path.name for name in named), "README is silent about", path.name)
    for name in named:
        check((ELASTIC / name).exists() or (ELASTIC / "detection" / name).exists(), "README names", name)


def named_rules():
    rules = [line for line in read_lines(ELASTIC / "detection/rules.ndjson") if "rule_id" in line]
    table = TEXT[TEXT.index("| Rule |"):TEXT.index("Each has triage")].replace("\\|", "|")
    for rule in rules:
        check("| %s | " % rule["name"] in table, "README does not name", rule["name"])
        severity = "the sensor's" if rule["name"].endswith("found by portent") and \
            rule["severity"] == "medium" else rule["severity"]
        check("| %s | %s |" % (rule["name"], severity) in table, rule["name"], "is not", severity)
    check(table.count("\n| ") - 1 == len(rules), "README names rules that there are not")


def main():
    run_sessions()
    sensor_commands()
    named_files()
    named_rules()
    finish()


if __name__ == "__main__":
    main()
