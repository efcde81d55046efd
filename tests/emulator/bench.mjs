// Serves one emulated board: a JSON command a line on stdin, a JSON answer a line on stdout. Nothing happens between commands.
import { readSync, writeSync } from 'node:fs';
import { COMMANDS } from './chip/commands.mjs';

const CHUNK = Buffer.alloc(1 << 20);

function* lines(descriptor) {
  let pieces = [];
  for (;;) {
    const count = readSync(descriptor, CHUNK, 0, CHUNK.length, null);
    if (count === 0) return;
    const read = CHUNK.subarray(0, count);
    let start = 0;
    for (let end = read.indexOf(10); end >= 0; end = read.indexOf(10, start)) {
      pieces.push(Buffer.from(read.subarray(start, end)));
      yield Buffer.concat(pieces).toString('utf8');
      pieces = [];
      start = end + 1;
    }
    if (start < count) pieces.push(Buffer.from(read.subarray(start)));
  }
}

function answer(text) {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

const bench = {};
for (const line of lines(0)) {
  let reply;
  try {
    const { op, ...values } = JSON.parse(line);
    if (!Object.hasOwn(COMMANDS, op)) throw new Error(`unknown command ${op}`);
    reply = COMMANDS[op](bench, values) ?? {};
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  answer(JSON.stringify(reply));
}
