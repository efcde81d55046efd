"""Fit the ageing constants of ageing.py to the published stability points.

Runs on CPython with scipy: `python boards/plant/fit_kinetics.py`.
Source: liang2023 = Liang et al., Nanoscale Adv. 2023, 5, 2038-2044, doi 10.1039/d2na00744d, fig. 5 and the text beside it.
zhong2021 = Zhong et al., Nanoscale 2021, 13, 19341-19351, doi 10.1039/d1nr05478c, table 1.

Forms. The control ages in heat by second order, R = 1 / (1 + k t): the paper explains its loss by ligands that come off and particles
that then meet and clump, which takes two partners. One constant meets both published heat points. Everything else has one published
point a curve and is first order, R = exp(-k t) or exp(-q H). Rates follow Arrhenius; the activation energies come from fig. 5a (storage)
beside fig. 5c (80 degC), on the assumption that storage and heat run the same process. Light acts by radiant exposure H alone, a liquid by
its volume fraction integrated over time.

zhong2021 table 1 gives one point a stress for each pair of bare and encapsulated particles. Bare ones age in heat and storage like the
control, encapsulated ones like the templated sample, unless a heat row of their own is printed; light and liquids have the rest.
"""

from math import exp, log

from scipy.optimize import brentq, least_squares

GAS_J_PER_MOL_K = 8.314
T80_K = 353.15
T25_K = 298.15

# published points: (hours, fraction left)
CONTROL_HEAT_80 = ((1.0, 0.40), (5.0, 0.10))  # liang2023 fig. 5c
TEMPLATED_HEAT_80 = ((5.0, 0.70),)  # liang2023 fig. 5c
CONTROL_STORAGE = (2400.0, 0.20)  # liang2023 fig. 5a: more than 100 days, ambient, taken as 25 degC
TEMPLATED_STORAGE = (2400.0, 0.98)  # liang2023 fig. 5a: "nearly no deterioration"; 0.98 is the least that reads as ~100 %
TEMPLATED_UV = (48.0, 0.80)  # liang2023 fig. 5b
CONTROL_UV = (24.0, 0.37)  # liang2023 fig. 5b gives no number; bare CsPbBr3 after 24 h of light is 37 % in zhong2021 table 1, ref. 29

UV_MW_PER_CM2 = 10.0  # the papers give no irradiance; ours, as the plans uv-365 and light-* set it (README.md)
FRACTION = 0.5  # of the dosed liquid by volume; the paper gives none; ours, as the plans water, ethanol ... set it
NONE_LEFT = 0.01  # printed "0 %": the most that still reads as none
LIQUIDS = ("water", "ethanol", "acetone", "halide")  # columns of ageing.py

# zhong2021 table 1: sample: (reference there, order, {stress: (hours, fraction left)}); heat: (degC, hours, fraction left)
ZHONG2021 = {
    "sio2-janus": (24, 1, {"light": (6.0, 0.98), "water": (168.0, 0.80)}),
    "sio2-janus-bare": (24, 2, {"light": (6.0, 0.84), "water": (168.0, 0.178)}),
    "zro2-janus": (25, 1, {"light": (3.0, 0.90), "water": (192.0, 0.80)}),
    "zro2-janus-bare": (25, 2, {"light": (3.0, 0.70), "water": (192.0, 0.05)}),
    "sio2-shell": (26, 1, {"water": (0.667, 1.12)}),
    "sio2-shell-bare": (26, 2, {"water": (0.267, NONE_LEFT)}),
    "mn-sio2": (27, 1, {"heat": (100.0, 1.0, 0.90), "water": (144.0, 0.90)}),
    "mn-sio2-bare": (27, 2, {"heat": (100.0, 1.0, 0.50), "water": (144.0, NONE_LEFT)}),
    "cspbi3-oxide": (28, 1, {"light": (3.0, 0.574), "water": (2.0, 1.015)}),  # middles of 52.7-62.1 and 95-108
    "cspbi3-bare": (28, 2, {"light": (3.0, 0.258), "water": (2.0, 0.58)}),  # middle of 52-64
    "tio2": (29, 1, {"light": (24.0, 0.75), "water": (2016.0, 0.85)}),
    "tio2-bare": (29, 2, {"light": (24.0, 0.37), "water": (0.25, NONE_LEFT)}),
    "ag2s": (30, 1, {"water": (720.0, 0.0635)}),
    "ag2s-bare": (30, 2, {"water": (96.0, NONE_LEFT)}),
    "zns": (31, 1, {"light": (48.0, 0.60)}),
    "zns-bare": (31, 2, {"light": (2.0, NONE_LEFT)}),
    "rb4pbbr6": (32, 1, {"light": (42.0, 0.90)}),
    "rb4pbbr6-bare": (32, 2, {"light": (2.0, NONE_LEFT)}),
    "cds": (33, 1, {"heat": (60.0, 9.0, 0.40), "light": (14.0, 0.80)}),
    "cds-bare": (33, 2, {"heat": (60.0, 9.0, 0.05), "light": (14.0, 0.65)}),  # "~0": 5 % still reads so
    "pbso4": (35, 1, {"light": (5.0, 1.05), "ethanol": (2.5, 0.75), "acetone": (1.5, 0.90)}),
    "pbso4-bare": (35, 2, {"light": (5.0, 0.80), "ethanol": (2.5, 0.44), "acetone": (1.5, 0.50)}),
    "znso4": (36, 1, {}),  # no exchange in 48 h
    "znso4-bare": (36, 2, {"halide": (0.667, 0.10)}),  # exchanged after 40 min, no number: 10 % of the first emission is ours
    "paa-ps": (37, 1, {"light": (1.0, 0.92)}),  # 100 % after 23 days in water
    "paa-ps-bare": (37, 2, {"light": (1.0, 0.18), "water": (0.25, NONE_LEFT)}),  # "quenched with added water": as ref. 29, 15 min
}


