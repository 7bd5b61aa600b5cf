"""Interfaces that go down, vanish, are renamed, and come back; and those that are not there."""
import signal
import time

from bed import PORTENT, PATIENCE, Case, Sensor, Story, ip, run, wait_for


class Link(Case):
    def expect_alert(self, sensor, count, what):
        self.wire.send(*Story().all())
        alert = sensor.wait_alerts(count)[-1]
        self.assertEqual(alert["portent"]["verdict"], "dns_confirmed", what)

    def expect_rest(self, sensor, what):
        """Not a busy loop: a thousandth of a core is two hundred times what idling takes."""
        before = sensor.cpu()
        time.sleep(1)
        self.assertLess(sensor.cpu() - before, 5_000_000, what)

    def test_a_link_goes_down_and_up(self):
        sensor = Sensor(self)
        self.expect_alert(sensor, 1, "before")
        ip("link set s0 down")
        sensor.wait_said("s0: the link is down")
        self.expect_rest(sensor, "down")
        ip("link set s0 up")
        sensor.wait_said("s0: the link is up")
        self.expect_alert(sensor, 2, "after")
        self.assertEqual(sensor.stop()[0], 0)

    def test_a_carrier_is_lost_and_found(self):
        sensor = Sensor(self)
        ip("link set a0 down")
        sensor.wait_said("s0: the link is down")
        self.expect_rest(sensor, "no carrier")
        ip("link set a0 up")
        sensor.wait_said("s0: the link is up")
        self.expect_alert(sensor, 1, "after")

    def test_an_interface_vanishes_and_another_of_its_name_comes(self):
        sensor = Sensor(self)
        story = Story()
        self.wire.send(story.query(), story.answer())
        sensor.rest()
        self.wire.cut()
        sensor.wait_said("s0: the interface vanished: it is awaited")
        self.expect_rest(sensor, "vanished")
        self.wire.make()
        sensor.wait_said("s0: capture goes on")
        self.assertIn("promiscuity 1", ip("-d link show s0").stdout)
        self.wire.send(story.syn())
        (alert,) = sensor.wait_alerts(1)
        self.assertEqual(alert["portent"]["verdict"], "dns_confirmed", "what was given is known")

    def test_it_comes_back_down_and_is_captured_when_it_is_up(self):
        sensor = Sensor(self)
        self.wire.cut()
        sensor.wait_said("s0: the interface vanished")
        ip("link add a0 type veth peer name s0")
        sensor.wait_said("s0: the link is down")
        self.expect_rest(sensor, "there, and down")
        ip("link del a0")
        sensor.wait_said("s0: the interface vanished", 2)
        self.wire.make()
        sensor.wait_said("s0: capture goes on", 2)
        self.expect_alert(sensor, 1, "after")

    def test_an_interface_is_renamed_and_gets_its_name_back(self):
        sensor = Sensor(self)
        ip("link set s0 down")
        ip("link set s0 name other")
        ip("link set other up")
        sensor.wait_said("s0: the interface was renamed to other")
        self.expect_rest(sensor, "renamed")
        self.assertIn("promiscuity 0", ip("-d link show other").stdout)
        self.wire.send(*Story().all())
        ip("link set other down")
        ip("link set other name s0")
        ip("link set s0 up")
        sensor.wait_said("s0: the link is up")
        self.expect_alert(sensor, 1, "after")
        self.assertEqual(sensor.stop()[1]["capture"]["packets"], 3, "nothing from the other name")

    def test_a_link_that_comes_up_while_its_interface_is_awaited_is_told(self):
        """Or it would be called down for good: the sensor sees both changes at once."""
        sensor = Sensor(self)
        ip("link set s0 down")
        sensor.wait_said("s0: the link is down")
        ip("link set s0 name other")
        sensor.wait_said("s0: the interface was renamed to other")
        sensor.send_signal(signal.SIGSTOP)
        ip("link set other name s0")
        ip("link set s0 up")
        sensor.send_signal(signal.SIGCONT)
        sensor.wait_said("s0: the link is up")
        sensor.wait_said("s0: capture goes on")
        self.expect_alert(sensor, 1, "after")
        self.assertEqual(sensor.stop()[0], 0)
        told = [(d["portent"]["alarm"]["name"], d["portent"]["alarm"]["active"])
                for d in sensor.documents() if d["portent"].get("alarm", {}).get("subject") == "s0"]
        self.assertEqual(told, [("link_down", True), ("capture_failed", True),
                                ("capture_failed", False), ("link_down", False)])

    def test_a_name_is_taken_over_by_another_interface(self):
        sensor = Sensor(self)
        ip("link set s0 down")
        ip("link set s0 name old")
        ip("link add a1 type veth peer name s0")
        ip("link set a1 up")
        ip("link set s0 up")
        sensor.wait_said("s0: capture goes on")
        wait_for(lambda: "LOWER_UP" in ip("link show a1").stdout and "LOWER_UP" in ip(
            "link show s0").stdout, "no carrier")
        self.wire.socket.bind(("a1", 0))
        self.expect_alert(sensor, 1, "by the new one")

    def test_an_interface_of_another_kind_is_refused(self):
        sensor = Sensor(self)
        self.wire.cut()
        sensor.wait_said("s0: the interface vanished")
        if ip("tuntap add dev s0 mode tun", check=False).returncode:
            self.skipTest("the kernel makes no interface without Ethernet here")
        sensor.wait_said("s0: an interface of another kind has its name now")
        self.expect_rest(sensor, "of another kind")
        ip("link del s0")
        self.wire.make()
        sensor.wait_said("s0: capture goes on")
        self.expect_alert(sensor, 1, "after")
        self.assertEqual(sensor.count_said("of another kind"), 1)

    def test_a_link_that_flaps_is_followed(self):
        sensor = Sensor(self)
        for _ in range(30):
            ip("link set s0 down")
            ip("link set s0 up")
        wait_for(lambda: sensor.count_said("the link is down") == sensor.count_said(
            "the link is up"), "down for good")
        time.sleep(0.1)
        self.expect_alert(sensor, 1, "after")
        self.expect_rest(sensor, "after")

    def test_one_of_two_interfaces_vanishes(self):
        ip("link add a1 type veth peer name s1")
        ip("link set a1 up")
        ip("link set s1 up")
        sensor = Sensor(self, interfaces=("s0", "s1"))
        ip("link del a1")
        sensor.wait_said("s1: the interface vanished")
        self.expect_alert(sensor, 1, "the other goes on")
        self.assertEqual(sensor.stop()[0], 0)


