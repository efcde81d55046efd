// One PIO state machine, exact to the system clock cycle (RP2040 datasheet chapter 3).
//
// Its clock divider runs free: turn n of the machine falls on cycle base + floor(n * divider / 256). An instruction takes one
// turn, a delay adds turns, a stalled instruction is tried again in the first turn after something that it waits for changed.
import { FDEBUG, InstructionUnit, STALLED_ON } from './pio_instructions.mjs';

const AUTOPULL = 1 << 17, JOIN_TX = 1 << 30, JOIN_RX = 1 << 31, EXEC_STALLED = 1 << 31;

export class StateMachine extends InstructionUnit {
  constructor(pio, index) {
    super(pio, index);
    this.enabled = false;
    Object.assign(this, { base: 0, turn: 0, owed: 0, nextAt: Infinity }); // owed: turns of delay left when it was disabled
    this.stalled = STALLED_ON.nothing;
    this.skip = null; // a delay loop in flight: see skipLoop
    this.updateDreq();
  }

  // ---- turns and cycles

  timeOf(turn) {
    return this.divider === 256 ? this.base + turn : this.base + Math.floor((turn * this.divider) / 256);
  }

  turnAtOrAfter(cycle) {
    return this.divider === 256 ? cycle - this.base : Math.ceil(((cycle - this.base) * 256) / this.divider);
  }

  planAt(turn) {
    this.turn = turn;
    this.nextAt = this.timeOf(turn);
    this.pio.schedule.expect(this.nextAt);
  }

  restartDivider() {
    const pending = this.nextAt !== Infinity;
    const ahead = pending ? Math.max(0, this.turn - this.turnAtOrAfter(this.pio.schedule.soonest())) : 0;
    this.base = this.pio.schedule.cycle();
    if (pending) this.planAt(1 + ahead);
    else this.turn = 0;
  }

  setEnabled(on) {
    if (on === this.enabled) return;
    this.enabled = on;
    const first = this.turnAtOrAfter(this.pio.schedule.soonest());
    if (on) {
      this.stalled = STALLED_ON.nothing; // tried afresh
      this.planAt(first + this.owed);
    } else {
      this.owed = this.nextAt === Infinity ? 0 : Math.max(0, this.turn - first);
      this.nextAt = Infinity;
    }
  }

  /** SM_RESTART: clears shift counters, ISR, delay, latched instruction and stall; X, Y, OSR and PC stay. */
  restart() {
    Object.assign(this, { isr: 0, isrCount: 0, osrCount: 32, owed: 0, latched: -1, midway: false, stalled: STALLED_ON.nothing });
    if (this.enabled) this.planAt(this.turnAtOrAfter(this.pio.schedule.soonest()));
  }

  /** Something changed that a machine stalled on `reason` may wait for. */
  wake(reason) {
    if (this.stalled !== reason) return;
    if (this.enabled) {
      if (this.nextAt === Infinity) this.planAt(Math.max(this.turn + 1, this.turnAtOrAfter(this.pio.schedule.soonest())));
    } else if (this.latched >= 0) {
      this.execute(this.latched); // the latched instruction does not need the machine enabled
    }
  }

  /** The turn that falls on this cycle. */
  tick(turns) {
    const fromLatch = this.latched >= 0;
    const op = fromLatch ? this.latched : this.pio.program[this.pc];
    this.skip = null;
    if (turns.fastForward && !fromLatch && (op & 0xe01f) === this.pc && this.skipLoop(op, turns)) return;
    const before = this.latched;
    this.stalled = this.perform(op);
    if (this.stalled !== STALLED_ON.nothing) {
      if (this.stalled === STALLED_ON.turn) this.nextAt = this.timeOf(++this.turn);
      else this.nextAt = Infinity;
      return;
    }
    if (fromLatch && this.latched === before) this.latched = -1;
    if (!fromLatch && !this.jumped) this.pc = this.pc === this.wrapTop ? this.wrapBottom : (this.pc + 1) & 31;
    const delay = this.latched >= 0 ? 0 : (op >> 8) & this.delayMask;
    this.turn += 1 + delay;
    this.nextAt = this.timeOf(this.turn);
  }

  // ---- delay loops in one event

  /**
   * `jmp x--` or `jmp y--` to itself does nothing but count. The taken turns are passed over at once; the register is written
   * back at the end, or by settle() when somebody touches the machine in between. Returns whether it was done.
   */
  skipLoop(op, turns) {
    const condition = (op >> 5) & 7;
    if (condition !== 2 && condition !== 4) return false;
    const register = condition === 2 ? 'x' : 'y';
    const count = this[register];
    if (count < 2) return false;
    this.sideset(op);
    const turnsEach = 1 + ((op >> 8) & this.delayMask);
    this.skip = { register, count, turn: this.turn, turnsEach };
    this[register] = 0;
    this.turn += count * turnsEach;
    this.nextAt = this.timeOf(this.turn);
    turns.skipped += count - 1;
    return true;
  }

