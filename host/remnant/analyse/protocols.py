"""What community protocols ask for, as far as it concerns a rig with heat and one lamp. Facts with their source; tolerances are ours.

ISOS: Khenkin et al., Nature Energy 2020, 5, 35-49 (dark storage D, light soaking L, thermal cycling T, light cycling LC, light and thermal
cycling LT). ICH Q1B: photostability testing, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass

TEMPERATURE_BAND_K = 2.0  # an oven's or a hot plate's setpoint counts as kept within it; ours
PERIOD_SHARE = 0.05  # a period counts as one of the named ones within 5 %; ours
AMBIENT_DEGC = (19.0, 27.0)  # 23 +- 4 degC


@dataclass(frozen=True)
class Protocol:
    """hot_degc: the temperatures it names, none for ambient; cycled: between ambient and one of them. light: what it names, "" for
    darkness. periods_h, ratios: of light cycles, dark to light. near_uv_wh_per_m2, lux_h: least exposures. until_t80: ends at T80."""

    source: str
    hot_degc: tuple[float, ...] = ()
    cycled: bool = False
    light: str = ""
    periods_h: tuple[float, ...] = ()
    ratios: tuple[float, ...] = ()
    humidity: str = "ambient, monitored"
    near_uv_wh_per_m2: float | None = None
    lux_h: float | None = None
    dark_control: bool = False
    until_t80: bool = True


_SUN = "simulated sun or white LEDs"
_HOT = (65.0, 85.0)

PROTOCOLS = {
    "ISOS-D-1": Protocol("khenkin2020"),
    "ISOS-D-2": Protocol("khenkin2020", _HOT),
    "ISOS-D-3": Protocol("khenkin2020", _HOT, humidity="85 %RH"),
    "ISOS-T-1": Protocol("khenkin2020", _HOT, cycled=True),
    "ISOS-L-1": Protocol("khenkin2020", light=_SUN),
    "ISOS-L-2": Protocol("khenkin2020", _HOT, light=_SUN),
    "ISOS-LC-1": Protocol("khenkin2020", light=_SUN, periods_h=(2.0, 8.0, 24.0), ratios=(1.0, 2.0)),
    "ISOS-LT-1": Protocol("khenkin2020", (65.0,), cycled=True, light=_SUN),
    "ICH Q1B near-UV": Protocol(
        "ichq1b1996",
        light="near-UV lamp, 320 to 400 nm",
        humidity="",
        near_uv_wh_per_m2=200.0,
        lux_h=1.2e6,
        dark_control=True,
        until_t80=False,
    ),
}
