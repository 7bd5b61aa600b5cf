#!/usr/bin/python3
"""Outputs in trouble: the faults that a disk, a reader and a signal can be, each a test by name.

Each states what was lost, and that the sensor's account of it is exact: generated + inherited =
delivered + queued + spooled + dropped, for each output. What the kernel here cannot be made to do is
injected by a preloaded library (shim.c); the names of those tests say so.

    tests/outputs/faults.py [NAME ...]      needs $BUILD and $PORTENT
"""

import errno
import json
import os
import pathlib
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stage  # noqa: E402
from stage import Reader, Sensor, numbers, wait  # noqa: E402

DROPS = ("disk_full", "peer_down", "queue_full", "too_big", "no_memory")
SMALL = ("--queue-size", "64K", "--spool-size", "128K")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.traffic = stage.Traffic()

    @classmethod
    def tearDownClass(cls):
        cls.traffic.socket.close()

    def setUp(self):
        self.folder = stage.folder()
        self.addCleanup(stage.remove, self.folder)

    def start(self, *words, **more):
        sensor = Sensor(self.folder, *words, **more)
        self.addCleanup(sensor.kill)
        self.sensor = sensor
        return sensor

    def reader(self, *words, **more):
        reader = Reader(*words, **more)
        self.addCleanup(reader.close)
        return reader

    def alerts(self, count, pause=0.0):
        """Made, and written to the output beside: so all outputs were given them."""
        before = len(Sensor.lines_of(self.sensor.watch)) - self.sensor.had
        made = self.traffic.alerts(count, pause)
        self.sensor.generated(before + count)
        return made

    def account(self, destination, lost=0, cause=None, **wanted):
        """End the sensor; its account is exact, and says this."""
        accounts = self.sensor.end()
        output = accounts[str(destination)]
        dropped = output["dropped"]
        self.assertEqual(output["generated"] + output["inherited"],
                         output["delivered"] + output["queued"] + output["spooled"] +
                         sum(dropped.values()), output)
        self.assertEqual(output["queued"], 0)
        self.assertEqual(dropped, {name: lost if name == cause else 0 for name in DROPS})
        for name, value in wanted.items():
            self.assertEqual(output[name], value, (name, output))
        return output

    def small_disk(self, size="64k"):
        disk = self.folder / "small"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
        return disk

    def resize(self, disk, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)

    def path(self, name):
        return self.folder / name

    def lines(self, path):
        return numbers(pathlib.Path(path).read_bytes())


