"""An RP2040 board without hardware: boots the real MicroPython image and is exact to the clock cycle for PIO, DMA and pins.

    with RP2040(image, modules=modules) as board:
        board.repl.enter()
        board.pins[2].record()
        board.repl.exec("from machine import Pin; Pin(2, Pin.OUT).toggle()")
        print(board.pins[2].edges())

Time is emulated and stands still unless a call says that it runs (`run`, `run_ms`, `run_cycles`, and everything in `repl`).
Two runs with the same seed and the same calls are identical. Cycles are 8 ns each, counted from power-up, through resets.
"""

import base64
import json
import os
import subprocess
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CYCLES_PER_MS = 125_000
CYCLE_NS = 8
FLASH_BYTES = 2 * 1024 * 1024
FILESYSTEM_OFFSET = 0xA0000
BENCH = Path(__file__).resolve().with_name("bench.mjs")

_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_FUNCTIONS = {0: "xip", 1: "spi", 2: "uart", 3: "i2c", 4: "pwm", 5: "sio", 6: "pio0", 7: "pio1", 8: "clock", 9: "usb", 31: "none"}


class BenchError(RuntimeError):
    """The emulator refused a command or ended; the message holds what it said."""


class ReplError(RuntimeError):
    """The board raised; the message is its traceback."""


class ReplTimeout(TimeoutError):
    """The board did not answer within the emulated time; the message holds what it sent instead."""


@dataclass
class Slice:
    """What happened in one `run`: levels and rises of the metered pins, bytes sent by the board, resets as (cycle, cause)."""

    usb: bytes
    cycle: int
    connected: bool
    high_cycles: dict[int, int] = field(default_factory=dict)
    rises: dict[int, int] = field(default_factory=dict)
    resets: list[tuple[int, str]] = field(default_factory=list)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class Pin:
    """One GPIO as a probe on the pad sees it: the chip's driver, else the bench's, else the pull, else low."""

    def __init__(self, bench: "RP2040", number: int):
        self._bench, self.number = bench, number

    def record(self) -> None:
        """Keep every edge from now on. Recording goes on through resets."""
        self._bench.command("pin_record", pin=self.number)

    def edges(self) -> list[tuple[int, int]]:
        """(cycle, level) of every edge since record() or clear()."""
        return [(word >> 1, word & 1) for word in self.raw_edges()]

    def raw_edges(self) -> array:
        """The same as 64-bit integers, cycle * 2 + level: for millions of edges."""
        words = array("q")
        words.frombytes(base64.b64decode(self._bench.command("pin_edges", pin=self.number)["edges"]))
        return words

    def clear(self) -> None:
        self._bench.command("pin_clear", pin=self.number)

    def drive(self, level: bool | None) -> None:
        """Drive the pad from outside; None lets go. A pad that the chip drives keeps the chip's level."""
        self._bench.command("apply", drive={self.number: level})

    @property
    def level(self) -> bool:
        return self._bench.command("pin_state", pin=self.number)["level"]

    @property
    def function(self) -> str:
        """What drives the pad: "sio", "pwm", "pio0", "pio1", ... or "none" after a reset."""
        number = self._bench.command("pin_state", pin=self.number)["function"]
        return _FUNCTIONS.get(number, str(number))


