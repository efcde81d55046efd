// The host at the other end of USB: a serial port that is open, takes what the chip sends and can stop taking it.
import { USBCDC } from './library.mjs';

const BUFFER_CONTROL = 0x80;
const AVAILABLE = 1 << 10;
const PACKET_BYTES = 64;
/** A bulk packet of 64 bytes on the wire of 12 Mbit/s with token, handshake and bit stuffing: 19 a frame at most (USB 2.0, 5.8.4). */
const PACKET_NS = 1e6 / 19;

export class UsbHost {
  constructor() {
    this.received = []; // buffers from the chip that nobody fetched yet
    this.receivedBytes = 0;
    this.held = false;
    this.onReceive = () => {};
    this.disconnect();
  }

  disconnect() {
    Object.assign(this, { connected: false, outgoing: [], listening: null, waiting: [] });
  }

  /** Plugs into a chip that has just started; it enumerates by itself. */
  connect(mcu) {
    this.disconnect();
    const usb = mcu.usbCtrl;
    this.usb = usb;
    this.cdc = new USBCDC(usb);
    this.cdc.onDeviceConnected = () => {
      this.connected = true;
    };
    this.cdc.onSerialData = (buffer) => {
      if (buffer.length === 0) return;
      this.received.push(Buffer.from(buffer));
      this.receivedBytes += buffer.length;
      this.onReceive();
    };
    // an OUT endpoint waits until there is data; the library answers with empty packets for ever
    usb.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.cdc.outEndpoint) return;
      this.listening = { endpoint, size };
      this.pump();
    };
    this.slowDown(usb, mcu.clock);
  }

  /** Bulk IN packets leave one by one at the speed of the wire, and not at all while the host does not read. */
  slowDown(usb, clock) {
    const deliver = usb.DPRAMUpdated.bind(usb);
    const wire = clock.createAlarm(() => this.nextPacket());
    usb.DPRAMUpdated = (offset, value) => {
      const bulkIn = this.connected && offset === BUFFER_CONTROL + 8 * this.cdc.inEndpoint;
      if (!bulkIn || !(value & AVAILABLE)) {
        deliver(offset, value);
        return;
      }
      this.waiting.push([offset, value]);
      if (!this.held && !wire.scheduled) wire.schedule(PACKET_NS);
    };
    this.nextPacket = () => {
      if (this.held || this.waiting.length === 0) return;
      deliver(...this.waiting.shift());
      if (this.waiting.length && !wire.scheduled) wire.schedule(PACKET_NS);
    };
  }

  hold(on) {
    this.held = on;
    if (!on) this.nextPacket?.();
  }

  send(bytes) {
    this.outgoing.push(Buffer.from(bytes));
    this.pump();
  }

  pump() {
    if (!this.listening || this.outgoing.length === 0) return;
    const { endpoint, size } = this.listening;
    const all = Buffer.concat(this.outgoing);
    const count = Math.min(size, PACKET_BYTES, all.length);
    this.outgoing = count < all.length ? [all.subarray(count)] : [];
    if (count === 0) return;
    this.listening = null;
    this.usb.endpointReadDone(endpoint, new Uint8Array(all.subarray(0, count)));
  }

  /** Everything received so far; it is handed out once. */
  take() {
    const all = Buffer.concat(this.received);
    this.received = [];
    return all;
  }

  /** Hands out what was received up to and including `pattern`, or null when it has not come yet. */
  takeThrough(pattern) {
    if (this.received.length === 0) return null;
    const all = this.received.length === 1 ? this.received[0] : Buffer.concat(this.received);
    const at = all.indexOf(pattern);
    if (at < 0) {
      this.received = [all];
      return null;
    }
    const end = at + pattern.length;
    this.received = end < all.length ? [all.subarray(end)] : [];
    return all.subarray(0, end);
  }
}
