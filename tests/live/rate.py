"""How fast a wire may be: the sensor beside a bare libpcap loop. Not run with the other live tests."""
import signal
import unittest

from bed import Case, Sensor, Tool

PACKETS = 1_000_000
RING = 64  # MiB, for both
RATES = (0, 1_200_000, 1_000_000, 800_000, 650_000, 500_000, 400_000, 300_000, 200_000, 100_000)


class Rate(Case):
    def send(self, count, rate):
        sender = Tool(self, "send", "a0", count, rate, ready=False)
        sender.process.wait(timeout=120)
        sent, reached = sender.numbers()
        self.assertEqual(sent, count)
        return reached

    def bare(self, rate):
        """Packets lost by a loop that does nothing but count, and the rate that was reached."""
        loop = Tool(self, "take", "s0", RING)
        reached = self.send(PACKETS, rate)
        got, received, dropped = loop.numbers()
        self.assertEqual(got + dropped, received)
        return PACKETS - got, reached

    def sensor(self, rate, *words):
        sensor = Sensor(self, "--ring-size", f"{RING}M", *words)
        self.send(PACKETS, rate)
        spent = sensor.rest()
        return sensor.stop()[1]["capture"], spent / 1e9

    def test_what_a_bare_loop_takes_without_loss_is_taken_without_loss(self):
        for rate in RATES:
            lost, reached = self.bare(rate)
            print(f"bare loop: {reached} packets/s, {lost} lost")
            if lost == 0:
                break
        else:
            self.skipTest("a bare loop loses packets at every rate here")
        capture, spent = self.sensor(rate)
        print(f"portent: {capture['packets']} packets, {capture['dropped']} lost, "
              f"{spent:.2f} s of a core")
        self.assertEqual((capture["packets"], capture["dropped"]), (PACKETS, 0))

    def test_where_loss_is_forced_it_is_counted_exactly(self):
        sensor = Sensor(self, "--ring-size", "1M")
        for _ in range(4):
            sensor.send_signal(signal.SIGSTOP)
            self.send(PACKETS // 8, 0)
            sensor.send_signal(signal.SIGCONT)
            self.send(PACKETS // 8, 0)
        sensor.rest()
        capture = sensor.stop()[1]["capture"]
        print(f"forced: {capture['packets']} packets, {capture['dropped']} lost")
        self.assertGreater(capture["dropped"], 0)
        self.assertEqual(capture["packets"] + capture["dropped"], PACKETS)


if __name__ == "__main__":
    unittest.main()
