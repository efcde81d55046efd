"""Heater block, sample and sensor: three first-order lags, advanced exactly for constant power, in integers.

Unit of a temperature: 2**-10 mdegC ("q", about 1 uK), so that 500 degC stay below 2**29. The block is one mass with one loss to
ambient; the sample follows block plus lamp heating; the sensor follows the block. Sample and lamp move once a second, block and sensor
every 100 ms. The factors below are 1 - exp(-dt / tau) in binary fractions; products stay below 2**30.

Assumed hardware: aluminium block of 60 J/K (about 67 g), 0.2 W/K to the room, a 24 W heater: tau 300 s, 120 K above ambient at full power.
"""

BLOCK_J_PER_K = 60.0
LOSS_W_PER_K = 0.2
HEATER_W = 24.0
SAMPLE_TAU_S = 20.0
SENSOR_TAU_S = 3.0
DETACHED_TAU_S = 8.0  # a bead in still air; first-second slope from 80 degC is 6.8 K/s, from 60 degC 4.5 K/s
LAMP_HEATING_MK_PER_MW_PER_CM2 = 50  # sample above block, steady
STEP_S = 0.1


def approach(dt_s, tau_s):
    """1 - exp(-dt / tau) by its series, for dt < tau / 4; the same on every math library."""
    x = dt_s / tau_s
    return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6)))))


_K_BLOCK = approach(STEP_S, BLOCK_J_PER_K / LOSS_W_PER_K)
LOSS_Q22 = int(_K_BLOCK * (1 << 22) + 0.5)  # of each mdegC above ambient; gives q / 4096
HEAT_PER_U16 = int(_K_BLOCK * (HEATER_W / LOSS_W_PER_K) * 1e3 * (1 << 22) / 65535 + 0.5)  # of each duty count; gives q / 4096
SENSOR_Q15 = int(approach(STEP_S, SENSOR_TAU_S) * (1 << 15) + 0.5)
DETACHED_Q15 = int(approach(STEP_S, DETACHED_TAU_S) * (1 << 15) + 0.5)
SAMPLE_Q15 = int(approach(1.0, SAMPLE_TAU_S) * (1 << 15) + 0.5)


def q_from_c(temp_c):
    """degC to q."""
    return int(temp_c * 1000) << 10


def c_from_q(q):
    """q to degC."""
    return q / 1024000


def block_step(block_q, ambient_q, rest, heater_u16):
    """One step of 100 ms; returns (block_q, rest). `rest` carries what is below one q, so that a small heat flow is not lost.

    rig.Plant.advance has these lines written out; tests/boards/test_plant_thermal.py holds the two together.
    """
    gained = heater_u16 * HEAT_PER_U16 - ((block_q - ambient_q) >> 10) * LOSS_Q22 + rest
    return block_q + (gained >> 12), gained & 4095


def loss_u16(block_q, ambient_q):
    """Heater duty whose heat equals what the block loses now; the loss of an open lid comes on top of the closed one's."""
    return (((block_q - ambient_q) >> 10) * LOSS_Q22 + HEAT_PER_U16 // 2) // HEAT_PER_U16


def follow(value_q, target_q, factor_q15):
    """One step of a first-order lag with a factor above."""
    return value_q + ((((target_q - value_q) >> 8) * factor_q15) >> 7)
