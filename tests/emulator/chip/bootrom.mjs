// A boot ROM of its own, written from the public interface (RP2040 datasheet 2.8, pico-sdk headers): tables at the addresses where
// the firmware looks for them, and every routine a BKPT that is carried out here, followed by BX LR.
import { doubleTable, singleTable } from './rom_float.mjs';

const ROM_WORDS = 4096, FIRST_ROUTINE = 0x200;
const BKPT = 0xbe00, BX_LR = 0x4770, BRANCH_TO_SELF = 0xe7fe;
const MAGIC = [0x4d, 0x75, 0x01, 0x03]; // 'Mu', 1, ROM version 3 (chip B2)
const ROM_END = ROM_WORDS * 4;
const XIP = 0x10000000, SRAM = 0x20000000, SRAM_END = 0x20042000;
export const BOOT2_COPY = 0x20041f00; // where the ROM puts the second stage boot loader
export const BOOT_STACK = 0x20041c00;

export class BootRom {
  constructor(flash) {
    this.flash = flash;
    this.words = new Uint32Array(ROM_WORDS);
    this.halfwords = new Uint16Array(this.words.buffer);
    this.bytes = new Uint8Array(this.words.buffer);
    this.routines = [];
    this.calls = 0;
    this.inBootloader = false; // machine.bootloader() was called: a real board shows its USB drive now
    this.onCacheFlush = () => {};
    this.at = FIRST_ROUTINE;
    this.build();
  }

  /** Runs the routine of a BKPT; returns the cycles it takes on top of the instruction. */
  call(mcu, number) {
    this.calls++;
    return this.routines[number](mcu);
  }

  routine(action) {
    const address = this.at;
    this.halfwords[address >> 1] = BKPT | this.routines.length;
    this.halfwords[(address >> 1) + 1] = BX_LR;
    this.routines.push(action);
    this.at += 4;
    return address | 1;
  }

  table(entries) {
    const address = this.at;
    for (const entry of entries) {
      this.words[this.at >> 2] = entry;
      this.at += 4;
    }
    return address;
  }

  /** Pairs of a two-letter code and an address, ended by a zero. */
  directory(entries) {
    const address = this.at;
    for (const [code, value] of Object.entries(entries)) {
      this.halfwords[this.at >> 1] = code.charCodeAt(0) | (code.charCodeAt(1) << 8);
      this.halfwords[(this.at >> 1) + 1] = value;
      this.at += 4;
    }
    this.at += 4;
    return address;
  }

  build() {
    const stop = this.at;
    this.halfwords[stop >> 1] = BRANCH_TO_SELF;
    this.at += 4;
    this.words.set([BOOT_STACK, stop | 1, stop | 1, stop | 1]);
    this.bytes.set(MAGIC, 0x10);
    const functions = { ...this.bitRoutines(), ...this.memoryRoutines(), ...this.flashRoutines(), ...this.bootloaderRoutine(stop | 1) };
    const lookup = this.routine((mcu) => this.lookUp(mcu));
    const [single, double] = [singleTable(), doubleTable()].map((routines) =>
      routines.map(([, cycles, action]) =>
        this.routine(({ core }) => {
          action(core.registers, core);
          return cycles;
        }),
      ),
    );
    this.at = (this.at + 7) & ~7;
    const data = { SF: this.floatTable(single), SD: this.floatTable(double), GR: this.table([0]), CR: this.table([0]) };
    this.halfwords[0x14 >> 1] = this.directory(functions);
    this.halfwords[0x16 >> 1] = this.directory(data);
    this.halfwords[0x18 >> 1] = lookup;
  }

  /** The word before a float table holds its length, which tells the firmware that this is the table of ROM version 2 and up. */
  floatTable(routines) {
    this.at += 4;
    this.bytes[this.at - 2] = routines.length;
    return this.table(routines);
  }

  lookUp(mcu) {
    const r = mcu.core.registers;
    let found = 0;
    for (let at = r[0]; at < ROM_END && this.halfwords[at >> 1]; at += 4) {
      if (this.halfwords[at >> 1] === (r[1] & 0xffff)) {
        found = this.halfwords[(at >> 1) + 1];
        break;
      }
    }
    r[0] = found;
    return 20;
  }

  bitRoutines() {
    const unary = (f) =>
      this.routine(({ core }) => {
        core.registers[0] = f(core.registers[0]);
        return 16;
      });
    return {
      P3: unary((word) => {
        let count = 0;
        for (let rest = word; rest; rest = (rest & (rest - 1)) >>> 0) count++;
        return count;
      }),
      R3: unary((word) => {
        let out = 0;
        for (let i = 0; i < 32; i++) out = (out << 1) | ((word >>> i) & 1);
        return out;
      }),
      L3: unary((word) => Math.clz32(word)),
      T3: unary((word) => (word ? 31 - Math.clz32(word & -word) : 32)),
    };
  }

  memoryRoutines() {
    const fill = this.routine((mcu) => {
      const [to, value, count] = mcu.core.registers;
      if (to >= SRAM && to + count <= SRAM_END) mcu.sram.fill(value & 255, to - SRAM, to - SRAM + count);
      else for (let i = 0; i < count; i++) mcu.writeUint8(to + i, value & 255);
      return 10 + (count >> 2);
    });
    const copy = this.routine((mcu) => {
      const [to, from, count] = mcu.core.registers;
      copyMemory(mcu, to, from, count);
      return 10 + (count >> 1);
    });
    return { MS: fill, S4: fill, MC: copy, C4: copy };
  }

  flashRoutines() {
    const plain = (cycles, action = () => {}) =>
      this.routine(() => {
        action();
        return cycles;
      });
    return {
      IF: plain(20),
      EX: plain(100),
      FC: plain(20, () => this.onCacheFlush()),
      CX: plain(20),
      RE: this.routine(({ core }) => 200 + this.flash.erase(core.registers[0], core.registers[1])),
      RP: this.routine((mcu) => {
        const [offset, from, count] = mcu.core.registers;
        const data = Uint8Array.from({ length: count }, (_, i) => mcu.readUint8(from + i));
        return 200 + this.flash.program(offset, data);
      }),
    };
  }

  bootloaderRoutine(stop) {
    return {
      UB: this.routine(({ core }) => {
        this.inBootloader = true;
        core.registers[14] = stop;
        return 20;
      }),
    };
  }
}

function copyMemory(mcu, to, from, count) {
  const sramTo = to >= SRAM && to + count <= SRAM_END;
  if (sramTo && from >= SRAM && from + count <= SRAM_END) {
    mcu.sram.copyWithin(to - SRAM, from - SRAM, from - SRAM + count);
  } else if (sramTo && from >= XIP && from + count <= XIP + mcu.flash.length) {
    mcu.sram.set(mcu.flash.subarray(from - XIP, from - XIP + count), to - SRAM);
  } else {
    for (let i = 0; i < count; i++) mcu.writeUint8(to + i, mcu.readUint8(from + i));
  }
}
