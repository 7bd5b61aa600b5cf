#!/usr/bin/python3
"""kill -9 at random moments, again and again: no torn line, no event lost that was acknowledged.

An event is acknowledged when it stands whole in the file, or in the spool of a reader that is away. In
each round a sensor is killed under traffic; every other round its reader is there. In the end a last
sensor is ended in peace. Then

    - every line of the file is whole, but for those that the next start closed and counted;
    - what was in the file, and in the spool, at a kill, was delivered: each is there in the end;
    - what is there of a round is what was sent first in it, without a gap.

    tests/outputs/kill.py [ROUNDS]      needs $BUILD and $PORTENT; 200 rounds if nothing is said
"""

import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stage  # noqa: E402
from stage import Reader, Sensor, numbers, wait  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 200


def whole(text):
    return text[:text.rfind(b"\n") + 1]


class Listener(threading.Thread):
    """Reads until it is told to stop: the whole lines of each connection."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.reader = Reader(address)
        self.stopping = False
        self.start()

    def run(self):
        self.reader.listener.settimeout(0.05)
        while not self.stopping:
            try:
                self.reader.accept()
            except TimeoutError:
                continue
            while not self.stopping:
                before = len(self.reader.got[-1])
                self.reader.read(seconds=0.05)
                if len(self.reader.got[-1]) == before and self.closed():
                    break
            self.reader.leave()

    def closed(self):
        try:
            return self.reader.connection.recv(1, 2 | 0x40) == b""  # MSG_PEEK, MSG_DONTWAIT
        except (BlockingIOError, TimeoutError):
            return False

    def stop(self):
        self.stopping = True
        self.join()
        self.reader.close()
        return [number for text in self.reader.got for number in numbers(whole(text))]


class Flow(threading.Thread):
    """Alerts, until it is told to stop."""

    def __init__(self, traffic):
        super().__init__(daemon=True)
        self.traffic = traffic
        self.sent = []
        self.stopping = False
        self.start()

    def run(self):
        while not self.stopping:
            self.sent += self.traffic.alerts(random.choice((1, 5, 40)))
            time.sleep(random.random() / 100)

    def stop(self):
        self.stopping = True
        self.join()
        return self.sent


class Trial:
    def __init__(self):
        self.folder = stage.folder()
        self.log = self.folder / "log"
        self.address = self.folder / "reader"
        self.traffic = stage.Traffic()
        self.rounds, self.received, self.spooled = [], [], set()
        self.torn = 0

    def start(self):
        return Sensor(self.folder, "-o", self.log, "-o", f"unix:{self.address}")

    def round(self, number):
        listener = Listener(self.address) if number % 2 else None
        sensor = self.start()
        flow = Flow(self.traffic)
        time.sleep(random.random() * 0.6)
        sensor.kill()
        text = self.log.read_bytes()
        assert text.startswith(self.before), "the file lost something"
        self.torn += text != whole(text)
        self.before = whole(text)
        for path in sorted(self.folder.glob("spool/unix*/*.ndjson")):
            self.spooled.update(numbers(whole(path.read_bytes())))
        self.rounds.append(flow.stop())
        if listener:
            self.received += listener.stop()

    before = b""

    def finish(self):
        listener = Listener(self.address)
        sensor = self.start()
        wait(lambda: not stage.spool_lines(self.folder), "an empty spool", 30)
        accounts = sensor.end()
        self.received += listener.stop()
        log = [line for line in self.log.read_bytes().splitlines()]
        whole_lines = [line for line in log if line.startswith(b"{") and line.endswith(b"}")]
        assert len(log) - len(whole_lines) == self.torn, (len(log) - len(whole_lines), self.torn)
        in_log = [stage.number_of(line) for line in whole_lines]
        lost = self.spooled - set(self.received)
        assert not lost, f"lost of the spool: {sorted(lost)[:10]}"
        self.check_rounds(in_log)
        unix = accounts[f"unix:{self.address}"]
        assert unix["inherited"] == unix["delivered"], unix
        return len(in_log)

    def check_rounds(self, in_log):
        assert in_log == sorted(set(in_log)), "an order that is none, or a line twice"
        received = set(self.received)
        for sent in self.rounds:
            for there in set(in_log), received:
                count = sum(number in there for number in sent)
                assert all(number in there for number in sent[:count]), "a gap"


def main():
    stage.enter()
    trial = Trial()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    try:
        for number in range(ROUNDS):
            trial.round(number)
        count = trial.finish()
    except BaseException:
        print(f"in {trial.folder}, seed {seed}")
        raise
    twice = len(trial.received) - len(set(trial.received))
    print(f"{ROUNDS} kills: {sum(map(len, trial.rounds))} alerts sent, {count} in the file, "
          f"{trial.torn} torn lines closed, {len(trial.spooled)} seen in the spool and all delivered, "
          f"{twice} of {len(trial.received)} twice")
    stage.remove(trial.folder)
    print(f"{ROUNDS} passed, 0 failed")


if __name__ == "__main__":
    main()
