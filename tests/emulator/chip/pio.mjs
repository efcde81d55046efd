// A PIO block: registers, instruction memory, interrupt flags and pin latches shared by four state machines.
import { BasePeripheral, IRQ } from './library.mjs';
import { STALLED_ON } from './pio_instructions.mjs';
import { StateMachine } from './pio_machine.mjs';

const PINS = 0x3fffffff;
const MACHINE_FIRST = 0xc8, MACHINE_SIZE = 0x18, MACHINE_END = 0x128;
const PROGRAM_FIRST = 0x48, PROGRAM_END = 0xc8;
const TX_STALL = 24;

function rotated(word, places) {
  return places ? (word << places) | (word >>> (32 - places)) : word;
}

export class Pio extends BasePeripheral {
  constructor(rp2040, index, schedule) {
    super(rp2040, `PIO${index}`);
    Object.assign(this, { index, schedule, program: new Uint16Array(32) });
    this.firstIrq = index ? IRQ.PIO1_IRQ0 : IRQ.PIO0_IRQ0;
    this.reset();
  }

  reset() {
    this.program.fill(0);
    Object.assign(this, { irq: 0, fdebug: 0, syncBypass: 0, pinValues: 0, pinDirections: 0, shownValues: 0, shownDirections: 0 });
    Object.assign(this, { enable0: 0, force0: 0, enable1: 0, force1: 0, asserted: false });
    this.machines = [];
    this.machines = [0, 1, 2, 3].map((n) => new StateMachine(this, n));
    this.schedule.adopt(this);
  }

  // ---- pins

  setPins(value, base, count) {
    const mask = rotated(count > 31 ? -1 : (1 << count) - 1, base);
    this.pinValues = ((this.pinValues & ~mask) | (rotated(value, base) & mask)) & PINS;
  }

  setDirections(value, base, count) {
    const mask = rotated(count > 31 ? -1 : (1 << count) - 1, base);
    this.pinDirections = ((this.pinDirections & ~mask) | (rotated(value, base) & mask)) & PINS;
  }

  inputOf(pin) {
    return pin < 30 && this.rp2040.gpio[pin].inputValue;
  }

  inputsFrom(base) {
    const all = this.rp2040.gpioValues;
    return (base ? (all << (32 - base)) | (all >>> base) : all) >>> 0;
  }

  /** Shows what the machines did to the pins. All machines of one cycle are done before. */
  showPins() {
    let changed = (this.shownValues ^ this.pinValues) | (this.shownDirections ^ this.pinDirections);
    if (changed === 0) return;
    this.shownValues = this.pinValues;
    this.shownDirections = this.pinDirections;
    while (changed) {
      const pin = 31 - Math.clz32(changed);
      changed &= ~(1 << pin);
      this.rp2040.gpio[pin].checkForUpdates();
    }
  }

  pinChanged() {
    for (const machine of this.machines) machine.wake(STALLED_ON.pin);
  }

  // ---- interrupt flags

  setIrq(flags) {
    this.irq |= flags;
    this.irqChanged();
  }

  clearIrq(flags) {
    this.irq &= ~flags;
    this.irqChanged();
  }

  irqChanged() {
    for (const machine of this.machines) machine.wake(STALLED_ON.irq);
    this.checkInterrupts();
  }

  get raw() {
    let bits = (this.irq & 15) << 8;
    for (const machine of this.machines) bits |= (machine.rx.empty ? 0 : 1 << machine.index) | (machine.tx.full ? 0 : 16 << machine.index);
    return bits;
  }

  checkInterrupts() {
    if (!(this.enable0 | this.force0 | this.enable1 | this.force1) && !this.asserted) return;
    const { raw } = this;
    const line0 = !!((raw & this.enable0) | this.force0);
    const line1 = !!((raw & this.enable1) | this.force1);
    this.asserted = line0 || line1;
    this.rp2040.setInterrupt(this.firstIrq, line0);
    this.rp2040.setInterrupt(this.firstIrq + 1, line1);
  }

  // ---- registers

  collect(bitsOf) {
    return this.machines.reduce((bits, machine) => bits | bitsOf(machine), 0) >>> 0;
  }

  readUint32(offset) {
    if (offset >= MACHINE_FIRST && offset < MACHINE_END) {
      const at = offset - MACHINE_FIRST;
      return this.machines[Math.floor(at / MACHINE_SIZE)].readRegister(at % MACHINE_SIZE);
    }
    switch (offset) {
      case 0x00:
        return this.collect((m) => (m.enabled ? 1 << m.index : 0));
      case 0x04:
        return this.collect(
          (m) => ((m.tx.empty ? 1 << 24 : 0) | (m.tx.full ? 1 << 16 : 0) | (m.rx.empty ? 1 << 8 : 0) | (m.rx.full ? 1 : 0)) << m.index,
        );
      case 0x08:
        return this.fdebug;
      case 0x0c:
        return this.collect((m) => (m.tx.count | (m.rx.count << 4)) << (8 * m.index));
      case 0x20:
      case 0x24:
      case 0x28:
      case 0x2c:
        return this.machines[(offset - 0x20) >> 2].readRx();
      case 0x30:
        return this.irq;
      case 0x38:
        return this.syncBypass;
      case 0x3c:
        return this.pinValues;
      case 0x40:
        return this.pinDirections;
      case 0x44:
        return 0x200404; // 32 instructions, 4 machines, FIFOs of 4
      case 0x128:
        return this.raw;
      case 0x12c:
        return this.enable0;
      case 0x130:
        return this.force0;
      case 0x134:
        return (this.raw & this.enable0) | this.force0;
      case 0x138:
        return this.enable1;
      case 0x13c:
        return this.force1;
      case 0x140:
        return (this.raw & this.enable1) | this.force1;
      default:
        return 0; // write-only registers
    }
  }

  writeUint32(offset, value) {
    if (offset >= 0x10 && offset < 0x20) {
      this.machines[(offset - 0x10) >> 2].writeTx(value);
      return;
    }
    for (const machine of this.machines) machine.settle();
    if (offset >= MACHINE_FIRST && offset < MACHINE_END) {
      const at = offset - MACHINE_FIRST;
      this.machines[Math.floor(at / MACHINE_SIZE)].writeRegister(at % MACHINE_SIZE, value);
      this.showPins();
    } else if (offset >= PROGRAM_FIRST && offset < PROGRAM_END) {
      this.program[(offset - PROGRAM_FIRST) >> 2] = value;
    } else {
      this.writeShared(offset, value);
    }
  }

  writeShared(offset, value) {
    switch (offset) {
      case 0x00:
        for (const machine of this.machines) {
          if (value & (16 << machine.index)) machine.restart();
          if (value & (256 << machine.index)) machine.restartDivider();
          machine.setEnabled(!!(value & (1 << machine.index)));
        }
        break;
      case 0x08:
        this.fdebug &= ~this.rawWriteValue;
        for (const m of this.machines) if (m.enabled && m.stalled === STALLED_ON.tx) this.fdebug |= 1 << (TX_STALL + m.index);
        break;
      case 0x30:
        this.clearIrq(this.rawWriteValue & 0xff);
        break;
      case 0x34:
        this.setIrq(value & 0xff);
        break;
      case 0x38:
        this.syncBypass = value;
        break;
      case 0x12c:
        this.enable0 = value & 0xfff;
        break;
      case 0x130:
        this.force0 = value & 0xfff;
        break;
      case 0x138:
        this.enable1 = value & 0xfff;
        break;
      case 0x13c:
        this.force1 = value & 0xfff;
        break;
    }
    this.checkInterrupts();
  }
}
