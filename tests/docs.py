#!/usr/bin/python3
"""The words, checked: what README.md and the man pages show is run, and what they name exists.

    tests/docs.py               run, compare, and end with the line "N passed, N failed"
    tests/docs.py --write       put the real output under each command: read what changed

In README.md a fenced block marked `console` is a session, in a man page a literal display that
begins with `$ `. A line that begins with `$ ` is a command, which goes on while lines end with a
backslash; below it stands what a terminal shows. `[...]` stands for any text, and alone on a line for
any lines. A command must succeed. A fenced block marked with a language and a file's name is that
file.

README's commands run as in the checkout: in a folder that looks like it, so that the files they make
do not litter it. Those of the man pages run beside the captures, with $PORTENT as `portent`.
"""
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORTENT = os.path.abspath(os.environ.get("PORTENT", ROOT / "build/sensor/portent"))
README = ROOT / "README.md"
PORTENT_8 = ROOT / "sensor/man/portent.8"
RULES_5 = ROOT / "sensor/man/portent-rules.5"
JSON_5 = ROOT / "sensor/man/portent.json.5"
PAGES = PORTENT_8, RULES_5, JSON_5
DESCRIBE = os.path.join(os.path.dirname(PORTENT), "describe")  # what is made of the table of options
ANY = "[...]"
TIMEOUT = 600  # a command may build
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BUILDING = re.compile(r"portent: (installing .*|configuring\.\.\.|building\.\.\.)")

# What a display of a man page writes otherwise than it is shown.
ROFF = {r"\e": "\\", r"\(aq": "'", r"\(ha": "^", r"\(ti": "~", r"\&": ""}


class Command:
    """A command of a document, and the lines that are shown below it."""

    def __init__(self, number, text):
        self.number = number  # of its first line, from 0
        self.last = number  # of its last line
        self.text = text
        self.shown = []

    def shell(self):
        return self.text.replace("\\\n", " ")


def read_session(numbered):
    """The commands of one session, whose lines come with their numbers."""
    commands = []
    going_on = False
    for number, line in numbered:
        if going_on:
            commands[-1].text += "\n" + line
            commands[-1].last = number
        elif line.startswith("$ "):
            commands.append(Command(number, line[2:]))
        else:
            commands[-1].shown.append(line)
        going_on = line.endswith("\\") and (going_on or line.startswith("$ "))
    return commands


def fences(text):
    """Fenced blocks: what marks them, and their lines with numbers."""
    mark, block = None, []
    for number, line in enumerate(text.splitlines()):
        if line.startswith("```") and mark is None:
            mark, block = line[3:].split(), []
        elif line == "```":
            yield mark, block
            mark = None
        elif mark is not None:
            block.append((number, line))


def unroff(line):
    for written, shown in ROFF.items():
        line = line.replace(written, shown)
    return line


def displays(text):
    """Literal displays of a man page."""
    block = None
    for number, line in enumerate(text.splitlines()):
        if line.startswith(".Bd -literal"):
            block = []
        elif line == ".Ed" and block is not None:
            yield block
            block = None
        elif block is not None:
            block.append((number, unroff(line)))


def readme_commands():
    return [command for mark, block in fences(README.read_text()) if mark[:1] == ["console"]
            for command in read_session(block)]


def readme_files():
    """Names and contents of the files that README shows."""
    return {mark[1]: "".join(line + "\n" for _, line in block)
            for mark, block in fences(README.read_text()) if len(mark) == 2}


def page_commands(page):
    return [command for block in displays(page.read_text()) if block[0][1].startswith("$ ")
            for command in read_session(block)]


def page_files():
    """In portent-rules(5) a display after `.\\" FILE name` is that file."""
    files, lines = {}, RULES_5.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith('.\\" FILE '):
            end = lines.index(".Ed", number)
            files[line.split()[2]] = "".join(unroff(x) + "\n" for x in lines[number + 2:end])
    return files


# ---- running ----

