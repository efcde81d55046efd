// The instructions of a PIO state machine (RP2040 datasheet 3.4) and the registers and FIFOs they work on. When they run is the
// business of pio_machine.mjs.
import { Fifo } from './pio_fifo.mjs';

const JMP = 0, WAIT = 1, IN = 2, OUT = 3, PUSH_PULL = 4, MOV = 5, IRQ = 6;
const AUTOPUSH = 1 << 16, AUTOPULL = 1 << 17, IN_RIGHT = 1 << 18, OUT_RIGHT = 1 << 19;
const STATUS_OF_RX = 1 << 4, SIDE_PINDIR = 1 << 29, SIDE_ENABLE = 1 << 30;
export const STALLED_ON = { nothing: 0, tx: 1, rx: 2, pin: 3, irq: 4, turn: 5 };
export const FDEBUG = { rxStall: 0, rxUnder: 8, txOver: 16, txStall: 24 };

function reversed(word) {
  let out = 0;
  for (let i = 0; i < 32; i++) out = (out << 1) | ((word >>> i) & 1);
  return out >>> 0;
}

export class InstructionUnit {
  constructor(pio, index) {
    Object.assign(this, { pio, index, dreqTx: pio.index * 8 + index, dreqRx: pio.index * 8 + 4 + index });
    this.tx = new Fifo();
    this.rx = new Fifo();
    Object.assign(this, { x: 0, y: 0, pc: 0, isr: 0, isrCount: 0, osr: 0, osrCount: 32 });
    Object.assign(this, { clkdiv: 0x10000, execCtrl: 0x1f << 12, shiftCtrl: 3 << 18, pinCtrl: 5 << 26 });
    this.latched = -1; // an instruction from OUT EXEC, MOV EXEC or a stalled SMx_INSTR that goes before the program
    this.latchedByWrite = false;
    this.midway = false; // the first half of IN or IRQ WAIT is done, only the stall is left
    this.jumped = false;
    this.decode();
  }

  /** Carries out one instruction; returns what it stalls on. A stalled instruction still sets its side-set pins. */
  perform(op) {
    this.jumped = false;
    if (this.osrCount >= this.pullThreshold && this.shiftCtrl & AUTOPULL && op >>> 13 !== OUT) this.refill();
    const stalled = this.operate(op);
    if (this.sideCount) this.sideset(op);
    if (stalled === STALLED_ON.nothing) this.midway = false;
    return stalled;
  }

  operate(op) {
    const argument = op & 0x1f;
    const selector = (op >> 5) & 7;
    switch (op >>> 13) {
      case JMP:
        if (this.condition(selector)) this.jump(argument);
        return STALLED_ON.nothing;
      case WAIT:
        return this.waitFor(selector & 3, !!(op & 0x80), argument);
      case IN:
        return this.shiftInto(this.source(selector), argument || 32);
      case OUT:
        return this.shiftOut(selector, argument || 32);
      case PUSH_PULL:
        return op & 0x80 ? this.pull(!!(op & 0x40), !!(op & 0x20)) : this.push(!!(op & 0x40), !!(op & 0x20));
      case MOV:
        return this.move(selector, (op >> 3) & 3, op & 7);
      case IRQ:
        return this.raise(op);
      default: // SET
        if (selector === 0) this.pio.setPins(argument, this.setBase, this.setCount);
        else if (selector === 1) this.x = argument;
        else if (selector === 2) this.y = argument;
        else if (selector === 4) this.pio.setDirections(argument, this.setBase, this.setCount);
        return STALLED_ON.nothing;
    }
  }

  jump(address) {
    this.pc = address & 31;
    this.jumped = true;
  }

  condition(selector) {
    switch (selector) {
      case 0:
        return true;
      case 1:
        return this.x === 0;
      case 2: {
        const old = this.x;
        this.x = (old - 1) >>> 0;
        return old !== 0;
      }
      case 3:
        return this.y === 0;
      case 4: {
        const old = this.y;
        this.y = (old - 1) >>> 0;
        return old !== 0;
      }
      case 5:
        return this.x !== this.y;
      case 6:
        return this.pio.inputOf((this.execCtrl >> 24) & 31);
      default:
        return this.osrCount < this.pullThreshold;
    }
  }