class AdcInput:
    """What is wired to one input of the ADC. Values are on a scale of 0 to 65535 and may be fractions; noise is a standard deviation."""

    def __init__(self, bench: "RP2040", channel: int):
        self._bench, self.channel = bench, channel
        self._source: dict = {"dark": 0.0}

    def _apply(self, source: dict) -> None:
        self._source = source
        self._bench.command("apply", analog={self.channel: source})

    def set(self, value: float, noise: float = 0.0) -> None:
        lit = {key: self._source[key] for key in ("lit", "pin", "lit_noise") if key in self._source}
        self._apply({"dark": value, "dark_noise": noise, **lit})

    def lit(self, pin: int, value: float, noise: float = 0.0) -> None:
        """Value while `pin` is high at the instant at which a conversion starts."""
        dark = {key: self._source[key] for key in ("dark", "dark_noise") if key in self._source}
        self._apply({"dark": 0.0, **dark, "lit": value, "pin": pin, "lit_noise": noise})

    def mux(self, select_pins: list[int], inputs: list[dict]) -> None:
        """A 74HC4051 before the input. Select pins from the lowest bit; inputs {"dark": v, "lit": v, "pin": p, "noise": n}."""
        self._apply({"select_pins": select_pins, "inputs": inputs})

    def mux_inputs(self, inputs: list[dict]) -> None:
        """New values behind the multiplexer."""
        self._bench.command("apply", analog={self.channel: {"inputs": inputs}})

    def record(self) -> None:
        self._bench.command("adc_record", channel=self.channel)

    def samples(self) -> list[tuple[int, int, int]]:
        """(cycle, counts of 12 bits, whether it was lit) of every conversion since record()."""
        words = array("d")
        words.frombytes(base64.b64decode(self._bench.command("adc_samples", channel=self.channel)["samples"]))
        return [(int(words[i]), int(words[i + 1]), int(words[i + 2])) for i in range(0, len(words), 3)]


class I2c:
    """One I2C bus with register files on it."""

    def __init__(self, bench: "RP2040", bus: int):
        self._bench, self.bus = bench, bus

    def device(self, address: int, registers: bytes) -> None:
        """A register file: the first byte written is the pointer, the others go on from there."""
        self._bench.command("i2c_device", bus=self.bus, address=address, registers=_encoded(registers))

    def registers(self, address: int) -> bytes:
        return base64.b64decode(self._bench.command("i2c_registers", bus=self.bus, address=address)["data"])

    def hang(self, on: bool = True) -> None:
        """A device that stretches the clock for ever: no transfer on this bus ends."""
        self._bench.command("i2c_hang", bus=self.bus, on=on)


class Spi:
    """One SPI bus with register files on it."""

    def __init__(self, bench: "RP2040", bus: int):
        self._bench, self.bus = bench, bus

    def device(self, select_pin: int, registers: bytes = bytes(8), kind: str = "max31865") -> None:
        """A register file addressed as the MAX31865 is: address byte (bit 7 set to write), then consecutive registers."""
        if kind != "max31865":
            raise ValueError(f"no SPI device of kind {kind!r}; there is 'max31865'")
        self._bench.command("spi_device", bus=self.bus, select_pin=select_pin, registers=_encoded(registers))

    def registers(self, select_pin: int) -> bytes:
        return base64.b64decode(self._bench.command("spi_registers", bus=self.bus, select_pin=select_pin)["data"])


class Repl:
    """MicroPython's raw REPL over USB. Every call lets emulated time run until the answer is there."""

    def __init__(self, bench: "RP2040"):
        self._bench = bench

    def enter(self, seconds: float = 5.0) -> None:
        """Wait for USB, stop a program that runs (unless it ignores Ctrl-C) and enter the raw REPL."""
        bench = self._bench
        deadline = bench.cycle + seconds * 1000 * CYCLES_PER_MS
        while not bench.usb_connected:
            if bench.cycle > deadline:
                raise ReplTimeout(f"USB did not come up within {seconds} s")
            bench.run_ms(1)
        for _ in range(3):
            self.interrupt()
            bench.run_ms(20)
            bench.usb_read()
            bench.usb_send(b"\r" + _CTRL_A)
            try:
                self._until(_RAW_PROMPT, 1.0)
            except ReplTimeout:
                continue
            return
        raise ReplTimeout("the board does not enter the raw REPL")

    def interrupt(self) -> None:
        """Ctrl-C, twice."""
        self._bench.usb_send(b"\r" + _CTRL_C + _CTRL_C)

    def exec(self, code: str, seconds: float = 60.0) -> str:
        """Run code to its end and return what it printed. Raises ReplError with the board's traceback."""
        self.start(code)
        return self.finish(seconds)

    def start(self, code: str) -> None:
        """Hand over code and return as soon as the board has accepted it."""
        self._bench.usb_send(code.encode() + _CTRL_D)
        answer = self._until(b"OK", 10.0)
        if answer != b"OK":
            raise ReplTimeout(f"the board answered {answer!r} to code")

    def finish(self, seconds: float = 60.0) -> str:
        """Run until the code handed over by start() ends; return what it printed."""
        out = self._until(_CTRL_D, seconds)[:-1]
        error = self._until(_CTRL_D, 5.0)[:-1]
        self._until(b">", 1.0)
        if error:
            raise ReplError(error.decode("utf-8", "replace").replace("\r\n", "\n"))
        return out.decode("utf-8", "replace").replace("\r\n", "\n")

    def leave(self) -> None:
        """Back to the friendly REPL."""
        self._bench.usb_send(b"\r" + _CTRL_B)
        self._until(b">>> ", 1.0)

    def soft_reset(self, seconds: float = 5.0) -> bytes:
        """Soft reset from the raw REPL and stay in it (main.py is not run); returns what the board said."""
        self._bench.usb_send(_CTRL_D)
        return self._until(_RAW_PROMPT, seconds)

    def soft_reset_to_main(self, seconds: float = 5.0) -> bytes:
        """Soft reset from the friendly REPL: boot.py and main.py run again. Returns what came up to "soft reboot"."""
        self.leave()
        self._bench.usb_send(_CTRL_D)
        return self._until(b"soft reboot\r\n", seconds)

    def _until(self, pattern: bytes, seconds: float) -> bytes:
        through = self._bench.run_until(pattern, seconds * 1000)
        if through is None:
            raise ReplTimeout(f"waited {seconds} s for {pattern!r}, have {self._bench.usb_read()[-800:]!r}")
        return through


