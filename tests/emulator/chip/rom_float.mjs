// The floating point routines of the boot ROM as host arithmetic: same results, rounded once, denormals flushed to zero.
// Arguments and results are bit patterns in the core's registers. Cycles are those of the datasheet's table where it has one
// (RP2040 datasheet 2.8.3.2), else a round number.
const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);
const INT32 = [-(2 ** 31), 2 ** 31 - 1], UINT32 = [0, 2 ** 32 - 1];
const INT64 = [-(1n << 63n), (1n << 63n) - 1n], UINT64 = [0n, (1n << 64n) - 1n];
const EXPONENT = 0x7f800000, SIGN = 0x80000000;

function toSingle(bits) {
  singleBits[0] = bits & EXPONENT ? bits : bits & SIGN;
  return single[0];
}

function fromSingle(value) {
  single[0] = value;
  const bits = singleBits[0];
  return bits & EXPONENT ? bits : bits & SIGN;
}

function toDouble(low, high) {
  doubleBits[0] = low;
  doubleBits[1] = high;
  return double[0];
}

function setDouble(r, value) {
  double[0] = value;
  r[0] = doubleBits[0];
  r[1] = doubleBits[1];
}

function clamped(value, [low, high]) {
  return Number.isNaN(value) ? 0 : Math.min(high, Math.max(low, Math.floor(value)));
}

function clampedBig(value, [low, high]) {
  if (Number.isNaN(value)) return 0n;
  if (value === Infinity) return high;
  if (value === -Infinity) return low;
  const whole = BigInt(Math.floor(value));
  return whole < low ? low : whole > high ? high : whole;
}

/** A 64-bit integer as a number that rounds to the same single: bits that fall off stay as a sticky one. */
function stickyNumber(value) {
  let size = value < 0n ? -value : value;
  let exponent = 0;
  while (size >= 1n << 50n) {
    size = (size >> 1n) | (size & 1n);
    exponent++;
  }
  const number = Number(size) * 2 ** exponent;
  return value < 0n ? -number : number;
}

function setLong(r, value) {
  const bits = BigInt.asUintN(64, value);
  r[0] = Number(bits & 0xffffffffn);
  r[1] = Number(bits >> 32n);
}

function getLong(r, signed) {
  const bits = (BigInt(r[1]) << 32n) | BigInt(r[0]);
  return signed ? BigInt.asIntN(64, bits) : bits;
}

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Each routine: [name, cycles, action on (registers, core)], in the order of the table that ROM data 'SF' points to. */
export function singleTable() {
  const one = (name, f) => [name, 400, (r) => (r[0] = fromSingle(f(toSingle(r[0]))))];
  const two = (name, cycles, f) => [name, cycles, (r) => (r[0] = fromSingle(f(toSingle(r[0]), toSingle(r[1]))))];
  const compare = (name) => [name, 40, (r) => (r[0] = order(toSingle(r[0]), toSingle(r[1])))];
  const toInt = (name, range, places) => [name, 40, (r) => (r[0] = clamped(toSingle(r[0]) * (places ? 2 ** (r[1] | 0) : 1), range))];
  const toLong = (name, range, places) => [name, 60, (r) => setLong(r, clampedBig(toSingle(r[0]) * (places ? 2 ** (r[1] | 0) : 1), range))];
  const fromLong = (name, signed, places) => [
    name,
    60,
    (r) => (r[0] = fromSingle(stickyNumber(getLong(r, signed)) * (places ? 2 ** -(r[2] | 0) : 1))),
  ];
  return [
    two('fadd', 70, (a, b) => a + b),
    two('fsub', 70, (a, b) => a - b),
    two('fmul', 60, (a, b) => a * b),
    two('fdiv', 72, (a, b) => a / b),
    compare('fcmp_fast'),
    ['fcmp_flags', 40, (r, core) => setFlags(core, toSingle(r[0]), toSingle(r[1]))],
    one('fsqrt', Math.sqrt),
    toInt('float2int', INT32, false),
    toInt('float2fix', INT32, true),
    toInt('float2uint', UINT32, false),
    toInt('float2ufix', UINT32, true),
    ['int2float', 40, (r) => (r[0] = fromSingle(r[0] | 0))],
    ['fix2float', 40, (r) => (r[0] = fromSingle((r[0] | 0) * 2 ** -(r[1] | 0)))],
    ['uint2float', 40, (r) => (r[0] = fromSingle(r[0]))],
    ['ufix2float', 40, (r) => (r[0] = fromSingle(r[0] * 2 ** -(r[1] | 0)))],
    one('fcos', Math.cos),
    ['fsin', 500, singleSine], // also leaves the cosine in r1
    one('ftan', Math.tan),
    ['fsincos', 500, singleSine],
    one('fexp', Math.exp),
    one('fln', Math.log),
    compare('fcmp'),
    two('fatan2', 500, Math.atan2),
    fromLong('int642float', true, false),
    fromLong('fix642float', true, true),
    fromLong('uint642float', false, false),
    fromLong('ufix642float', false, true),
    toLong('float2int64', INT64, false),
    toLong('float2fix64', INT64, true),
    toLong('float2uint64', UINT64, false),
    toLong('float2ufix64', UINT64, true),
    ['float2double', 40, (r) => setDouble(r, toSingle(r[0]))],
  ];
}