  /** Puts a machine that is being passed over a delay loop where it stands now. */
  settle() {
    const skip = this.skip;
    if (skip === null) return;
    this.skip = null;
    if (this.nextAt === Infinity) return;
    const soonest = this.turnAtOrAfter(this.pio.schedule.soonest()); // turns before this one are over
    const done = Math.min(skip.count, Math.max(1, Math.ceil((soonest - skip.turn) / skip.turnsEach)));
    this[skip.register] = skip.count - done;
    this.planAt(skip.turn + done * skip.turnsEach);
  }

  // ---- instructions from the bus

  /** A write to SMx_INSTR: done at once, also while the machine is disabled; it replaces a stalled instruction. */
  execute(op) {
    const stalledBefore = this.stalled;
    this.midway = this.latched === op && this.midway;
    this.latched = -1;
    this.stalled = this.perform(op);
    if (this.stalled !== STALLED_ON.nothing) {
      this.latched = op;
      this.latchedByWrite = true;
      if (!this.enabled) return;
      this.nextAt = Infinity;
      if (this.stalled === STALLED_ON.turn) this.planAt(this.turnAtOrAfter(this.pio.schedule.soonest()));
    } else if (this.enabled && (stalledBefore !== STALLED_ON.nothing || this.jumped || this.latched >= 0)) {
      this.planAt(this.turnAtOrAfter(this.pio.schedule.soonest()));
    } else if (this.jumped) {
      this.owed = 0;
    }
  }

  // ---- registers

  setClkdiv(value) {
    const pending = this.nextAt !== Infinity;
    const ahead = pending ? Math.max(0, this.turn - this.turnAtOrAfter(this.pio.schedule.soonest())) : 0;
    this.clkdiv = value;
    this.decode();
    this.base = this.pio.schedule.cycle();
    if (pending) this.planAt(1 + ahead);
    else this.turn = 0;
  }

  setShiftCtrl(value) {
    const changed = (value ^ this.shiftCtrl) & (JOIN_TX | JOIN_RX);
    this.shiftCtrl = value;
    this.decode();
    if (!changed) return;
    this.tx.resize(value & JOIN_RX ? 0 : value & JOIN_TX ? 8 : 4);
    this.rx.resize(value & JOIN_TX ? 0 : value & JOIN_RX ? 8 : 4);
    this.updateDreq();
    this.wake(STALLED_ON.rx);
  }

  readRegister(offset) {
    const stalled = this.latched >= 0 && this.latchedByWrite && this.stalled !== STALLED_ON.nothing;
    switch (offset) {
      case 0x00:
        return this.clkdiv;
      case 0x04:
        return ((this.execCtrl & ~EXEC_STALLED) | (stalled ? EXEC_STALLED : 0)) >>> 0;
      case 0x08:
        return this.shiftCtrl;
      case 0x0c:
        return this.pc;
      case 0x10:
        return this.latched >= 0 ? this.latched : this.pio.program[this.pc];
      default:
        return this.pinCtrl;
    }
  }

  writeRegister(offset, value) {
    switch (offset) {
      case 0x00:
        this.setClkdiv(value);
        break;
      case 0x04:
        this.execCtrl = value & ~EXEC_STALLED;
        this.decode();
        break;
      case 0x08:
        this.setShiftCtrl(value);
        break;
      case 0x10:
        this.execute(value & 0xffff);
        break;
      case 0x14:
        this.pinCtrl = value;
        this.decode();
        break;
    }
  }

  // ---- FIFOs as the bus sees them

  writeTx(word) {
    if (this.tx.full) {
      this.pio.fdebug |= 1 << (FDEBUG.txOver + this.index);
      return;
    }
    this.tx.push(word);
    if (this.enabled && this.shiftCtrl & AUTOPULL && this.osrCount >= this.pullThreshold && this.stalled !== STALLED_ON.tx) this.refill();
    this.updateDreq();
    this.wake(STALLED_ON.tx);
  }

  readRx() {
    if (this.rx.empty) {
      this.pio.fdebug |= 1 << (FDEBUG.rxUnder + this.index);
      return 0;
    }
    const word = this.rx.pull();
    this.updateDreq();
    this.wake(STALLED_ON.rx);
    return word;
  }
}
