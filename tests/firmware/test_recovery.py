"""A run that a reset or a power cut interrupts: outputs stay off, nothing is forgotten, it goes on only when a person says so, in time."""

from bench import Bench
from fake_hal import FakeFlash, FakeHal, raises

from remnant_protocol import errors as e
from remnant_protocol import messages as m
from remnant_protocol import program as p

RUN = b"0123456789abcdef"
HOT_MC = 40000
WINDOW_S = 600


def program(body, window_s=WINDOW_S, pumps=(p.FAULT_KEEP, p.FAULT_KEEP, p.FAULT_OFF), host=(p.HOST_LOST_CONTINUE, 0)):
    return [p.VERSION, 1000, 1, list(pumps), list(host) + [window_s], body]


def wait_s(seconds):
    return [p.WAIT, [p.DURATION, seconds * 1000], 0, p.TIMEOUT_FAULT]


SOAK = [
    [p.STEP, 0, [wait_s(5)]],
    [p.STEP, 1, [[m.HEATER, HOT_MC, 0], [m.LAMP, 5000], wait_s(600), [m.LAMP, 0]]],
    [p.STEP, 2, [[p.MARK, 9]]],
]


class Rig(Bench):
    """A bench whose flash and retained RAM outlive `reset`; lit: the monitor sees what the lamp was asked for."""

    def __init__(self, hal=None):
        super().__init__(hal or make_hal())
        self.told = []
        self._id = 0

    def command(self, op, *arguments):
        self._id += 1
        return super().command(self._id, op, *arguments)

    def ticks(self, count, us=100_000):
        for _ in range(count):
            lamp = self.app.lamp
            on = lamp.requested_uw_per_cm2 if self.hal.lamp.duty_u16 and not lamp.suspended else 0
            self.hal.adc.monitor = 200 + on
            super().ticks(1, us)
            if self.app.link.greeted:
                self.told += [record for record in self.records() if record[0] != m.TELEMETRY]
                self.app.journal.acknowledge(self.app.journal.cursor_seq - 1)

    def begin(self, tree):
        data = p.encode(tree)
        self.command(m.PROGRAM_BEGIN, len(data), crc(data))
        self.command(m.PROGRAM_DATA, 0, data)
        self.command(m.PROGRAM_COMMIT)
        self.command(m.START, RUN)

    def reset(self, power_cut=False):
        """The board again, with what outlives a reset."""
        hal = make_hal(self.hal.flash)
        hal.store = self.hal.store
        hal.retained = memoryview(bytearray(4096)) if power_cut else self.hal.retained
        hal.identity = Boot(self.hal.identity.boot_id + 1)
        return Rig(hal)


class Boot:
    board, uid, reset_cause, firmware_hash, simulated = "fake", "fake-1", 1, 0, True

    def __init__(self, boot_id):
        self.boot_id = boot_id


def crc(data):
    from binascii import crc32

    return crc32(data) & 0xFFFFFFFF


def make_hal(flash=None):
    hal = FakeHal()
    hal.flash = flash or FakeFlash(4)
    hal.retained = memoryview(bytearray(4096))
    return hal


def events(rig, kind):
    rig.told += rig.records()
    return [record for record in rig.told if record[0] == m.EVENT and record[4] == kind]


def soaking(seconds=100):
    rig = Rig()
    rig.ready()
    rig.begin(program(SOAK))
    rig.ticks(60)
    rig.to_celsius(40.0)
    rig.ticks(seconds * 10)
    assert rig.app.state == m.RUNNING and rig.app.executor.step == 1
    return rig


def test_after_a_reset_the_run_is_known_and_everything_is_off():
    before = soaking()
    rig = before.reset()
    rig.ready()
    assert rig.app.run_id == RUN and rig.app.interrupted is not None
    assert rig.hal.heater.duty_u16 == 0 and rig.hal.lamp.duty_u16 == 0 and rig.hal.master.duty_u16 == 0
    told = events(rig, m.RUN_INTERRUPTED)[0]
    assert told[5:] == [RUN, 1]
    booted = events(rig, m.BOOTED)[0]
    assert booted[6:] == [before.hal.identity.boot_id, before.app.journal.next_seq - 1]
    rig.ticks(300)
    assert rig.app.state == m.READY and rig.hal.heater.duty_u16 == 0