class Disk(Case):
    def test_01_full_at_the_start(self):
        """It starts, waits, and delivers when there is space: nothing is lost."""
        disk = self.small_disk()
        log = disk / "log"
        with self.assertRaises(OSError):
            (disk / "ballast").write_bytes(bytes(1 << 20))
        self.start("-o", log)
        made = self.alerts(20)
        (disk / "ballast").unlink()
        wait(lambda: log.exists() and len(Sensor.lines_of(log)) == 20, "20 lines")
        self.assertEqual(self.lines(log), made)
        self.account(log, delivered=20)

    def test_02_full_in_mid_line(self):
        """The file ends with a whole line, the rest is in the spool: nothing is lost."""
        disk = self.small_disk()
        log = disk / "log"
        self.start("-o", log)
        made = self.alerts(60)
        self.sensor.says("log: No space left on device: lines wait")
        whole = self.lines(log)
        self.assertTrue(0 < len(whole) < 60, len(whole))
        self.account(log, delivered=len(whole), spooled=60 - len(whole))
        self.assertEqual(whole + numbers(stage.spool_lines(self.folder))[-(60 - len(whole)):], made)

    def test_03_full_and_then_space_again(self):
        """All lines, in order, and the end of the trouble is told."""
        disk = self.small_disk()
        log = disk / "log"
        self.start("-o", log)
        made = self.alerts(60)
        self.sensor.says("No space left on device: lines wait")
        self.resize(disk, "1m")
        wait(lambda: len(Sensor.lines_of(log)) == 60, "60 lines")
        made += self.alerts(5)
        wait(lambda: len(Sensor.lines_of(log)) == 65, "65 lines")
        self.assertEqual(self.lines(log), made)
        self.sensor.says("all is well again after .* s; nothing was lost")
        self.account(log, delivered=65)

    def test_03_full_until_the_spool_is_too(self):
        """What fits neither queue nor spool is lost, counted, and told when space is back."""
        disk = self.small_disk()
        log = disk / "log"
        self.start("-o", log, *SMALL)
        made = self.alerts(400)
        self.sensor.says("no more can wait, lines are lost now")
        self.resize(disk, "2m")
        self.sensor.says("all is well again after .* s; [0-9]+ lines were lost")
        kept = self.lines(log)
        lost = 400 - len(kept)
        self.sensor.says(f"; {lost} lines were lost")
        self.assertGreater(lost, 0)
        self.assertEqual(kept, made[:len(kept)])
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == len(kept) + 3, "3 more lines")
        self.assertEqual(self.lines(log), kept + made)
        self.account(log, lost, "disk_full", delivered=len(kept) + 3)

    def inject(self, call, error, where="log", destination="log"):
        flag = self.path("flag")
        log = self.path(destination)
        self.start("-o", log, shim=f"{call}:{error}:{where}:{flag}")
        return log, flag

    def write_fails(self, error):
        log, flag = self.inject("write", error)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        flag.touch()
        made += self.alerts(10)
        self.sensor.says(f"{os.strerror(error)}: lines wait")
        self.assertEqual(self.lines(log), made[:3])
        flag.unlink()
        wait(lambda: len(Sensor.lines_of(log)) == 13, "13 lines")
        self.sensor.says("all is well again after .* s; nothing was lost")
        self.assertEqual(self.lines(log), made)
        self.account(log, delivered=13)

    def test_04_quota_injected(self):
        self.write_fails(errno.EDQUOT)

    def test_05_input_output_error_injected(self):
        self.write_fails(errno.EIO)

    def test_06_error_of_fdatasync_in_the_spool_injected(self):
        """It is told; lines stay in the spool and are delivered: nothing is lost."""
        flag = self.path("flag")
        address = self.path("reader")
        flag.touch()
        self.start("-o", f"unix:{address}", shim=f"fdatasync:{errno.EIO}:spool:{flag}")
        made = self.alerts(10)
        self.sensor.says("spool: Input/output error")
        flag.unlink()
        made += self.alerts(10)
        reader = self.reader(address).accept().read_lines(20)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", delivered=20)

    def threads(self):
        """The loop, one that writes to the output beside, and those that are tested."""
        return os.listdir(f"/proc/{self.sensor.process.pid}/task")

    def test_06_fdatasync_in_the_spool_hangs_injected(self):
        """Nobody waits for it: alerts reach the output beside within 200 ms, the spool takes lines, and
        both are told of. When the disk answers again all is delivered: nothing is lost."""
        flag, address = self.path("flag"), self.path("reader")
        flag.touch()
        self.start("-o", f"unix:{address}", shim=f"fdatasync:0:spool:{flag}")
        made = self.alerts(10)
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") == 10, "10 lines on disk")
        wait(lambda: len(self.threads()) == 3, "a thread that waits for the disk")
        late, end = [], time.monotonic() + 7
        while time.monotonic() < end:
            begun = time.monotonic()
            made += self.alerts(1)
            late.append(time.monotonic() - begun)
            time.sleep(0.1)
        self.sensor.says("spool: the disk does not answer")
        self.assertLess(statistics.median(late), 0.2)
        self.assertLess(max(late), 3, "and none waited for the disk")
        self.assertEqual(numbers(stage.spool_lines(self.folder)), made)
        reader = self.reader(address).accept().read_lines(len(made))
        self.assertEqual(len(self.threads()), 3, "one thread, however long it takes")
        flag.unlink()
        self.sensor.says("spool: all is well again")
        made += self.alerts(10)
        reader.read_lines(len(made))
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", delivered=len(made))

    def test_06_fdatasync_in_the_spool_hangs_at_the_end_injected(self):
        """TERM: it ends within 2 s, and the next start finds all that the kernel had taken."""
        flag, address = self.path("flag"), self.path("reader")
        flag.touch()
        self.start("-o", f"unix:{address}", shim=f"fdatasync:0:spool:{flag}")
        made = self.alerts(10)
        wait(lambda: len(self.threads()) == 3, "a thread that waits for the disk")
        self.account(f"unix:{address}", delivered=0, spooled=10)
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        reader.accept().read_lines(10)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", inherited=10, delivered=10)

    def test_06_the_thread_that_waits_for_the_disk_may_do_no_more_than_the_loop(self):
        """Each thread is under the filter of system calls, and has no capability."""
        self.start("-o", f"unix:{self.path('reader')}")
        self.alerts(3)
        wait(lambda: len(self.threads()) == 3, "a thread that waits for the disk")
        for thread in self.threads():
            status = pathlib.Path(f"/proc/{self.sensor.process.pid}/task/{thread}/status").read_text()
            for line in "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "Seccomp:\t2":
                self.assertIn(line, status)

    def hang(self, log, where, *words):
        """A log whose write() does not come back while the flag is there: a hung NFS, a stuck disk."""
        flag = self.path("flag")
        flag.touch()
        self.start("-o", log, *words, shim=f"write:0:{where}:{flag}")
        return flag

    def test_05_write_hangs_injected(self):
        """Alerts reach the output beside within 200 ms; of the log they wait in the spool, which is on
        another disk, and the disk is told of. HUP meanwhile is obeyed as soon as the disk answers;
        then all lines are there, each once: nothing is lost.
        """
        log = self.small_disk("4m") / "log"
        flag = self.hang(log, "small/log")
        made, late, end = [], [], time.monotonic() + 7
        while time.monotonic() < end:
            begun = time.monotonic()
            made += self.alerts(1)
            late.append(time.monotonic() - begun)
            time.sleep(0.1)
        self.assertLess(statistics.median(late), 0.2)
        self.assertLess(max(late), 3, "and none waited for the disk")
        self.sensor.says(f"{log}: the disk does not answer: lines wait")
        wait(lambda: numbers(stage.spool_lines(self.folder)) == made, "all lines in the spool")
        old = log.rename(f"{log}.1")
        self.sensor.process.send_signal(signal.SIGHUP)
        made += self.alerts(10)
        self.assertFalse(log.exists())
        flag.unlink()
        self.sensor.says(f"{log}: all is well again after .* s; nothing was lost")
        made += self.alerts(10)
        wait(lambda: len(Sensor.lines_of(log)) + len(Sensor.lines_of(old)) >= len(made),
             "all lines")
        self.assertEqual(self.lines(old) + self.lines(log), made)
        self.assertEqual(self.sensor.words().count("cannot be opened anew"), 0)
        self.account(log, delivered=len(made))

    def test_05_write_hangs_at_the_end_injected(self):
        """TERM: it ends within 2 s, and the next start delivers what the disk had not taken."""
        log = self.small_disk("4m") / "log"
        flag = self.hang(log, "small/log")
        made = self.alerts(10)
        self.account(log, delivered=0, spooled=10)
        flag.unlink()
        self.start("-o", log)
        wait(lambda: len(Sensor.lines_of(log)) == 10, "10 lines")
        self.assertEqual(self.lines(log), made)
        self.account(log, inherited=10, delivered=10)

    def test_05_write_hangs_and_kill_injected(self):
        """kill -9: what had waited for a second is in the spool, and delivered by the next start."""
        log = self.small_disk("4m") / "log"
        flag = self.hang(log, "small/log")
        made = self.alerts(10)
        wait(lambda: numbers(stage.spool_lines(self.folder)) == made, "all lines in the spool")
        self.sensor.kill()
        flag.unlink()
        self.start("-o", log)
        wait(lambda: len(Sensor.lines_of(log)) == 10, "10 lines")
        self.assertEqual(self.lines(log), made)
        self.account(log, inherited=10, delivered=10)

    def test_05_write_hangs_on_the_disk_of_the_spool_injected(self):
        """Then the spool is left alone, and what does not fit the queue is lost, and counted."""
        log = self.path("hung")
        flag = self.hang(log, "hung", "--queue-size", "64K")
        made = self.alerts(200, pause=0.005)
        self.assertEqual(stage.spool_lines(self.folder), b"")
        self.sensor.says("no more can wait, lines are lost now")
        flag.unlink()
        self.sensor.says(f"{log}: all is well again after .* s; [0-9]+ lines were lost")
        kept = len(Sensor.lines_of(log))
        made_later = self.alerts(10)
        wait(lambda: len(Sensor.lines_of(log)) == kept + 10, "10 more lines")
        self.assertEqual(self.lines(log), made[:kept] + made_later)
        self.assertGreater(kept, 5)
        self.sensor.says(f"; {200 - kept} lines were lost")
        self.account(log, 200 - kept, "queue_full", delivered=kept + 10)

    def test_05_write_hangs_on_the_disk_of_the_spool_at_the_end_injected(self):
        """TERM: it ends within 2 s, and what waits in memory is lost, and counted."""
        log = self.path("hung")
        self.hang(log, "hung")
        self.alerts(10)
        self.account(log, 10, "queue_full", delivered=0, spooled=0)

    def test_05_the_thread_that_writes_may_do_no_more_than_the_loop(self):
        """Each thread is under the filter of system calls, and has no capability."""
        self.start()
        self.alerts(3)
        wait(lambda: len(self.threads()) == 2, "a thread that writes")
        for thread in self.threads():
            status = pathlib.Path(f"/proc/{self.sensor.process.pid}/task/{thread}/status").read_text()
            for line in "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "Seccomp:\t2":
                self.assertIn(line, status)

    def test_07_read_only_injected(self):
        """A file system that turns read-only under an open file: EROFS."""
        self.write_fails(errno.EROFS)

    def test_08_deleted(self):
        """Made again; lost is what was in the deleted file before, which is its deleter's wish."""
        log = self.path("log")
        self.start("-o", log)
        self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        log.unlink()
        made = self.alerts(3)
        wait(lambda: log.exists() and len(Sensor.lines_of(log)) == 3, "3 lines")
        self.assertEqual(self.lines(log), made)
        self.assertEqual(log.stat().st_mode & 0o007, 0)
        self.account(log, delivered=6)

    def test_09_renamed_and_hup(self):
        """Under traffic: the old file has what was before, the new one what came after; none lost."""
        log, old = self.path("log"), self.path("log.1")
        self.start("-o", log)
        made = self.alerts(5)
        wait(lambda: len(Sensor.lines_of(log)) == 5, "5 lines")
        for _ in range(4):
            log.rename(old)
            self.sensor.process.send_signal(signal.SIGHUP)
            wait(log.exists, "a new file")
            before = self.lines(old)
            self.assertEqual(before, made)
            made = self.traffic.alerts(7)
            wait(lambda: len(Sensor.lines_of(log)) == 7, "7 lines")
        self.assertEqual(self.lines(log), made)
        self.account(log, delivered=33)

    def test_09_renamed_and_hup_in_the_middle_of_traffic(self):
        log, old = self.path("log"), self.path("log.1")
        self.start("-o", log)
        made, kept = [], []
        for _ in range(10):
            made += self.traffic.alerts(30)
            log.rename(old)
            self.sensor.process.send_signal(signal.SIGHUP)
            wait(log.exists, "a new file")
            kept += self.lines(old)
        self.sensor.generated(300)
        self.account(log, delivered=300)
        self.assertEqual(kept + self.lines(log), made)

    def test_10_renamed_without_hup(self):
        """Lines go on into the renamed file: nothing is lost."""
        log, old = self.path("log"), self.path("log.1")
        self.start("-o", log)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        log.rename(old)
        made += self.alerts(3)
        wait(lambda: len(Sensor.lines_of(old)) == 6, "6 lines")
        self.assertFalse(log.exists())
        self.assertEqual(self.lines(old), made)
        self.account(log, delivered=6)

    def test_11_copytruncate(self):
        """Lines follow at the new end, without a hole: of ours nothing is lost."""
        log = self.path("log")
        self.start("-o", log)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        copied = self.lines(log)
        os.truncate(log, 0)
        self.assertEqual(copied, made)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        self.assertEqual(self.lines(log), made)
        self.account(log, delivered=6)

    def test_12_folder_unreadable_at_reopen(self):
        """The old file goes on, and the new one is made when that can be done: nothing is lost."""
        inner = self.path("inner")
        inner.mkdir()
        log, old = inner / "log", inner / "log.1"
        # Without the capability, root must respect the mode of a folder, as every user must.
        self.start("-o", log,
                   before=("setpriv", "--bounding-set=-dac_override,-dac_read_search"))
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        log.rename(old)
        inner.chmod(0)
        self.sensor.process.send_signal(signal.SIGHUP)
        self.sensor.says("cannot be opened anew: Permission denied: the old one goes on")
        made += self.alerts(3)
        wait(lambda: len(Sensor.lines_of(old)) == 6, "6 lines")
        inner.chmod(0o700)
        wait(log.exists, "the new file")
        later = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        self.assertEqual(self.lines(old), made)
        self.assertEqual(self.lines(log), later)
        self.sensor.says("it cannot be opened anew: all is well again")
        self.account(log, delivered=9)

    def test_13_no_descriptor_left_at_reopen(self):
        log, old = self.path("log"), self.path("log.1")
        self.start("-o", log)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        log.rename(old)
        pid = self.sensor.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        self.sensor.process.send_signal(signal.SIGHUP)
        self.sensor.says("log: it cannot be opened anew: Too many open files")
        made += self.alerts(3)
        wait(lambda: len(Sensor.lines_of(old)) == 6, "6 lines")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        wait(log.exists, "the new file")
        later = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        self.assertEqual(self.lines(old), made)
        self.assertEqual(self.lines(log), later)
        self.account(log, delivered=9)

    def test_14_file_size_limit(self):
        """EFBIG: the file ends with a whole line, what follows waits for a new file: none lost."""
        log, old = self.path("log"), self.path("log.1")
        self.start("-o", log)
        made = self.alerts(3)
        wait(lambda: len(Sensor.lines_of(log)) == 3, "3 lines")
        size = log.stat().st_size
        pid = self.sensor.process.pid
        # The output beside grows too: its limit is met first by whoever has more.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size * 3, resource.RLIM_INFINITY))
        made += self.traffic.alerts(20)
        self.sensor.says("log: File too large: lines wait")
        whole = self.lines(log)
        self.assertLess(log.stat().st_size, size * 3 + 1)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        wait(lambda: len(Sensor.lines_of(log)) == 23, "23 lines")
        self.assertEqual(self.lines(log), made)
        self.assertEqual(whole, made[:len(whole)])
        self.account(log, delivered=23)
        self.assertFalse(old.exists())

    def test_15_fifo_without_a_reader(self):
        """It starts, and the lines wait for a reader: nothing is lost."""
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        self.start("-o", fifo)
        made = self.alerts(10)
        self.sensor.says("a FIFO that nobody reads")
        with open(fifo, "rb", buffering=0) as file:
            got = b""
            while got.count(b"\n") < 10:
                got += file.read(1 << 16)
            self.assertEqual(numbers(got), made)
            self.account(fifo, delivered=10)

    def test_15_symbolic_link(self):
        log, link = self.path("log"), self.path("link")
        link.symlink_to(log)
        self.start("-o", link)
        made = self.alerts(3)
        self.account(link, delivered=3)
        self.assertEqual(self.lines(log), made)
        self.assertTrue(link.is_symlink())

    def refused(self, destination, sentence):
        result = subprocess.run([stage.PORTENT, "-i", stage.SENSOR, "-o", destination, "--spool",
                                 self.path("spool")], capture_output=True, text=True, timeout=10)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(sentence, result.stderr)

    def test_15_directory(self):
        self.refused(self.folder, "Is a directory")

    def test_a_second_sensor_is_kept_off_the_log(self):
        log = self.path("log")
        self.start("-o", log)
        self.refused(log, "another sensor writes there")
        made = self.alerts(3)
        self.account(log, delivered=3)
        self.assertEqual(self.lines(log), made)

    def test_a_torn_last_line_is_closed_and_counted(self):
        log = self.path("log")
        log.write_bytes(b'{"torn')
        self.start("-o", log)
        made = self.alerts(2)
        self.sensor.says("log: a torn last line was closed")
        self.account(log, delivered=2, torn=1)
        torn, rest = log.read_bytes().split(b"\n", 1)
        self.assertEqual(torn, b'{"torn')
        self.assertEqual(numbers(rest), made)

    def test_a_file_is_renamed_before_it_grows_too_large(self):
        log, older = self.path("log"), self.path("log.1")
        self.start("-o", log, "--max-size", "20K")
        made = self.traffic.alerts(6)
        wait(lambda: len(Sensor.lines_of(log)) == 6, "6 lines")
        self.assertFalse(older.exists())
        made += self.traffic.alerts(6)
        wait(lambda: older.exists() and len(Sensor.lines_of(log) + Sensor.lines_of(older)) == 12,
             "12 lines")
        self.account(log, delivered=12)
        self.assertTrue(older.exists())
        self.assertEqual(self.lines(older) + self.lines(log), made)
        for path in log, older:
            self.assertLessEqual(path.stat().st_size, 20 << 10)
            self.assertEqual(path.stat().st_mode & 0o007, 0)


