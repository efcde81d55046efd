"""Follow a run to its end, through everything that may happen to line, disk and host clock.

The board goes on by itself, so a run is given up by a person only: a line that is lost is looked for, a disk that takes no more is tried
again. The run is over when its RUN_ENDED is on disk and the board has no page of history left that this host has not.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..board import Line
from ..errors import explain
from ..record import Journal, read_events
from ..rig import Rig
from .progress import Follower, Progress
from .wallclock import WallClock

ANSWER = "continue"  # a file of this name in the run's folder answers what its plan asks of a person
PROGRESS_EVERY_S = 0.2
STOP_WITHIN_S = 5.0
SILENT_S = 5.0
ASK_EVERY_S = 0.5
CLOCK_SOON_S = 1.0
CLOCK_EVERY_S = 60.0
REPLAY_EVERY_S = 2.0
STATE_EVERY_S = 5.0
IDLE_TIMES = 3


@dataclass
class Person:
    """Whoever started the command: `stop` ends the run in order, `cut` takes the outputs off at once; says are lines for them.

    operator: is awaited with what the plan asks of a person, and returns when they have done it; None: only `say` tells it.
    """

    stop: asyncio.Event
    cut: asyncio.Event
    say: Callable[[str], None] = lambda _text: None
    on_progress: Callable[[Progress], None] | None = None
    operator: Callable[[str], Awaitable[None]] | None = None


class Following:
    """One run on one rig into one journal. going_on: the board is at it; False: only what it has left is fetched.

    joined: records that came before there was a journal are asked for again.
    """

    def __init__(
        self, rig: Rig, journal: Journal, make_follower: Callable[[], Follower], person: Person, going_on: bool = True, joined: bool = False
    ):
        self._rig = rig
        self._board = rig.board
        self._journal = journal
        self._make_follower = make_follower
        self._follower = make_follower()
        self._person = person
        self._over = not going_on
        self._joined = joined
        self._free = rig.by_hand
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._sending: dict[int, asyncio.Task] = {}
        self._give_up_at: float | None = None
        self._ask_at = 0.0
        self._pages_left = 0
        self._pages_seen = journal.pages
        self._replay_at = 0.0
        self._state_at = time.monotonic() + STATE_EVERY_S
        self._idle = 0
        self._wall = WallClock()
        self._asked: tuple[int, str] | None = None
        self._asking: asyncio.Task | None = None

    # ---- from its beginning to its end

    async def __aenter__(self) -> Following:
        """From now on a lost line is looked for and records go into the journal."""
        self._board.reopen, self._board.on_line = self._rig.reopen, self._line
        self._journal.on_trouble = lambda error: self._soon(self._trouble, error)
        self._journal.on_end = lambda: self._soon(self._changed.set)
        boot_id = self._board.boot_id
        if self._joined:
            self._journal.only_from(boot_id, None)
        self._rig.records_to(self._journal.write)
        if self._joined:
            self._journal.only_from(boot_id, self._board.go_back(boot_id, 1))
        self._board.listen(self._record)
        self._replay()
        self._clock = asyncio.create_task(self._keep_clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """What has come is on disk; what comes now is left to the board."""
        self._clock.cancel()
        tasks = [*self._sending.values(), *([self._asking] if self._asking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(self._clock, *tasks, return_exceptions=True)
        self._board.unlisten(self._record)
        self._board.reopen = None
        if self._free and self._journal.extent.ended:
            self._rig.records_to(None)
        else:
            self._rig.leave_records()
        self._journal.note("reconnects", self._journal.reconnects_before + self._board.reconnects)
        await asyncio.to_thread(self._journal.close)

    async def started(self, op: int, *arguments: Any, number: int | None = None) -> None:
        """Send what begins the run, over as many lines as it takes, always with the same id. Raises RigError when the board refuses, or
        BOARD_LOST when a person no longer waits for a line."""
        number = self._board.new_id() if number is None else number
        while True:
            command = asyncio.create_task(self._board.command(op, *arguments, number=number))
            while not command.done():
                await asyncio.wait({command}, timeout=PROGRESS_EVERY_S)
                if self._person.stop.is_set() and not self._board.connected and not command.done():
                    command.cancel()
                    raise self._left()
            try:
                await command
                return
            except RigError as error:
                if error.code != codes.NO_ANSWER or self._board.reopen is None:
                    raise
                self._board.drop(error)

    async def to_the_end(self) -> RigError | None:
        """Return None when everything of the run is on disk, else why the host stopped following."""
        wishes = {asyncio.create_task(self._person.stop.wait()): m.STOP, asyncio.create_task(self._person.cut.wait()): m.CUT}
        try:
            while True:
                self._show()
                self._mind_the_operator()
                if await self._complete():
                    self._show()
                    return self._verdict()
                changed = asyncio.create_task(self._changed.wait())
                waiting = {changed, self._board.lost, *wishes}
                done, _ = await asyncio.wait(waiting, timeout=PROGRESS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                self._changed.clear()
                if self._board.lost in done:
                    return self._board.lost.result()
                for task in done & set(wishes):
                    self._wish(wishes.pop(task))
                if error := self._given_up():
                    return error
                await self._look_after()
        finally:
            for task in wishes:
                task.cancel()
            await asyncio.gather(*wishes, return_exceptions=True)

    # ---- is it over?

    async def _complete(self) -> bool:
        """True when the run is over and the board has nothing of it left."""
        ended = self._journal.extent.ended is not None
        if not (ended or self._over) or self._journal.failing or not self._board.connected or time.monotonic() < self._ask_at:
            return False
        self._ask_at = time.monotonic() + ASK_EVERY_S
        try:
            status = await asyncio.wait_for(self._board.status(), SILENT_S)
        except TimeoutError:
            return False
        except RigError as error:
            self._no_answer(error)
            return False
        self._pages_left = status.history_pages
        return not status.history_pages and (ended or self._live_is_here())

    def _live_is_here(self) -> bool:
        """Everything that waited in the board's ring when the line was opened is on disk."""
        welcome = self._board.welcome
        assert welcome
        return welcome.first_seq >= welcome.next_seq or self._journal.committed.get(welcome.boot_id, 0) >= welcome.next_seq - 1

    def _verdict(self) -> RigError | None:
        if self._journal.extent.ended:
            return None
        where = self._board.path
        if self._journal.extent.interrupted:
            text = "the board was reset and the run interrupted; outputs are off. `remnant resume` takes it up again, as its plan allows"
            return RigError(codes.BOARD_LOST, where=where, text=text)
        text = f"the board on {where} no longer knows of the run, and its end was not recorded"
        return RigError(codes.BOARD_LOST, where=where, text=text)

    # ---- what a person wants

    def _wish(self, op: int) -> None:
        """Hand a stop or a cut on, unless the run has ended already."""
        if not self._board.connected or self._journal.extent.ended or self._over:
            self._give_up_at = 0.0  # there is nothing to wait for
        else:
            self._give_up_at = time.monotonic() + STOP_WITHIN_S
            self._sending[op] = asyncio.create_task(self._board.command(op))

    def _mind_the_operator(self) -> None:
        """Ask what the board wants to have asked, once; a question that has been answered elsewhere, or is void, is taken back."""
        asked = None if self._journal.extent.ended or self._over else self._follower.asked
        if asked == self._asked:
            return
        self._asked = asked
        if self._asking:
            self._asking.cancel()
        self._asking = asyncio.create_task(self._ask(asked[1])) if asked else None

    async def _ask(self, text: str) -> None:
        """Wait for whoever answers first: the person here, or `remnant continue` with the run's folder from elsewhere."""
        answer = self._journal.path.parent / ANSWER
        answer.unlink(missing_ok=True)
        person = None
        if self._person.operator:
            person = asyncio.ensure_future(self._person.operator(text))
        else:
            self._person.say(f"the rig waits for a person: {text}. Answer with `remnant continue {answer.parent}`")
        try:
            while not (person and person.done()) and not answer.exists():
                await (asyncio.wait({person}, timeout=PROGRESS_EVERY_S) if person else asyncio.sleep(PROGRESS_EVERY_S))
        finally:
            answer.unlink(missing_ok=True)
            if person:
                person.cancel()
        while True:
            try:
                await self._board.command(m.CONTINUE)
                return
            except RigError as error:
                if error.code not in (codes.NO_ANSWER, codes.BOARD_LOST):
                    return  # answered elsewhere, or no longer asked
                await asyncio.sleep(ASK_EVERY_S)  # the line is being looked for

    def _given_up(self) -> RigError | None:
        """Why a person who wants to leave leaves now, or None."""
        for task in self._sending.values():
            error = task.exception() if task.done() else None
            if isinstance(error, RigError) and error.code != codes.NO_ANSWER and self._board.connected:
                return error
        if self._give_up_at is None or time.monotonic() < self._give_up_at:
            return None
        if self._journal.failing:
            return self._journal.failing
        if not self._board.connected:
            return self._left()
        if self._journal.extent.ended or self._over:
            if self._give_up_at == 0.0:
                text = f"{self._pages_left} pages of the run are still on the board. `remnant attach` fetches them"
                return RigError(codes.NO_ANSWER, where=self._board.path, text=text)
            return None  # it was stopped, and what is left is being fetched
        return RigError(codes.NO_ANSWER, where=self._board.path, limit=STOP_WITHIN_S)

    def _left(self) -> RigError:
        text = f"the line to the board on {self._board.path} is lost; the board goes on by itself. `remnant attach` comes back to it"
        return RigError(codes.NO_ANSWER, where=self._board.path, text=text)

    # ---- what happens meanwhile

    def _line(self, line: Line, error: RigError | None) -> None:
        say, run_id = self._person.say, self._journal.run_id
        if line is Line.LOST:
            say("line lost: the board goes on by itself, and is being looked for. Ctrl-C leaves it to itself.")
        elif line is Line.REFUSED and error:
            say(explain(error))
        elif line is Line.BACK:
            welcome = self._board.welcome
            assert welcome
            self._over = self._over or (welcome.minor >= 1 and welcome.run_id != run_id)
            say("line is back: the board sends what it kept meanwhile.")
        elif line is Line.RESET:
            self._over = True
            say("line is back: the board was reset meanwhile and its outputs are off.")
        self._ask_at = 0.0
        self._changed.set()
        if line in (Line.BACK, Line.RESET):
            self._clock.cancel()
            self._clock = asyncio.create_task(self._keep_clock())

    def _trouble(self, error: RigError | None) -> None:
        if error:
            self._person.say(f"{explain(error)} The run goes on; tried again every second.")
        else:
            self._person.say("records are written again; the board sends what it kept meanwhile.")
        self._changed.set()

    async def _look_after(self) -> None:
        """A line that says nothing is asked; a host clock that was set is noted."""
        if jumped := self._wall.jumped():
            self._journal.note("clock_jumps", [*self._journal.clock_jumps, jumped])
            self._journal.clock_jumps.append(jumped)
        if self._board.connected and self._board.silent_s() > SILENT_S:
            try:
                await self._board.ping()
            except RigError as error:
                self._no_answer(error)
        if self._board.connected and time.monotonic() > self._state_at:
            await self._look_at_state()
        if self._pages_seen != self._journal.pages and time.monotonic() > self._replay_at:
            self._replay()

    async def _look_at_state(self) -> None:
        """A board that has nothing to do, and whose RUN_ENDED never came: the run is over all the same."""
        self._state_at = time.monotonic() + STATE_EVERY_S
        try:
            status = await asyncio.wait_for(self._board.status(), SILENT_S)
            idle = status.state in (m.READY, m.FAULTED) and not self._journal.failing and not self._journal.extent.ended
            self._idle = self._idle + 1 if idle else 0
            if self._idle == IDLE_TIMES:
                await asyncio.wait_for(self._board.hello(), SILENT_S)  # tells up to which number it has records
                self._over = True
        except TimeoutError:
            pass
        except RigError as error:
            self._no_answer(error)

    def _no_answer(self, error: RigError) -> None:
        if error.code == codes.NO_ANSWER:
            self._board.drop(RigError(codes.BOARD_LOST, where=self._board.path))

    async def _keep_clock(self) -> None:
        """A pair of board time and UTC at once, soon again for its rate, and then every minute."""
        pause_s = CLOCK_SOON_S
        while True:
            with contextlib.suppress(RigError):
                pair = await self._board.clock_pair()
                self._journal.clock(pair.boot_id, pair.t_us, pair.utc_s, pair.uncertainty_us)
            await asyncio.sleep(pause_s)
            pause_s = CLOCK_EVERY_S

    def _record(self, _seq: int, fields: list[Any]) -> None:
        self._follower.record(fields)
        if fields[0] == m.EVENT and fields[4] == m.OPERATOR_WANTED:
            self._changed.set()

    def _replay(self) -> None:
        """Steps that came by history count too."""
        self._pages_seen, self._replay_at = self._journal.pages, time.monotonic() + REPLAY_EVERY_S
        events = read_events(self._journal.path.parent, self._journal.run_id)
        if events:
            follower = self._make_follower()
            for fields in events:
                follower.record(fields)
            follower.from_here()
            self._follower = follower

    def _show(self) -> None:
        if self._person.on_progress:
            self._person.on_progress(replace(self._follower.progress(), history_pages=self._pages_left))

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(call, *arguments)
