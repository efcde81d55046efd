"""Properties of pure solvents at a temperature, from the tables of the library `chemicals`; nothing is typed in here.

Of each property the first table that has the solvent is taken, in the order below; what the other tables say is kept as `spread`, so a
wrong row shows. Viscosities of Viswanath and Natarajan are not asked: their rows for ethanol and acetonitrile are 3 and 1.4 times the rest.

  density        VDI Heat Atlas, 2nd ed. 2010, saturated liquids (PPDS); Perry's Handbook, 8th ed. 2007, table 2-32 (DIPPR 105)
  viscosity      VDI Heat Atlas (PPDS 9); Dutt and Prasad (three terms); Perry, table 2-313 (DIPPR 101)
  permittivity   CRC Handbook, 95th ed. 2014: polynomial within its range of temperature, else the single value near room temperature
  boiling point  `chemicals.Tb`: at 1 atm, evaluated from several sources
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

ROOM_C = 25.0
_ZERO_K = 273.15
_COLDEST_C, _HOTTEST_C = -50.0, 200.0
_EVERYDAY = {"dmf": "68-12-2", "dcm": "75-09-2", "ipa": "67-63-0", "thf": "109-99-9", "dmso": "67-68-5", "odcb": "95-50-1"}


@dataclass(frozen=True)
class Solvent:
    """One liquid at `temp_c` (degC). Properties that no table has are None.

    density_kg_per_m3, viscosity_pa_s (dynamic), permittivity (relative, dimensionless), boiling_c (degC at 1 atm), molar_mass_g_per_mol.
    origin: property -> the table it is from. spread: property -> largest relative difference among the tables that have it (0.01: 1 %).
    """

    name: str
    cas: str
    temp_c: float
    molar_mass_g_per_mol: float
    density_kg_per_m3: float | None
    viscosity_pa_s: float | None
    permittivity: float | None
    boiling_c: float | None
    origin: dict[str, str] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)

    @property
    def kinematic_viscosity_m2_per_s(self) -> float:
        """Viscosity over density. Raises RigError(PLAN_INVALID) where a table lacks one of them."""
        return self.needed("viscosity_pa_s") / self.needed("density_kg_per_m3")

    def needed(self, what: str) -> float:
        """Return one property. Raises RigError(PLAN_INVALID) when no table has it."""
        value = getattr(self, what)
        if value is None:
            text = f"solvent '{self.name}': no table has its {what.split('_')[0]} at {self.temp_c:g} degC; name a solvent that has it"
            raise RigError(codes.PLAN_INVALID, where=self.name, text=text)
        return value


@cache
def solvent(name: str, temp_c: float = ROOM_C) -> Solvent:
    """Return the properties of a solvent (any common name, or a CAS number) at a temperature in degC.

    Raises RigError(PLAN_INVALID) for a name that is not known, or a temperature where no solvent is a liquid here.
    """
    if not _COLDEST_C <= temp_c <= _HOTTEST_C:
        text = f"solvent '{name}': {temp_c:g} degC is not within {_COLDEST_C:g}..{_HOTTEST_C:g} degC"
        raise RigError(codes.PLAN_INVALID, where=name, value=temp_c, limit=_HOTTEST_C, text=text)
    tables = _tables()
    cas, temp_k = _cas(tables, name), temp_c + _ZERO_K
    grams = float(tables.chemicals.MW(cas))
    kept: dict[str, Any] = {}
    origin: dict[str, str] = {}
    spread: dict[str, float] = {}
    for what, ways in _WAYS.items():
        found = [(source, value) for source, way in ways if (value := _asked(way, tables, cas, temp_k, grams)) is not None]
        kept[what] = found[0][1] if found else None
        if found:
            origin[what] = found[0][0]
            values = [value for _, value in found]
            spread[what] = (max(values) - min(values)) / kept[what]
    boiling_k = tables.chemicals.Tb(cas)
    boiling_c = None if boiling_k is None else float(boiling_k) - _ZERO_K
    return Solvent(name, cas, temp_c, grams, boiling_c=boiling_c, origin=origin, spread=spread, **kept)


@cache
def _tables() -> SimpleNamespace:
    """Load `chemicals`, and with it pandas: half a second that only a plan with liquids pays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # chemicals 1.5 hands pandas 3 an argument that pandas has deprecated
        import chemicals
        from chemicals import dippr, permittivity, viscosity, volume

        return SimpleNamespace(
            chemicals=chemicals,
            dippr=dippr,
            viscosity=viscosity,
            permittivity=permittivity,
            rho_perry=volume.rho_data_Perry_8E_105_l,
            rho_vdi=volume.rho_data_VDI_PPDS_2,
            mu_vdi=viscosity.mu_data_VDI_PPDS_7,
            mu_dutt=viscosity.mu_data_Dutt_Prasad,
            mu_perry=viscosity.mu_data_Perrys_8E_2_313,
            eps_crc=permittivity.permittivity_data_CRC,
        )


