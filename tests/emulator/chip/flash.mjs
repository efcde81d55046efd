// The flash chip: its memory, what erasing and programming cost, and the serial commands that read its status and unique id.
import { BasePeripheral } from './library.mjs';
import { Chance } from './chance.mjs';
import { CYCLES_PER_MS } from './clock.mjs';

export const FLASH_BYTES = 2 * 1024 * 1024;
const XIP_BYTES = 16 * 1024 * 1024;
const SECTOR = 4096, PAGE = 256;

/** Milliseconds for a sector and a page. Source: W25Q16JV datasheet rev. M, AC characteristics (tSE and tPP, typical and maximum). */
const TIMINGS = { none: { sector: 0, page: 0 }, typical: { sector: 45, page: 0.4 }, worst: { sector: 400, page: 3 } };

export class Flash {
  constructor(timing, seed) {
    this.timing = TIMINGS[timing];
    if (!this.timing) throw new Error(`flash_timing must be one of ${Object.keys(TIMINGS).join(', ')}, not ${timing}`);
    this.bytes = new Uint8Array(XIP_BYTES).fill(0xff);
    this.halfwords = new Uint16Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
    this.erases = 0;
    this.pages = 0;
    this.powerFor = Infinity; // bytes that are still programmed or erased before the power goes; then nothing more until a power-up
    const chance = new Chance(seed, 'unique id');
    this.uniqueId = Uint8Array.from({ length: 8 }, () => chance.bits() & 255);
  }

  /** Erases whole sectors; returns the cycles it takes. */
  erase(offset, count) {
    const sectors = Math.ceil(count / SECTOR);
    this.bytes.fill(0xff, offset, offset + this.powered(sectors * SECTOR));
    this.erases += sectors;
    return Math.round(sectors * this.timing.sector * CYCLES_PER_MS);
  }

  /** How many of so many bytes there is power for. */
  powered(count) {
    const most = Math.min(count, this.powerFor);
    this.powerFor -= most;
    return most;
  }

  /** Programs bytes, which can only clear bits; returns the cycles it takes. */
  program(offset, data) {
    const count = this.powered(data.length);
    for (let i = 0; i < count; i++) this.bytes[offset + i] &= data[i];
    const pages = Math.ceil(data.length / PAGE);
    this.pages += pages;
    return Math.round(pages * this.timing.page * CYCLES_PER_MS);
  }
}

const DR0 = 0x60, SSIENR = 0x08, SR = 0x28;
const TX_NOT_FULL = 2, TX_EMPTY = 4, RX_NOT_EMPTY = 8;
const READ_UNIQUE_ID = 0x4b, READ_JEDEC_ID = 0x9f, READ_STATUS_2 = 0x35, QUAD_ENABLED = 2;

/** The serial interface to the flash, for commands outside of XIP: each byte written yields one byte read. */
export class FlashSerial extends BasePeripheral {
  constructor(rp2040, flash) {
    super(rp2040, 'SSI');
    this.flash = flash;
    this.registers = new Map();
    this.deselect();
  }

  /** Chip select rises: the next byte is a command. */
  deselect() {
    this.command = -1;
    this.position = 0;
    this.replies = [];
  }

  reply(byte) {
    if (this.command < 0) {
      this.command = byte;
      this.position = 0;
      return 0;
    }
    const position = this.position++;
    if (this.command === READ_UNIQUE_ID) return position < 4 ? 0 : this.flash.uniqueId[(position - 4) & 7];
    if (this.command === READ_JEDEC_ID) return [0xef, 0x40, 0x15][position] ?? 0;
    return this.command === READ_STATUS_2 ? QUAD_ENABLED : 0;
  }

  readUint32(offset) {
    if (offset === SR) return TX_NOT_FULL | TX_EMPTY | (this.replies.length ? RX_NOT_EMPTY : 0);
    if (offset !== DR0) return this.registers.get(offset) ?? 0;
    const byte = this.replies.shift() ?? 0;
    if (this.replies.length === 0 && !this.heldSelected) this.command = -1; // select follows the FIFO unless forced
    return byte;
  }

  writeUint32(offset, value) {
    if (offset === DR0) this.replies.push(this.reply(value & 0xff));
    else {
      this.registers.set(offset, value);
      if (offset === SSIENR) this.deselect();
    }
  }

  /** GPIO_QSPI_SS_CTRL.OUTOVER forces the select line: 2 low (selected), 3 high, 0 leaves it to the interface. */
  selectOverride(value) {
    this.heldSelected = ((value >> 8) & 3) === 2;
    this.deselect();
  }
}
