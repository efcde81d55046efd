// The 30 pads: what the chip drives, what the bench drives from outside and the pulls make the level that everybody reads back.
// Records edges and meters levels. It outlives resets of the chip: a pin that was high before shows its fall.
import { GPIOPinState } from './library.mjs';

export const PIN_COUNT = 30;

/** Edges as 64-bit little-endian integers, cycle * 2 + level, in a buffer that grows. */
class EdgeLog {
  constructor() {
    this.clear();
  }

  clear() {
    this.words = new Uint32Array(1024);
    this.used = 0;
  }

  add(cycle, level) {
    if (this.used === this.words.length) {
      const larger = new Uint32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
    }
    this.words[this.used++] = ((cycle % 2 ** 31) * 2 + level) >>> 0;
    this.words[this.used++] = Math.floor(cycle / 2 ** 31);
  }

  bytes() {
    return Buffer.from(this.words.buffer, 0, this.used * 4);
  }
}

export class Pads {
  constructor(cycleNow) {
    this.cycleNow = cycleNow;
    this.outside = new Array(PIN_COUNT).fill(null); // level the bench drives, null: not driven
    this.levels = new Array(PIN_COUNT).fill(false);
    this.logs = new Array(PIN_COUNT).fill(null);
    this.highCycles = new Float64Array(PIN_COUNT);
    this.rises = new Float64Array(PIN_COUNT);
    this.changedAt = new Float64Array(PIN_COUNT);
    this.watchers = Array.from({ length: PIN_COUNT }, () => []);
  }

  /** Connects to a freshly started chip, whose pads are inputs with pull-down. */
  connect(mcu) {
    this.mcu = mcu;
    mcu.gpio.forEach((gpio, pin) => {
      gpio.addListener(() => this.resolve(pin));
      let pad = gpio.padValue;
      Object.defineProperty(gpio, 'padValue', {
        get: () => pad,
        set: (value) => {
          pad = value;
          this.resolve(pin);
        },
      });
    });
    for (let pin = 0; pin < PIN_COUNT; pin++) this.resolve(pin);
  }

  drive(pin, level) {
    this.outside[pin] = level === null ? null : !!level;
    this.resolve(pin);
  }

  /** The chip's own driver wins over the bench; the bench over a pull; a floating pin reads low. */
  levelOf(pin) {
    const gpio = this.mcu.gpio[pin];
    const state = gpio.value;
    if (state === GPIOPinState.High) return true;
    if (state === GPIOPinState.Low) return false;
    if (this.outside[pin] !== null) return this.outside[pin];
    if (state === GPIOPinState.InputPullUp) return true;
    return state === GPIOPinState.InputBusKeeper && gpio.rawInputValue;
  }

  resolve(pin) {
    const level = this.levelOf(pin);
    const gpio = this.mcu.gpio[pin];
    if (level !== gpio.rawInputValue) {
      gpio.setInputValue(level);
      for (const pio of this.mcu.pio) pio.pinChanged();
    }
    if (level !== this.levels[pin]) this.changed(pin, level);
  }

  changed(pin, level) {
    const cycle = this.cycleNow();
    this.levels[pin] = level;
    if (level) this.rises[pin]++;
    else this.highCycles[pin] += cycle - this.changedAt[pin];
    this.changedAt[pin] = cycle;
    this.logs[pin]?.add(cycle, level ? 1 : 0);
    for (const watcher of this.watchers[pin]) watcher(level);
  }

  record(pin) {
    this.logs[pin] ??= new EdgeLog();
  }

  /** Cycles high and rising edges since power-up. */
  meter(pin) {
    const running = this.levels[pin] ? this.cycleNow() - this.changedAt[pin] : 0;
    return { highCycles: this.highCycles[pin] + running, rises: this.rises[pin] };
  }
}
