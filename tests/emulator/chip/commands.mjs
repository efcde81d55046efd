// The commands of the bench. Binary data travels as base64. Cycles count from power-up and never run back.
import { Chip } from './chip.mjs';
import { FLASH_BYTES } from './flash.mjs';

const decoded = (text) => Buffer.from(text ?? '', 'base64');
const encoded = (bytes) => Buffer.from(bytes).toString('base64');
const FILESYSTEM_OFFSET = 0xa0000;

/** Numbers of a wired input: dark and lit value with their noise, and the pin that lights it; lights: more [pin, value, time constant in cycles]. */
function source({ dark, lit = dark, pin = null, noise = 0, dark_noise: darkNoise = noise, lit_noise: litNoise = noise, lights = [] }) {
  return { dark, lit, pin, darkNoise, litNoise, lights };
}

function setAnalog(chip, channel, spec) {
  const input = chip.analog.inputs[channel];
  if (!input) throw new Error(`the ADC has inputs 0 to 4, not ${channel}`);
  if (spec.select_pins) {
    input.selectPins = spec.select_pins;
    input.selected = spec.inputs.map(source);
  } else if (spec.inputs) {
    input.selected = spec.inputs.map(source);
  } else {
    input.selectPins = null;
    input.direct = source(spec);
  }
}

function apply(chip, { analog = {}, drive = {}, usb }) {
  for (const [channel, spec] of Object.entries(analog)) setAnalog(chip, Number(channel), spec);
  for (const [pin, level] of Object.entries(drive)) chip.pads.drive(Number(pin), level);
  if (usb) chip.usb.send(decoded(usb));
}

/** Levels of the metered pins since the last slice, and everything else that happened in it. */
function slice(bench) {
  const { chip, metered } = bench;
  const reply = { cycle: chip.cycle, connected: chip.usb.connected, high: {}, rises: {}, resets: chip.resets.slice(bench.resetsTold) };
  bench.resetsTold = chip.resets.length;
  for (const [pin, last] of metered) {
    const now = chip.pads.meter(pin);
    reply.high[pin] = now.highCycles - last.highCycles;
    reply.rises[pin] = now.rises - last.rises;
    metered.set(pin, now);
  }
  return reply;
}

export const COMMANDS = {
  open(bench, values) {
    const chip = new Chip({
      flashTiming: values.flash_timing,
      xipMissCycles: values.xip_miss_cycles,
      fastForward: values.fast_forward,
      seed: values.seed,
    });
    if (values.flash_image) chip.flash.bytes.set(decoded(values.flash_image).subarray(0, FLASH_BYTES), 0);
    if (values.image) chip.flash.bytes.set(decoded(values.image), 0);
    if (values.filesystem) chip.flash.bytes.set(decoded(values.filesystem), FILESYSTEM_OFFSET);
    Object.assign(bench, { chip, metered: new Map(), resetsTold: 0 });
    chip.start('power');
    return slice(bench);
  },

  /** Moves time on by `cycles`; stops before when the chip has sent `until`. The only command that lets time pass. */
  run(bench, values) {
    const { chip } = bench;
    apply(chip, values);
    const end = chip.cycle + values.cycles;
    let through = null;
    if (values.until) {
      const pattern = decoded(values.until);
      through = chip.usb.takeThrough(pattern);
      chip.stopOnReceive = () => {
        through ??= chip.usb.takeThrough(pattern);
        return through !== null;
      };
    }
    try {
      if (through === null) chip.runTo(end);
    } finally {
      chip.stopOnReceive = null;
    }
    const reply = slice(bench);
    if (values.until) reply.through = through === null ? null : encoded(through);
    if (values.take) reply.usb = encoded(chip.usb.take());
    return reply;
  },

  apply: (bench, values) => apply(bench.chip, values),
  usb_take: ({ chip }) => ({ usb: encoded(chip.usb.take()) }),
  usb_hold: ({ chip }, { on }) => chip.usb.hold(on),
  meter(bench, { pins }) {
    bench.metered = new Map(pins.map((pin) => [pin, bench.chip.pads.meter(pin)]));
  },
  freeze({ chip }, { on }) {
    chip.frozen = on;
  },
  reset(bench, { cause }) {
    bench.chip.start(cause);
    return slice(bench);
  },
  stats: ({ chip }) => chip.stats(),

  pin_record: ({ chip }, { pin }) => chip.pads.record(pin),
  pin_edges: ({ chip }, { pin }) => ({ edges: encoded(chip.pads.logs[pin]?.bytes() ?? []) }),
  pin_clear: ({ chip }, { pin }) => chip.pads.logs[pin]?.clear(),
  pin_state: ({ chip }, { pin }) => ({ level: chip.pads.levels[pin], function: chip.mcu.gpio[pin].functionSelect }),

  adc_record({ chip }, { channel }) {
    chip.analog.inputs[channel].samples = [];
  },
  adc_samples: ({ chip }, { channel }) => ({ samples: encoded(Float64Array.from(chip.analog.inputs[channel].samples ?? []).buffer) }),

  flash_read: ({ chip }, { offset, count }) => ({ data: encoded(chip.flash.bytes.subarray(offset, offset + count)) }),
  flash_write({ chip }, { offset, data }) {
    chip.flash.bytes.set(decoded(data), offset);
    chip.xip?.flush();
  },

  flash_power({ chip }, { bytes }) {
    chip.flash.powerFor = bytes;
  },

  uart_send: ({ chip }, { bus, data }) => chip.mcu.uart[bus].receive(decoded(data)),
  uart_take: ({ chip }, { bus }) => ({ data: encoded(Uint8Array.from(chip.mcu.uart[bus].sent.splice(0))) }),
  i2c_device({ chip }, { bus, address, registers }) {
    chip.i2c[bus].addRegisters(address, decoded(registers));
  },
  i2c_registers: ({ chip }, { bus, address }) => ({ data: encoded(chip.i2c[bus].devices.get(address).registers) }),
  i2c_hang({ chip }, { bus, on }) {
    chip.i2c[bus].hung = on;
  },
  spi_device({ chip }, { bus, select_pin: selectPin, registers }) {
    chip.spi[bus].addRegisters(selectPin, decoded(registers));
  },
  spi_registers: ({ chip }, { bus, select_pin: selectPin }) => ({
    data: encoded(chip.spi[bus].devices.find((device) => device.selectPin === selectPin).registers),
  }),
};
