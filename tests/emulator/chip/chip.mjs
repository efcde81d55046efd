// The board: an RP2040 with its repairs, its flash and what is wired to its pins, and the loop that runs it.
import { Adc, AnalogInputs } from './adc.mjs';
import { BOOT2_COPY, BOOT_STACK, BootRom } from './bootrom.mjs';
import { Chance } from './chance.mjs';
import { CycleClock, SYSTEM_HZ } from './clock.mjs';
import { I2cBus, SpiBus } from './devices.mjs';
import { Flash, FlashSerial } from './flash.mjs';
import { ConsoleLogger, LogLevel, RP2040 } from './library.mjs';
import { Pads } from './pads.mjs';
import { Pio } from './pio.mjs';
import { PlainRegisters, RingOscillator, Resets } from './repairs.mjs';
import { repairDma, repairSecondCore, repairTimer, resetDma, writeMemoryFirst } from './repairs.mjs';
import { Schedule } from './schedule.mjs';
import { Uart } from './uart.mjs';
import { UsbHost } from './usb.mjs';
import { XipCache } from './xip_cache.mjs';

const BOOT2_BYTES = 256, SRAM = 0x20000000;
const WATCHDOG_TIMER = 1;
const RESET_BIT = { adc: 0, dma: 2, pio0: 10, pio1: 11, pwm: 14 };
const QSPI_SELECT_CTRL = 0x0c;

export class Chip {
  constructor({ flashTiming, xipMissCycles, fastForward, seed }) {
    Object.assign(this, { fastForward, xipMissCycles, seed });
    this.flash = new Flash(flashTiming, seed);
    const cycleNow = () => this.cycle;
    this.pads = new Pads(cycleNow);
    this.analog = new AnalogInputs(seed, this.pads, cycleNow);
    this.usb = new UsbHost();
    this.i2c = [new I2cBus(), new I2cBus()];
    this.spi = [new SpiBus(this.pads), new SpiBus(this.pads)];
    this.chance = new Chance(seed, 'rosc');
    this.origin = 0; // cycles since power-up at the last start
    this.resets = [];
    this.frozen = false;
    this.stopRequested = false;
    this.pendingReset = null;
    this.counts = { instructions: 0, idleCycles: 0, smEvents: 0, skipped: 0, xipMisses: 0, romCalls: 0 };
    this.usb.onReceive = () => {
      this.stopRequested = this.stopOnReceive?.() ?? false;
    };
  }

  /** System clock cycles since power-up; grows through resets. */
  get cycle() {
    return this.origin + (this.clock?.cycle ?? 0);
  }

  // ---- starting

  /** Starts the chip: cause is 'power', 'run', 'watchdog' or 'software'. Flash and the outside world stay as they are. */
  start(cause) {
    const before = this.mcu;
    const watchdogBefore = this.watchdog;
    this.origin = this.cycle;
    this.collectCounts();
    this.clock = new CycleClock();
    const mcu = new RP2040(this.clock);
    this.mcu = mcu;
    mcu.logger = new ConsoleLogger(LogLevel.Error, false);
    Object.assign(mcu, { flash: this.flash.bytes, flash16: this.flash.halfwords, flashView: this.flash.view });
    if (before && cause !== 'power') mcu.sram.set(before.sram);
    this.schedule = new Schedule(this.clock, this.fastForward);
    this.addBootRom(mcu);
    this.addPeripherals(mcu);
    this.addWatchdog(mcu, cause === 'watchdog' || cause === 'software' ? watchdogBefore : null);
    this.pads.connect(mcu);
    this.usb.connect(mcu);
    this.cpuReadyAt = 0;
    this.resets.push([this.origin, cause]);
    if (cause === 'power') this.flash.powerFor = Infinity;
    mcu.sram.set(this.flash.bytes.subarray(0, BOOT2_BYTES), BOOT2_COPY - SRAM);
    Object.assign(mcu.core, { SP: BOOT_STACK, LR: 0, PC: BOOT2_COPY });
  }

  addBootRom(mcu) {
    this.rom = new BootRom(this.flash);
    mcu.bootrom.set(this.rom.words);
    this.extraCycles = 0;
    mcu.onBreak = (number) => {
      if (mcu.core.PC < 0x4000) this.extraCycles += this.rom.call(mcu, number);
      else throw new Error(`the firmware hit a breakpoint at 0x${mcu.core.PC.toString(16)}`);
    };
    this.xip = null;
    if (!this.xipMissCycles) return;
    this.xip = new XipCache(this.xipMissCycles);
    this.xip.connect(mcu);
    this.rom.onCacheFlush = () => this.xip.flush();
  }

