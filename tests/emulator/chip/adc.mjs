// The ADC with its FIFO, round robin, pacing and DMA requests (RP2040 datasheet 4.9), and what is wired to its inputs.
// A conversion takes 96 cycles of 48 MHz, 2 us; the input is sampled at the instant it starts.
import { BasePeripheral, DREQChannel, IRQ } from './library.mjs';
import { Chance } from './chance.mjs';

const CHANNELS = 5;
const CONVERSION_TICKS = 96, TICK_NS = 1e9 / 48e6;
const EN = 1, START_ONE = 4, START_MANY = 8, READY = 1 << 8, CS_WRITABLE = 0x1f700f;
const FIFO_EN = 1, FIFO_SHIFT = 2, DREQ_EN = 8, FIFO_DEPTH = 4, UNDER = 1 << 10, OVER = 1 << 11, FCS_WRITABLE = 0x0f00000f;
const ROOM_TEMPERATURE = 14020; // input 4 reads 27 degC: 0.706 V of 3.3 V on a scale of 65535

/** A light on a pin seen through an amplifier that follows it with a time constant: 0 dark, 1 lit. */
class Glow {
  constructor(pads, cycleNow, pin, tauCycles) {
    Object.assign(this, { cycleNow, tauCycles, on: pads.levels[pin], seen: pads.levels[pin] ? 1 : 0, since: cycleNow() });
    pads.watchers[pin].push((level) => {
      this.seen = this.now();
      this.since = cycleNow();
      this.on = level;
    });
  }

  now() {
    const target = this.on ? 1 : 0;
    if (!this.tauCycles) return target;
    return target + (this.seen - target) * Math.exp((this.since - this.cycleNow()) / this.tauCycles);
  }
}

/** What the pins of the ADC see. Kept by the bench, so that it outlives resets. */
export class AnalogInputs {
  constructor(seed, pads, cycleNow) {
    Object.assign(this, { pads, cycleNow, glows: new Map() });
    this.inputs = Array.from({ length: CHANNELS }, (_, channel) => ({
      direct: { dark: channel === 4 ? ROOM_TEMPERATURE : 0, darkNoise: 0, lit: 0, litNoise: 0, pin: null },
      selectPins: null,
      selected: [],
      chance: new Chance(seed, `adc${channel}`),
      samples: null,
    }));
  }

  glow(pin, tauCycles = 0) {
    const key = `${pin} ${tauCycles}`;
    if (!this.glows.has(key)) this.glows.set(key, new Glow(this.pads, this.cycleNow, pin, tauCycles));
    return this.glows.get(key);
  }

  sample(channel) {
    const input = this.inputs[channel];
    if (!input) return 0;
    let source = input.direct;
    if (input.selectPins !== null) {
      const address = input.selectPins.reduce((bits, pin, place) => bits | (this.pads.levels[pin] ? 1 << place : 0), 0);
      source = input.selected[address] ?? { dark: 0, darkNoise: 0, pin: null };
    }
    const lit = source.pin !== null && this.pads.levels[source.pin];
    const noise = lit ? source.litNoise : source.darkNoise;
    let value = (lit ? source.lit : source.dark) + (noise ? noise * input.chance.gauss() : 0);
    for (const [pin, bright, tauCycles] of source.lights ?? []) value += (bright - source.dark) * this.glow(pin, tauCycles).now();
    const counts = Math.min(4095, Math.max(0, Math.round(value / 16)));
    input.samples?.push(this.cycleNow(), counts, lit ? 1 : 0);
    return counts;
  }
}

export class Adc extends BasePeripheral {
  constructor(rp2040, inputs) {
    super(rp2040, 'ADC');
    this.inputs = inputs;
    this.done = rp2040.clock.createAlarm(() => this.finish());
    this.paced = rp2040.clock.createAlarm(() => this.start());
    this.reset();
  }

  reset() {
    this.done.cancel();
    this.paced.cancel();
    Object.assign(this, { cs: 0, fcs: 0, div: 0, enabled: 0, forced: 0, result: 0, busy: false, pending: 0, fifo: [] });
    this.update();
  }

  get channel() {
    return (this.cs >> 12) & 7;
  }

  get threshold() {
    return (this.fcs >> 24) & 15;
  }

  get raw() {
    return this.fifo.length >= this.threshold && this.fifo.length > 0 ? 1 : 0;
  }

  start() {
    if (!(this.cs & EN)) return;
    this.busy = true;
    this.pending = this.inputs.sample(this.channel);
    this.done.schedule(CONVERSION_TICKS * TICK_NS);
    if (this.cs & START_MANY && this.periodTicks > CONVERSION_TICKS) this.paced.schedule(this.periodTicks * TICK_NS);
  }

  get periodTicks() {
    return 1 + ((this.div >> 8) & 0xffff) + (this.div & 255) / 256;
  }

  finish() {
    this.busy = false;
    this.result = this.pending;
    if (this.fcs & FIFO_EN) {
      if (this.fifo.length >= FIFO_DEPTH) this.fcs |= OVER;
      else this.fifo.push(this.fcs & FIFO_SHIFT ? this.result >> 4 : this.result);
    }
    const robin = (this.cs >> 16) & 31;
    if (robin) {
      let channel = this.channel;
      do channel = (channel + 1) % CHANNELS;
      while (!(robin & (1 << channel)));
      this.cs = (this.cs & ~(7 << 12)) | (channel << 12);
    }
    this.update();
    if (this.cs & START_MANY && this.periodTicks <= CONVERSION_TICKS) this.start();
  }

  /** DMA request and interrupt follow level, threshold and enables, whichever of them changed. */
  update() {
    const { dma } = this.rp2040;
    if (this.fcs & DREQ_EN && this.raw) dma.setDREQ(DREQChannel.DREQ_ADC);
    else dma.clearDREQ(DREQChannel.DREQ_ADC);
    this.rp2040.setInterrupt(IRQ.ADC_FIFO, !!((this.raw & this.enabled) | this.forced));
  }

  takeFromFifo() {
    if (this.fifo.length === 0) {
      this.fcs |= UNDER;
      return 0;
    }
    const value = this.fifo.shift();
    this.update();
    return value;
  }

  readUint32(offset) {
    switch (offset) {
      case 0x00:
        return this.cs | (this.busy ? 0 : READY);
      case 0x04:
        return this.result;
      case 0x08: {
        const level = this.fifo.length;
        return this.fcs | (level << 16) | (level === FIFO_DEPTH ? 1 << 9 : 0) | (level === 0 ? 1 << 8 : 0);
      }
      case 0x0c:
        return this.takeFromFifo();
      case 0x10:
        return this.div;
      case 0x14:
        return this.raw;
      case 0x18:
        return this.enabled;
      case 0x1c:
        return this.forced;
      case 0x20:
        return (this.raw & this.enabled) | this.forced;
      default:
        return 0;
    }
  }

  writeUint32(offset, value) {
    switch (offset) {
      case 0x00:
        this.cs = value & CS_WRITABLE & ~START_ONE;
        if (!(value & START_MANY)) this.paced.cancel();
        if (value & EN && !this.busy && !this.paced.scheduled && value & (START_ONE | START_MANY)) this.start();
        break;
      case 0x08:
        this.fcs = (value & FCS_WRITABLE) | (this.fcs & (OVER | UNDER) & ~this.rawWriteValue);
        break;
      case 0x10:
        this.div = value & 0xffffff;
        break;
      case 0x18:
        this.enabled = value & 1;
        break;
      case 0x1c:
        this.forced = value & 1;
        break;
    }
    this.update();
  }
}
