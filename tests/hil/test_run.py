"""Programs as they run: what is told, in which order, and when."""

import asyncio

import pytest
from hil_bench import LAMP_UW_PER_CM2, at_s, is_event, wait_s

from remnant.plan import compile_plan, load
from remnant.run import execute
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p

TICK_S = 0.1
WAY_S = 0.2  # for a command to reach the board: 50 ms of the wall
PLAN = """\
version: "1"
title: A short one
cells:
  A: {sample: a film, model: templated}
steps:
  - probe: {name: baseline, at: TEMP degC, pulses: 2}
  - soak: {at: TEMP degC, for: 30 s}
    every: {period: 10 s, do: [probe]}
    name: hold
"""


def events(bench, *kinds):
    return [tuple(r[4:]) for r in bench.records if r[0] == m.EVENT and r[4] in kinds]


async def ended(bench, within_s=60):
    return await bench.event(m.RUN_ENDED, within_s)


async def test_a_run_is_told_from_its_beginning_to_its_end(bench):
    run_id = await bench.run([[p.STEP, 3, [[p.MARK, 1], wait_s(2)]], [p.STEP, 4, [[p.MARK, 2]]]])
    await ended(bench)
    await bench.record(lambda r: is_event(r, m.STATE_CHANGED) and r[6] == m.READY)
    told = [r[4:] for r in bench.records if r[0] == m.EVENT]
    assert [r[:2] + r[2:3] for r in told if r[0] in (m.RUN_STARTED, m.RUN_ENDED)] == [
        [m.RUN_STARTED, run_id],
        [m.RUN_ENDED, m.BY_COMPLETION, codes.OK],
    ]
    kinds = [r[0] for r in told]
    assert kinds == [
        m.RUN_STARTED, m.STATE_CHANGED, m.STEP_BEGAN, m.MARKED, m.STEP_ENDED, m.STEP_BEGAN, m.MARKED, m.STEP_ENDED,
        m.OUTPUTS_OFF, m.RUN_ENDED, m.STATE_CHANGED,
    ]  # fmt: skip


async def test_records_of_a_run_have_no_hole_and_time_runs_forward(bench):
    await bench.run([[m.PROBE, 1, 4, 1], [p.REPEAT, 20, [[p.MARK, 1], wait_s(0.2)]]], telemetry_ms=100)
    await ended(bench)
    seqs = [r[1] for r in bench.records]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    times = [at_s(r) for r in bench.records]
    assert times == sorted(times)
    assert m.GAP not in [r[0] for r in bench.records]


@pytest.mark.parametrize("period_ms", [100, 500, 2000])
async def test_telemetry_comes_at_the_period_of_the_program(bench, period_ms):
    await bench.run([wait_s(period_ms / 100)], telemetry_ms=period_ms)
    begun, over = await bench.event(m.RUN_STARTED), await ended(bench)
    times = [at_s(r) for r in bench.records if r[0] == m.TELEMETRY and begun[1] < r[1] < over[1]]
    assert len(times) >= 10
    apart = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert all(abs(dt - period_ms / 1000) <= TICK_S + 0.02 for dt in apart)
    assert (times[-1] - times[0]) / len(apart) == pytest.approx(period_ms / 1000, abs=0.011)


async def test_a_wait_lasts_as_long_as_it_says(bench):
    await bench.run([[p.MARK, 1], wait_s(5), [p.MARK, 2]])
    await ended(bench)
    first, second = (at_s(r) for r in bench.records if is_event(r, m.MARKED))
    assert 5.0 <= second - first <= 5.0 + 2 * TICK_S


async def test_every_fires_at_zero_and_at_each_period(bench):
    await bench.run([[p.EVERY, 1000, [[p.DURATION, 4500]], [[p.MARK, 5]]]])
    await ended(bench)
    marks = [at_s(r) for r in bench.records if is_event(r, m.MARKED)]
    assert [mark - marks[0] for mark in marks] == pytest.approx([0, 1, 2, 3, 4], abs=2 * TICK_S)
    assert [e[1] for e in events(bench, m.CONDITION_MET)] == [p.DURATION]


async def test_a_body_that_overruns_its_period_tells_what_was_left_out(bench):
    await bench.run([[p.EVERY, 1000, [[p.DURATION, 6000]], [wait_s(2.5)]]])
    await ended(bench)
    assert (m.PERIOD_MISSED, 1) in events(bench, m.PERIOD_MISSED)


async def test_repeat_counts_its_rounds(bench):
    await bench.run([[p.REPEAT, 3, [[p.STEP, 0, [[p.MARK, 1]]]]], [p.MARK, 2]])
    await ended(bench)
    assert [e[2] for e in events(bench, m.STEP_BEGAN)] == [1, 2, 3]
    assert [e[1] for e in events(bench, m.MARKED)] == [1, 1, 1, 2]


