"""Probe pulses: LED, multiplexer and ADC follow a table that DMA feeds; the processor starts it and fetches the counts afterwards.

One pulse is PERIOD_US long: PULSE_US dark, in which every cell is read, then PULSE_US lit, in which every cell and the lamp monitor
are read, in equal shares of the time. A row of the table is two words: the ADC's control word to write at the sampling instant, then
LED, multiplexer address and time. The machine pushes the first one when the time has passed; DMA carries it into the ADC, another
channel carries the counts into memory. LED and address stay as they are for 2.5 us more, longer than the conversion. Between rows the
LED is low for 40 ns, so a table that stops, for whatever reason, stops dark.
"""

from array import array

import micropython
import rp2
import uctypes
from machine import mem32
from micropython import const

from .machine_pio import PIO1, StateMachine, load

_PULSE = const(250_000)  # cycles of PULSE_US
_DMA_FEED = const(0x50000000 + 8 * 0x40)
_DMA_START = const(0x50000000 + 9 * 0x40)
_DMA_COUNTS = const(0x50000000 + 10 * 0x40)
_CHAN_ABORT = const(0x50000444)
_DREQ_PIO1_TX2 = const(10)
_DREQ_PIO1_RX2 = const(14)
_DREQ_ADC = const(36)
_QUIET = const(1 << 21)
_BUSY = const(1 << 24)
_ADC_CS = const(0x4004C000)
_ADC_FCS = const(0x4004C008)
_ADC_FIFO = const(0x4004C00C)
_START_ONE = const(1 | (1 << 2))  # enabled, one conversion
_FIFO_ON = const(1 | (1 << 3) | (1 << 24))  # enabled, DMA requests, threshold 1
_FIFO_FLAGS = const((1 << 10) | (1 << 11))
_ROW_OVERHEAD = const(329)


# purpose: one row of the table    clock: 125 MHz    words: ADC control; LED 1 bit, multiplexer 3 bit, cycles - 329 28 bit
# pins: out = LED and three address lines, set = LED    idle: LED low    underrun: waits in the first `pull`, LED low
@rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 4, set_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def probe_program():
    pull(block)  # 1
    mov(isr, osr)  # 1
    pull(block)  # 1
    out(pins, 4)  # 1
    out(x, 28)  # 1
    label("wait")
    jmp(x_dec, "wait")  # word + 1
    push(noblock)  # 1, the sampling instant
    set(x, 31)  # 1
    label("hold")
    jmp(x_dec, "hold")[9]  # 320
    set(pins, 0)  # 1


@micropython.viper
def _fill(table: ptr32, words: int, rows: ptr32, of_a_pulse: int):
    """Repeat the rows of one pulse over the table."""
    i = 0
    k = 0
    while i < words:
        table[i] = rows[k]
        i += 1
        k += 1
        if k == of_a_pulse:
            k = 0


class Optics:
    """hal.contract.Optics. cells_adc, monitor_adc: ADC inputs of the multiplexer and of the monitor; led_pin: the first of four pins."""

    PULSE_US = 2000
    PERIOD_US = 4000

    def __init__(self, led_pin, cells_adc, monitor_adc, pulses_max, offset):
        end = load(PIO1, offset, probe_program)
        self._machine = StateMachine(PIO1, 2, offset, end - offset, 1, out=(led_pin, 4), set_pin=led_pin)
        self._cell_start = _START_ONE | (cells_adc << 12)
        self._monitor_start = _START_ONE | (monitor_adc << 12)
        self._rows = array("I", bytes(4 * 2 * 9))
        self._table = array("I", bytes(4 * 2 * 9 * pulses_max))
        self._counts = array("H", bytes(2 * 9 * pulses_max))
        self._pulses = self._readings = 0
        self._cells = ()
        self.active = False

    def start(self, pulses, cells_mask):
        self.stop()
        self._cells = cells = [cell for cell in range(4) if cells_mask & (1 << cell)]
        self._pulses = pulses
        self._readings = readings = 2 * len(cells) + 1
        rows, at = self._rows, 0
        rest = _PULSE  # of the dark half: an equal share for each row, and the last one takes what is left
        for n in range(len(cells), 0, -1):
            rows[at], rows[at + 1] = self._cell_start, (cells[-n] << 1) | ((rest // n - _ROW_OVERHEAD) << 4)
            rest -= rest // n
            at += 2
        rest = _PULSE
        for n in range(len(cells), 0, -1):
            rows[at], rows[at + 1] = self._cell_start, 1 | (cells[-n] << 1) | ((rest // (n + 1) - _ROW_OVERHEAD) << 4)
            rest -= rest // (n + 1)
            at += 2
        rows[at], rows[at + 1] = self._monitor_start, 1 | ((rest - _ROW_OVERHEAD) << 4)
        words = 2 * readings * pulses
        _fill(self._table, words, rows, 2 * readings)
        mem32[_ADC_FCS] = _FIFO_ON | _FIFO_FLAGS
        self._channel(_DMA_COUNTS, _ADC_FIFO, uctypes.addressof(self._counts), readings * pulses, 1, _DREQ_ADC, 10, write=True)
        self._channel(_DMA_START, self._machine.rx_address, _ADC_CS, readings * pulses, 2, _DREQ_PIO1_RX2, 9)
        self._channel(_DMA_FEED, uctypes.addressof(self._table), self._machine.tx_address, words, 2, _DREQ_PIO1_TX2, 8, read=True)
        self.active = True
        self._machine.start()

    def ready(self):
        if not self.active:
            return True
        if mem32[_DMA_COUNTS + 16] & _BUSY:
            return False
        self.stop()
        return True

    def stop(self):
        """LED low, a probe that is going on forgotten."""
        mem32[_CHAN_ABORT] = 7 << 8
        self._machine.low()
        mem32[_ADC_FCS] = 0
        self.active = False

    def dark(self, cell):
        return self._column(self._cells.index(cell))

    def lit(self, cell):
        return self._column(len(self._cells) + self._cells.index(cell))

    def monitor(self):
        return self._column(self._readings - 1)

    def _column(self, first):
        """Every reading of one kind, as 16-bit counts."""
        counts, readings = self._counts, self._readings
        column = array("H", bytes(2 * self._pulses))
        for i in range(self._pulses):
            column[i] = counts[first] << 4
            first += readings
        return column

    def _channel(self, channel, source, target, count, size, treq, number, read=False, write=False):
        control = 1 | (size << 2) | (read << 4) | (write << 5) | (number << 11) | (treq << 15) | _QUIET
        mem32[channel] = source
        mem32[channel + 4] = target
        mem32[channel + 8] = count
        mem32[channel + 12] = control
