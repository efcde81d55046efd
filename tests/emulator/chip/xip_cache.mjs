// The XIP cache: 16 KiB, two ways, lines of 8 bytes, the older way is replaced (RP2040 datasheet 2.6.3). Each miss costs a fixed
// number of cycles. Without it every read of flash is a hit.
const XIP_FIRST = 0x10000000, XIP_END = 0x11000000;
const SETS = 1024;

export class XipCache {
  constructor(missCycles) {
    Object.assign(this, { missCycles, misses: 0, owedCycles: 0 });
    this.tags = new Int32Array(2 * SETS).fill(-1);
    this.newer = new Uint8Array(SETS);
  }

  flush() {
    this.tags.fill(-1);
  }

  access(address) {
    const line = address >>> 3;
    const set = line & (SETS - 1);
    const way = set << 1;
    if (this.tags[way] === line) {
      this.newer[set] = 0;
    } else if (this.tags[way + 1] === line) {
      this.newer[set] = 1;
    } else {
      const victim = this.newer[set] ^ 1;
      this.tags[way + victim] = line;
      this.newer[set] = victim;
      this.misses++;
      this.owedCycles += this.missCycles;
    }
  }

  connect(mcu) {
    for (const name of ['readUint32', 'readUint16', 'readUint8']) {
      const read = mcu[name].bind(mcu);
      mcu[name] = (address) => {
        if (address >= XIP_FIRST && address < XIP_END) this.access(address);
        return read(address);
      };
    }
  }
}
