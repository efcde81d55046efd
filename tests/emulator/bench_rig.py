"""The emulated bench: an RP2040 with the firmware in its flash and the plant on its pins.

Chip and plant move in turns, a slice at a time: the chip runs with what the plant shows at its inputs, then the plant lives through the
slice with what the pins did. Nothing depends on the wall clock, so a seed gives the same cycles every time.
"""

import base64
import functools
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
for folder in ("boards", "protocol", "host", "tests/emulator"):
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))

from filesystem import make_filesystem  # noqa: E402
from image import find_image, find_modules, find_node  # noqa: E402
from plant.rig import Plant  # noqa: E402
from remnant import firmware  # noqa: E402
from rp2040 import RP2040  # noqa: E402

BOARD = "rpi_pico"
SLICE_MS = 5.0
OPTICS_EVERY_MS = 100.0
CYCLES_PER_MS = 125_000
SENSOR_NOISE = 24.0  # of one conversion, in 16-bit counts; the plant's own noise is that of a mean of 16
SUPPLY_COUNTS = 40_000
MONITOR_TAU_CYCLES = 50 * 125  # 50 us: the monitor's amplifier of boards/rpi_pico/README.md


@functools.cache
def pins():
    """PINS of the board under test."""
    return runpy.run_path(str(ROOT / "boards" / BOARD / "board.py"))["PINS"]


@functools.cache
def flash_files(simulated=True):
    """The firmware as it goes into the flash."""
    return firmware.compiled(BOARD, simulated)


class Rig(RP2040):
    """A bench. plant: boards/plant; files: of the flash, the firmware by default; slice_ms: how often chip and plant meet.

    Other options are the chip's (rp2040.RP2040)."""

    def __init__(self, scenario=None, files=None, slice_ms=SLICE_MS, **options):
        self._slice_ms = slice_ms
        self.scenario = {"seed": 1, "cells": ["templated", "control"], "faults": [], **(scenario or {})}
        options.setdefault("seed", self.scenario["seed"])
        if "flash_image" not in options:
            options["filesystem"] = make_filesystem(flash_files() if files is None else files)
        super().__init__(find_image(), node=find_node(), modules=find_modules(), **options)
        self.wiring = pins()
        self.plant = Plant(
            {key: self.scenario[key] for key in ("seed", "cells", "faults", "ambient_c", "syringes") if key in self.scenario}
        )
        self._optics_in_ms = 0.0
        self.listeners = []  # called with each slice
        self.master_bridged = False  # True: the switch in series with heater and lamp is bridged by a wire
        self.takes_usb = False  # slices carry what the chip sent; else it waits for `repl`

    def start(self):
        """Power up; a bench that is up stays as it is."""
        if self._process is not None:
            return self
        super().start()
        wiring = self.wiring
        self.meter([wiring["heater"], wiring["lamp"], wiring["master"], wiring["probe"], *wiring["step"]])
        self._show()
        return self

    def run_ms(self, ms):
        """Let `ms` pass, chip and plant together."""
        while ms > 1e-9:
            part = min(ms, self._slice_ms)
            self.step(part)
            ms -= part

    def step(self, ms=SLICE_MS, usb=b""):
        """One slice; returns it (usb: what the chip sent)."""
        slice_, _ = self._run(ms * CYCLES_PER_MS, usb=base64.b64encode(usb).decode(), take=self.takes_usb)
        us = round(ms * 1000)
        self._live(slice_, us)
        self._optics_in_ms -= ms
        self._show()
        for listener in self.listeners:
            listener(slice_)
        return slice_

    def _live(self, slice_, us):
        wiring, plant = self.wiring, self.plant
        cycles = us * CYCLES_PER_MS // 1000
        high = slice_.high_cycles
        for pump, pin in enumerate(wiring["step"][:2]):
            edges = slice_.rises.get(pin, 0)
            if edges:
                plant.move_syringe(pump, edges if self.pins[wiring["direction"][pump]].level else -edges)
        probe_us = high.get(wiring["probe"], 0) // 125
        if probe_us:
            plant.spend_probe(probe_us)
        plant.master_on = self.master_bridged or high.get(wiring["master"], 0) > 0
        duty = [min(65535, high.get(wiring[name], 0) * 65535 // cycles) for name in ("heater", "lamp")]
        plant.advance(us, *duty)

    def _show(self):
        """Put onto the inputs what the plant shows."""
        wiring, plant = self.wiring, self.plant
        faults = plant._faults  # noqa: SLF001
        quiet = faults["sensor_stuck"] or faults["sensor_open"] or faults["sensor_short"]
        self.adc[wiring["sensor_adc"]].set(plant.sensor_sum(16) / 16, 0.0 if quiet else SENSOR_NOISE)
        inputs = (plant.interlock_closed, not plant.stop_pressed)
        if inputs != getattr(self, "_inputs", None):
            self._inputs = inputs
            self.pins[wiring["interlock"]].drive(inputs[0])
            self.pins[wiring["stop"]].drive(inputs[1])
        stalled = tuple(plant.pump_stalled(pump) for pump in range(2))
        if stalled != getattr(self, "_stalled", None):
            self._stalled = stalled
            for pump, high in enumerate(stalled):
                self.pins[wiring["diag"][pump]].drive(high)
        if self._optics_in_ms <= 0:
            self._optics_in_ms = OPTICS_EVERY_MS
            self._show_light()

    def _show_light(self):
        wiring, plant = self.wiring, self.plant
        led = wiring["probe"]
        cells = []
        for cell in range(4):
            dark, lit, noise = plant.expected(cell)
            cells.append({"dark": dark, "lit": lit, "pin": led, "noise": noise})
        cells.append({"dark": SUPPLY_COUNTS, "lit": SUPPLY_COUNTS, "pin": led, "noise": 20})
        self.adc[wiring["cells_adc"]].mux([led + 1, led + 2, led + 3], cells)
        dark, probe, stress, noise = plant.expected_monitor()
        monitor = {"dark": dark, "lit": probe, "pin": led, "noise": noise, "lights": [[wiring["lamp"], stress, MONITOR_TAU_CYCLES]]}
        self.command("apply", analog={wiring["monitor_adc"]: monitor})


def bare_rig(**options):
    """A started Rig at its prompt with `hal`, `board`, `time`, `gc`, `machine` at hand."""
    files = {name: data for name, data in flash_files().items() if name != "main.py"}
    rig = Rig(files=files, **options).start()
    try:
        at_prompt(rig)
    except BaseException:
        rig.close()
        raise
    return rig


def at_prompt(rig):
    """At the prompt with the hardware made."""
    rig.repl.enter()
    rig.repl.exec("import board, gc, machine, time\nhal = board.make_hal()")
