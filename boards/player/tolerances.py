"""Another block: what is not known of a rig's heater (heat capacity, power, room) as factors on the plant's constants."""

from plant import rig, thermal


def apply(capacity=1.0, power=1.0):
    """Let the block of this process have `capacity` times its heat capacity and its heater `power` times its power."""
    tau_s = capacity * thermal.BLOCK_J_PER_K / thermal.LOSS_W_PER_K
    k = thermal.approach(thermal.STEP_S, tau_s) * (1 << 22)
    rig.LOSS_Q22 = int(k + 0.5)
    rig.HEAT_PER_U16 = int(k * (power * thermal.HEATER_W / thermal.LOSS_W_PER_K) * 1e3 / 65535 + 0.5)


def heater_w(power=1.0):
    """Its power at full duty."""
    return power * thermal.HEATER_W


def block(capacity=1.0):
    """What a message says of the block."""
    return {"j_per_k": capacity * thermal.BLOCK_J_PER_K, "loss_w_per_k": thermal.LOSS_W_PER_K}
