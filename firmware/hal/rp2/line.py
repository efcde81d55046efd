"""The USB line and the clock: stdin and stdout as bytes, one wait that ends early when bytes come.

Writing cannot block: rig/link.py has at most 255 bytes on the way that the host has not counted, and the USB driver buffers 256.
"""

import gc
import select
import sys
import time

from micropython import const

_MORE = const(3)
_MASK = const((1 << 30) - 1)
_HALF = const(1 << 29)
_AT_ONCE = const(16)  # bytes a turn: a frame at most, 1.5 ms, so that a host that floods the line cannot make a tick late
_GC_EVERY_US = const(500_000)
_GC_NEEDS_US = const(40_000)  # collecting takes 10 ms: only in the slack behind a tick


class Line:
    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._read = sys.stdin.buffer.readinto
        self._write = sys.stdout.buffer.write
        self._byte = bytearray(1)
        self._heard_at = time.ticks_ms()

    def waiting(self, timeout_ms):
        """True when a byte has come; waits for one up to timeout_ms."""
        for _ in self._poll.ipoll(timeout_ms):
            return True
        return False

    def readinto(self, buffer):
        byte, read, ipoll = self._byte, self._read, self._poll.ipoll
        n, size = 0, min(len(buffer), _AT_ONCE)
        while n < size:
            for _ in ipoll(0):
                read(byte)
                buffer[n] = byte[0]
                n += 1
                break
            else:
                break
        if n:
            self._heard_at = time.ticks_ms()
        return n

    ticks_us = staticmethod(time.ticks_us)

    def heard_ms_ago(self):
        return time.ticks_diff(time.ticks_ms(), self._heard_at)

    def write(self, view):
        self._write(view)
        return len(view)


class Clock:
    def __init__(self, line):
        self._line = line
        self._collected_at = time.ticks_us()

    stride_ms = 0
    ticks_us = staticmethod(time.ticks_us)

    def wait(self, until_ticks, hold):
        now = time.ticks_us()
        ahead_us = ((until_ticks - now + _HALF) & _MASK) - _HALF
        if ahead_us > _GC_NEEDS_US and time.ticks_diff(now, self._collected_at) > _GC_EVERY_US:
            self._collected_at = now
            gc.collect()
            return
        if hold == _MORE:
            return
        if ahead_us >= 1000:
            self._line.waiting(ahead_us // 1000)
        elif ahead_us > 0 and not self._line.waiting(0):
            time.sleep_us(ahead_us)
