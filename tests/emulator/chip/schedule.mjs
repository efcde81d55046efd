// Advances time: alarms of the peripherals and turns of the PIO state machines, in the order of the cycles they fall on.
// On one cycle the alarms come first, then the turns of all machines, then alarms that these turns set (DMA), then the pins show.
export class Schedule {
  constructor(clock, fastForward) {
    this.clock = clock;
    this.fastForward = fastForward;
    this.pios = [];
    this.machines = [];
    this.pioNext = Infinity; // cycle of the earliest turn of any machine
    this.pioDone = 0; // inside advanceTo: cycle up to which all turns are over
    this.advancing = false;
    this.events = 0;
    this.skipped = 0;
  }

  adopt(pio) {
    this.pios = [...this.pios.filter((known) => known !== pio), pio].sort((a, b) => a.index - b.index);
    this.machines = this.pios.flatMap((each) => each.machines);
  }

  expect(at) {
    if (at < this.pioNext) this.pioNext = at;
  }

  cycle() {
    return this.clock.cycle;
  }

  /** The first cycle on which a machine can still take a turn. Between two advances the turns of the present cycle are over. */
  soonest() {
    return this.advancing ? Math.max(this.clock.cycle, this.pioDone + 1) : this.clock.cycle + 1;
  }

  get nextEvent() {
    return Math.min(this.clock.nextAt, this.pioNext);
  }

  advanceTo(target) {
    const { clock } = this;
    this.pioDone = clock.now;
    this.advancing = true;
    while (clock.nextAt <= target || this.pioNext <= target) {
      const alarmCycle = clock.nextAt === Infinity ? Infinity : Math.ceil(clock.nextAt - 1e-6);
      if (alarmCycle <= this.pioNext) {
        // an alarm between two cycles shows on the later one
        clock.advanceTo(alarmCycle);
      } else {
        clock.now = this.pioNext;
        this.runTurns(this.pioNext);
      }
    }
    clock.now = target;
    this.advancing = false;
  }

  runTurns(cycle) {
    this.pioDone = cycle;
    for (const machine of this.machines) {
      if (machine.nextAt <= cycle) {
        machine.tick(this);
        this.events++;
      }
    }
    let next = Infinity;
    this.pioNext = Infinity;
    for (const pio of this.pios) pio.showPins();
    for (const machine of this.machines) if (machine.nextAt < next) next = machine.nextAt;
    if (next < this.pioNext) this.pioNext = next;
  }
}
