#!/usr/bin/python3
"""Completion, in a real bash and a real zsh at a terminal: what is offered when TAB is pressed.

What must be offered is what `portent --help` lists, and what stands in a folder made for it.

    tests/completion.py [NAME ...]      needs $BUILD and $PORTENT
"""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build-tests"))
PORTENT = os.environ.get("PORTENT", str(BUILD / "sensor/portent"))
MADE = BUILD / "sensor/completions"
PATIENCE = 20
FILES = ["first.pcap", "second.pcapng", "third file.pcap.gz"]


class Terminal:
    """A shell that believes it talks to a person."""

    def __init__(self, folder, *words):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C",
                                         "HOME": str(folder), "PS1": "", "HISTFILE": "/dev/null"})
        self.text = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self, pattern):
        """What matched, when it has been written; what was before is forgotten."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text, re.S)):
            assert time.monotonic() < end, (pattern, self.text)
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 1 << 16).decode(errors="replace")
        self.text = self.text[found.end():]
        return found

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


class Shell:
    """Tests for both; a class of a shell says what is `offered` for a line."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portent-completion-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in FILES:
            (self.folder / name).touch()
        if not shutil.which(self.name):
            self.skipTest(f"there is no {self.name} here")
        self.terminal = self.start()
        self.addCleanup(self.terminal.end)

    @staticmethod
    def options(beginning):
        told = subprocess.run([PORTENT, "--help"], capture_output=True, text=True, check=True)
        found = set(re.findall(r"^  (?:-., |    )(--[a-z-]+)", told.stdout, re.M))
        assert len(found) > 30, found
        return sorted(name for name in found if name.startswith(beginning))

    def test_options(self):
        self.assertEqual(self.options("--lo"), ["--log"])
        self.assertEqual(self.offered("portent --lo"), ["--log"])

    def test_options_that_begin_alike(self):
        wanted = self.options("--s")
        self.assertGreater(len(wanted), 4)
        self.assertEqual(self.offered("portent --s"), wanted)

    def test_options_behind_others(self):
        self.assertEqual(self.offered("portent -q -r first.pcap --met"), ["--metrics"])

    def test_files_behind_r(self):
        self.assertEqual(self.offered("portent -r "), FILES)
        self.assertEqual(self.offered("portent -r s"), FILES[1:2])

    def test_interfaces_behind_i(self):
        self.assertEqual(self.offered("portent -i "), sorted(os.listdir("/sys/class/net")))

    def test_formats(self):
        self.assertEqual(self.offered("portent --format "), ["auto", "ecs", "text"])
        self.assertEqual(self.offered("portent --format=t"), ["text"])

    def test_kinds(self):
        told = subprocess.run([PORTENT, "-r", "x", "--log", "?"], capture_output=True, text=True,
                              check=False).stderr
        wanted = sorted(name for name in self.offered("portent --log ") if name in told)
        self.assertGreater(len(wanted), 5, told)
        self.assertEqual(self.offered("portent --log alert,st"),
                         sorted(name for name in wanted if name.startswith("st")))


class Bash(Shell, unittest.TestCase):
    name = "bash"

    def start(self):
        terminal = Terminal(self.folder, "bash", "--norc", "--noprofile", "-i")
        for line in (f"source '{MADE}/portent'", "PS1=", "bind 'set completion-query-items 0'",
                     "bind 'set page-completions off'", "bind 'set completion-display-width 0'",
                     "bind 'set enable-bracketed-paste off'", "bind 'set bell-style none'",
                     r"bind '\"\C-o\": possible-completions'", "stty -echo"):
            terminal.type(line + "\n")
        terminal.type("echo 're'ady\n")
        terminal.wait("ready\r?\n")
        return terminal

    def offered(self, line):
        """Of each, the part after the comma or the last folder: so readline shows them."""
        self.terminal.type(line + "\x0f")
        time.sleep(0.3)
        self.terminal.type("\x15echo 'en'd\n")
        text = self.terminal.wait(r"(.*?)end\r?\n").group(1).replace("\r", "")
        lines = [part.strip() for part in text.split("\n")]
        return sorted({part.rpartition(",")[2] for part in lines
                       if part and not part.startswith(("portent ", "echo "))})


class Zsh(Shell, unittest.TestCase):
    name = "zsh"

    def start(self):
        terminal = Terminal(self.folder, "zsh", "-f", "-i")
        said = self.folder / ".said"
        lines = f"""
            unsetopt zle_bracketed_paste beep promptcr promptsp; PS1=
            fpath=('{MADE}' $fpath)
            autoload -Uz compinit && compinit -u -D
            compadd() {{
                # What is only asked, and not offered, has one of these flags.
                if [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\\ * ]]; then
                    builtin compadd "$@"; return
                fi
                local -a hits
                builtin compadd -O hits "$@"
                print -rl -- $hits >>'{said}'
                builtin compadd "$@"
            }}
            offer() {{ zle list-choices; print done >>'{said}'; BUFFER= }}
            zle -N offer; bindkey '^O' offer
            print 're'ady
            """
        rc = self.folder / ".rc"
        rc.write_text(lines)
        terminal.type(f"source {rc}\n")
        terminal.wait("ready\r?\n")
        return terminal

    def offered(self, line):
        said = self.folder / ".said"
        said.write_text("")
        self.terminal.type(line + "\x0f")
        end = time.monotonic() + PATIENCE
        while not said.read_text().endswith("done\n"):
            assert time.monotonic() < end, (line, said.read_text(), self.terminal.text)
            time.sleep(0.05)
        words = said.read_text().split("\n")[:-2]
        return sorted({word.replace("\\ ", " ") for word in words if word})


def main():
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or ["Bash", "Zsh"],
                                                          sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    failed = len(result.failures) + len(result.errors)
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