def second_order(x):
    """Fraction left after x = k t."""
    return 1.0 / (1.0 + x)


def first_order(x):
    """Fraction left after x = k t."""
    return exp(-x)


def fit_rate(form, points):
    """Least squares of one rate constant in 1/h over (hours, fraction) points; all points weigh alike ('~' in the paper)."""
    found = least_squares(lambda p: [form(exp(p[0]) * t) - r for t, r in points], [0.0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return exp(found.x[0])


def activation_energy(form, rate_80_per_h, storage):
    """Ea in J/mol that turns the rate at 80 degC into the one that leaves `storage` = (hours, fraction) at 25 degC."""
    hours, fraction = storage
    rate_25_per_h = brentq(lambda log_x: form(exp(log_x)) - fraction, -20, 20, xtol=1e-14)
    rate_25_per_h = exp(rate_25_per_h) / hours
    return GAS_J_PER_MOL_K * log(rate_80_per_h / rate_25_per_h) / (1 / T25_K - 1 / T80_K)


def rate_at_25(rate_80_per_h, ea_j_per_mol):
    return rate_80_per_h * exp(-ea_j_per_mol / GAS_J_PER_MOL_K * (1 / T25_K - 1 / T80_K))


def light_rate(form, rate_80_per_h, ea_j_per_mol, point):
    """Light constant in cm2/J that leaves the published fraction at UV_MW_PER_CM2 and 25 degC, after dark ageing has had its share."""
    hours, fraction = point
    dark = form(rate_at_25(rate_80_per_h, ea_j_per_mol) * hours)
    return log(dark / fraction) / (UV_MW_PER_CM2 * 1e-3 * hours * 3600)


def heat_rate(form, ea_j_per_mol, point):
    """Rate at 80 degC in 1/h that leaves the published fraction after (degC, hours)."""
    temp_c, hours, fraction = point
    x = exp(brentq(lambda log_x: form(exp(log_x)) - fraction, -20, 20, xtol=1e-14))
    return x / hours * exp(ea_j_per_mol / GAS_J_PER_MOL_K * (1 / (temp_c + 273.15) - 1 / T80_K))


def liquid_rate(form, rate_80_per_h, ea_j_per_mol, point):
    """Rate in 1/h at a volume fraction of 1 that leaves the published fraction at FRACTION and 25 degC, beside dark ageing."""
    hours, fraction = point
    return log(form(rate_at_25(rate_80_per_h, ea_j_per_mol) * hours) / fraction) / (FRACTION * hours)


def fit():
    """Return {sample: (order, heat rate at 80 degC in 1/h, Ea in J/mol, light constant in cm2/J, rates in LIQUIDS in 1/h)}."""
    result = {}
    for sample, order, form, heat, storage, uv in (
        ("control", 2, second_order, CONTROL_HEAT_80, CONTROL_STORAGE, CONTROL_UV),
        ("templated", 1, first_order, TEMPLATED_HEAT_80, TEMPLATED_STORAGE, TEMPLATED_UV),
    ):
        rate = fit_rate(form, heat)
        ea = activation_energy(form, rate, storage)
        result[sample] = (order, rate, ea, light_rate(form, rate, ea, uv), [0.0] * len(LIQUIDS))
    heats = {order: (rate, ea) for order, rate, ea, *_ in result.values()}
    for sample, (_, order, points) in ZHONG2021.items():
        form = second_order if order == 2 else first_order
        rate, ea = heats[order]
        if "heat" in points:
            rate = heat_rate(form, ea, points["heat"])
        light = light_rate(form, rate, ea, points["light"]) if "light" in points else result["templated" if order == 1 else "control"][3]
        liquids = [liquid_rate(form, rate, ea, points[liquid]) if liquid in points else 0.0 for liquid in LIQUIDS]
        result[sample] = (order, rate, ea, light, liquids)
    return result


def line_of(sample, constants):
    """The line of ageing.py."""
    order, rate, _, light, liquids = constants
    words = [sample, str(order), f"{rate:.5g}", f"{light:.4e}".replace("e-0", "e-"), *(f"{k:.4g}" for k in liquids)]
    while len(words) > 4 and words[-1] == "0":
        words.pop()
    return " ".join(words)


def main():
    print(f"sample          order  heat 80 degC /h  Ea kJ/mol  light cm2/J  {'  '.join(f'{liquid} /h' for liquid in LIQUIDS)}")
    for sample, (order, rate, ea, light, liquids) in fit().items():
        print(f"{sample:<15} {order:5d}  {rate:15.5f}  {ea / 1000:9.2f}  {light:11.4e}  {'  '.join(f'{k:8.4g}' for k in liquids)}")
    print("\nLines of ageing.py:")
    for sample, constants in fit().items():
        print(line_of(sample, constants))
    print()
    print("Control in heat, published 40 % at 1 h and 10 % at 5 h:")
    for name, form in (("second order", second_order), ("first order", first_order)):
        rate = fit_rate(form, CONTROL_HEAT_80)
        left = [100 * form(rate * t) for t, _ in CONTROL_HEAT_80]
        print(f"  {name:<13} k = {rate:.4f} /h leaves {left[0]:.1f} % and {left[1]:.1f} %")
    print("Dark ageing at 25 degC in 48 h:")
    for sample in ("control", "templated"):
        order, rate, ea, *_ = fit()[sample]
        form = second_order if order == 2 else first_order
        print(f"  {sample:<10} leaves {100 * form(48 * rate_at_25(rate, ea)):.2f} %")


if __name__ == "__main__":
    main()
