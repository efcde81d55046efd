"""Rounds of a repeat that are like the two before them need not be played again, where nothing but the duration is asked for."""

from remnant_protocol import program as p

_ALIKE_S = 0.25


class Passes:
    """skipped_s: how long the rounds would have taken that were left out."""

    def __init__(self, rig):
        self._rig = rig
        self._seen = {}  # by id of a block: [block, rounds left, began_s, duration of the round before or None]
        self.skipped_s = 0.0

    def look(self):
        """A control tick has passed."""
        for block in self._rig.executor._stack:
            if block.kind == p.REPEAT and block.count:
                self._look_at(block)

    def _look_at(self, block):
        now_s = self._rig.t_s() + self.skipped_s
        seen = self._seen.get(id(block))
        if seen is None or seen[0] is not block:
            self._seen[id(block)] = [block, block.count, now_s, None]
            return
        if block.count == seen[1]:
            return
        lasted_s, before_s = now_s - seen[2], seen[3]
        seen[1:] = [block.count, now_s, lasted_s]
        if before_s is not None and -_ALIKE_S < lasted_s - before_s < _ALIKE_S:
            self.skipped_s += lasted_s * block.count
            block.count = 0