def on_terminal(command, folder):
    """Run a command of the shell as on a terminal. Status, and what can be seen but for colours."""
    near, far = pty.openpty()
    environment = dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8", COLUMNS="80",
                       PATH=f"{os.path.dirname(PORTENT)}:{os.environ['PATH']}")
    process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment,
                               stdin=subprocess.DEVNULL, stdout=far, stderr=far)
    os.close(far)
    shown = b""
    while True:
        try:
            piece = os.read(near, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(near)
    lines = COLOUR.sub("", shown.decode().replace("\r\n", "\n")).splitlines()
    return process.wait(timeout=TIMEOUT), [x.rstrip() for x in lines if not BUILDING.fullmatch(x)]


def pattern(expected):
    """A regular expression for the lines expected."""
    parts = []
    for line in expected:
        if line == ANY:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append("".join(".*" if piece == ANY else re.escape(piece)
                                 for piece in re.split(r"(\[\.\.\.\])", line)) + r"\n")
    return "".join(parts)


def fits(expected, shown):
    return re.fullmatch(pattern(expected), "".join(line + "\n" for line in shown)) is not None


def like_the_checkout(folder):
    for entry in ROOT.iterdir():
        if not entry.name.startswith((".", "build")):
            (folder / entry.name).symlink_to(entry)


def beside_the_captures(folder):
    for entry in (ROOT / "pcaps").glob("*.pcap*"):
        (folder / entry.name).symlink_to(entry)
    (folder / "rules").symlink_to(ROOT / "rules")


def prepare(folder, document):
    files = readme_files() if document == README else page_files()
    (like_the_checkout if document == README else beside_the_captures)(folder)
    for name, content in files.items():
        (folder / name).write_text(content)
    if document == README:  # what is said while building is not shown in each session
        subprocess.run([folder / "sensor/run", "--version"], check=True, capture_output=True,
                       timeout=TIMEOUT)


def commands_of(document):
    return readme_commands() if document == README else page_commands(document)


# ---- tests ----

class Sessions(unittest.TestCase):
    """Each command shown, in order."""

    def play(self, document):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            prepare(folder, document)
            for command in commands_of(document):
                with self.subTest(f"{document.name}:{command.number + 1}: {command.text}"):
                    status, shown = on_terminal(command.shell(), folder)
                    self.assertEqual(status, 0, "\n".join(shown))
                    if not fits(command.shown, shown):
                        self.assertEqual("\n".join(command.shown), "\n".join(shown))

    def test_readme(self):
        self.play(README)

    def test_portent_8(self):
        self.play(PORTENT_8)

    def test_portent_rules_5(self):
        self.play(RULES_5)


class Readme(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for document in README, ROOT / "lib/README.md", ROOT / "pcaps/README.md":
            for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
                with self.subTest(f"{document}: {target}"):
                    self.assertTrue((document.parent / target).exists())

    def test_it_names_every_suite_and_no_other_in_their_order(self):
        (table,) = re.findall(r"^suites='\n(.*?)^'", (ROOT / "tests/run").read_text(),
                              re.MULTILINE | re.DOTALL)
        there_are = [line.split()[:2] for line in table.splitlines() if line.strip()]
        named = re.findall(r"^\| `tests/run (\w+)` \| (.*) \|$", README.read_text(), re.MULTILINE)
        self.assertEqual([name for name, _ in named], [name for name, _ in there_are])
        for (name, how), (_, text) in zip(there_are, named):
            with self.subTest(name):
                self.assertEqual(text.startswith("Only by name: "), how == "named")

    def test_the_page_of_the_library_names_every_module(self):
        text = (ROOT / "lib/README.md").read_text()
        floors = set(text[text.index("```text"):text.index("```\n\n")].split())
        for folder in "lib", "sensor":
            for file in (ROOT / folder).glob("*.[ch]"):
                with self.subTest(f"{folder}/{file.name}"):
                    self.assertIn(file.stem, floors)


def help_text():
    return subprocess.run([PORTENT, "--help"], capture_output=True, check=True, text=True).stdout


def items(page):
    """The items of a man page's lists that are flags or keys, with the text below each."""
    found, names = {}, []
    for line in page.read_text().splitlines():
        if line.startswith((".It Fl", ".It Ic")):
            names = re.findall(r"(?:Fl|Ic) (-?[\w.*-]+)", line)
            found.update((name, "") for name in names)
        elif line.startswith((".Sh", ".Ss")):
            names = []
        elif names and line.startswith(".It"):
            names = []
        for name in names:
            found[name] += line + "\n"
    return found


def plain(text):
    """Without macros and line breaks, as far as these tests look."""
    text = re.sub(r"^\.\w\w ", "", text, flags=re.MULTILINE)
    return re.sub(r"\s+", " ", unroff(text))


def rows_of_help():
    """Each option and key of --help: names, and what stands beside them."""
    rows = []
    for line in help_text().splitlines():
        option = re.match(r"  (?:-(\w), |    )--([\w-]+)", line)
        key = re.match(r"  ([a-z][\w.]+)  ", line)
        if option or key:
            rows.append(([n for n in (option or key).groups() if n], bool(option), []))
        if rows and line.startswith("  "):
            rows[-1][2].append(line)
        elif rows and line.strip() and not line.endswith(":"):
            break
    return [(names, is_option, " ".join(" ".join(lines).split()))
            for names, is_option, lines in rows]


def keys_of_help():
    keys = set()
    for names, is_option, text in rows_of_help():
        keys.update(re.findall(r"\[key ([\w.]+)", text) if is_option else names)
    return keys


class Portent8(unittest.TestCase):
    def flags(self):
        return {name.lstrip("-") for name in items(PORTENT_8) if name.startswith("-")
                or len(name) == 1}

    def test_it_has_every_option_of_help_and_no_other(self):
        self.assertEqual(self.flags(),
                         {name for names, is_option, _ in rows_of_help() if is_option
                          for name in names})

    def test_it_says_every_default(self):
        described = items(PORTENT_8)
        for names, is_option, text in rows_of_help():
            default = re.search(r"default ([^\]]+)\]", text)
            if default and is_option:
                with self.subTest(names[-1]):
                    self.assertIn(default[1], plain(described[f"-{names[-1]}"]))

    def test_it_names_every_reason_of_a_near_miss_and_every_verdict(self):
        text = PORTENT_8.read_text()
        names = re.findall(r'"near_miss\.(\w+)"', (ROOT / "lib/base/counter.h").read_text())
        names += re.findall(r'\] = "((?:dns|port)_\w+)"', (ROOT / "lib/judge/verdict.c").read_text())
        self.assertGreater(len(names), 8)
        for name in names:
            with self.subTest(name):
                self.assertRegex(text, rf"(?m)^\.(It )?Cm {name}\b")


KEYS = re.compile(r"(?<=^\.\\\" KEYS\n).*?(?=^\.\\\" END$)", re.MULTILINE | re.DOTALL)


def describe(what):
    return subprocess.run([DESCRIBE, what], check=True, capture_output=True, text=True).stdout


class PortentJson5(unittest.TestCase):
    """The list of keys is generated: types, ranges and defaults are those of the table."""

    def test_its_list_of_keys_is_the_one_that_the_table_makes(self):
        (shown,) = KEYS.findall(JSON_5.read_text())
        self.assertEqual(shown, describe("keys"), "tests/docs.py --write puts it right")

    def test_its_keys_are_those_of_help(self):
        self.assertEqual({name for name in items(JSON_5) if not name.startswith("-")},
                         keys_of_help())

    def test_the_configuration_that_it_shows_is_one(self):
        text = JSON_5.read_text()
        (example,) = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed$", text,
                                re.MULTILINE | re.DOTALL)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(example)
            file.flush()
            printed = json.loads(subprocess.run([PORTENT, "-c", file.name, "--print-config"],
                                                check=True, capture_output=True).stdout)
        self.assertEqual(printed["# window"], f"{file.name}:4")
        self.assertEqual(printed["observer"]["name"], "dmz")


class Completions(unittest.TestCase):
    """Asked as the shells ask, of what is made from the table."""

    def complete(self, line):
        """What bash proposes behind a line."""
        words = line.split(" ")
        script = describe("bash") + (
            "compopt() { :; }\n"
            f"COMP_WORDS=({' '.join(repr(word) for word in words)})\n"
            f"COMP_CWORD={len(words) - 1}\n_portent\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
        return subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True,
                              cwd=ROOT).stdout.split()

    def test_bash_proposes_every_flag_and_no_other(self):
        flags = {f"--{name}" if len(name) > 1 else f"-{name}"
                 for names, is_option, _ in rows_of_help() if is_option for name in names}
        self.assertEqual(set(self.complete("portent -")), flags)
        self.assertEqual(self.complete("portent -q --print-"), ["--print-config"])

    def test_bash_proposes_what_stands_behind_a_flag(self):
        self.assertEqual(self.complete("portent --format t"), ["text"])
        self.assertEqual(self.complete("portent --format = t"), ["text"])
        self.assertIn("dns,stats", self.complete("portent --log dns,st"))
        # Files are readline's own business: tests/completion.py asks a shell at a terminal.
        self.assertEqual(self.complete("portent -R ru"), [])
        self.assertEqual(self.complete("portent -r README"), [])
        self.assertEqual(self.complete("portent tcp"), [])

    def test_zsh_is_told_every_flag_with_its_words(self):
        script = "_arguments() { print -rl -- \"$@\" }\n" + describe("zsh")
        told = subprocess.run(["zsh", "-f", "-c", script], check=True, capture_output=True,
                              text=True).stdout
        for names, is_option, text in rows_of_help():
            for name in names if is_option else ():
                flag = f"--{name}" if len(name) > 1 else f"-{name}"
                with self.subTest(flag):
                    self.assertRegex(told, rf"(?m)^(\*|\([^)]*\))?{flag}[+=]?\[")
        self.assertIn("a rule's arithmetic", told)


def keys_of_schema():
    """Keys of rule files with their way, as limits.ports; levels of ATT&CK have the same keys."""
    schema = json.loads((ROOT / "rules/schema.json").read_text())

    def walk(node, way):
        while "$ref" in node and "properties" not in node and "items" not in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if "items" in node and "properties" not in node:
            yield from walk(node["items"], way)
        for name, child in node.get("properties", {}).items():
            yield re.sub(r"^threat\.\w+\.", "threat.*.", f"{way}{name}")
            yield from walk(child, f"{way}{name}.")

    return set(walk(schema, ""))


class PortentRules5(unittest.TestCase):
    def test_it_has_every_key_of_the_schema_and_no_other(self):
        self.assertEqual({name for name in items(RULES_5) if not name.startswith("-")},
                         keys_of_schema())

    def test_it_has_every_name_of_the_expression_language(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"id": "x", "name": "x", "port": "nonsense"}')
            file.flush()
            said = subprocess.run([PORTENT, "-T", "-R", file.name], capture_output=True,
                                  text=True).stderr
        names = re.search(r"there are (.*)", said)[1].split()
        self.assertGreater(len(names), 8)
        text = RULES_5.read_text()
        text = text[text.index(".Ss Expressions"):text.index("Operators are")]
        for name in names:
            with self.subTest(name):
                self.assertRegex(text, rf"(?m)^\.It Li .*\b{name}\b")

    def test_its_limits_are_those_of_the_code(self):
        text = plain(RULES_5.read_text()).replace(",", "")
        for file, macro, sentence in (
                ("rule/formula.h", "PT_FORMULA_OPERATIONS", "{} operations"),
                ("rule/expression.c", "NESTING", "{} deep"),
                ("rule/rule.h", "PT_RULE_LINE", "{} octets"),
                ("rule/rule.h", "PT_RULE_TEXT", "{} octets"),
                ("rule/rule.h", "PT_RULE_ID", "{} characters"),
                ("rule/rule.h", r"PT_RULES\b", "{} rules")):
            with self.subTest(macro):
                number = re.search(rf"#define {macro}\s+(\d+)", (ROOT / "lib" / file).read_text())
                self.assertIn(sentence.format(number[1]), text)


class Pages(unittest.TestCase):
    def test_mandoc_has_nothing_against_them(self):
        for page in PAGES:
            with self.subTest(page.name):
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                                      capture_output=True, text=True)
                self.assertEqual(lint.stdout + lint.stderr, "")
                self.assertEqual(lint.returncode, 0)

    def test_they_fit_a_terminal(self):
        """80 columns, literal displays too, which are not filled."""
        for page in PAGES:
            shown = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True)
            for line in re.sub(".\b", "", shown.stdout).splitlines():
                self.assertLessEqual(len(line), 80, f"{page.name}: {line}")


