// Emulated time in system clock cycles of 8 ns, and the alarms of the peripherals in the order they fall due.
// It offers what rp2040js asks of a clock (nanos, createAlarm) and the two numbers that the run loop looks at: now and nextAt.
export const CYCLE_NS = 8;
export const CYCLES_PER_MS = 125_000;
export const SYSTEM_HZ = 125e6;

class Alarm {
  constructor(clock, callback) {
    this.clock = clock;
    this.callback = callback;
    this.at = Infinity; // cycles; fractions are kept, so that a PWM with a fractional divider does not drift
    this.next = null;
    this.scheduled = false;
  }

  schedule(deltaNanos) {
    if (this.scheduled) this.cancel();
    this.clock.link(this, this.clock.now + deltaNanos / CYCLE_NS);
  }

  cancel() {
    if (this.scheduled) this.clock.unlink(this);
  }
}

export class CycleClock {
  constructor() {
    this.now = 0; // cycles since this start of the chip; a whole number outside of alarm callbacks
    this.first = null;
    this.nextAt = Infinity;
  }

  get nanos() {
    return this.now * CYCLE_NS;
  }

  get micros() {
    return (this.now * CYCLE_NS) / 1000;
  }

  /** The cycle whose edge shows what happens now. The small term takes back rounding of nanoseconds. */
  get cycle() {
    return Math.ceil(this.now - 1e-6);
  }

  createAlarm(callback) {
    return new Alarm(this, callback);
  }

  /** Alarms of one instant fire in the order in which they were set. */
  link(alarm, at) {
    alarm.at = at;
    alarm.scheduled = true;
    let before = null;
    let after = this.first;
    while (after !== null && after.at <= at) {
      before = after;
      after = after.next;
    }
    alarm.next = after;
    if (before === null) {
      this.first = alarm;
      this.nextAt = at;
    } else {
      before.next = alarm;
    }
  }

  unlink(alarm) {
    alarm.scheduled = false;
    let before = null;
    let here = this.first;
    while (here !== null && here !== alarm) {
      before = here;
      here = here.next;
    }
    if (here === null) return;
    if (before === null) {
      this.first = alarm.next;
      this.nextAt = this.first === null ? Infinity : this.first.at;
    } else {
      before.next = alarm.next;
    }
  }

  /** Moves time to `cycle` and fires every alarm due by then, each at its own instant. */
  advanceTo(cycle) {
    while (this.nextAt <= cycle) {
      const alarm = this.first;
      this.first = alarm.next;
      this.nextAt = this.first === null ? Infinity : this.first.at;
      if (alarm.at > this.now) this.now = alarm.at;
      alarm.scheduled = false;
      alarm.callback();
    }
    this.now = cycle;
  }
}
