// Repeatable chance: every consumer owns a stream, named by the seed of the bench and its own name.

function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

export class Chance {
  constructor(seed, name) {
    this.state = hash(`${seed}/${name}`);
    this.spare = null;
  }

  /** 32 random bits (mulberry32). */
  bits() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A number above 0 and up to 1. */
  unit() {
    return (this.bits() + 1) / 2 ** 32;
  }

  /** A standard normal number (Box and Muller, both halves used). */
  gauss() {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(this.unit()));
    const angle = 2 * Math.PI * this.unit();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}
