"""Fit the ageing constants of ageing.py to the published stability points.

Runs on CPython with scipy: `python boards/plant/fit_kinetics.py`.
Source: liang2023 = Liang et al., Nanoscale Adv. 2023, 5, 2038-2044, doi 10.1039/d2na00744d, fig. 5 and the text beside it.
zhong2021 = Zhong et al., Nanoscale 2021, 13, 19341-19351, doi 10.1039/d1nr05478c, table 1.

Forms. The control ages in heat by second order, R = 1 / (1 + k t): the paper explains its loss by ligands that come off and particles
that then meet and clump, which takes two partners. One constant meets both published heat points. Everything else has one published
point a curve and is first order, R = exp(-k t) or exp(-q H). Rates follow Arrhenius; the activation energies come from fig. 5a (storage)
beside fig. 5c (80 degC), on the assumption that storage and heat run the same process. Light acts by radiant exposure H alone.
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

UV_MW_PER_CM2 = 10.0  # the paper gives no irradiance; ours, as the plan uv-365 sets it (README.md)


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


def fit():
    """Return {sample: (order, heat rate at 80 degC in 1/h, Ea in J/mol, light constant in cm2/J)}."""
    result = {}
    for sample, order, form, heat, storage, uv in (
        ("control", 2, second_order, CONTROL_HEAT_80, CONTROL_STORAGE, CONTROL_UV),
        ("templated", 1, first_order, TEMPLATED_HEAT_80, TEMPLATED_STORAGE, TEMPLATED_UV),
    ):
        rate = fit_rate(form, heat)
        ea = activation_energy(form, rate, storage)
        result[sample] = (order, rate, ea, light_rate(form, rate, ea, uv))
    return result


def main():
    print("sample     order  heat 80 degC /h  Ea kJ/mol  light cm2/J")
    for sample, (order, rate, ea, light) in fit().items():
        print(f"{sample:<10} {order:5d}  {rate:15.5f}  {ea / 1000:9.2f}  {light:.4e}")
    print()
    print("Control in heat, published 40 % at 1 h and 10 % at 5 h:")
    for name, form in (("second order", second_order), ("first order", first_order)):
        rate = fit_rate(form, CONTROL_HEAT_80)
        left = [100 * form(rate * t) for t, _ in CONTROL_HEAT_80]
        print(f"  {name:<13} k = {rate:.4f} /h leaves {left[0]:.1f} % and {left[1]:.1f} %")
    print("Dark ageing at 25 degC in 48 h:")
    for sample, (order, rate, ea, _) in fit().items():
        form = second_order if order == 2 else first_order
        print(f"  {sample:<10} leaves {100 * form(48 * rate_at_25(rate, ea)):.2f} %")


if __name__ == "__main__":
    main()
