from fake_hal import Settings, raises
from test_motion import WRAP, PlainChannel
from test_sim_pump import Dice, Plant

from hal.sim_pump import SimPump
from remnant_protocol import errors as e
from rig.motion import CYCLES_PER_S
from rig.pump import Pump, make_pumps, steps_for_volume, volume_for_steps

SYRINGE_60_ML = 1121483000  # pl a turn: 26.72 mm, lead 2 mm
SYRINGE_10_ML = 330260000  # 14.50 mm


class Rig:
    """One pump on a channel, with the board's clock; `plain`: edge by edge, with instants."""

    def __init__(self, plain=False, flow_max_nl_per_min=100_000_000, **settings):
        self.us = WRAP - 1_234_567
        self.plant = Plant()
        self.channel = PlainChannel() if plain else SimPump(self.plant, 0)
        settings.setdefault("pl_per_turn", SYRINGE_60_ML)
        self.settings = Settings(**{"pump0_" + name: value for name, value in settings.items()})
        self.limits = {"flow_max_nl_per_min": flow_max_nl_per_min, "pumps": 1}
        self.clock = self
        self.pumps = [self.channel]
        self.pump = make_pumps(self, self.settings, self.limits)[0]

    def ticks_us(self):
        return self.us % WRAP

    def pass_us(self, us):
        self.channel.advance(us)
        self.us += us

    def run_s(self, seconds):
        for _ in range(int(seconds * 10)):
            self.pass_us(100_000)
            self.pump.top_up(self.ticks_us())

    def until_rest(self, limit_s=600):
        ticks = 0
        while self.pump.busy:
            self.run_s(0.1)
            ticks += 1
            assert ticks < limit_s * 10
        assert not self.channel.running()
        return ticks / 10


def test_volume_to_steps_rounds_half_away_and_carries_the_rest():
    assert steps_for_volume(0, 1000, 1) == (0, 0)
    assert steps_for_volume(5, 2000, 1) == (3, -1000)
    assert steps_for_volume(-5, 2000, 1) == (-3, 1000)
    assert volume_for_steps(3, 1500, 1) == 5 and volume_for_steps(-3, 1500, 1) == -5
    total = carry = 0
    for _ in range(10_000):
        steps, carry = steps_for_volume(1000, SYRINGE_60_ML, 3200, carry)
        total += steps
    assert total == steps_for_volume(10_000_000, SYRINGE_60_ML, 3200)[0]


