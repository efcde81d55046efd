"""How much nanocrystal a flow makes: liang2023, "Results and discussion", last paragraph, and its eqn S2.

The yield is linear in the concentration of nanoreactors and in the precursor flow (precursors in slight excess); one printed point fixes
it: 0.139 g/h at 10 mg nanoreactor per 20 mL DMF and 60 mL/h. The batch method that it is compared with gives 0.019 g/h (its ref. 46).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

PAPER_G_PER_H = 0.139
PAPER_NANOREACTOR_MG_PER_ML = 10 / 20
PAPER_PRECURSOR_ML_PER_H = 60.0
BATCH_G_PER_H = 0.019
SOURCE = "liang2023, calculated there (eqn S2): 0.139 g/h at 10 mg nanoreactor per 20 mL DMF and 60 mL/h; linear in both"


@dataclass(frozen=True)
class Production:
    """Calculated, not weighed. g_per_h while flowing; mg: in the precursor solution that was delivered; times_batch: over 0.019 g/h."""

    g_per_h: float
    mg: float

    @property
    def times_batch(self) -> float:
        return self.g_per_h / BATCH_G_PER_H


def produced(
    precursor_ml_per_h: float, precursor_ml: float = 0.0, nanoreactor_mg_per_ml: float = PAPER_NANOREACTOR_MG_PER_ML
) -> Production:
    """Return what a precursor flow (mL/h) yields, and what a delivered volume of it (mL) holds. Raises RigError(PLAN_INVALID)."""
    for what, value in (("flow", precursor_ml_per_h), ("volume", precursor_ml), ("concentration", nanoreactor_mg_per_ml)):
        if not (value >= 0 and math.isfinite(value)):
            raise RigError(codes.PLAN_INVALID, where="yield", value=value, text=f"yield: precursor {what} {value:g} is below 0")
    g_per_ml = PAPER_G_PER_H / PAPER_PRECURSOR_ML_PER_H * nanoreactor_mg_per_ml / PAPER_NANOREACTOR_MG_PER_ML
    return Production(g_per_ml * precursor_ml_per_h, g_per_ml * precursor_ml * 1000)
