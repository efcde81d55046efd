// Repairs of rp2040js 1.4.1 that are too small for a module of their own. Each says what the chip does and what the library did.
import { BasePeripheral, RPReset } from './library.mjs';
import { CYCLE_NS } from './clock.mjs';

const CHAN_ABORT = 0x444;

export function repairDma(mcu) {
  const { dma } = mcu;
  const read = dma.readUint32.bind(dma);
  // CHAN_ABORT reads 0 when no abort is pending; the library reads all ones, so that a write by the SET alias aborts every channel
  dma.readUint32 = (offset) => (offset === CHAN_ABORT ? 0 : read(offset));
  // a pacing timer ticks X/Y times a cycle; the library used the inverse, and lost timer 3
  dma.getTimer = (treq) => {
    const register = dma[`timer${treq - 59}`];
    if (register === undefined || register >>> 16 === 0) return 0;
    return ((register & 0xffff) / (register >>> 16)) * (CYCLE_NS / 1000);
  };
  for (const channel of dma.channels) {
    const start = channel.start.bind(channel);
    // a transfer of no words ends at once; the library stays busy for ever
    channel.start = () => {
      if (channel.transCountReload) start();
      else channel.transCount = 0;
    };
  }
}

export function resetDma(mcu) {
  const { dma } = mcu;
  for (const channel of dma.channels) {
    channel.abort();
    Object.assign(channel, { ctrl: 0, readAddr: 0, writeAddr: 0, transCount: 0, transCountReload: 0 });
    channel.reset();
  }
  Object.assign(dma, { intRaw: 0, intEnable0: 0, intForce0: 0, intEnable1: 0, intForce1: 0, timer0: 0, timer1: 0, timer2: 0, timer3: 0 });
  dma.checkInterrupts();
}

/** A timer alarm falls due when the counter shows its value; the library could fire a fraction of a microsecond before. */
export function repairTimer(mcu) {
  const timer = mcu.peripherals[0x40054];
  const write = timer.writeUint32.bind(timer);
  timer.writeUint32 = (offset, value) => {
    if (offset < 0x10 || offset > 0x1c) {
      write(offset, value);
      return;
    }
    const alarm = timer.alarms[(offset - 0x10) >> 2];
    const now = timer.clock.nanos;
    const microseconds = (value - Math.floor(now / 1000)) >>> 0;
    alarm.armed = true;
    alarm.targetMicros = value;
    alarm.clockAlarm.schedule(Math.max(0, microseconds * 1000 - (now % 1000)));
  };
}

/**
 * The second core sleeps. When it comes out of reset it reports with a word 0 in the FIFO between the cores, which the firmware waits
 * for at a soft reset; otherwise that FIFO is empty and swallows what is written. The library reads all ones and warns.
 */
export function repairSecondCore(mcu) {
  const FIFO_ST = 0x50, FIFO_WR = 0x54, FIFO_RD = 0x58, VALID = 1, READY = 2;
  const FRCE_OFF = 0x04, PROC1 = 1 << 16;
  const { sio } = mcu;
  const psm = mcu.peripherals[0x40010];
  let reported = false;
  const [read, write, writePower] = [sio.readUint32.bind(sio), sio.writeUint32.bind(sio), psm.writeUint32.bind(psm)];
  sio.readUint32 = (offset) => {
    if (offset === FIFO_ST) return READY | (reported ? VALID : 0);
    if (offset !== FIFO_RD) return read(offset);
    reported = false;
    return 0;
  };
  sio.writeUint32 = (offset, value) => {
    if (offset !== FIFO_ST && offset !== FIFO_WR) write(offset, value);
  };
  psm.writeUint32 = (offset, value) => {
    if (offset === FRCE_OFF && psm.frceOff & PROC1 && !(value & PROC1)) reported = true;
    writePower(offset, value);
  };
}

/** Most writes go to memory; the library looks for a peripheral first. Only speed. */
export function writeMemoryFirst(mcu) {
  const SRAM = 0x20000000;
  const SRAM_BYTES = mcu.sram.length;
  const { sramView } = mcu;
  const write = mcu.writeUint32.bind(mcu);
  mcu.writeUint32 = (address, value) => {
    const offset = address - SRAM;
    if (offset >= 0 && offset + 3 < SRAM_BYTES) sramView.setUint32(offset, value, true);
    else write(address, value);
  };
}

/** RESETS holds the blocks in reset that the firmware names; the library only remembers the bits. */
export class Resets extends RPReset {
  constructor(rp2040, blocks) {
    super(rp2040, 'RESETS');
    this.blocks = blocks; // bit number -> what its reset does
  }

  writeUint32(offset, value) {
    const before = this.reset;
    super.writeUint32(offset, value);
    if (offset !== 0) return;
    this.reset_done = ~this.reset & 0x1ffffff;
    for (const [bit, reset] of Object.entries(this.blocks)) if (this.reset & ~before & (1 << bit)) reset();
  }
}

/** The ring oscillator: stable, and a source of random bits, which are repeatable here. */
export class RingOscillator extends BasePeripheral {
  constructor(rp2040, chance) {
    super(rp2040, 'ROSC');
    this.chance = chance;
    this.registers = new Uint32Array(16);
  }

  readUint32(offset) {
    if (offset === 0x18) return 0x80001000; // STATUS: STABLE, ENABLED
    if (offset === 0x1c) return this.chance.bits() & 1; // RANDOMBIT
    return this.registers[(offset >> 2) & 15];
  }

  writeUint32(offset, value) {
    this.registers[(offset >> 2) & 15] = value;
  }
}

/** A block of registers that remembers what is written and does nothing. */
export class PlainRegisters extends BasePeripheral {
  constructor(rp2040, name, initial = {}) {
    super(rp2040, name);
    this.registers = new Map(Object.entries(initial).map(([offset, value]) => [Number(offset), value]));
    this.onWrite = () => {};
  }

  readUint32(offset) {
    return this.registers.get(offset) ?? 0;
  }

  writeUint32(offset, value) {
    this.registers.set(offset, value);
    this.onWrite(offset, value);
  }
}