  addPeripherals(mcu) {
    const { peripherals } = mcu;
    repairDma(mcu);
    repairTimer(mcu);
    repairSecondCore(mcu);
    writeMemoryFirst(mcu);
    mcu.pio = [0, 1].map((index) => new Pio(mcu, index, this.schedule));
    peripherals[0x50200] = mcu.pio[0];
    peripherals[0x50300] = mcu.pio[1];
    mcu.adc = peripherals[0x4004c] = new Adc(mcu, this.analog);
    mcu.uart = [0, 1].map((index) => new Uart(mcu, index));
    peripherals[0x40034] = mcu.uart[0];
    peripherals[0x40038] = mcu.uart[1];
    peripherals[0x40060] = new RingOscillator(mcu, this.chance);
    peripherals[0x40064] = new PlainRegisters(mcu, 'VREG_AND_CHIP_RESET', { 0x00: 0xb1, 0x04: 9 });
    const serial = new FlashSerial(mcu, this.flash);
    peripherals[0x18000] = serial;
    peripherals[0x40018] = new PlainRegisters(mcu, 'IO_QSPI');
    peripherals[0x40018].onWrite = (offset, value) => {
      if (offset === QSPI_SELECT_CTRL) serial.selectOverride(value);
    };
    peripherals[0x14000] = new PlainRegisters(mcu, 'XIP_CTRL', { 0x00: 3, 0x08: 2 });
    peripherals[0x4000c] = new Resets(mcu, {
      [RESET_BIT.adc]: () => mcu.adc.reset(),
      [RESET_BIT.dma]: () => resetDma(mcu),
      [RESET_BIT.pio0]: () => this.resetPio(mcu.pio[0]),
      [RESET_BIT.pio1]: () => this.resetPio(mcu.pio[1]),
      [RESET_BIT.pwm]: () => mcu.pwm.reset(),
    });
    mcu.i2c.forEach((bus, index) => this.i2c[index].connect(bus, this.clock));
    mcu.spi.forEach((bus, index) => this.spi[index].connect(bus, this.clock));
  }

  resetPio(pio) {
    const { shownValues, shownDirections } = pio;
    pio.reset();
    Object.assign(pio, { shownValues, shownDirections });
    pio.showPins();
  }

  /** Scratch registers and the reason live through a reset by the watchdog, and only through that. */
  addWatchdog(mcu, before) {
    const watchdog = mcu.peripherals[0x40058];
    this.watchdog = watchdog;
    if (before) {
      watchdog.scratchData.set(before.scratchData);
      watchdog.reason = before.reason;
    }
    watchdog.onWatchdogTrigger = () => {
      watchdog.timer.enable = false;
      watchdog.alarm.enable = false;
      this.pendingReset = watchdog.reason === WATCHDOG_TIMER ? 'watchdog' : 'software';
      this.stopRequested = true;
    };
  }

  // ---- running

  /** Runs up to `cycle` (since power-up), or until something asks to stop. Time ends exactly there. */
  runTo(cycle) {
    while (this.cycle < cycle) {
      this.stopRequested = false;
      this.runPart(cycle - this.origin);
      if (this.pendingReset) {
        const cause = this.pendingReset;
        this.pendingReset = null;
        this.start(cause);
      } else if (this.stopRequested) {
        break;
      }
    }
  }

  runPart(end) {
    const { clock, schedule, mcu } = this;
    const { core } = mcu;
    let instructions = 0;
    while (clock.now < end && !this.stopRequested) {
      const now = clock.now;
      if (core.waiting || this.frozen || this.cpuReadyAt > now) {
        const ready = this.cpuReadyAt > now ? this.cpuReadyAt : Infinity;
        const target = Math.min(end, Math.max(now, Math.ceil(schedule.nextEvent - 1e-6)), ready);
        if (ready === Infinity) this.counts.idleCycles += target - now;
        schedule.advanceTo(target);
        continue;
      }
      this.extraCycles = 0;
      let cycles = core.executeInstruction();
      instructions++;
      if (this.extraCycles) cycles += this.extraCycles;
      if (this.xip !== null && this.xip.owedCycles) {
        cycles += this.xip.owedCycles;
        this.xip.owedCycles = 0;
      }
      if (mcu.clkSys !== SYSTEM_HZ) cycles = Math.max(1, Math.round((cycles * SYSTEM_HZ) / mcu.clkSys));
      const done = now + cycles;
      if (done <= end) {
        if (clock.nextAt > done && schedule.pioNext > done) clock.now = done;
        else schedule.advanceTo(done);
      } else {
        this.cpuReadyAt = done;
        schedule.advanceTo(end);
      }
    }
    this.counts.instructions += instructions;
  }

  // ---- counting

  /** Adds what the parts that die with a reset have counted. */
  collectCounts() {
    if (!this.schedule) return;
    this.counts.smEvents += this.schedule.events;
    this.counts.skipped += this.schedule.skipped;
    this.counts.romCalls += this.rom.calls;
    this.counts.xipMisses += this.xip?.misses ?? 0;
    Object.assign(this.schedule, { events: 0, skipped: 0 });
    this.rom.calls = 0;
    if (this.xip) this.xip.misses = 0;
  }

  stats() {
    this.collectCounts();
    return { ...this.counts, erases: this.flash.erases, pages: this.flash.pages, inBootloader: this.rom.inBootloader };
  }
}
