// A PL011 UART: FIFOs, baud timing, interrupts at the levels of UARTIFLS, receive timeout (RP2040 datasheet 4.2).
import { BasePeripheral, DREQChannel, IRQ } from './library.mjs';

const RX_LEVEL = 0x10, TX_LEVEL = 0x20, RX_TIMEOUT = 0x40, OVERRUN = 0x400;
const CR_ENABLE = 0x101, LOOPBACK = 0x80;
const LEVELS = [4, 8, 16, 24, 28];
const IDENTITY = { 0xfe0: 0x11, 0xfe4: 0x10, 0xfe8: 0x34 };

export class Uart extends BasePeripheral {
  constructor(rp2040, index) {
    super(rp2040, `UART${index}`);
    this.line = index ? IRQ.UART1 : IRQ.UART0;
    this.dreqTx = DREQChannel.DREQ_UART0_TX + 2 * index;
    this.dreqRx = DREQChannel.DREQ_UART0_RX + 2 * index;
    Object.assign(this, { tx: [], rx: [], incoming: [], sent: [], shifting: 0, busy: false, receiving: false });
    Object.assign(this, { status: 0, mask: 0, control: 0x300, levels: 0x12, lineControl: 0, ibrd: 0, fbrd: 0, dmaControl: 0 });
    const { clock } = rp2040;
    this.sentAlarm = clock.createAlarm(() => this.byteSent());
    this.arrivedAlarm = clock.createAlarm(() => this.byteArrived());
    this.timeoutAlarm = clock.createAlarm(() => {
      if (this.rx.length) this.status |= RX_TIMEOUT;
      this.update();
    });
    this.update();
  }

  clkPeriChanged() {} // the baud rate is worked out byte by byte

  get fifoDepth() {
    return this.lineControl & 0x10 ? 32 : 1;
  }

  get rxLevel() {
    return this.lineControl & 0x10 ? (LEVELS[(this.levels >> 3) & 7] ?? 16) : 1;
  }

  get txLevel() {
    return this.lineControl & 0x10 ? (LEVELS[this.levels & 7] ?? 16) : 0;
  }

  get bitNanos() {
    return (16e9 * ((this.ibrd || 1) + this.fbrd / 64)) / this.rp2040.clkPeri;
  }

  get byteNanos() {
    const data = 5 + ((this.lineControl >> 5) & 3);
    return (1 + data + (this.lineControl & 2 ? 1 : 0) + (this.lineControl & 8 ? 2 : 1)) * this.bitNanos;
  }

  /** Bytes from the outside, one after the other at the set baud rate. */
  receive(bytes) {
    this.incoming.push(...bytes);
    this.nextArrival();
  }

  nextArrival() {
    if (this.receiving || this.incoming.length === 0) return;
    this.receiving = true;
    this.arrivedAlarm.schedule(this.byteNanos);
  }

  byteArrived() {
    this.receiving = false;
    this.intoFifo(this.incoming.shift());
    this.nextArrival();
  }

  intoFifo(byte) {
    if (this.rx.length < this.fifoDepth) this.rx.push(byte);
    else this.status |= OVERRUN;
    if (this.rx.length >= this.rxLevel) this.status |= RX_LEVEL;
    this.timeoutAlarm.schedule(32 * this.bitNanos);
    this.update();
  }

  startSending() {
    if (this.busy || this.tx.length === 0 || (this.control & CR_ENABLE) !== CR_ENABLE) return;
    this.shifting = this.tx.shift();
    this.busy = true;
    if (this.tx.length <= this.txLevel) this.status |= TX_LEVEL;
    this.sentAlarm.schedule(this.byteNanos);
    this.update();
  }

  byteSent() {
    this.busy = false;
    this.sent.push(this.shifting);
    if (this.control & LOOPBACK) this.intoFifo(this.shifting);
    this.startSending();
  }

  update() {
    const { dma } = this.rp2040;
    if (this.tx.length < this.fifoDepth) dma.setDREQ(this.dreqTx);
    else dma.clearDREQ(this.dreqTx);
    if (this.rx.length) dma.setDREQ(this.dreqRx);
    else dma.clearDREQ(this.dreqRx);
    this.rp2040.setInterrupt(this.line, !!(this.status & this.mask));
  }

  takeByte() {
    const byte = this.rx.shift() ?? 0;
    if (this.rx.length < this.rxLevel) this.status &= ~RX_LEVEL;
    if (this.rx.length === 0) {
      this.status &= ~RX_TIMEOUT;
      this.timeoutAlarm.cancel();
    }
    this.update();
    return byte;
  }

  get flags() {
    const { tx, rx, fifoDepth } = this;
    const receive = (rx.length >= fifoDepth ? 0x40 : 0) | (rx.length ? 0 : 0x10);
    return receive | (tx.length >= fifoDepth ? 0x20 : 0) | (tx.length ? 0 : 0x80) | (this.busy || tx.length ? 8 : 0);
  }

  readUint32(offset) {
    switch (offset) {
      case 0x00:
        return this.takeByte();
      case 0x18:
        return this.flags;
      case 0x24:
        return this.ibrd;
      case 0x28:
        return this.fbrd;
      case 0x2c:
        return this.lineControl;
      case 0x30:
        return this.control;
      case 0x34:
        return this.levels;
      case 0x38:
        return this.mask;
      case 0x3c:
        return this.status;
      case 0x40:
        return this.status & this.mask;
      case 0x48:
        return this.dmaControl;
      default:
        return IDENTITY[offset] ?? 0;
    }
  }

  writeUint32(offset, value) {
    switch (offset) {
      case 0x00:
        if (this.tx.length < this.fifoDepth) this.tx.push(value & 0xff);
        if (this.tx.length > this.txLevel) this.status &= ~TX_LEVEL;
        break;
      case 0x24:
        this.ibrd = value & 0xffff;
        break;
      case 0x28:
        this.fbrd = value & 0x3f;
        break;
      case 0x2c:
        this.lineControl = value & 0xff;
        break;
      case 0x30:
        this.control = value;
        break;
      case 0x34:
        this.levels = value & 0x3f;
        break;
      case 0x38:
        this.mask = value & 0x7ff;
        break;
      case 0x44:
        this.status &= ~this.rawWriteValue;
        break;
      case 0x48:
        this.dmaControl = value;
        break;
    }
    this.startSending();
    this.update();
  }
}