def test_it_goes_on_where_it_was_once_the_block_is_warm_again():
    for cut in (False, True):
        before = soaking(100)
        exposure = before.app.exposure.mj_per_cm2
        rig = before.reset(cut)
        rig.to_celsius(30.0)
        rig.ready()
        reply = rig.command(m.RESUME_RUN, RUN, 50, exposure)
        assert reply[2] == e.OK and reply[5] == exposure
        assert rig.app.state == m.PAUSED and events(rig, m.RUN_RESUMED)[0][5:] == [RUN, 50, exposure, 1]
        rig.ticks(100)
        assert rig.app.state == m.PAUSED and rig.hal.heater.duty_u16 > 0 and rig.hal.lamp.duty_u16 == 0  # no light before it is warm
        rig.to_celsius(40.0)
        rig.ticks(310)
        assert rig.app.state == m.RUNNING and rig.hal.lamp.duty_u16 > 0
        rig.ticks(4600)  # 600 s in all, of which 70 to 100 s were known to be over
        assert rig.app.state == m.RUNNING
        rig.ticks(900)
        assert rig.app.state == m.READY and events(rig, m.MARKED)
        assert rig.app.run_id is None and events(rig, m.RUN_ENDED)[0][5:] == [m.BY_COMPLETION, e.OK]
        light_s = (rig.app.exposure.mj_per_cm2 - exposure) / 5
        assert 495 <= light_s <= 535


def test_only_within_the_window_and_only_this_run():
    rig = soaking().reset()
    rig.ready()
    assert rig.command(m.RESUME_RUN, b"x" * 16, 1, 0)[2] == e.RESUME_NOTHING
    assert rig.command(m.RESUME_RUN, RUN, WINDOW_S + 1, 0)[2:5] == [e.RESUME_WINDOW, WINDOW_S + 1, WINDOW_S]
    assert rig.command(m.RESUME_RUN, RUN, WINDOW_S, 0)[2] == e.OK


def test_a_plan_without_a_window_is_never_resumed():
    rig = Rig()
    rig.ready()
    rig.begin([p.VERSION, 1000, 1, [1, 1, 0], [0, 0], SOAK])
    rig.ticks(60)
    rig = rig.reset()
    rig.ready()
    assert rig.command(m.RESUME_RUN, RUN, 0, 0)[2] == e.OK  # at once: nothing has passed
    rig = rig.reset()
    rig.ready()
    assert rig.command(m.RESUME_RUN, RUN, 1, 0)[2] == e.RESUME_WINDOW


def test_a_stop_or_a_fault_ends_a_run_for_good():
    for end in ("stop", "cut", "fault"):
        rig = soaking(5)
        if end == "fault":
            rig.hal.inputs.stop = True
            rig.ticks(2)
        else:
            rig.command(m.STOP if end == "stop" else m.CUT)
        rig = rig.reset()
        rig.ready()
        assert rig.app.interrupted is None and rig.app.run_id is None
        assert rig.command(m.RESUME_RUN, RUN, 1, 0)[2] == e.RESUME_NOTHING


def test_a_new_start_and_a_discard_forget_the_interrupted_run():
    for forget in ("start", "discard"):
        rig = soaking(5).reset()
        rig.ready()
        if forget == "start":
            rig.command(m.START, b"another run, new")
            rig.command(m.STOP)
        else:
            rig.command(m.DISCARD_RUN)
        assert rig.command(m.RESUME_RUN, RUN, 1, 0)[2] == e.RESUME_NOTHING
        rig = rig.reset()
        rig.ready()
        assert rig.app.interrupted is None


def test_another_program_on_the_board_is_not_taken_for_the_run():
    rig = soaking(5).reset()
    rig.ready()
    data = p.encode(program([wait_s(3)]))
    rig.command(m.PROGRAM_BEGIN, len(data), crc(data))
    rig.command(m.PROGRAM_DATA, 0, data)
    rig.command(m.PROGRAM_COMMIT)
    assert rig.command(m.RESUME_RUN, RUN, 1, 0)[2] == e.RESUME_NOTHING