@pytest.mark.paced(10)
async def test_a_pause_does_not_count_and_resume_goes_on(bench, board):
    await bench.run([[p.MARK, 1], wait_s(4), [p.MARK, 2]])
    await bench.event(m.MARKED)
    await board.command(m.PAUSE)
    assert (await board.status()).state == m.PAUSED
    await bench.wait_board_s(6)
    assert (await board.status()).state == m.PAUSED
    await board.command(m.RESUME)
    await ended(bench)
    first, second = (at_s(r) for r in bench.records if is_event(r, m.MARKED))
    paused, resumed = (at_s(r) for r in bench.records if is_event(r, m.STATE_CHANGED) and m.PAUSED in r[5:7])
    assert second - first - (resumed - paused) == pytest.approx(4.0, abs=3 * TICK_S)
    changes = [e[1:] for e in events(bench, m.STATE_CHANGED)]
    assert changes[:3] == [(m.READY, m.RUNNING), (m.RUNNING, m.PAUSED), (m.PAUSED, m.RUNNING)]


@pytest.mark.paced(10)
@pytest.mark.needs("lamp")
async def test_a_pause_is_dark_and_the_light_comes_back(bench, board):
    await bench.run([[m.LAMP, LAMP_UW_PER_CM2], wait_s(3600)], telemetry_ms=200)
    lit = await bench.record(lambda r: r[0] == m.TELEMETRY and abs(r[10] - LAMP_UW_PER_CM2) < 300, within_s=20)
    await board.command(m.PAUSE)
    await bench.record(lambda r: r[0] == m.TELEMETRY and r[1] > lit[1] and (r[4], r[9], r[10]) == (m.PAUSED, 0, 0))
    await board.command(m.RESUME)
    since = len(bench.records)
    await bench.record(lambda r: r[0] == m.TELEMETRY and abs(r[10] - LAMP_UW_PER_CM2) < 300, within_s=20, since=since)


@pytest.mark.needs("pumps")
@pytest.mark.paced(10)
async def test_a_pump_in_motion_is_not_paused(bench, board):
    await bench.run([[m.FLOW, 1, 1_000_000], wait_s(3600)])
    await bench.record(lambda r: r[0] == m.PUMP_TELEMETRY)
    assert (await bench.refused(m.PAUSE)).code == codes.PUMP_BUSY
    assert (await board.status()).state == m.RUNNING


@pytest.mark.needs("heater", "lamp")
@pytest.mark.paced(4)
@pytest.mark.parametrize("op, by", [(m.STOP, m.BY_STOP), (m.CUT, m.BY_CUT)])
async def test_stop_and_cut_switch_off_within_a_tick_and_end_the_run(bench, board, op, by):
    await bench.run([[m.HEATER, await bench.warmer_mc(8_000), 0], [m.LAMP, LAMP_UW_PER_CM2], wait_s(3600)], telemetry_ms=100)
    await bench.record(lambda r: r[0] == m.TELEMETRY and r[8] > 0 and r[10] > 1000)
    asked_s = await board.ping()
    await board.command(op)
    over = await ended(bench)
    off = await bench.event(m.OUTPUTS_OFF)
    assert off[5] == by and off[6] > 0 and off[7] > 0
    assert over[4:] == [m.RUN_ENDED, by, codes.OK]
    assert off[1] < over[1]
    assert at_s(off) - asked_s <= TICK_S + WAY_S
    assert (await board.status()).state == m.READY
    await bench.is_off()


@pytest.mark.needs("heater")
async def test_a_band_is_waited_for(bench):
    target_mc = await bench.warmer_mc(3_000)
    await bench.run([[m.HEATER, target_mc, 0], [p.WAIT, [p.TEMPERATURE, target_mc, 500, 5000], 900_000, p.TIMEOUT_FAULT], [p.MARK, 1]])
    mark = await bench.event(m.MARKED, within_s=900)
    await ended(bench)
    near = [r for r in bench.records if r[0] == m.TELEMETRY and at_s(mark) - 5 <= at_s(r) <= at_s(mark)]
    assert len(near) >= 4 and all(abs(r[7] - target_mc) <= 550 for r in near)
    await bench.is_off()


@pytest.mark.needs("lamp")
async def test_an_exposure_is_waited_for(bench):
    await bench.run([[m.LAMP, LAMP_UW_PER_CM2], [p.MARK, 1], [p.WAIT, [p.EXPOSURE, 50], 60_000, 0], [p.MARK, 2]])
    await ended(bench)
    first, second = (at_s(r) for r in bench.records if is_event(r, m.MARKED))
    assert second - first == pytest.approx(50 / (LAMP_UW_PER_CM2 / 1000), abs=1.0)  # the lamp's first ticks are not yet at full light


@pytest.mark.needs("pumps")
async def test_a_dispense_is_waited_for(bench):
    await bench.run([[m.DISPENSE, 1, 100_000, 3_000_000, True], [p.MARK, 1], [m.DISPENSE, 1, 100_000, 3_000_000, False], [p.MARK, 2],
                     [p.WAIT, [p.PUMPS_DONE, 2], 60_000, 0], [p.MARK, 3]])  # fmt: skip
    await ended(bench)
    started = at_s(await bench.event(m.RUN_STARTED))
    first, second, third = (at_s(r) for r in bench.records if is_event(r, m.MARKED))
    assert first - started >= 2.0 - TICK_S and second - first <= TICK_S and third - second >= 2.0 - TICK_S