  waitFor(kind, polarity, argument) {
    if (kind === 2) {
      const flag = 1 << this.irqNumber(argument);
      if (!!(this.pio.irq & flag) !== polarity) return STALLED_ON.irq;
      if (polarity) this.pio.clearIrq(flag);
      return STALLED_ON.nothing;
    }
    const pin = kind === 0 ? argument : (argument + this.inBase) & 31;
    return this.pio.inputOf(pin) === polarity ? STALLED_ON.nothing : STALLED_ON.pin;
  }

  source(selector) {
    switch (selector) {
      case 0:
        return this.pio.inputsFrom(this.inBase);
      case 1:
        return this.x;
      case 2:
        return this.y;
      case 5: {
        const level = this.execCtrl & STATUS_OF_RX ? this.rx.count : this.tx.count;
        return level < (this.execCtrl & 15) ? 0xffffffff : 0;
      }
      case 6:
        return this.isr;
      case 7:
        return this.osr;
      default:
        return 0;
    }
  }

  shiftInto(value, bits) {
    if (!this.midway) {
      if (bits === 32) this.isr = value >>> 0;
      else if (this.shiftCtrl & IN_RIGHT) this.isr = ((this.isr >>> bits) | (value << (32 - bits))) >>> 0;
      else this.isr = ((this.isr << bits) | (value & ((1 << bits) - 1))) >>> 0;
      this.isrCount = Math.min(32, this.isrCount + bits);
    }
    if (!(this.shiftCtrl & AUTOPUSH) || this.isrCount < this.pushThreshold) return STALLED_ON.nothing;
    this.midway = true;
    return this.push(false, true);
  }

  push(ifFull, block) {
    if (ifFull && this.isrCount < this.pushThreshold) return STALLED_ON.nothing;
    if (this.rx.full) {
      this.pio.fdebug |= 1 << (FDEBUG.rxStall + this.index);
      if (block) return STALLED_ON.rx;
    } else {
      this.rx.push(this.isr);
      this.updateDreq();
    }
    this.isr = 0;
    this.isrCount = 0;
    return STALLED_ON.nothing;
  }

  pull(ifEmpty, block) {
    if (ifEmpty && this.osrCount < this.pullThreshold) return STALLED_ON.nothing;
    if (this.shiftCtrl & AUTOPULL && this.osrCount === 0) return STALLED_ON.nothing; // with autopull a PULL of a full OSR is a barrier
    if (!this.tx.empty) {
      this.refill();
    } else if (block) {
      this.pio.fdebug |= 1 << (FDEBUG.txStall + this.index);
      return STALLED_ON.tx;
    } else {
      this.osr = this.x;
      this.osrCount = 0;
    }
    return STALLED_ON.nothing;
  }

  refill() {
    if (this.tx.empty) return false;
    this.osr = this.tx.pull();
    this.osrCount = 0;
    this.updateDreq();
    return true;
  }

  shiftOut(destination, bits) {
    const auto = this.shiftCtrl & AUTOPULL;
    if (auto && this.osrCount >= this.pullThreshold) {
      // an empty OSR costs the turn of the refill, also when a word is there (datasheet 3.5.4.2)
      if (this.refill()) return STALLED_ON.turn;
      this.pio.fdebug |= 1 << (FDEBUG.txStall + this.index);
      return STALLED_ON.tx;
    }
    let value = this.osr;
    if (bits === 32) this.osr = 0;
    else if (this.shiftCtrl & OUT_RIGHT) {
      value &= (1 << bits) - 1;
      this.osr >>>= bits;
    } else {
      value >>>= 32 - bits;
      this.osr = (this.osr << bits) >>> 0;
    }
    this.osrCount = Math.min(32, this.osrCount + bits);
    if (auto && this.osrCount >= this.pullThreshold) this.refill();
    value >>>= 0;
    switch (destination) {
      case 0:
        this.pio.setPins(value, this.outBase, this.outCount);
        break;
      case 1:
        this.x = value;
        break;
      case 2:
        this.y = value;
        break;
      case 4:
        this.pio.setDirections(value, this.outBase, this.outCount);
        break;
      case 5:
        this.jump(value);
        break;
      case 6:
        this.isr = value;
        this.isrCount = bits;
        break;
      case 7:
        this.latch(value);
        break;
    }
    return STALLED_ON.nothing;
  }

