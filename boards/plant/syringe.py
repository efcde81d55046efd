"""A syringe on a lead screw: steps to volume, backlash on reversing, stall at the ends.

Positive steps infuse (the plunger moves in, the volume falls). After a reversal the first `backlash_steps` turn the nut in its play and
move no liquid. At an end of travel the motor stalls: steps are lost, none are stored. Volume per step = pi d^2 / 4 x lead / steps per turn.
"""

from math import pi

DEFAULTS = (  # BD Plastipak 60 mL and 10 mL, twice
    {"inner_diameter_mm": 26.72, "capacity_nl": 60000000},
    {"inner_diameter_mm": 14.50, "capacity_nl": 10000000},
    {"inner_diameter_mm": 26.72, "capacity_nl": 60000000},
    {"inner_diameter_mm": 14.50, "capacity_nl": 10000000},
)
LEAD_MM = 2.0
STEPS_PER_TURN = 3200
BACKLASH_STEPS = 40  # 25 um of play


class Syringe:
    """volume_nl(): liquid inside; dispensed_nl(): net liquid that left; lost_steps: steps the motor did not follow."""

    def __init__(
        self,
        inner_diameter_mm,
        capacity_nl,
        volume_nl=None,  # full
        lead_mm=LEAD_MM,
        steps_per_turn=STEPS_PER_TURN,
        backlash_steps=BACKLASH_STEPS,
    ):
        self.fl_per_step = int(pi * inner_diameter_mm * inner_diameter_mm / 4 * lead_mm / steps_per_turn * 1e9 + 0.5)  # mm3 = uL = 1e9 fL
        self._start_nl = capacity_nl if volume_nl is None else volume_nl
        if not 0 <= self._start_nl <= capacity_nl:
            raise ValueError(f"syringe: volume {volume_nl} nL is not within 0..{capacity_nl} nL")
        self._to_empty = self._start_nl * 1000000 // self.fl_per_step  # plunger steps to the inner end
        self._to_full = -((capacity_nl - self._start_nl) * 1000000 // self.fl_per_step)
        self._backlash = backlash_steps
        self._play = backlash_steps  # where the nut stands in its play: == backlash bears on infusing, 0 on withdrawing; begins primed
        self._plunger = 0
        self.lost_steps = 0
        self.stalled = False

    def move(self, steps):
        """Turn the motor by signed steps; returns the steps that it followed."""
        if self.stalled:
            self.lost_steps += abs(steps)
            return 0
        play = self._play + steps
        if play > self._backlash:
            carried, play = play - self._backlash, self._backlash
        elif play < 0:
            carried, play = play, 0
        else:
            carried = 0
        self._play = play
        plunger = self._plunger + carried
        lost = 0
        if plunger > self._to_empty:
            lost = plunger - self._to_empty
        elif plunger < self._to_full:
            lost = plunger - self._to_full
        self._plunger = plunger - lost
        self.lost_steps += abs(lost)
        return steps - lost

    def position(self):
        """Where plunger and nut stand, for `stand_at`."""
        return [self._plunger, self._play]

    def stand_at(self, position):
        self._plunger, self._play = position

    def dispensed_nl(self):
        return self._plunger * self.fl_per_step // 1000000

    def volume_nl(self):
        return self._start_nl - self.dispensed_nl()