@pytest.mark.needs("optics")
async def test_probes_of_a_run_carry_their_number(bench):
    await bench.run([[m.PROBE, 1, 2, 1], [m.PROBE, 2, 3, 1]])
    await ended(bench)
    assert [(r[4], len(r[8]) // 2) for r in bench.records if r[0] == m.PROBE_READING] == [(1, 2), (2, 3)]


async def test_the_operator_is_waited_for(bench, board):
    await bench.run([[p.WAIT, [p.OPERATOR, 4], 0, 0], [p.MARK, 1]])
    assert (await bench.event(m.OPERATOR_WANTED))[5] == 4
    assert not events(bench, m.MARKED)
    await board.command(m.CONTINUE)
    await ended(bench)
    assert events(bench, m.MARKED) == [(m.MARKED, 1)]


async def test_a_timeout_goes_on_or_is_a_fault_as_the_program_says(bench, board):
    never = [p.TEMPERATURE, bench.limits["temp_max_mc"], 1, 1000]
    await bench.run([[p.WAIT, never, 2000, p.TIMEOUT_GO_ON], [p.MARK, 1], [p.WAIT, never, 2000, p.TIMEOUT_FAULT], [p.MARK, 2]])
    over = await ended(bench)
    assert over[5:] == [m.BY_FAULT, codes.WAIT_TIMEOUT]
    assert events(bench, m.MARKED) == [(m.MARKED, 1)]
    assert len(events(bench, m.WAIT_TIMED_OUT)) == 2
    status = await board.status()
    assert (status.state, status.fault_code) == (m.FAULTED, codes.WAIT_TIMEOUT)
    await board.command(m.CLEAR)
    assert (await board.status()).state == m.READY


async def test_blocks_without_a_wait_never_hold_the_board(bench, board):
    await bench.run([[p.REPEAT, 65535, [[p.REPEAT, 65535, [[p.REPEAT, 65535, []]]]]]])
    for _ in range(5):
        await board.ping()
    await board.command(m.STOP)
    assert (await ended(bench))[5] == m.BY_STOP


async def test_a_trigger_output_is_told(bench):
    await bench.run([[p.TRIGGER, 0, 300], wait_s(1)])
    await ended(bench)
    assert events(bench, m.TRIGGERED) == [(m.TRIGGERED, 0, 300)]


@pytest.mark.wire("OUT0-IN0", "the board sees its own trigger pulse")
async def test_a_trigger_input_is_waited_for(bench):
    await bench.run([[p.WAIT, [p.TRIGGER_IN, 0], 1000, p.TIMEOUT_GO_ON], [p.MARK, 1], [p.TRIGGER, 0, 500],
                     [p.WAIT, [p.TRIGGER_IN, 0], 1000, p.TIMEOUT_FAULT], [p.MARK, 2]])  # fmt: skip
    assert (await ended(bench))[5] == m.BY_COMPLETION
    assert len(events(bench, m.WAIT_TIMED_OUT)) == 1 and len(events(bench, m.MARKED)) == 2


@pytest.mark.needs("heater", "optics")
async def test_a_plan_leaves_a_complete_folder(bench, rig, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("TEMP", f"{await bench.warmer_mc(3_000) / 1000:.1f}"))
    loaded = load(path, {}, rig.board.description)
    compiled = compile_plan(loaded, rig.board.description)
    running = execute(compiled, rig, tmp_path / "run", title=loaded.title, plan_text=loaded.text, plan_name="plan")
    result = await bench.within(3600, running)
    assert (result.status, result.error, result.manifest["gaps"]) == ("completed", None, [])
    assert result.manifest["simulated"] == bench.simulated
    assert {"manifest.json", "telemetry.csv", "events.csv", "probes.csv", "run.sqlite"} <= {f.name for f in (tmp_path / "run").iterdir()}


@pytest.mark.paced(20)
@pytest.mark.needs("heater", "optics")
async def test_a_plan_that_is_stopped_is_stopped_in_order(bench, rig, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("TEMP", f"{await bench.warmer_mc(3_000) / 1000:.1f}").replace("30 s", "48 h"))
    loaded = load(path, {}, rig.board.description)
    compiled = compile_plan(loaded, rig.board.description)
    stop = asyncio.Event()

    async def press():
        await bench.event(m.STEP_BEGAN, within_s=600)
        stop.set()

    pressing = asyncio.create_task(press())
    running = execute(compiled, rig, tmp_path / "run", title=loaded.title, plan_text=loaded.text, plan_name="plan", stop=stop)
    result = await bench.within(200_000, running)
    await pressing
    assert (result.status, result.manifest["gaps"]) == ("stopped", [])
    await bench.is_off()
