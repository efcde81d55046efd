"""A cable that can be pulled, held and spoilt, between a board's port and a port of its own behind a symlink, as udev makes by-id links.

The relay is a process: it passes bytes on within a millisecond, whatever the trial does meanwhile. As with a USB device that nobody has
opened, bytes stay at the board while no host has the port open. A pull hangs up the host's port and loses what is on the way; the port
that comes back has another name. `script`: [[trigger, action], ...], each fired once; a trigger is {"run_bytes": n}: so many bytes have
come from the board since RUN_STARTED, or {"bytes": n}: since the cable was made.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import pickle
import pty
import select
import socket
import sys
import time
import traceback
import tty
from pathlib import Path
from typing import Any

from damage import LINE_BYTES_PER_S, Damage, Flood
from tap import Tap, Truth

from remnant_protocol import messages as m

WAIT_MS = 100
ABSENT_MS = 3  # how often a port that nobody has open is looked at
ROOM = 4096
GONE = (errno.EIO, errno.EBADF, errno.ENXIO)


class Cable:
    """Actions (do): damage {up, down: keywords of Damage or null}, flood {way, kind, for_s, rate}, hold {way, for_s}, pull {for_s},
    plug, board {port}, tell {what}. way: "up" (board to host), "down" or "both"."""

    def __init__(self, board_port: str, link: Path, seed: int, script: list[list[Any]] = (), folder: Path | None = None):
        self.link = link
        self._kept = (folder or link.parent) / f"{link.name}.truth"
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if not self._pid:
            code = 1
            try:
                self._control.close()
                truth = Relay(board_port, link, seed, list(script), theirs).run()
                self._kept.write_bytes(pickle.dumps(truth))
                code = 0
            except BaseException:
                traceback.print_exc(file=sys.stderr)
            finally:
                os._exit(code)
        theirs.close()
        if (self.told(10.0) or {}).get("tell") != "ready":
            raise RuntimeError("the cable did not start")

    def do(self, action: str, **arguments: Any) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"do": action, **arguments}).encode())

    def told(self, within_s: float) -> dict[str, Any] | None:
        """The next message of a `tell` with the board time of the newest record (t_s), None when there is none in time."""
        self._control.settimeout(max(0.001, within_s))
        try:
            data = self._control.recv(4096)
        except OSError:
            return None
        return json.loads(data) if data else None

    def close(self) -> Truth:
        """Take the cable away; returns what went through it."""
        self.do("stop")
        _, status = os.waitpid(self._pid, 0)
        self._control.close()
        if status:
            raise RuntimeError("the cable failed")
        return pickle.loads(self._kept.read_bytes())


class Relay:
    """The process of a cable."""

    def __init__(self, board_port: str, link: Path, seed: int, script: list[list[Any]], control: socket.socket):
        self._link, self._seed, self._script, self._control = link, seed, script, control
        self._tap = Tap(self._on_record)
        self._board = _opened(board_port)
        self._master = self._spare = -1
        self._to_host, self._to_board = bytearray(), bytearray()
        self._damage: dict[str, Damage | None] = {"up": None, "down": None}
        self._counts: dict[str, int] = {}
        self._floods: list[tuple[str, Flood]] = []
        self._held = {"up": 0.0, "down": 0.0}
        self._plug_at: float | None = None
        self._run_from: int | None = None
        self._drawn = 0
        self._newest_s = 0.0  # board time of the newest record
        self._going = True

    def run(self) -> Truth:
        self._plug()
        self._tell("ready")
        while self._going:
            self._turn()
        self._unplug()
        self._tally()
        truth = self._tap.truth
        truth.counts = self._counts
        return truth

    # ---- one turn

    def _turn(self) -> None:
        now = time.monotonic()
        present = self._host_present()
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        wait_ms = WAIT_MS
        if self._board >= 0:
            takes = self._held["up"] <= now and len(self._to_host) < ROOM and (present or self._master < 0)
            poll.register(self._board, (select.POLLIN if takes else 0) | (select.POLLOUT if self._to_board else 0))
        if present:
            takes = self._held["down"] <= now and len(self._to_board) < ROOM
            poll.register(self._master, (select.POLLIN if takes else 0) | (select.POLLOUT if self._to_host else 0))
        else:
            wait_ms = ABSENT_MS
        if self._floods or any(held > now for held in self._held.values()):
            wait_ms = 1
        elif self._plug_at is not None or any(self._damage.values()):
            wait_ms = min(wait_ms, 10)
        for descriptor, event in poll.poll(wait_ms):
            if descriptor == self._control.fileno():
                self._obey()
            elif descriptor == self._board and event & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self._from_board(event)
            elif descriptor == self._master and event & select.POLLIN:
                self._from_host()
        self._timed(time.monotonic())
        self._flush()

    def _from_board(self, event: int) -> None:
        data = _read(self._board) if event & select.POLLIN else None
        if data is None:
            os.close(self._board)
            self._board = -1
            return
        self._tap.up(data)
        if self._master >= 0:
            damage = self._damage["up"]
            self._to_host += damage.feed(data, time.monotonic()) if damage else data
        self._fire()

    def _from_host(self) -> None:
        data = _read(self._master)
        if not data:
            return
        damage = self._damage["down"]
        data = damage.feed(data, time.monotonic()) if damage else data
        self._tap.down(data)
        if self._board >= 0:
            self._to_board += data

    def _timed(self, now: float) -> None:
        for way, queue in (("up", self._to_host), ("down", self._to_board)):
            damage = self._damage[way]
            if damage:
                queue += damage.late(now)
        for way, flood in list(self._floods):
            queue = self._to_host if way == "up" else self._to_board
            queue += flood.due(now, ROOM - len(queue))
            if flood.over(now):
                self._floods.remove((way, flood))
                self._counts["injected"] = self._counts.get("injected", 0) + flood.injected
                if not self._floods:
                    self._tell("flood over")
        if self._plug_at is not None and now >= self._plug_at:
            self._plug()

    def _flush(self) -> None:
        if self._master >= 0 and self._to_host and self._host_present():
            _write(self._master, self._to_host)
        if self._board >= 0 and self._to_board:
            _write(self._board, self._to_board)

    def _host_present(self) -> bool:
        if self._master < 0:
            return False
        poll = select.poll()
        poll.register(self._master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    # ---- actions

    def _obey(self) -> None:
        data = self._control.recv(65536)
        if not data:
            self._going = False  # the trial has died
            return
        self._act(json.loads(data))

    def _act(self, wish: dict[str, Any]) -> None:
        now = time.monotonic()
        do = wish["do"]
        ways = ("up", "down") if wish.get("way", "both") == "both" else (wish["way"],)
        self._drawn += 1
        if do == "stop":
            self._going = False
        elif do == "damage":
            self._tally()
            for way in ("up", "down"):
                facts = wish.get(way)
                self._damage[way] = Damage(f"{self._seed} {way} {self._drawn}", **facts) if facts else None
        elif do == "flood":
            for way in ways:
                flood = Flood(
                    f"{self._seed} {way} {self._drawn}", wish["kind"], wish.get("rate", LINE_BYTES_PER_S), now + wish["for_s"], now
                )
                self._floods.append((way, flood))
        elif do == "hold":
            for way in ways:
                self._held[way] = now + wish["for_s"]
        elif do == "pull":
            self._unplug()
            self._plug_at = now + wish["for_s"] if "for_s" in wish else None
        elif do == "plug":
            self._plug()
        elif do == "board":
            if self._board >= 0:
                os.close(self._board)
            self._to_board.clear()
            self._to_host.clear()
            self._board = _opened(wish["port"]) if wish["port"] else -1
        elif do == "tell":
            self._tell(wish["what"])
        else:
            raise ValueError(f"a cable does not {do}")

    def _tally(self) -> None:
        for damage in self._damage.values():
            for name, count in damage.counts.items() if damage else ():
                self._counts[name] = self._counts.get(name, 0) + count

    def _plug(self) -> None:
        self._plug_at = None
        if self._master >= 0:
            return
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        fcntl.fcntl(self._master, fcntl.F_SETFL, fcntl.fcntl(self._master, fcntl.F_GETFL) | os.O_NONBLOCK)
        part = self._link.with_name(self._link.name + ".part")
        part.unlink(missing_ok=True)
        part.symlink_to(name)
        part.replace(self._link)

    def _unplug(self) -> None:
        if self._master < 0:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        self._master = -1
        self._spare, slave = pty.openpty()  # takes the number that has become free: the port comes back under another
        os.close(slave)
        self._to_host.clear()
        self._to_board.clear()
        self._counts["pulls"] = self._counts.get("pulls", 0) + 1

    # ---- what is told

    def _tell(self, what: str) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"tell": what, "t_s": self._newest_s}).encode(), socket.MSG_DONTWAIT)

    def _on_record(self, _key: tuple[int, int], fields: list[Any]) -> None:
        self._newest_s = fields[2] + fields[3] / 1e6
        if fields[0] != m.EVENT:
            return
        if fields[4] == m.RUN_STARTED and self._run_from is None:
            self._run_from = self._tap.truth.bytes_up
        elif fields[4] == m.RUN_ENDED:
            self._tell("run ended")

    def _fire(self) -> None:
        total = self._tap.truth.bytes_up
        for entry in list(self._script):
            trigger, action = entry
            since = total - self._run_from if self._run_from is not None else -1
            if ("bytes" in trigger and total >= trigger["bytes"]) or ("run_bytes" in trigger and since >= trigger["run_bytes"]):
                self._script.remove(entry)
                self._act(action)


def _opened(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # names of ports are used again: no host that looks for its own may read here
    tty.setraw(descriptor)
    return descriptor


def _read(descriptor: int) -> bytes | None:
    """What is there; None when the other end has gone."""
    try:
        return os.read(descriptor, 4096) or None
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno in GONE:
            return None
        raise


def _write(descriptor: int, queue: bytearray) -> None:
    try:
        del queue[: os.write(descriptor, queue)]
    except BlockingIOError:
        pass
    except OSError as error:
        if error.errno not in GONE:
            raise
        queue.clear()