def test_stop_while_it_warms_up_ends_it():
    rig = soaking(5).reset()
    rig.to_celsius(30.0)
    rig.ready()
    rig.command(m.RESUME_RUN, RUN, 1, 0)
    rig.ticks(20)
    assert rig.command(m.RESUME)[2] == e.WRONG_STATE
    rig.command(m.STOP)
    rig.ticks(2)
    assert rig.app.state == m.READY and rig.hal.heater.duty_u16 == 0 and not rig.app.recovery.active


def test_a_block_that_does_not_get_warm_is_a_fault():
    rig = soaking(5).reset()
    rig.to_celsius(30.0)
    rig.ready()
    rig.command(m.RESUME_RUN, RUN, 1, 0)
    rig.ticks(24_100)
    assert rig.app.state == m.FAULTED and rig.hal.heater.duty_u16 == 0


def test_a_host_knows_of_more_light_than_the_checkpoint_but_not_of_any_amount():
    for told, taken in ((0, 0), (60, 60), (10_000_000, 0)):
        before = soaking(31)
        rig = before.reset()
        rig.ready()
        known = rig.app.interrupted.exposure_mj
        rig.command(m.RESUME_RUN, RUN, 1, known + told if told else 0)
        assert rig.app.exposure.mj_per_cm2 == known + taken, told


def test_a_period_goes_on_with_its_count_and_a_repeat_with_its_rounds():
    body = [[p.REPEAT, 3, [[p.EVERY, 20_000, [[p.DURATION, 60_000]], [[p.STEP, 4, [[p.MARK, 1]]]]]]]]
    rig = Rig()
    rig.ready()
    rig.begin(program(body))
    rig.ticks(850)  # in the second round, after its marks at 60 s and 80 s
    marks = len(events(rig, m.MARKED))
    assert marks == 5
    rig = rig.reset()
    rig.ready()
    rig.command(m.RESUME_RUN, RUN, 1, 0)
    rig.ticks(2000)
    assert rig.app.state == m.READY
    assert 4 <= len(events(rig, m.MARKED)) <= 6  # nine in all; one may have been told just before the checkpoint
    assert events(rig, m.STEP_BEGAN)[-1][5:] == [4, 9]


def test_a_host_that_is_lost_holds_or_stops_the_run_as_the_plan_says():
    for policy, state in ((p.HOST_LOST_CONTINUE, m.RUNNING), (p.HOST_LOST_HOLD, m.PAUSED), (p.HOST_LOST_STOP, m.READY)):
        rig = Rig()
        rig.ready()
        rig.begin(program(SOAK, host=(policy, 60)))
        rig.ticks(60)
        rig.to_celsius(39.0)
        rig.ticks(100)
        rig.hal.line.silent_ms = 59_000
        rig.ticks(5)
        assert rig.app.state == m.RUNNING
        rig.hal.line.silent_ms = 61_000
        rig.ticks(5)
        assert rig.app.state == state, policy
        if policy == p.HOST_LOST_HOLD:
            assert rig.hal.heater.duty_u16 > 0 and rig.hal.lamp.duty_u16 == 0
            rig.hal.line.silent_ms = 0
            rig.command(m.RESUME)
            rig.ticks(5)
            assert rig.app.state == m.RUNNING and rig.hal.lamp.duty_u16 > 0
        if policy == p.HOST_LOST_STOP:
            assert rig.hal.heater.duty_u16 == 0 and events(rig, m.RUN_ENDED)[0][5] == m.BY_HOST_LOST


def test_a_pump_that_stalls_ends_itself_and_the_run_only_if_the_plan_says_so():
    for policy, state in (((1, 1, 0), m.RUNNING), ((0, 1, 0), m.FAULTED), ((1, 0, 0), m.FAULTED)):
        rig = Rig()
        rig.ready()
        rig.begin(program([[m.FLOW, 0, 100_000]] + SOAK[1:], pumps=policy))
        rig.ticks(5)
        rig.hal.inputs.stalled = True
        rig.ticks(4)
        assert rig.app.state == state, policy
        told = events(rig, m.PUMP_FAILED)[0]
        assert told[5:7] == [e.PUMP_STALLED, 0] and not rig.app.pumps[0].busy
        assert rig.app.pump_failure() == e.PUMP_STALLED
        rig.command(m.STOP)
        if state == m.RUNNING:
            assert rig.command(m.CLEAR)[2:4] == [e.CAUSE_REMAINS, e.PUMP_STALLED]
        rig.hal.inputs.stalled = False
        rig.ticks(2)
        assert rig.command(m.CLEAR)[2] == e.OK
        assert rig.app.pump_failure() == e.OK and rig.app.state == m.READY


