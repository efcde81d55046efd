// A FIFO of a PIO state machine: 4 words, 8 when it has taken over its twin, 0 when it was taken over.
export class Fifo {
  constructor() {
    this.words = new Uint32Array(8);
    this.resize(4);
  }

  /** Sets the depth and empties it, as a change of FJOIN does. */
  resize(depth) {
    this.depth = depth;
    this.head = 0;
    this.count = 0;
  }

  get empty() {
    return this.count === 0;
  }

  get full() {
    return this.count >= this.depth;
  }

  push(word) {
    this.words[(this.head + this.count) & 7] = word;
    this.count++;
  }

  pull() {
    const word = this.words[this.head];
    this.head = (this.head + 1) & 7;
    this.count--;
    return word;
  }
}