  move(destination, operation, source) {
    let value = this.source(source);
    if (operation === 1) value = ~value;
    else if (operation === 2) value = reversed(value);
    value >>>= 0;
    switch (destination) {
      case 0:
        this.pio.setPins(value, this.outBase, this.outCount);
        break;
      case 1:
        this.x = value;
        break;
      case 2:
        this.y = value;
        break;
      case 4:
        this.latch(value);
        break;
      case 5:
        this.jump(value);
        break;
      case 6:
        this.isr = value;
        this.isrCount = 0;
        break;
      case 7:
        this.osr = value;
        this.osrCount = 0;
        break;
    }
    return STALLED_ON.nothing;
  }

  latch(op) {
    this.latched = op & 0xffff;
    this.latchedByWrite = false;
  }

  irqNumber(argument) {
    return argument & 0x10 ? (argument & 4) | ((argument + this.index) & 3) : argument & 7;
  }

  raise(op) {
    const flag = 1 << this.irqNumber(op & 0x1f);
    if (op & 0x40) {
      this.pio.clearIrq(flag);
      return STALLED_ON.nothing;
    }
    if (!this.midway) this.pio.setIrq(flag);
    if (!(op & 0x20)) return STALLED_ON.nothing;
    this.midway = true;
    return this.pio.irq & flag ? STALLED_ON.irq : STALLED_ON.nothing;
  }

  sideset(op) {
    let count = this.sideCount;
    if (count === 0) return;
    if (this.sideOptional) {
      if (!(op & 0x1000)) return;
      count--;
    }
    const value = ((op >> 8) & 0x1f) >> (5 - this.sideCount);
    if (this.execCtrl & SIDE_PINDIR) this.pio.setDirections(value, this.sideBase, count);
    else this.pio.setPins(value, this.sideBase, count);
  }

  /** What the registers say, taken apart once, not at each instruction. */
  decode() {
    const { pinCtrl, execCtrl, shiftCtrl } = this;
    this.divider = (this.clkdiv >>> 16 || 65536) * 256 + (this.clkdiv >>> 16 ? (this.clkdiv >>> 8) & 255 : 0);
    this.outBase = pinCtrl & 31;
    this.setBase = (pinCtrl >> 5) & 31;
    this.sideBase = (pinCtrl >> 10) & 31;
    this.inBase = (pinCtrl >> 15) & 31;
    this.outCount = (pinCtrl >> 20) & 63;
    this.setCount = (pinCtrl >> 26) & 7;
    this.sideCount = (pinCtrl >> 29) & 7;
    this.sideOptional = !!(execCtrl & SIDE_ENABLE);
    this.delayMask = (1 << (5 - this.sideCount)) - 1;
    this.wrapBottom = (execCtrl >> 7) & 31;
    this.wrapTop = (execCtrl >> 12) & 31;
    this.pushThreshold = (shiftCtrl >> 20) & 31 || 32;
    this.pullThreshold = (shiftCtrl >> 25) & 31 || 32;
  }

  updateDreq() {
    const { dma } = this.pio.rp2040;
    if (this.tx.full) dma.clearDREQ(this.dreqTx);
    else dma.setDREQ(this.dreqTx);
    if (this.rx.empty) dma.clearDREQ(this.dreqRx);
    else dma.setDREQ(this.dreqRx);
    this.pio.checkInterrupts();
  }
}
