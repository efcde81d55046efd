"""How far a run is: by the planned length of its steps and the board's own time."""

from remnant.plan import StepInfo
from remnant.run.progress import Follower
from remnant_protocol import messages as m

STEPS = [StepInfo(0, "short", "a short step", 10.0), StepInfo(1, "long", "a long step", 90.0)]


def follower(*bodies):
    follower = Follower(STEPS)
    for body in bodies:
        follower.record(list(body))
    return follower.progress()


def event(t_s, *arguments):
    return (m.EVENT, 1, t_s, 0, *arguments)


START = event(100, m.RUN_STARTED, b"")


def test_begins_at_nothing():
    progress = follower()
    assert (progress.fraction, progress.left_s, progress.board_s) == (0.0, None, 0.0)


def test_a_step_counts_by_its_planned_length():
    progress = follower(START, event(100, m.STEP_BEGAN, 0, 1), event(105, m.MARKED, 1))
    assert progress.fraction == 0.05
    assert progress.step == "a short step"


def test_a_step_that_takes_longer_than_planned_does_not_run_ahead():
    assert follower(START, event(100, m.STEP_BEGAN, 0, 1), event(400, m.MARKED, 1)).fraction == 0.10


def test_is_whole_at_the_end():
    steps = [event(100, m.STEP_BEGAN, 0, 1), event(110, m.STEP_ENDED, 0, 1), event(110, m.STEP_BEGAN, 1, 1), event(150, m.STEP_ENDED, 1, 1)]
    progress = follower(START, *steps)
    assert (progress.fraction, progress.board_s) == (1.0, 50.0)


def test_a_repeated_step_counts_pass_by_pass():
    follower = Follower([StepInfo(0, "again", "again", 40.0, times=4)])
    for body in (START, event(100, m.STEP_BEGAN, 0, 1), event(110, m.STEP_ENDED, 0, 1), event(110, m.STEP_BEGAN, 0, 2)):
        follower.record(list(body))
    assert follower.progress().fraction == 0.25


def test_a_board_that_starts_anew_goes_on_where_it_was():
    progress = follower(START, event(100, m.STEP_BEGAN, 0, 1), event(104, m.MARKED, 1), event(1, m.BOOTED, 1, 7, 0), event(3, m.MARKED, 1))
    assert (progress.board_s, progress.fraction) == (6.0, 0.06)


def test_a_question_is_there_until_it_is_answered_or_void():
    for end in (event(103, m.OPERATOR_ANSWERED, 0), event(103, m.STEP_ENDED, 0, 1), event(103, m.RUN_ENDED, 1, 0)):
        follower = Follower(STEPS, ["Put the film in"])
        follower.record(list(START))
        follower.record(list(event(101, m.OPERATOR_WANTED, 0)))
        assert follower.asked == (1, "Put the film in")
        follower.record(list(end))
        assert follower.asked is None


def test_the_same_question_again_is_another_one():
    follower = Follower(STEPS)
    follower.record(list(event(101, m.OPERATOR_WANTED, 3)))
    assert follower.asked == (1, "question 3 of its plan")
    follower.record(list(event(102, m.OPERATOR_WANTED, 3)))
    assert follower.asked == (2, "question 3 of its plan")
