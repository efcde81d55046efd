from rig.heater import OFF_MC
from rig.rest import Rest


class Thing:
    def __init__(self, **facts):
        for name, value in facts.items():
            setattr(self, name, value)


class Rig:
    """A rig at rest for an hour."""

    def __init__(self, stride_ms=60_000):
        self.hal = Thing(clock=Thing(stride_ms=stride_ms))
        self.thermometry = Thing(temp_mc=0)
        self.heater = Thing(target_mc=OFF_MC)
        self.lamp = Thing(requested_uw_per_cm2=0, duty_u16=0)
        self.probe = Thing(active=False)
        self.pumps = [Thing(busy=False)]
        self.left_ms = 3_600_000
        self.executor = Thing(idle_ms=lambda: self.left_ms)
        self.on = self.asked = False
        self.commands = Thing(watching=lambda: self.asked)
        self.rest = Rest(self)

    def triggered(self):
        return self.on

    def ticks(self, n, telemetry_due_ms=3_600_000):
        return [self.rest.ticks(telemetry_due_ms) for _ in range(n)]


def test_each_rest_is_at_most_twice_the_one_before_and_no_longer_than_the_clock_leaps():
    assert Rig().ticks(11) == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_program_and_telemetry_are_not_passed_over():
    rig = Rig()
    rig.ticks(10)
    assert rig.ticks(1, telemetry_due_ms=2_550) == [25]
    rig.left_ms = 730
    assert rig.ticks(1) == [7]
    rig.left_ms = -5
    assert rig.ticks(1) == [1]


def test_no_rest_while_anything_is_on():
    for part, field, value in (
        ("heater", "target_mc", 25_000),
        ("lamp", "requested_uw_per_cm2", 10),
        ("lamp", "duty_u16", 1),
        ("probe", "active", True),
    ):
        rig = Rig()
        rig.ticks(10)
        setattr(getattr(rig, part), field, value)
        assert rig.ticks(2) == [1, 1], part
    for change in ("on", "asked"):
        rig = Rig()
        rig.ticks(10)
        setattr(rig, change, True)
        assert rig.ticks(2) == [1, 1], change
    rig = Rig()
    rig.ticks(10)
    rig.pumps[0].busy = True
    assert rig.ticks(1) == [1]


def test_a_temperature_that_moves_is_looked_at_again_at_once():
    rig = Rig()
    rig.ticks(10)
    rig.thermometry.temp_mc += 200
    assert rig.ticks(3) == [1, 2, 4]
