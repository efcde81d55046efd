from fake_hal import LIMITS, FakeAdc, FakeClock, FakeOptics, FakeOutput, Settings, raises

from remnant_protocol import codec
from remnant_protocol.errors import CELL_UNKNOWN, PROBE_BUSY, PROBE_LIMIT
from rig.clock import Clock
from rig.exposure import Exposure
from rig.journal import Journal
from rig.lamp import Lamp
from rig.probe import Probe


class Optical:
    def __init__(self):
        self.settings = Settings()
        self.optics = FakeOptics()
        self.output = FakeOutput()
        self.adc = FakeAdc()
        self.lamp = Lamp(self.output, self.adc, 1, self.settings, LIMITS)
        self.exposure = Exposure()
        self.journal = Journal(Clock(FakeClock()))
        self.probe = Probe(self.optics, self.lamp, self.exposure, self.journal, self.settings, LIMITS)

    def take(self, probe, pulses=16, mask=1):
        self.probe.start(probe, pulses, mask)
        for _ in range(2):
            self.probe.tick(25000)

    def bodies(self):
        bodies = []
        while True:
            body = self.journal.peek()
            if body is None:
                return bodies
            bodies.append(codec.decode(body, 0, len(body)))
            self.journal.sent()


def test_a_reading_carries_every_pulse_and_the_light_spent():
    optical = Optical()
    optical.take(3, 16, 3)
    first, second = optical.bodies()
    assert first[4:8] == [3, 0, 25000, 320]  # 10 mW/cm2 x 16 x 2 ms
    assert second[5] == 1
    assert len(first[8]) == len(first[9]) == len(first[10]) == 32
    assert optical.exposure.probe_uj_per_cm2 == 320


def test_the_lamp_is_dark_while_pulsing_and_then_comes_back():
    optical = Optical()
    optical.lamp.set(10000)
    optical.adc.monitor = 10200
    optical.lamp.tick()
    optical.optics.done = False
    optical.probe.start(0, 4, 1)
    for _ in range(5):
        optical.probe.tick(25000)
        optical.lamp.tick()
        assert optical.output.duty_u16 == 0
    optical.optics.done = True
    optical.probe.tick(25000)
    optical.lamp.tick()
    assert optical.output.duty_u16 > 0 and not optical.probe.active


def test_remnant_is_last_over_first_of_its_reference():
    optical = Optical()
    optical.take(0)
    optical.optics.lit_counts[0] = 600 + 9000
    optical.take(1)
    assert 297 <= optical.probe.remnant_permille(0, 0) <= 300
    assert optical.probe.remnant_permille(1, 0) is None
    optical.probe.forget()
    assert optical.probe.remnant_permille(0, 0) is None


def test_signal_does_not_depend_on_the_lamp():
    optical = Optical()
    optical.take(0)
    optical.optics.monitor_counts = 200 + 8000  # 20 % less light
    optical.optics.lit_counts[0] = 600 + 24000
    optical.take(1)
    assert abs(optical.probe.remnant_permille(0, 0) - 1000) <= 3


def test_a_dark_lamp_gives_no_signal_and_no_exception():
    optical = Optical()
    optical.optics.monitor_counts = 100
    optical.take(0)
    assert optical.probe.remnant_permille(0, 0) is None


def test_wrong_requests_are_refused():
    optical = Optical()
    raises(PROBE_LIMIT, optical.probe.start, 0, 0, 1)
    raises(PROBE_LIMIT, optical.probe.start, 0, 33, 1)
    raises(CELL_UNKNOWN, optical.probe.start, 0, 4, 0)
    raises(CELL_UNKNOWN, optical.probe.start, 0, 4, 4)
    optical.probe.start(0, 4, 1)
    raises(PROBE_BUSY, optical.probe.start, 0, 4, 1)


def test_the_largest_probe_fits_a_record():
    optical = Optical()
    optical.take(65535, 32, 1)
    assert len(optical.bodies()) == 1
