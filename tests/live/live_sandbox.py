"""What the sensor may do, once it reads."""
import os
import pathlib
import signal
import stat

from bed import Case, Sensor, Story, ip

# What a service is given: one capability, and no way to another.
RAW_ALONE = ("setpriv", "--bounding-set", "-all,+net_raw", "--inh-caps", "-all,+net_raw",
             "--ambient-caps", "-all,+net_raw", "--no-new-privs")


def status(sensor):
    text = (pathlib.Path("/proc") / str(sensor.pid) / "status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


class Sandbox(Case):
    def expect_closed(self, sensor):
        held = status(sensor)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(held[name], 16), 0, name)
        self.assertEqual((held["NoNewPrivs"], held["Seccomp"]), ("1", "2"))

    def test_one_capability_is_enough_and_none_is_kept(self):
        sensor = Sensor(self, before=RAW_ALONE)
        self.expect_closed(sensor)
        self.assertIn("promiscuity 1", ip("-d link show s0").stdout)
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.wire.cut()
        sensor.wait_said("s0: the interface vanished")
        self.wire.make()
        sensor.wait_said("s0: capture goes on")
        self.wire.send(*Story().all())
        sensor.wait_alerts(2)
        self.assertEqual(sensor.stop()[0], 0)

    def test_who_has_all_capabilities_keeps_none(self):
        self.expect_closed(Sensor(self))

    def test_it_can_be_left_out_for_debugging(self):
        sensor = Sensor(self, "--no-sandbox")
        self.assertEqual(status(sensor)["Seccomp"], "0")

    def test_no_new_file_is_for_others(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        sensor = Sensor(self, "--log", "stats")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        sensor.stop()
        for path in (sensor.output, sensor.stats_path):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o027, 0, path)

    def test_a_file_that_nobody_renamed_is_no_trouble(self):
        sensor = Sensor(self)
        sensor.send_signal(signal.SIGHUP)
        sensor.wait_said("read anew")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.assertNotIn("cannot be opened", sensor.said())

    def test_files_are_opened_anew_inside_it(self):
        sensor = Sensor(self)
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        sensor.output.rename(sensor.output.with_suffix(".1"))
        sensor.send_signal(signal.SIGHUP)
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)
        self.assertEqual(sensor.stop()[0], 0)