class RP2040:
    """The board and the bench around it. A context manager; `start()` and `close()` do the same by hand.

    image: firmware for address 0 of the flash. modules: the folder node_modules that holds rp2040js 1.4.1.
    filesystem: littlefs image of 1408 KiB for offset 0xA0000. flash_image: 2 MiB to start from; image and filesystem go over it.
    xip_miss_cycles: cost of a miss of the XIP cache, 0 for none. flash_timing: "none", "typical" (45 ms a sector, 0.4 ms a page) or
    "worst" (400 ms, 3 ms). fast_forward: skip delay loops of the PIO, with the same edges. seed: of noise, unique id and random bits.
    """

    def __init__(
        self,
        image: Path | None,
        *,
        node: str = "node",
        modules: Path,
        filesystem: bytes | None = None,
        flash_image: bytes | None = None,
        xip_miss_cycles: int = 0,
        flash_timing: str = "typical",
        fast_forward: bool = True,
        seed: int = 1,
    ):
        self._command = [node, str(BENCH)]
        self._environment = {**os.environ, "REMNANT_NODE_MODULES": str(Path(modules).resolve())}
        self._opening = {
            "image": _encoded(Path(image).read_bytes()) if image else None,
            "filesystem": _encoded(filesystem) if filesystem else None,
            "flash_image": _encoded(flash_image) if flash_image else None,
            "xip_miss_cycles": xip_miss_cycles,
            "flash_timing": flash_timing,
            "fast_forward": fast_forward,
            "seed": seed,
        }
        self._process: subprocess.Popen | None = None
        self.cycle = 0
        self.usb_connected = False
        self.resets: list[tuple[int, str]] = []
        self._wall_s = 0.0
        self.pins = [Pin(self, number) for number in range(30)]
        self.adc = [AdcInput(self, channel) for channel in range(5)]
        self.repl = Repl(self)

    def __enter__(self) -> "RP2040":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def start(self) -> None:
        """Start the emulator and power the board up."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment)
        self._note(self.command("open", **self._opening))

    def close(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._process = None

    def command(self, op: str, **values) -> dict:
        """One command to the emulator and its answer. Raises BenchError."""
        if self._process is None:
            raise BenchError("the bench is closed")
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"op": op, **values}).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise BenchError(f"the emulator ended at command {op!r} with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer

    def _note(self, answer: dict) -> Slice:
        resets = [(cycle, cause) for cycle, cause in answer["resets"]]
        self.cycle = answer["cycle"]
        self.usb_connected = answer["connected"]
        self.resets += resets
        high = {int(pin): int(cycles) for pin, cycles in answer["high"].items()}
        rises = {int(pin): int(count) for pin, count in answer["rises"].items()}
        usb = base64.b64decode(answer.get("usb", ""))
        return Slice(usb=usb, cycle=self.cycle, connected=self.usb_connected, high_cycles=high, rises=rises, resets=resets)

    def _run(self, cycles: float, **values) -> tuple[Slice, dict]:
        begin = time.perf_counter()
        answer = self.command("run", cycles=round(cycles), **values)
        self._wall_s += time.perf_counter() - begin
        return self._note(answer), answer

    # -- time

    def run(self, ms: float, usb: bytes = b"", analog: dict | None = None, drive: dict[int, bool | None] | None = None) -> Slice:
        """Set inputs, let time run, return what happened: one round trip.

        analog: ADC channel to a value, or to {"dark", "lit", "pin", "noise"}, or to a list of those behind the multiplexer.
        """
        sources = {channel: _source(value) for channel, value in (analog or {}).items()}
        return self._run(ms * CYCLES_PER_MS, usb=_encoded(usb), analog=sources, drive=drive or {}, take=True)[0]

    def run_ms(self, ms: float) -> None:
        """Let time run; bytes from the board wait for usb_read()."""
        self._run(ms * CYCLES_PER_MS)

    def run_cycles(self, cycles: int) -> None:
        self._run(cycles)

    def run_until(self, pattern: bytes, ms: float) -> bytes | None:
        """Let time run until the board has sent `pattern`; return what it sent up to its end, None when `ms` have passed."""
        through = self._run(ms * CYCLES_PER_MS, until=_encoded(pattern))[1]["through"]
        return None if through is None else base64.b64decode(through)

    def meter(self, pins: Iterable[int]) -> None:
        """Pins whose time high and rising edges every Slice reports from now on."""
        self.command("meter", pins=list(pins))

    # -- USB

    def usb_send(self, data: bytes) -> None:
        self.command("apply", usb=_encoded(data))

    def usb_read(self) -> bytes:
        return base64.b64decode(self.command("usb_take")["usb"])

    def usb_hold(self, on: bool) -> None:
        """The host keeps the port open and stops reading, or reads on."""
        self.command("usb_hold", on=on)

    # -- the chip

    def freeze_cpu(self) -> None:
        """The core executes nothing from now on; PIO, DMA, timers and watchdog go on."""
        self.command("freeze", on=True)

    def thaw_cpu(self) -> None:
        self.command("freeze", on=False)

    def reset_button(self) -> None:
        """The RUN pin: everything but the flash starts anew."""
        self._note(self.command("reset", cause="run"))

    def power_cycle(self) -> None:
        self._note(self.command("reset", cause="power"))

    def stats(self) -> dict:
        """instructions, idle_cycles, sm_events, skipped, xip_misses, rom_calls, erases, pages, wall_s."""
        counts = self.command("stats")
        names = {"idleCycles": "idle_cycles", "smEvents": "sm_events", "xipMisses": "xip_misses", "romCalls": "rom_calls"}
        names["inBootloader"] = "in_bootloader"
        return {names.get(key, key): value for key, value in counts.items()} | {"wall_s": self._wall_s}

    # -- flash

    def flash_read(self, offset: int, count: int) -> bytes:
        return base64.b64decode(self.command("flash_read", offset=offset, count=count)["data"])

    def flash_write(self, offset: int, data: bytes) -> None:
        """Put bytes into the flash from outside, at once and without erasing."""
        self.command("flash_write", offset=offset, data=_encoded(data))

    def flash_image(self) -> bytes:
        return self.flash_read(0, FLASH_BYTES)

    def flash_power(self, count: int) -> None:
        """Let the power of the flash last for so many more bytes, programmed or erased; `power_cycle` brings it back."""
        self.command("flash_power", bytes=count)

    # -- buses

    def uart_send(self, bus: int, data: bytes) -> None:
        self.command("uart_send", bus=bus, data=_encoded(data))

    def uart_read(self, bus: int) -> bytes:
        return base64.b64decode(self.command("uart_take", bus=bus)["data"])

    def i2c(self, bus: int) -> I2c:
        return I2c(self, bus)

    def spi(self, bus: int) -> Spi:
        return Spi(self, bus)


def _source(value) -> dict:
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return {"inputs": list(value)}
    return {"dark": value}