def test_mean_flow_is_exact_below_1_ppm_at_the_flows_of_liang2023():
    """5000 mL/h on a 60 mL syringe; 60 and 10 mL/h on one of 10 mL. Edges of cruise; the first and the last give the mean."""
    for flow_ml_per_h, pl_per_turn, seconds in ((5000, SYRINGE_60_ML, 5), (60, SYRINGE_10_ML, 30), (10, SYRINGE_10_ML, 60)):
        rig = Rig(plain=True, pl_per_turn=pl_per_turn)
        flow = rig.pump.set_flow((flow_ml_per_h * 1_000_000 + 30) // 60)
        rig.run_s(1)
        rig.channel.edges.clear()
        rig.run_s(seconds)
        edges = rig.channel.edges
        # steps/s = flow x steps per turn / volume per turn
        ideal = (len(edges) - 1) * CYCLES_PER_S * 60 * pl_per_turn / (flow * 1000 * 3200)
        assert abs(edges[-1] - edges[0] - ideal) <= 21 + ideal * 1e-12, (flow_ml_per_h, edges[-1] - edges[0] - ideal)
        assert 21 / ideal < 1e-6  # what rounding inside the first and the last slice may show


def test_an_hour_of_flow_is_exact_to_a_step():
    rig = Rig(pl_per_turn=SYRINGE_10_ML)
    rig.pump.set_flow(166_667)  # 10 mL/h
    rig.run_s(3500)
    ideal = 3500 * 166_667 * 1000 * 3200 // (60 * SYRINGE_10_ML)
    assert abs(rig.pump.steps - ideal) <= 1
    assert abs(rig.pump.delivered_nl - 3500 * 166_667 // 60) <= 104
    assert rig.pump.flow_nl_per_min == 166_667 and rig.pump.underruns == 0


def test_a_dispense_gives_its_steps_and_takes_its_time():
    rig = Rig()
    accepted = rig.pump.dispense(2_000_000, 83_333_333)
    assert abs(accepted - 2_000_000) <= 176  # half a step of 350.5 nl
    assert rig.pump.busy
    seconds = rig.until_rest()
    assert 1.6 <= seconds <= 2.0  # 1.44 s of flow, 0.2 s of ramps, the tick
    assert rig.pump.steps == steps_for_volume(2_000_000, SYRINGE_60_ML, 3200)[0] == rig.plant.moved[0]
    assert rig.pump.moved_nl == rig.pump.delivered_nl == accepted
    assert 0 <= 60_000_000 - rig.pump.left_nl - accepted <= 351  # travel is counted in whole steps


def test_many_small_dispenses_do_not_drift():
    rig = Rig(plain=True)
    for _ in range(40):
        rig.pump.dispense(1000, 1_000_000)
        rig.until_rest()
    assert rig.pump.steps == steps_for_volume(40_000, SYRINGE_60_ML, 3200)[0]


def test_a_volume_below_half_a_step_waits_for_the_next():
    rig = Rig()
    assert rig.pump.dispense(100, 1_000_000) == 0 and not rig.pump.busy
    assert rig.pump.dispense(100, 1_000_000) == 350
    rig.until_rest()
    assert rig.pump.steps == 1


def test_withdrawing_takes_up_the_backlash_and_does_not_count_it():
    rig = Rig(backlash_steps=40)
    rig.pump.dispense(1_000_000, 20_000_000)
    rig.until_rest()
    infused = rig.pump.steps
    accepted = rig.pump.dispense(-500_000, 20_000_000)
    rig.until_rest()
    back = steps_for_volume(-500_000, SYRINGE_60_ML, 3200)[0]
    assert abs(infused - rig.pump.steps - 40 + back) <= 1  # the carry may move one step
    assert rig.pump.moved_nl == accepted
    rig.pump.dispense(-500_000, 20_000_000)  # same direction: no take-up again
    before = rig.pump.steps
    rig.until_rest()
    assert abs(before - rig.pump.steps + back) <= 1
    assert abs(rig.pump.delivered_nl) <= 176


def test_the_account_agrees_with_the_plants_syringe():
    from plant.syringe import Syringe

    dice = Dice(5)
    rig = Rig(backlash_steps=40)
    syringe = Syringe(26.72, 60_000_000)
    rig.plant.move_syringe = lambda pump, steps: syringe.move(steps)
    for _ in range(60):
        volume = (dice(400_000) - 200_000) * 2
        if abs(volume) < rig.pump.left_nl and (volume > 0 or rig.pump.delivered_nl + volume > 0):
            rig.pump.dispense(volume, 5_000_000 + dice(60_000_000))
        if not dice(3):
            rig.run_s(0.1)
            rig.pass_us(dice(100_000))
            rig.pump.abort()
        rig.until_rest()
        assert abs(syringe.dispensed_nl() - rig.pump.delivered_nl) <= 2, (syringe.dispensed_nl(), rig.pump.delivered_nl)
    assert syringe.lost_steps == 0


def test_flow_turns_round_through_rest():
    rig = Rig(plain=True, backlash_steps=40)
    rig.pump.set_flow(40_000_000)
    rig.run_s(2)
    rig.pump.set_flow(-40_000_000)
    turn = 0
    for _ in range(20):
        rig.run_s(0.1)
        turn = max(turn, rig.pump.steps)
    assert rig.pump.flow_nl_per_min == -40_000_000
    up = [segment for segment in rig.channel.pushed if segment[2] == 1]
    assert rig.channel.pushed[: len(up)] == up  # never back and forth
    first = rig.channel.pushed[len(up)]
    assert first[0] == 0 and first[1] >= 2500  # the direction pin settles for 20 us or more before the first step
    rig.pump.stop()
    rig.until_rest()
    assert turn > rig.pump.steps
    assert rig.pump.delivered_nl == volume_for_steps(rig.pump.steps + 40, SYRINGE_60_ML, 3200)


def test_flow_is_told_as_it_is_now():
    rig = Rig()
    rig.pump.set_flow(60_000_000)
    seen = []
    for _ in range(6):
        rig.run_s(0.1)
        seen.append(rig.pump.flow_nl_per_min)
    assert 20_000_000 < seen[0] < 60_000_000 and seen[-1] == 60_000_000, seen
    rig.pump.set_flow(0)
    assert rig.pump.flow_nl_per_min == 60_000_000  # not yet
    rig.until_rest()
    assert rig.pump.flow_nl_per_min == 0


def test_refusals_move_nothing():
    rig = Rig(flow_max_nl_per_min=90_000_000)
    pump = rig.pump
    error = raises(e.PUMP_FLOW_LIMIT, pump.set_flow, 90_000_001)
    assert error.value == 90_000_001 and error.limit == 90_000_000
    raises(e.PUMP_FLOW_LIMIT, pump.dispense, 1000, 0)
    error = raises(e.PUMP_TRAVEL_END, pump.dispense, 60_001_000, 1_000_000)
    assert error.value == 60_001_000 and 59_999_000 < error.limit <= 60_000_000
    raises(e.PUMP_TRAVEL_END, pump.dispense, -1000, 1_000_000)
    raises(e.PUMP_TRAVEL_END, pump.set_flow, -1000)
    assert not pump.busy and pump.steps == 0 and not rig.channel.running()
    pump.dispense(1_000_000, 1_000_000)
    raises(e.PUMP_BUSY, pump.dispense, 1000, 1000)
    raises(e.PUMP_BUSY, pump.load, 1000)
    blank = Rig(pl_per_turn=0)
    raises(e.PUMP_NOT_CALIBRATED, blank.pump.set_flow, 1000)
    raises(e.PUMP_NOT_CALIBRATED, blank.pump.dispense, 1000, 1000)
    assert blank.pump.delivered_nl == 0


def test_a_flow_that_one_motor_cannot_step_is_refused():
    rig = Rig(steps_per_turn=51200, pl_per_turn=1_000_000)
    error = raises(e.PUMP_FLOW_LIMIT, rig.pump.set_flow, 100_000_000)
    assert rig.pump.set_flow(error.limit) == error.limit
    rig.run_s(0.1)


def test_flow_into_the_end_of_travel_stops_there_and_is_a_fault():
    rig = Rig(syringe_nl=500_000)
    rig.pump.set_flow(20_000_000)
    raises(e.PUMP_TRAVEL_END, rig.until_rest)
    assert not rig.pump.busy
    assert 0 <= 500_000 - rig.pump.delivered_nl <= 351
    rig.pump.top_up(rig.ticks_us())  # told once
    assert rig.pump.set_flow(-20_000_000) == -20_000_000


def test_a_change_of_flow_does_not_move_the_end_of_travel():
    rig = Rig(syringe_nl=2_000_000)
    rig.pump.set_flow(20_000_000)
    for flow in (30_000_000, 15_000_000, 40_000_000):
        rig.run_s(0.5)
        rig.pump.set_flow(flow)
    raises(e.PUMP_TRAVEL_END, rig.until_rest)
    assert 0 <= 2_000_000 - rig.pump.delivered_nl <= 351
    assert rig.pump.steps == 2_000_000 * 1000 * 3200 // SYRINGE_60_ML


def test_a_flow_forgets_the_rest_of_volumes_before_it():
    rig = Rig()
    assert rig.pump.dispense(100, 1_000_000) == 0  # 0.29 of a step
    rig.pump.set_flow(1_000_000)
    rig.pump.stop()
    rig.until_rest()
    assert rig.pump.dispense(100, 1_000_000) == 0


def test_load_says_what_is_in_the_syringe():
    rig = Rig()
    rig.pump.load(1_000_000)
    assert abs(rig.pump.left_nl - 1_000_000) <= 351
    raises(e.PUMP_TRAVEL_END, rig.pump.dispense, 1_001_000, 1_000_000)
    raises(e.PUMP_TRAVEL_END, rig.pump.load, 60_000_001)
    rig.pump.dispense(-1_000_000, 20_000_000)
    rig.until_rest()
    assert abs(rig.pump.left_nl - 2_000_000) <= 702


def test_settings_that_change_in_motion_hold_from_the_next_rest():
    rig = Rig()
    rig.pump.dispense(1_000_000, 20_000_000)
    rig.run_s(0.3)
    rig.settings["pump0_pl_per_turn"] = SYRINGE_10_ML
    rig.pump.reload()
    rig.until_rest()
    first = steps_for_volume(1_000_000, SYRINGE_60_ML, 3200)[0]
    assert rig.pump.steps == first
    rig.pump.dispense(100_000, 20_000_000)
    rig.until_rest()
    assert rig.pump.steps == first + steps_for_volume(100_000, SYRINGE_10_ML, 3200)[0]


def test_a_pump_made_anew_keeps_where_the_plunger_is():
    rig = Rig()
    rig.pump.dispense(30_000_000, 80_000_000)
    rig.run_s(1)
    steps = rig.pump.steps
    again = Pump(0, rig.channel, rig.settings, rig.limits, rig.ticks_us)
    assert not rig.channel.running() and not again.busy
    assert again.steps == steps and 0 < again.delivered_nl < 30_000_000
    assert abs(again.left_nl + again.delivered_nl - 60_000_000) <= 351


def test_whatever_is_asked_at_whatever_instant_emitted_is_accounted():
    """Random wishes at random instants; the account must be the path that the channel walked, edge by edge."""
    for seed in (1, 2, 3, 4, 5, 6):
        dice = Dice(seed)
        rig = Rig(plain=True, backlash_steps=25, accel_steps_per_s2=(20_000, 3000, 200_000)[seed % 3])
        pump = rig.pump
        pump.load(30_000_000)
        for _ in range(60):
            wish = dice(8)
            sign = 1 if dice(2) else -1
            try:
                if wish < 3:
                    pump.set_flow(sign * (1 + dice(1000) * (1, 200, 30_000)[dice(3)]))
                elif wish < 6:
                    pump.dispense(sign * dice(1000) * 700, 1_000_000 + dice(1000) * 60_000)
                elif wish == 6:
                    pump.stop()
                else:
                    counted = pump.abort()
                    assert counted == rig.channel.count == pump.steps and not pump.busy
            except e.RigError as error:
                assert error.code in (e.PUMP_BUSY, e.PUMP_FLOW_LIMIT, e.PUMP_TRAVEL_END), error.code
            for _ in range(dice(6)):
                rig.pass_us(1 + dice(100_000))
                if dice(4):
                    pump.top_up(rig.ticks_us())
                else:
                    rig.pass_us(dice(60_000))
                    pump.top_up(rig.ticks_us())
            queued = sum([n * d for n, _, d in rig.channel.queue])
            if rig.channel.segment:
                queued += rig.channel.left * rig.channel.segment[2]
            assert pump._feeder.planned == rig.channel.count + queued  # nothing lost, nothing doubled
            assert len({d for _, _, d in rig.channel.queue}) <= 1
            rig.channel.edges.clear()
            rig.channel.pushed.clear()
        pump.stop()
        rig.until_rest()
        assert pump.steps == pump._feeder.planned == pump._counted
        assert pump.underruns == 0


def test_the_plunger_follows_every_step_of_a_random_walk():
    """Plunger and play from the account against the same from each single step as it comes."""

    class Follower(PlainChannel):
        play, plunger = 0, 0

        def advance(self, dt_us):
            before = self.count
            PlainChannel.advance(self, dt_us)
            step = 1 if self.count > before else -1
            for _ in range(abs(self.count - before)):
                play = self.play - step
                if 0 <= play <= 25:
                    self.play = play
                else:
                    self.plunger += step

    dice = Dice(9)
    rig = Rig(backlash_steps=25)
    rig.channel = Follower()
    rig.pump = Pump(0, rig.channel, rig.settings, rig.limits, rig.ticks_us)
    rig.pump.load(30_000_000)
    for _ in range(150):
        flow = (dice(3) - 1) * (1 + dice(1000)) * 30_000
        rig.pump.set_flow(flow)
        for _ in range(1 + dice(8)):
            rig.pass_us(1 + dice(100_000))
            rig.pump.top_up(rig.ticks_us())
        if not dice(5):
            rig.pump.abort()
        rig.channel.edges.clear()
        rig.channel.pushed.clear()
        assert rig.pump.delivered_nl == volume_for_steps(rig.channel.plunger, SYRINGE_60_ML, 3200)
