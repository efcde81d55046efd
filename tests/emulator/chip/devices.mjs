// Models of what hangs on the buses: I2C register files, an I2C device that stretches the clock for ever, SPI register files.

const BITS_A_BYTE = 9;

/** One I2C bus. Devices outlive resets of the chip; `connect` wires them to a new one. */
export class I2cBus {
  constructor() {
    this.devices = new Map();
    this.hung = false;
  }

  addRegisters(address, registers) {
    const device = { registers: Uint8Array.from(registers), pointer: 0 };
    this.devices.set(address, device);
    return device;
  }

  connect(i2c, clock) {
    let device = null;
    let pointerNext = false;
    let reply = () => {};
    const alarm = clock.createAlarm(() => reply());
    const after = (bits, action) => {
      if (this.hung) return; // nobody lets go of SCL
      reply = action;
      alarm.schedule(bits * (i2c.sclHighPeriod + i2c.sclLowPeriod) * 8);
    };
    i2c.onStart = () => after(1, () => i2c.completeStart());
    i2c.onStop = () => after(1, () => i2c.completeStop());
    i2c.onConnect = (address) => {
      device = this.devices.get(address) ?? null;
      pointerNext = true;
      after(BITS_A_BYTE, () => i2c.completeConnect(device !== null));
    };
    i2c.onWriteByte = (byte) => {
      if (pointerNext) device.pointer = byte;
      else device.registers[device.pointer++ % device.registers.length] = byte;
      pointerNext = false;
      after(BITS_A_BYTE, () => i2c.completeWrite(true));
    };
    i2c.onReadByte = () => after(BITS_A_BYTE, () => i2c.completeRead(device.registers[device.pointer++ % device.registers.length]));
  }
}

/** One SPI bus with register files as the MAX31865 has them: an address (bit 7 set: write), then bytes of consecutive registers. */
export class SpiBus {
  constructor(pads) {
    this.pads = pads;
    this.devices = [];
  }

  addRegisters(selectPin, registers) {
    const device = { selectPin, registers: Uint8Array.from(registers), address: -1, writing: false };
    this.pads.watchers[selectPin].push(() => {
      device.address = -1;
    });
    this.devices.push(device);
    return device;
  }

  exchange(byte) {
    const device = this.devices.find((each) => !this.pads.levels[each.selectPin]);
    if (!device) return 0xff;
    if (device.address < 0) {
      device.writing = !!(byte & 0x80);
      device.address = byte & 0x7f;
      return 0xff;
    }
    const at = device.address++ % device.registers.length;
    if (device.writing) device.registers[at] = byte;
    return device.registers[at];
  }

  connect(spi, clock) {
    let reply = 0;
    const alarm = clock.createAlarm(() => spi.completeTransmit(reply));
    spi.onTransmit = (word) => {
      reply = this.exchange(word);
      alarm.schedule((spi.dataBits * 1e9) / (spi.clockFrequency || 1e6));
    };
  }
}