def _cas(tables: SimpleNamespace, name: str) -> str:
    try:
        return tables.chemicals.CAS_from_any(_EVERYDAY.get(name.strip().lower(), name))
    except ValueError:
        text = f"solvent '{name}': this name is not known. Write its common name (toluene), its IUPAC name or its CAS number (108-88-3)"
        raise RigError(codes.PLAN_INVALID, where=name, text=text) from None


def _asked(way: Callable[..., float | None], tables: SimpleNamespace, cas: str, temp_k: float, grams: float) -> float | None:
    try:
        value = way(tables, cas, temp_k, grams)
    except (ValueError, ZeroDivisionError, OverflowError):  # a fit far outside its range
        return None
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _row(table: Any, cas: str, temp_k: float = math.nan) -> dict[str, float] | None:
    """Return a row as numbers; None when the table lacks the solvent or its range does not hold the temperature."""
    if cas not in table.index:
        return None
    row = {key: value for key, value in table.loc[cas].items() if not isinstance(value, str)}
    if temp_k < row.get("Tmin", -math.inf) or temp_k > row.get("Tmax", math.inf):
        return None
    return {key: float(value) for key, value in row.items()}


def _rho_vdi(tables: SimpleNamespace, cas: str, temp_k: float, _grams: float) -> float | None:
    row = _row(tables.rho_vdi, cas)
    if row is None or temp_k >= row["Tc"]:
        return None
    tau = 1 - temp_k / row["Tc"]
    return row["rhoc"] + row["A"] * tau**0.35 + row["B"] * tau ** (2 / 3) + row["C"] * tau + row["D"] * tau ** (4 / 3)


def _rho_perry(tables: SimpleNamespace, cas: str, temp_k: float, grams: float) -> float | None:
    row = _row(tables.rho_perry, cas, temp_k)
    return row and tables.dippr.EQ105(temp_k, row["C1"], row["C2"], row["C3"], row["C4"]) * grams / 1000  # mol/m3 to kg/m3


def _mu_vdi(tables: SimpleNamespace, cas: str, temp_k: float, _grams: float) -> float | None:
    row = _row(tables.mu_vdi, cas)
    return row and tables.viscosity.PPDS9(temp_k, row["A"], row["B"], row["C"], row["D"], row["E"])


def _mu_dutt(tables: SimpleNamespace, cas: str, temp_k: float, _grams: float) -> float | None:
    row = _row(tables.mu_dutt, cas, temp_k)
    return row and tables.viscosity.Viswanath_Natarajan_3(temp_k, row["A"], row["B"], row["C"]) / 1000  # the fit is in mPa s


def _mu_perry(tables: SimpleNamespace, cas: str, temp_k: float, _grams: float) -> float | None:
    row = _row(tables.mu_perry, cas, temp_k)
    return row and tables.dippr.EQ101(temp_k, row["C1"], row["C2"], row["C3"], row["C4"], row["C5"])


def _eps_polynomial(tables: SimpleNamespace, cas: str, temp_k: float, _grams: float) -> float | None:
    row = _row(tables.eps_crc, cas, temp_k)
    if row is None or math.isnan(row["A"]):
        return None
    a, b, c, d = (0.0 if math.isnan(row[key]) else row[key] for key in "ABCD")
    return tables.permittivity.permittivity_CRC(temp_k, a, b, c, d)


def _eps_constant(tables: SimpleNamespace, cas: str, _temp_k: float, _grams: float) -> float | None:
    row = _row(tables.eps_crc, cas)
    return row and row["Permittivity"]


_WAYS: dict[str, tuple[tuple[str, Callable[..., float | None]], ...]] = {
    "density_kg_per_m3": (("VDI Heat Atlas 2010 (PPDS)", _rho_vdi), ("Perry 8th ed. table 2-32", _rho_perry)),
    "viscosity_pa_s": (
        ("VDI Heat Atlas 2010 (PPDS)", _mu_vdi),
        ("Dutt and Prasad", _mu_dutt),
        ("Perry 8th ed. table 2-313", _mu_perry),
    ),
    "permittivity": (("CRC Handbook 95th ed.", _eps_polynomial), ("CRC Handbook 95th ed., one temperature", _eps_constant)),
}