class Socket(Case):
    def test_16_no_reader_at_the_start(self):
        """Lines wait in the spool, for one that comes: nothing is lost."""
        address = self.path("reader")
        self.start("-o", f"unix:{address}")
        made = self.alerts(50)
        self.sensor.says("reader: No such file or directory: lines wait")
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") == 50, "50 lines on disk")
        reader = self.reader(address).accept().read_lines(50)
        self.assertEqual(reader.numbers(), made)
        made = self.alerts(5)
        reader.read_lines(55)
        self.assertEqual(reader.numbers()[50:], made)
        self.sensor.says("all is well again")
        self.account(f"unix:{address}", delivered=55, resent=0)
        self.assertEqual(stage.spool_lines(self.folder), b"")

    def test_16_no_reader_and_the_spool_is_full(self):
        address = self.path("reader")
        self.start("-o", f"unix:{address}", *SMALL)
        made = self.alerts(400)
        self.sensor.says("no more can wait, lines are lost now")
        reader = self.reader(address).accept()
        reader.read_until_quiet()
        kept = reader.numbers()
        lost = 400 - len(kept)
        self.assertGreater(lost, 0)
        self.assertEqual(kept, made[:len(kept)])
        self.sensor.says(f"all is well again after .* s; {lost} lines were lost")
        self.account(f"unix:{address}", lost, "peer_down", delivered=len(kept))

    def test_16_no_reader_and_a_small_spool_is_full_but_not_the_queue(self):
        """Lines wait in memory behind those on disk, and are delivered after them: none is lost."""
        address = self.path("reader")
        self.start("-o", f"unix:{address}", "--spool-size", "128K")
        made = self.alerts(10)
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") == 10, "10 lines on disk")
        made += self.alerts(790)  # some 2 MB
        on_disk = stage.spool_lines(self.folder)
        self.assertLess(len(on_disk), 128 << 10)
        reader = self.reader(address).accept().read_lines(800)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", delivered=800)
        self.assertNotIn("lost now", self.sensor.words())

    def test_16_no_reader_and_queue_and_small_spool_at_the_end(self):
        """At TERM there is no room on disk for what waits in memory: the newest lines are lost."""
        address = self.path("reader")
        self.start("-o", f"unix:{address}", "--spool-size", "128K")
        made = self.alerts(10)
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") == 10, "10 lines on disk")
        made += self.alerts(390)
        spooled = stage.spool_lines(self.folder).count(b"\n")
        self.account(f"unix:{address}", 400 - spooled, "peer_down", spooled=spooled)
        reader = self.reader(address)
        self.start("-o", f"unix:{address}", "--spool-size", "128K")
        reader.accept().read_lines(spooled)
        self.assertEqual(reader.numbers(), made[:spooled])
        self.account(f"unix:{address}", inherited=spooled, delivered=spooled)

    def test_16_no_reader_at_all_and_a_second_run(self):
        """At TERM all is in the spool, and the next start delivers it first: nothing is lost."""
        address = self.path("reader")
        self.start("-o", f"unix:{address}")
        made = self.alerts(30)
        self.account(f"unix:{address}", delivered=0, spooled=30)
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        made += self.alerts(3)
        reader.accept().read_lines(33)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", inherited=30, generated=3, delivered=33)

    def test_17_reader_ends_in_peace(self):
        """It had read all: the next reader gets what follows, nothing twice, nothing lost."""
        address = self.path("reader")
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        made = self.alerts(10)
        reader.accept().read_lines(10).leave()
        reader.accept()
        made += self.alerts(10)
        reader.read_lines(10)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", delivered=20, resent=0)

    def test_17_reader_ends_with_lines_unread(self):
        """They are given to the next: nothing is lost, what the first had read comes twice."""
        address = self.path("reader")
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        made = self.alerts(10)
        reader.accept().settle()
        reader.read(size=3000)
        reader.leave()
        reader.accept().read_lines(10)
        self.assertEqual(numbers(reader.got[1]), made)
        account = self.account(f"unix:{address}", delivered=10)
        self.assertEqual(account["resent"], 10)

    def test_18_connection_reset_in_mid_line(self):
        """On TCP the next connection begins with a whole line; what the kernel of the first reader
        had taken and it had not read is lost, which no sender can know: here that is the rest of
        what is in its receive buffer."""
        reader = self.reader(("127.0.0.1", 0), buffer=4096)
        destination = f"tcp:127.0.0.1:{reader.port()}"
        self.start("-o", destination)
        made = self.alerts(300)
        reader.accept().settle()
        reader.read(size=5000)
        reader.leave(reset=True)
        reader.accept().read_all(made[-1:])
        first, second = reader.got
        self.assertNotEqual(first[-1:], b"\n")
        later = numbers(second)
        self.assertEqual(later, made[-len(later):])
        account = self.account(destination, delivered=300)
        # Lines that were delivered before: those that were read and those that nobody read.
        self.assertLess(len(later), 300)
        self.assertGreater(account["resent"], 0)

    def test_19_reader_is_stopped(self):
        """SIGSTOP: capture goes on, lines wait; SIGCONT: all come, in order. Nothing is lost."""
        address, into = self.path("reader"), self.path("into")
        code = ("import socket,sys\n"
                "s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
                "c,_=s.accept(); f=open(sys.argv[2],'wb',buffering=0)\n"
                "while d:=c.recv(65536): f.write(d)\n")
        reader = subprocess.Popen([sys.executable, "-c", code, address, into])
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        wait(address.exists, "the reader")
        self.start("-o", f"unix:{address}")
        made = self.alerts(5)
        wait(lambda: into.exists() and len(Sensor.lines_of(into)) == 5, "5 lines")
        reader.send_signal(signal.SIGSTOP)
        made += self.alerts(500)
        time.sleep(1.5)
        reader.send_signal(signal.SIGCONT)
        wait(lambda: len(Sensor.lines_of(into)) == 505, "505 lines")
        self.assertEqual(self.lines(into), made)
        self.account(f"unix:{address}", delivered=505, resent=0)

    def test_20_reader_takes_one_byte_at_a_time(self):
        """Capture goes on, TERM ends within 2 s, the rest is in the spool: nothing is lost."""
        address = self.path("reader")
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        made = self.traffic.alerts(500)
        reader.accept()
        for _ in range(30):
            reader.read(size=1, seconds=1)
            time.sleep(0.05)
        self.sensor.generated(500)
        account = self.account(f"unix:{address}")
        self.assertEqual(account["delivered"] + account["spooled"], 500)
        self.assertGreater(account["spooled"], 400)
        waiting = numbers(stage.spool_lines(self.folder))[-account["spooled"]:]
        self.assertEqual(waiting, made[-len(waiting):])

    def test_20_reader_too_slow_for_queue_and_spool(self):
        address = self.path("reader")
        reader = self.reader(address)
        self.start("-o", f"unix:{address}", *SMALL)
        reader.accept()
        made = self.alerts(600)
        time.sleep(1.2)
        reader.read_until_quiet()
        kept = reader.numbers()
        lost = 600 - len(kept)
        self.assertGreater(lost, 0)
        self.assertEqual(kept, [number for number in made if number in set(kept)])
        self.sensor.says(f"{lost} lines were lost")
        self.account(f"unix:{address}", lost, "queue_full", delivered=len(kept))

    def test_21_path_replaced(self):
        """As long as the old reader is there it gets the lines; then the new one does."""
        address = self.path("reader")
        old = self.reader(address)
        self.start("-o", f"unix:{address}")
        made = self.alerts(3)
        old.accept().read_lines(3)
        address.unlink()
        new = self.reader(address)
        made += self.alerts(3)
        old.read_lines(6)
        old.leave()
        old.listener.close()
        new.accept()
        made += self.alerts(3)
        new.read_lines(3)
        self.assertEqual(old.numbers() + new.numbers(), made)
        self.account(f"unix:{address}", delivered=9, resent=0)

    def test_22_datagram_too_big(self):
        """One line that no datagram holds is lost and counted; those beside it arrive."""
        address = self.path("reader")
        reader = self.reader(address, kind=socket.SOCK_DGRAM)
        flag = self.path("flag")
        self.start("-o", f"unix:{address}", shim=f"send:{errno.EMSGSIZE}:-:{flag}")
        made = self.alerts(3)
        got = [reader.listener.recv(1 << 20) for _ in range(3)]
        flag.touch()  # no alert is as long as 200 KB: the errno is injected
        self.alerts(2)
        time.sleep(0.3)
        flag.unlink()
        later = self.alerts(2)
        got += [reader.listener.recv(1 << 20) for _ in range(2)]
        self.assertEqual([stage.number_of(line) for line in got], made + later)
        self.assertTrue(all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in got))
        self.sensor.says("2 lines were lost")
        self.account(f"unix:{address}", 2, "too_big", delivered=5)

    def test_23_no_buffers_injected(self):
        """ENOBUFS passes: the connection stays, nothing is lost."""
        address = self.path("reader")
        reader = self.reader(address)
        flag = self.path("flag")
        self.start("-o", f"unix:{address}", shim=f"send:{errno.ENOBUFS}:-:{flag}")
        made = self.alerts(3)
        reader.accept().read_lines(3)
        flag.touch()
        made += self.alerts(3)
        time.sleep(0.3)
        flag.unlink()
        reader.read_lines(6)
        self.assertEqual(reader.numbers(), made)
        self.account(f"unix:{address}", delivered=6, resent=0)

    def test_25_reader_comes_and_goes_every_100_ms(self):
        """And leaves in the middle of what is there: nothing is lost, some comes twice."""
        address = self.path("reader")
        reader = self.reader(address)
        self.start("-o", f"unix:{address}")
        made = []
        for i in range(15):
            made += self.traffic.alerts(20)
            reader.accept()
            end = time.monotonic() + 0.1
            while time.monotonic() < end:
                reader.read(size=1000 + 777 * i)
            reader.leave()
        self.sensor.generated(300)
        reader.accept()
        reader.read_all(made)
        first = list(dict.fromkeys(reader.numbers()))
        self.assertEqual(first, made)
        for text in reader.got:
            self.assertEqual(numbers(text[:text.rfind(b"\n") + 1]),
                             sorted(numbers(text[:text.rfind(b"\n") + 1])))
        account = self.account(f"unix:{address}", delivered=300)
        self.assertGreaterEqual(account["resent"], len(reader.numbers()) - 300)

    def test_26_signals_in_a_storm(self):
        """HUP and USR1 by the hundred: lines stay whole, none is lost."""
        log, address = self.path("log"), self.path("reader")
        reader = self.reader(address)
        self.start("-o", log, "-o", f"unix:{address}")
        reader.accept()
        made = []
        for i in range(400):
            self.sensor.process.send_signal(signal.SIGHUP if i % 4 == 0 else signal.SIGUSR1)
            if i % 4 == 0:
                made += self.traffic.alerts(1)
            reader.read()
        wait(lambda: [line for line in Sensor.lines_of(log) if b'"portent.alert"' in line][99:],
             "100 alerts")
        while reader.read(seconds=1.5):
            pass
        accounts = self.sensor.end()
        for text in log.read_bytes(), reader.got[0]:
            self.assertTrue(text.endswith(b"\n"))
            alerts = b"".join(line for line in text.splitlines(keepends=True)
                              if b'"portent.alert"' in line)
            self.assertEqual(numbers(alerts), made)
        for name in str(log), f"unix:{address}":
            self.assertEqual(accounts[name]["delivered"], accounts[name]["generated"])

    def test_each_output_is_on_its_own(self):
        """A reader that is stopped, one that is away and a full disk: the fourth misses nothing."""
        disk = self.small_disk()
        stopped, away = self.path("stopped"), self.path("away")
        reader = self.reader(stopped)
        log = self.path("log")
        self.start("-o", f"unix:{stopped}", "-o", f"unix:{away}", "-o", disk / "log", "-o", log)
        reader.accept()
        made = self.alerts(300)
        wait(lambda: len(Sensor.lines_of(log)) == 300, "300 lines")
        self.assertEqual(self.lines(log), made)
        accounts = self.sensor.end()
        for output in accounts.values():
            self.assertEqual(output["generated"], 300)
            self.assertEqual(output["delivered"] + output["spooled"], 300, output)
        self.assertEqual(accounts[str(log)]["delivered"], 300)

    def test_a_second_sensor_is_kept_off_the_spool(self):
        address = self.path("reader")
        self.start("-o", f"unix:{address}")
        self.refuses = subprocess.run(
            [stage.PORTENT, "-i", stage.SENSOR, "-o", f"unix:{address}", "--spool",
             self.path("spool")], capture_output=True, text=True, timeout=10)
        self.assertEqual(self.refuses.returncode, 3)
        self.assertIn("another sensor has its spool", self.refuses.stderr)
        self.account(f"unix:{address}", delivered=0)

    def test_without_a_spool_what_waits_at_the_end_is_counted(self):
        address = self.path("reader")
        self.start("-o", f"unix:{address}", spool=False)
        self.alerts(10)
        self.account(f"unix:{address}", 10, "peer_down", delivered=0, spooled=0)

    def test_files_of_the_spool_are_nobody_elses(self):
        address = self.path("reader")
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        self.start("-o", f"unix:{address}")
        self.alerts(3)
        self.account(f"unix:{address}", spooled=3)
        paths = [self.path("spool"), *self.path("spool").rglob("*")]
        self.assertGreaterEqual(len(paths), 4)
        for path in paths:
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)


