"""Properties of solvents against values printed elsewhere than in the tables that `chemicals` reads."""

import pytest

from remnant.flow import solvent
from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

# at 25 degC as handbooks of solvents print them: density kg/m3, viscosity mPa s, relative permittivity, boiling point degC
PRINTED = {
    "toluene": (862.3, 0.553, 2.379, 110.6),
    "N,N-dimethylformamide": (943.9, 0.802, 36.71, 153.0),
    "chlorobenzene": (1100.9, 0.756, 5.62, 131.7),
    "dichloromethane": (1316.8, 0.413, 8.93, 39.8),
    "chloroform": (1479.7, 0.536, 4.81, 61.2),
    "hexane": (654.8, 0.298, 1.88, 68.7),
    "water": (997.0, 0.890, 78.36, 100.0),
    "ethanol": (784.9, 1.083, 24.55, 78.3),
    "acetone": (784.4, 0.303, 20.56, 56.1),
}


@pytest.mark.parametrize("name", PRINTED)
def test_properties_agree_with_a_handbook(name):
    density, viscosity, permittivity, boiling = PRINTED[name]
    found = solvent(name)
    assert found.density_kg_per_m3 == pytest.approx(density, rel=0.005)
    assert found.viscosity_pa_s == pytest.approx(viscosity * 1e-3, rel=0.03)  # viscosities of handbooks differ by that
    assert found.permittivity == pytest.approx(permittivity, rel=0.03)
    assert found.boiling_c == pytest.approx(boiling, abs=0.6)
    assert set(found.origin) == {"density_kg_per_m3", "viscosity_pa_s", "permittivity"}


@pytest.mark.parametrize("name", PRINTED)
def test_tables_agree_among_themselves(name):
    assert max(solvent(name).spread.values()) < 0.03


def test_a_warm_solvent_is_thinner_and_lighter():
    cold, warm = solvent("toluene", 20.0), solvent("toluene", 60.0)
    assert warm.viscosity_pa_s < 0.75 * cold.viscosity_pa_s  # 0.590 to 0.38 mPa s
    assert warm.density_kg_per_m3 == pytest.approx(829.3, rel=0.005)
    assert warm.permittivity < cold.permittivity


def test_everyday_names_and_numbers_mean_the_same():
    assert solvent("DMF").cas == solvent("68-12-2").cas == solvent("N,N-dimethylformamide").cas == "68-12-2"


@pytest.mark.parametrize("name, temp_c, words", [("unobtainium", 25.0, "is not known"), ("toluene", 400.0, "400 degC is not within")])
def test_what_is_not_known_is_told(name, temp_c, words):
    with pytest.raises(RigError) as raised:
        solvent(name, temp_c)
    assert raised.value.code == codes.PLAN_INVALID
    assert words in raised.value.text


def test_a_property_that_no_table_has_is_told_when_it_is_needed():
    found = solvent("1-octadecene")
    assert found.viscosity_pa_s is None
    with pytest.raises(RigError) as raised:
        _ = found.kinematic_viscosity_m2_per_s
    assert "no table has its viscosity" in raised.value.text