class Start(Case):
    def refused(self, status, sentence, *words, **more):
        sensor = Sensor(self, *words, ready=False, **more)
        self.assertEqual(sensor.process.wait(timeout=PATIENCE), status, sensor.said())
        self.assertIn(sentence, sensor.said())

    def test_an_interface_that_is_not_there_ends_the_start(self):
        self.refused(3, "portent: s9: there is no such interface (portent -D lists them)",
                     interfaces=("s0", "s9"))

    def test_the_test_of_the_configuration_does_not_demand_the_link(self):
        done = run(PORTENT, "-T", "-i", "s9", "-i", "s0")
        self.assertIn("interface s9 is not there now\n", done.stdout)
        self.assertIn("interface s0 ok\n", done.stdout)
        self.assertIn("permission to capture ok\n", done.stdout)

    def test_without_the_capability_it_says_which_one(self):
        none = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
        self.refused(3, "s0: capturing is not permitted: CAP_NET_RAW is needed", before=none)
        done = run(*none, PORTENT, "-T", "-i", "s0", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CAP_NET_RAW is needed", done.stderr)

    def test_an_interface_that_nobody_set_up_ends_the_start(self):
        ip("link set s0 down")
        self.refused(3, "s0: the interface is not up: ip link set s0 up does that, as root")

    def test_an_interface_without_a_carrier_is_said_and_captured(self):
        ip("link set a0 down")
        sensor = Sensor(self)
        sensor.wait_said("s0: the link is down")
        ip("link set a0 up")
        sensor.wait_said("s0: the link is up")
        self.wire.send(*Story().all())
        sensor.wait_alerts(1)

    def test_interfaces_are_listed_as_tcpdump_does(self):
        ours = run(PORTENT, "-D").stdout
        theirs = run("tcpdump", "-D").stdout
        for name in ("a0", "s0"):
            self.assertEqual([line.split(".", 1)[1] for line in ours.splitlines() if name in line],
                             [line.split(".", 1)[1] for line in theirs.splitlines()
                              if name in line])