class Tcp(Case):
    def test_a_name_is_looked_up(self):
        hosts = self.path("hosts")
        hosts.write_text("2001:db8::1 reader.test\n127.0.0.1 reader.test\n")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        self.addCleanup(subprocess.run, ["umount", "/etc/hosts"], check=False)
        reader = self.reader(("127.0.0.1", 0))
        destination = f"tcp:reader.test:{reader.port()}"
        self.start("-o", destination)
        made = self.alerts(20)
        reader.accept().read_lines(20)
        self.assertEqual(reader.numbers(), made)
        self.account(destination, delivered=20)

    def test_an_ipv6_address(self):
        reader = self.reader(("::1", 0))
        destination = f"tcp:[::1]:{reader.port()}"
        self.start("-o", destination)
        made = self.alerts(20)
        reader.accept().read_lines(20)
        self.assertEqual(reader.numbers(), made)
        self.account(destination, delivered=20)

    def test_a_name_that_does_not_resolve_does_not_stop_capture(self):
        destination = "tcp:no-such-host.invalid:5044"
        log = self.path("log")
        self.start("-o", destination, "-o", log)
        made = self.alerts(20)
        wait(lambda: len(Sensor.lines_of(log)) == 20, "20 lines")
        self.assertEqual(self.lines(log), made)
        self.account(destination, spooled=20)

    def test_nobody_listens_and_then_somebody_does(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        destination = f"tcp:127.0.0.1:{port}"
        self.start("-o", destination)
        made = self.alerts(20)
        self.sensor.says("Connection refused: lines wait")
        reader = self.reader(("127.0.0.1", port)).accept().read_lines(20)
        self.assertEqual(reader.numbers(), made)
        self.account(destination, delivered=20)

    def test_netcat_reads(self):
        into = self.path("into")
        with open(into, "wb") as file, \
                socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            server.close()
            netcat = subprocess.Popen(["nc", "-l", "127.0.0.1", str(port)], stdout=file,
                                      stdin=subprocess.DEVNULL)
        self.addCleanup(netcat.wait)
        self.addCleanup(netcat.kill)
        destination = f"tcp:127.0.0.1:{port}"
        self.start("-o", destination)
        made = self.alerts(20)
        wait(lambda: len(Sensor.lines_of(into)) == 20, "20 lines")
        self.assertEqual(self.lines(into), made)
        self.account(destination, delivered=20)

    def test_24_black_hole(self):
        """The other machine is silent, without a reset: noticed after 30 s, nothing is lost.

        It is a network namespace that loses the address to which the connection leads."""
        other = subprocess.Popen(["unshare", "--net", "sleep", "120"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        inside = ("nsenter", f"--net=/proc/{other.pid}/ns/net")
        own = os.readlink("/proc/self/ns/net")
        wait(lambda: os.readlink(f"/proc/{other.pid}/ns/net") != own, "another namespace")
        address = "10.200.0.2"
        for command in (
                f"ip link add hole0 type veth peer name hole1 netns {other.pid}",
                "ip addr add 10.200.0.1/24 dev hole0", "ip link set hole0 up"):
            subprocess.run(command.split(), check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", "hole0"], check=False)
        for command in (f"ip addr add {address}/24 dev hole1", "ip link set hole1 up",
                        "ip link set lo up"):
            subprocess.run([*inside, *command.split()], check=True)
        code = ("import socket,sys\ns=socket.create_server(('10.200.0.2',5044))\n"
                "while True:\n c,_=s.accept()\n f=open(sys.argv[1],'ab',buffering=0)\n"
                " while d:=c.recv(65536): f.write(d)\n")
        into = self.path("into")
        reader = subprocess.Popen([*inside, sys.executable, "-c", code, into],
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        destination = f"tcp:{address}:5044"
        self.start("-o", destination)
        made = self.alerts(5)
        wait(lambda: into.exists() and len(Sensor.lines_of(into)) == 5, "5 lines", 20)
        mac = subprocess.run([*inside, "cat", "/sys/class/net/hole1/address"], check=False,
                             capture_output=True, text=True).stdout.strip()
        if mac:
            subprocess.run(["ip", "neigh", "replace", address, "lladdr", mac, "dev", "hole0",
                            "nud", "permanent"], check=True)
        subprocess.run([*inside, "ip", "addr", "del", f"{address}/24", "dev", "hole1"], check=True)
        made += self.alerts(5)
        self.sensor.says("its reader takes nothing: lines wait")
        # It gives up, and tries to connect anew.
        wait(lambda: subprocess.run(["ss", "-tnH", "state", "syn-sent"], check=True,
                                    capture_output=True).stdout, "another attempt", 45)
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") >= 5, "lines on disk")
        reader.kill()
        subprocess.run([*inside, "ip", "addr", "add", f"{address}/24", "dev", "hole1"], check=True)
        again = subprocess.Popen([*inside, sys.executable, "-c", code, into],
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(again.wait)
        self.addCleanup(again.kill)
        wait(lambda: len(Sensor.lines_of(into)) == 10, "10 lines", 60)
        self.assertEqual(self.lines(into), made)
        self.account(destination, delivered=10, resent=5)


class Replay(Case):
    """Nothing is dropped: it waits, until it is told to stop."""

    CAPTURE = stage.ROOT / "pcaps" / "apt12.pcap"

    def replay(self, destination, *words):
        process = subprocess.Popen(
            [stage.PORTENT, "-q", "-r", self.CAPTURE, "--log", "dns,connection", "-o", destination,
             "--stats", self.path("stats"), "--spool", self.path("spool"), *words],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def stats(self):
        text = json.loads(self.path("stats").read_text())
        return text["portent"]["stats"]["outputs"][0]

    def test_it_waits_for_a_reader(self):
        for address in self.path("reader"), ("127.0.0.1", 0):
            with self.subTest(address):
                if isinstance(address, tuple):
                    with socket.create_server(address) as server:
                        address = server.getsockname()
                    destination = f"tcp:127.0.0.1:{address[1]}"
                else:
                    destination = f"unix:{address}"
                process = self.replay(destination)
                self.assertIn("waiting", process.stderr.readline())
                self.assertIsNone(process.poll())
                reader = self.reader(address).accept().read_lines(3)
                self.assertEqual(process.wait(10), 0)
                actions = [json.loads(line)["event"]["action"] for line in
                           reader.got[0].splitlines()]
                self.assertEqual(sorted(actions), ["connection_attempted",
                                                   "dns_answer", "dns_calculation_port_match"])
                self.assertEqual(self.stats()["delivered"], 3)
                self.assertFalse(self.path("spool").exists())

    def test_it_waits_for_the_next_reader(self):
        address = self.path("reader")
        reader = self.reader(address)
        process = self.replay(f"unix:{address}")
        reader.accept().read(size=100, seconds=5)
        reader.leave()
        reader.accept().read_lines(3)
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(self.stats()["resent"], 3)

    def test_told_to_stop_it_says_what_was_lost(self):
        for number in signal.SIGINT, signal.SIGTERM:
            process = self.replay(f"unix:{self.path('reader')}")
            self.assertIn("waiting", process.stderr.readline())
            time.sleep(0.5)  # it says so before it has read anything
            process.send_signal(number)
            self.assertEqual(process.wait(2), 3)
            self.assertEqual(self.stats()["dropped"]["peer_down"], 3)
            self.assertEqual(self.stats()["generated"], 3)


class Kill(Case):
    def test_33_kill_at_random_moments(self):
        """See kill.py, which does it 200 times; here it is done a few."""
        result = subprocess.run([pathlib.Path(__file__).parent / "kill.py", "5"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Memory(Case):
    """A limit of a control group, as MemoryMax= of a service is one."""

    def group(self):
        """A new one, and the name of its file for the limit."""
        for top, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                          ("/sys/fs/cgroup", "memory.max")):
            try:
                group = pathlib.Path(tempfile.mkdtemp(prefix="portent-outputs-", dir=top))
            except OSError as error:
                reason = error
                continue
            if (group / file).exists():
                self.addCleanup(self.remove_group, group)
                return group, group / file
            group.rmdir()  # its controller is not for us
            reason = f"no {file}"
        self.skipTest(f"no control group for memory can be made here: {reason}")
        return None

    def remove_group(self, group):
        if hasattr(self, "sensor"):
            self.sensor.kill()
        wait(lambda: not (group / "cgroup.procs").read_text(), "an empty group")
        group.rmdir()

    def test_36_memory_limit(self):
        """It is killed when it meets the limit. What was in the log or in the spool is delivered, no
        line is torn but one that the next start closes, and the next run is as good as new."""
        group, limit = self.group()
        log, address = self.path("log"), self.path("reader")
        words = ("-o", log, "-o", f"unix:{address}", "--spool-size", "4M")
        self.start(*words, before=("sh", "-c", f"echo $$ >{group}/cgroup.procs; exec \"$@\"", "sh"))
        made = self.alerts(20)
        wait(lambda: stage.spool_lines(self.folder).count(b"\n") == 20, "20 lines on disk")
        used = int((group / limit.name.replace("limit_in_bytes", "usage_in_bytes")
                    .replace("memory.max", "memory.current")).read_text())
        limit.write_text(str(used + (2 << 20)))
        end = time.monotonic() + 30
        while self.sensor.process.poll() is None and time.monotonic() < end:
            made += self.traffic.alerts(200)
            time.sleep(0.02)
        self.assertEqual(self.sensor.process.poll(), -signal.SIGKILL, "the limit does not bite")

        text = log.read_bytes()
        before = numbers(text[:text.rfind(b"\n") + 1])
        self.assertEqual(before, made[:len(before)])
        spooled = stage.spool_lines(self.folder)
        spooled = numbers(spooled[:spooled.rfind(b"\n") + 1])
        self.assertEqual(spooled, made[:len(spooled)])
        reader = self.reader(address)
        self.start(*words)
        later = self.traffic.alerts(5)
        reader.accept().read_lines(len(spooled) + 5)
        self.assertEqual(reader.numbers(), spooled + later)
        wait(lambda: len(Sensor.lines_of(log)) >= len(before) + 5, "5 lines more")
        torn = int(not text.endswith(b"\n"))
        self.account(log, delivered=5, torn=torn)
        self.assertEqual(len(Sensor.lines_of(log)), len(before) + torn + 5)


    def famine(self, number):
        """The environment in which one allocation fails, and the file that tells of it."""
        told = self.path("told")
        told.unlink(missing_ok=True)
        return {**os.environ, "LD_PRELOAD": str(stage.SHIM.with_name("libfamine.so")),
                "FAMINE": f"{number}:{told}"}, told

    def each_allocation(self, *words, wanted):
        """Run it with the first allocation failing, with the second, and so on: it writes what it
        should, or ends with another status and says why; and a line is whole or not there."""
        log, number = self.path("log"), 0
        while True:
            number += 1
            log.unlink(missing_ok=True)
            environment, told = self.famine(number)
            result = subprocess.run([stage.PORTENT, "-q", "-R", stage.ROOT / "rules", *words, "-o",
                                     log, "--format", "ecs"], capture_output=True, text=True,
                                    timeout=20, check=False, env=environment)
            text = log.read_bytes() if log.exists() else b""
            self.assertIn(result.returncode, (0, 1, 2, 3), (number, result.stderr))
            self.assertTrue(not text or text.endswith(b"\n"), number)
            alerts = [json.loads(line)["event"]["kind"] for line in text.splitlines()].count("alert")
            if result.returncode == 0:
                self.assertEqual(alerts, wanted, (number, result.stderr))
            else:
                self.assertNotEqual(result.stderr, "", number)
            if not told.exists():
                self.assertEqual(result.returncode, 0, result.stderr)
                return number

    def test_36_each_allocation_fails_once_in_replay_injected(self):
        self.assertGreater(self.each_allocation("-r", stage.ROOT / "pcaps/apt12.pcap", wanted=1),
                           300)

    def test_36_each_allocation_fails_once_in_a_self_test_injected(self):
        self.assertGreater(self.each_allocation("--self-test", wanted=2), 300)

    def test_36_allocations_fail_once_live_injected(self):
        """Live every third: it does not start, and says why; or it delivers all of its alerts, or
        says which way one was lost, and counts it. No line is torn, or no JSON, and none comes twice."""
        started = counted = 0
        for number in range(1, 100000, 3):
            log, said = self.path(f"log{number}"), self.path("said")
            environment, told = self.famine(number)
            with open(said, "wb") as file:
                process = subprocess.Popen(
                    [stage.PORTENT, "-i", stage.SENSOR, "-R", stage.ROOT / "rules", "--log", "alert",
                     "-o", log, "--spool", self.path("spool"), "--stats", self.path("stats.json")],
                    stderr=file, env=environment,
                    stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)

            def has_ended():
                return process.poll() is not None

            wait(lambda: "capturing on" in said.read_text() or has_ended(), "a start")
            made = self.traffic.alerts(3)
            wait(lambda: len(Sensor.lines_of(log)) == 3 or has_ended() or
                 "it is lost" in said.read_text(), f"3 alerts, {number}")
            time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            status = process.wait(10)
            lines = self.lines(log) if log.exists() else []
            if status == 0:
                self.assertEqual(lines, made, number)
                started += 1
            else:
                self.assertIn(status, (1, 3), number)
                self.assertNotEqual(said.read_text(), "", number)
                self.assertEqual(lines, [n for n in made if n in lines], number)
            if "a line of output: it is lost" in said.read_text():
                account = json.loads(self.path("stats.json").read_text())["portent"]["stats"]["output"]
                self.assertEqual(account["dropped"]["no_memory"], 3 - len(lines), (number, account))
                self.assertEqual((account["generated"], account["delivered"]), (3, len(lines)))
                counted += 1
            if not told.exists():
                break
        self.assertEqual(status, 0)
        self.assertGreater(started, 5)
        self.assertGreater(counted, 0)


def main():
    stage.enter()
    result = unittest.main(exit=False, verbosity=1 if len(sys.argv) < 2 else 2).result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