# ---- --write ----

def roff(line):
    for written, shown in ROFF.items():
        if shown:
            line = line.replace(shown, written)
    return line


def write(document):
    """Replace what is shown below each command, unless it leaves something out."""
    lines = document.read_text().splitlines()
    changes = []
    with tempfile.TemporaryDirectory() as name:
        prepare(pathlib.Path(name), document)
        for command in commands_of(document):
            status, shown = on_terminal(command.shell(), name)
            if status != 0:
                print(f"{document.name}:{command.number + 1}: status {status}:", *shown, sep="\n")
            if not fits(command.shown, shown) and not any(ANY in x for x in command.shown):
                changes.append((command, shown))
    for command, shown in reversed(changes):
        begin = command.last + 1
        lines[begin:begin + len(command.shown)] = \
            shown if document == README else [roff(line) for line in shown]
    document.write_text("\n".join(lines) + "\n")
    print(f"{document.name}: {len(changes)} outputs written")


def main():
    if sys.argv[1:] == ["--write"]:
        for document in (README, PORTENT_8, RULES_5):
            write(document)
        JSON_5.write_text(KEYS.sub(lambda _: describe("keys"), JSON_5.read_text()))
        return 0
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stderr).run(suite)
    failed = len({id(getattr(test, "test_case", test))
                  for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