function singleSine(r) {
  const angle = toSingle(r[0]);
  r[0] = fromSingle(Math.sin(angle));
  r[1] = fromSingle(Math.cos(angle));
}

function setFlags(core, a, b) {
  Object.assign(core, { Z: a === b, C: a >= b, N: a < b, V: false });
}

/** The same for doubles, in the order of the table that ROM data 'SD' points to. */
export function doubleTable() {
  const first = (r) => toDouble(r[0], r[1]);
  const second = (r) => toDouble(r[2], r[3]);
  const one = (name, f) => [name, 800, (r) => setDouble(r, f(first(r)))];
  const two = (name, f) => [name, 120, (r) => setDouble(r, f(first(r), second(r)))];
  const compare = (name) => [name, 40, (r) => (r[0] = order(first(r), second(r)))];
  const scale = (r, places) => (places ? 2 ** (r[2] | 0) : 1);
  const toInt = (name, range, places) => [name, 40, (r) => (r[0] = clamped(first(r) * scale(r, places), range))];
  const toLong = (name, range, places) => [name, 60, (r) => setLong(r, clampedBig(first(r) * scale(r, places), range))];
  const fromLong = (name, signed, places) => [name, 60, (r) => setDouble(r, Number(getLong(r, signed)) / scale(r, places))];
  return [
    two('dadd', (a, b) => a + b),
    two('dsub', (a, b) => a - b),
    two('dmul', (a, b) => a * b),
    two('ddiv', (a, b) => a / b),
    compare('dcmp_fast'),
    ['dcmp_flags', 40, (r, core) => setFlags(core, first(r), second(r))],
    one('dsqrt', Math.sqrt),
    toInt('double2int', INT32, false),
    toInt('double2fix', INT32, true),
    toInt('double2uint', UINT32, false),
    toInt('double2ufix', UINT32, true),
    ['int2double', 40, (r) => setDouble(r, r[0] | 0)],
    ['fix2double', 40, (r) => setDouble(r, (r[0] | 0) * 2 ** -(r[1] | 0))],
    ['uint2double', 40, (r) => setDouble(r, r[0])],
    ['ufix2double', 40, (r) => setDouble(r, r[0] * 2 ** -(r[1] | 0))],
    one('dcos', Math.cos),
    one('dsin', Math.sin),
    one('dtan', Math.tan),
    one('dsincos', Math.sin),
    one('dexp', Math.exp),
    one('dln', Math.log),
    compare('dcmp'),
    two('datan2', Math.atan2),
    fromLong('int642double', true, false),
    fromLong('fix642double', true, true),
    fromLong('uint642double', false, false),
    fromLong('ufix642double', false, true),
    toLong('double2int64', INT64, false),
    toLong('double2fix64', INT64, true),
    toLong('double2uint64', UINT64, false),
    toLong('double2ufix64', UINT64, true),
    ['double2float', 40, (r) => (r[0] = fromSingle(first(r)))],
  ];
}
