#!/usr/bin/python3
"""rsyslog from our file and from our socket into a stand-in for Elasticsearch, really run.

The shipped configuration, with its paths and its server changed. The stand-in keeps documents by index
and _id as `create` does: a second one is refused with 409. Between the captures the file is rotated, with
rsyslog running and without, and rsyslog is stopped and started again, and killed while nobody answers; a
document of more than 20 kB is among them. What is refused as a whole is sent again from refused.log. In the
end everything that the sensor wrote is there, whole, and nothing twice.
"""
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

from checks import ELASTIC, ROOT, WORK, check, finish, read_lines

CAPTURES = ["apt12", "two-names", "rotation", "swap16", "fast-flux", "windows", "ipv6", "cname-chain"]
PATIENCE = 40  # seconds at most for what is sent to arrive


# ---- Elasticsearch, as far as _bulk ----

class Store(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents, self.refused, self.lock = {}, 0, threading.Lock()
        self.down = None  # "away": nobody answers; "busy": 503

    def bulk(self, body):
        lines, items = body.split(b"\n"), []
        with self.lock:
            for action, source in zip(lines[::2], lines[1::2]):
                where = json.loads(action)["create"]
                key = where["_index"], where["_id"]
                if key in self.documents:
                    self.refused += 1
                    items.append({"create": {"_index": key[0], "_id": key[1], "status": 409,
                                             "error": {"type": "version_conflict_engine_exception"}}})
                else:
                    self.documents[key] = source.rstrip(b"\r")
                    items.append({"create": {"_index": key[0], "_id": key[1], "status": 201}})
        return {"took": 1, "errors": any(i["create"]["status"] != 201 for i in items), "items": items}


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.unless_down(lambda: self.server.bulk(body))

    def unless_down(self, value):
        if self.server.down == "away":
            self.close_connection = True  # no answer at all
        elif self.server.down:
            self.answer({"error": {"type": "unavailable_shards_exception"}, "status": 503}, 503)
        else:
            self.answer(value())

    def do_GET(self):
        self.unless_down(lambda: {"cluster_name": "stand-in"})

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


# ---- rsyslog ----

class Rsyslog:
    def __init__(self, folder, port):
        self.folder, self.process = folder, None
        text = (ELASTIC / "rsyslog/portent.conf").read_text()
        for old, new in (("/var/log/portent", str(folder)), ("/run/portent", str(folder)),
                         ('serverport="9200"', 'serverport="%d"' % port),
                         ('server="localhost"', 'server="127.0.0.1"')):
            check(old in text, "the configuration has no", old)
            text = text.replace(old, new)
        (folder / "work").mkdir()
        self.file = folder / "rsyslog.conf"
        self.file.write_text('global(workDirectory="%s/work" maxMessageSize="1m")\n%s' % (folder, text))
        done = subprocess.run(["/usr/sbin/rsyslogd", "-N1", "-f", self.file], capture_output=True,
                              text=True, check=False)
        said = done.stderr + done.stdout
        check(done.returncode == 0 and "rror" not in said, "rsyslogd -N1:", said)

    def start(self):
        self.log = open(self.folder / "rsyslogd.log", "ab")
        self.process = subprocess.Popen(
            ["/usr/sbin/rsyslogd", "-n", "-f", self.file, "-i", self.folder / "pid"],
            stdout=self.log, stderr=self.log)
        wait_for(lambda: (self.folder / "rsyslog.sock").exists(), "rsyslog's socket")

    def kill(self):
        """As the kernel does it that is out of memory."""
        self.process.kill()
        self.process.wait()
        self.log.close()
        (self.folder / "rsyslog.sock").unlink(missing_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            check(False, "rsyslogd does not end")
        self.log.close()
        (self.folder / "rsyslog.sock").unlink(missing_ok=True)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return check(False, "waited in vain for", what)


# ---- what is shipped ----

def name_of(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def long_answer(path):
    """A capture with one answer of 60 addresses, whose name is as long as a name can be."""
    name = name_of([b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61])
    message = struct.pack(">6H", 7, 0x8180, 1, 60, 0, 0) + name + struct.pack(">2H", 1, 1)
    for i in range(60):
        message += struct.pack(">3HIH4B", 0xC00C, 1, 1, 60, 4, 198, 51, 100, i)
    udp = struct.pack(">4H", 53, 40000, 8 + len(message), 0) + message
    frame = bytes(12) + b"\x08\x00" + struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([192, 0, 2, 53]),
        bytes([10, 20, 30, 40])) + udp
    path.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) +
                     struct.pack("<IIII", 1795500000, 0, len(frame), len(frame)) + frame)


def write(capture, *outputs):
    """The sensor over one capture, as a process to wait for."""
    words = [os.environ["PORTENT"], "-q", "-r", str(capture), "--log", "dns,connection,stats",
             "--format", "ecs"]
    for output in outputs:
        words += ["-o", str(output)]
    return subprocess.Popen(words, cwd=ROOT)