def test_what_is_in_the_syringe_is_known_after_a_power_cut():
    rig = Rig()
    rig.ready()
    pump = rig.app.pumps[0]
    pump.load(20_000_000)
    rig.begin(program(SOAK))
    rig.ticks(50)
    rig.command(m.STOP)
    again = rig.reset(power_cut=True)
    assert abs(again.app.pumps[0].left_nl - 20_000_000) <= 400
    raises(e.PUMP_TRAVEL_END, again.app.pumps[0].dispense, 20_100_000, 1_000_000)


def test_the_newest_checkpoint_is_the_one_that_counts_however_long_the_run():
    rig = soaking(5)
    for seconds in range(100):
        rig.app.clock.s += 30
        rig.app.checkpoints.tick(rig.app)
        rig.app.checkpoints.tend(90_000, True)
        assert rig.reset(power_cut=True).app.interrupted.t_s >= rig.app.clock.s - 30, seconds


def test_doses_that_were_going_on_together_are_finished():
    before = Rig()
    before.ready()
    body = [[m.DISPENSE, 0, 3_000_000, 60_000_000, False], [p.WAIT, [p.PUMPS_DONE, 1], 0, p.TIMEOUT_FAULT], [p.MARK, 1]]
    before.begin(program([[p.STEP, 0, body]]))
    before.ticks(10)
    before.hal.pumps[0].count = 2853  # 1 mL
    before.ticks(60)
    rig = before.reset()
    rig.ready()
    rig.command(m.RESUME_RUN, RUN, 5, 0)
    rig.ticks(2)
    assert rig.app.state == m.RUNNING
    left_nl, flow = rig.app.pumps[0].dose
    assert abs(left_nl - 2_000_000) < 400 and flow == 60_000_000
    assert not events(rig, m.MARKED)
    channel = rig.hal.pumps[0]
    channel.count, channel.queue = rig.app.pumps[0]._feeder.planned, []
    while rig.app.pumps[0].busy:
        rig.ticks(1)
        channel.count, channel.queue = rig.app.pumps[0]._feeder.planned, []
    rig.ticks(2)
    assert events(rig, m.MARKED) and rig.app.state == m.READY


def test_a_volume_goes_on_counting_where_it_was():
    before = Rig()
    before.ready()
    body = [[m.FLOW, 0, 60_000_000], [p.WAIT, [p.VOLUME, 0, 3_000_000], 0, 0], [m.FLOW, 0, 0]]
    before.begin(program([[p.STEP, 0, body]]))
    before.ticks(10)
    before.hal.pumps[0].count = 2853
    before.ticks(60)
    rig = before.reset()
    rig.ready()
    rig.command(m.RESUME_RUN, RUN, 5, 0)
    rig.ticks(2)
    assert rig.app.state == m.RUNNING
    rig.hal.pumps[0].count += 2 * 2853 - 10
    rig.ticks(1)
    assert rig.app.pumps[0].flow_wanted == 60_000_000
    rig.hal.pumps[0].count += 11
    rig.ticks(1)
    assert rig.app.pumps[0].flow_wanted == 0


def test_a_trigger_and_a_question_come_back():
    before = Rig()
    before.ready()
    before.begin(program([[p.STEP, 0, [[p.TRIGGER, 1, 600_000], [p.WAIT, [p.OPERATOR, 3], 0, 0]]]]))
    before.ticks(320)
    rig = before.reset()
    rig.ready()
    assert not rig.hal.outputs.triggers.get(1)
    rig.command(m.RESUME_RUN, RUN, 5, 0)
    rig.ticks(2)
    assert rig.hal.outputs.triggers[1] is True and 565_000 <= rig.app.triggers.left_ms()[1] <= 600_000
    assert events(rig, m.OPERATOR_WANTED)[-1][5:] == [3]
    assert rig.command(m.CONTINUE)[2] == e.OK
    rig.ticks(2)
    assert rig.app.state == m.READY and rig.hal.outputs.triggers[1] is False