def captures():
    for name in CAPTURES:
        yield ROOT / "pcaps" / (name + ".pcap")
    long_answer(WORK / "long.pcap")
    yield WORK / "long.pcap"


def written(*files):
    return [document for file in files if file.exists() for document in read_lines(file)]


def canonical(document):
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def compare(store, documents, what):
    """Everything written is kept, under its event.id, as it was, and once."""
    wait_for(lambda: len(store.documents) >= len(documents), "%d documents" % len(documents))
    kept = {}
    for (index, key), source in store.documents.items():
        document = json.loads(source)
        stream = document["data_stream"]
        check(index == "%(type)s-%(dataset)s-%(namespace)s" % stream, what, "index", index)
        identity = document["event"].get("id")
        check(identity is None or identity == key, what, "_id", key, "of", identity)
        kept.setdefault(canonical(document), []).append(key)
    wanted = [canonical(document) for document in documents]
    check(not set(wanted) - set(kept), what, "lost", len(set(wanted) - set(kept)), "documents")
    check(not set(kept) - set(wanted), what, "kept what was not written")
    check(all(len(keys) == 1 for keys in kept.values()), what, "kept something twice")
    longest = max(len(source) for source in store.documents.values())
    check(longest > 20000, what, "the longest document has only", longest)


def after_a_kill(rsyslog, store, start):
    """Elasticsearch is away, rsyslog has taken what is new, and is killed; then both are there again."""
    store.down = "away"
    for capture in ("campaign", "many-addresses", "nymaim"):
        check(start(ROOT / "pcaps" / (capture + ".pcap")).wait() == 0, "the sensor fails on", capture)
    time.sleep(1.5)  # what was sent is taken: from the socket, or from the file
    rsyslog.kill()
    store.down = None
    rsyslog.start()


def after_a_refusal(store, folder, start):
    """Elasticsearch refuses whole requests: rsyslog gives up on them, and they stand in refused.log."""
    refused, before = folder / "refused.log", len(store.documents)
    store.down = "busy"
    check(start(ROOT / "pcaps/fragments.pcap").wait() == 0, "the sensor fails")
    wait_for(lambda: refused.exists() and b'"status": 503' in refused.read_bytes(), "refused.log")
    time.sleep(1)
    store.down = None
    check(len(store.documents) == before, "what was refused is there")
    text = (ELASTIC / "README.md").read_text()
    filter_ = re.search(r"jq -j (\S+) /var/log/portent/refused.log", text).group(1)
    again = subprocess.run(["jq", "-j", filter_, refused], capture_output=True, check=True).stdout
    store.bulk(again)
    check(len(store.documents) > before, "refused.log holds nothing")


def by_file(folder, store):
    rsyslog = Rsyslog(folder, store.server_port)
    events, rotated = folder / "events.ndjson", folder / "events.ndjson.1"
    kept = folder / "kept.ndjson"  # a second output: what was written, whatever rsyslog does

    def move():
        os.replace(events, rotated)

    steps = {1: rsyslog.stop, 3: move, 4: rsyslog.start, 6: move, 7: rsyslog.stop, 8: rsyslog.start}
    rsyslog.start()
    for i, capture in enumerate(captures()):
        check(write(capture, events, kept).wait() == 0, "the sensor fails on", capture.name)
        if i == 5:
            wait_for(lambda: len(store.documents) >= len(written(kept)) - 2, "the rotated file")
        if i in steps:
            steps[i]()
    after_a_kill(rsyslog, store, lambda capture: write(capture, events, kept))
    wait_for(lambda: len(store.documents) >= len(written(kept)), "what was there before the kill")
    after_a_refusal(store, folder, lambda capture: write(capture, events, kept))
    compare(store, written(kept), "file:")
    rsyslog.stop()


def by_socket(folder, store):
    rsyslog = Rsyslog(folder, store.server_port)
    kept = folder / "kept.ndjson"
    rsyslog.start()
    for i, capture in enumerate(captures()):
        process = write(capture, "unix:%s/rsyslog.sock" % folder, kept)
        if i == 3:  # nobody reads: it waits until somebody does
            time.sleep(0.3)
            check(process.poll() is None, "the sensor did not wait for a reader")
            rsyslog.start()
        check(process.wait() == 0, "the sensor fails on", capture.name)
        if i == 2:
            rsyslog.stop()
        if i == 4:
            rsyslog.stop()
            rsyslog.start()
    after_a_kill(rsyslog, store, lambda capture: write(capture, "unix:%s/rsyslog.sock" % folder, kept))
    compare(store, written(kept), "socket:")
    rsyslog.stop()


def main():
    if not shutil.which("rsyslogd", path="/usr/sbin"):
        check(False, "no rsyslogd")
    for name, ship in (("file", by_file), ("socket", by_socket)):
        folder = WORK / name
        folder.mkdir()
        store = Store()
        threading.Thread(target=store.serve_forever, daemon=True).start()
        ship(folder, store)
        store.shutdown()
        print("   %s: %d documents, %d sent twice and refused"
              % (name, len(store.documents), store.refused))
    finish()


if __name__ == "__main__":
    main()
