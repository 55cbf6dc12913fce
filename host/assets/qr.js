// A QR code of a text, made here so that an invite's secret is sent nowhere.
// ISO/IEC 18004: byte mode, error correction level M, versions 1 to 20.

const ecPerBlock = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]; // table 9
const blocksOf = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]; // table 9
const levelM = 0; // table 12

const sizeOf = (version) => 17 + 4 * version;

// Centres of the alignment patterns, annex E: evenly spaced, even steps, from the far end.
function centres(version) {
  if (version === 1) return [];
  const n = Math.floor(version / 7) + 2;
  const step = Math.ceil((sizeOf(version) - 13) / (2 * n - 2)) * 2;
  const out = [6];
  for (let at = sizeOf(version) - 7; out.length < n; at -= step) out.splice(1, 0, at);
  return out;
}

// Codewords, data and error correction together, that a version has room for.
function codewords(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const n = Math.floor(version / 7) + 2;
    modules -= (25 * n - 10) * n - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

const dataOf = (version) => codewords(version) - ecPerBlock[version] * blocksOf[version];

function fit(bytes) {
  for (let version = 1; version <= 20; version++) {
    const head = version < 10 ? 12 : 20; // bits: mode and length, tables 2 and 3
    if (head + 8 * bytes.length <= 8 * dataOf(version)) return version;
  }
  throw new RangeError("too long for a QR code");
}

// Clause 7.4: mode, length, bytes, terminator, padding.
function dataWords(bytes, version) {
  const room = dataOf(version);
  const bits = [];
  const put = (value, n) => { for (let i = n - 1; i >= 0; i--) bits.push((value >>> i) & 1); };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const b of bytes) put(b, 8);
  put(0, Math.min(4, 8 * room - bits.length));
  while (bits.length % 8) bits.push(0);
  for (let pad = 0xec; bits.length < 8 * room; pad ^= 0xec ^ 0x11) put(pad, 8);
  const out = new Uint8Array(room);
  bits.forEach((bit, i) => { out[i >> 3] |= bit << (7 - (i & 7)); });
  return out;
}

// Multiplication in GF(256) modulo 0x11d, clause 7.5.2.
function times(a, b) {
  let out = 0;
  for (; b; b >>= 1) {
    if (b & 1) out ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x11d : 0);
  }
  return out;
}

function generator(degree) {
  const poly = new Uint8Array(degree);
  poly[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++, root = times(root, 2)) {
    for (let j = 0; j < degree; j++) {
      poly[j] = times(poly[j], root) ^ (j + 1 < degree ? poly[j + 1] : 0);
    }
  }
  return poly;
}

function correction(block, poly) {
  const rest = new Uint8Array(poly.length);
  for (const b of block) {
    const factor = b ^ rest[0];
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    poly.forEach((p, i) => { rest[i] ^= times(p, factor); });
  }
  return rest;
}

// Clause 7.6: blocks, each with its correction, interleaved.
function message(data, version) {
  const n = blocksOf[version];
  const short = Math.floor(data.length / n);
  const longer = data.length % n; // the last ones have a codeword more
  const poly = generator(ecPerBlock[version]);
  const blocks = [];
  for (let i = 0, at = 0; i < n; i++) {
    const length = short + (i >= n - longer ? 1 : 0);
    const part = data.subarray(at, at + length);
    at += length;
    blocks.push({ part, ec: correction(part, poly) });
  }
  const out = [];
  for (let i = 0; i <= short; i++) for (const b of blocks) if (i < b.part.length) out.push(b.part[i]);
  for (let i = 0; i < poly.length; i++) for (const b of blocks) out.push(b.ec[i]);
  return out;
}

// The patterns that do not depend on the text. fixed marks where no data goes.
function frame(version) {
  const size = sizeOf(version);
  const dark = Array.from({ length: size }, () => new Uint8Array(size));
  const fixed = Array.from({ length: size }, () => new Uint8Array(size));
  const set = (x, y, on) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    dark[y][x] = on ? 1 : 0;
    fixed[y][x] = 1;
  };
  for (let i = 0; i < size; i++) { set(6, i, i % 2 === 0); set(i, 6, i % 2 === 0); }
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    for (let dy = -4; dy <= 4; dy++) for (let dx = -4; dx <= 4; dx++) {
      const ring = Math.max(Math.abs(dx), Math.abs(dy));
      set(cx + dx, cy + dy, ring !== 2 && ring !== 4);
    }
  }
  const at = centres(version);
  const last = at.length - 1;
  at.forEach((cx, i) => at.forEach((cy, j) => {
    if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) return;
    for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) {
      set(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }
  }));
  return { size, dark, fixed, set };
}

function remainder(value, poly, degree) {
  let rest = value;
  for (let i = 0; i < degree; i++) rest = (rest << 1) ^ ((rest >>> (degree - 1)) * poly);
  return (value << degree) | rest;
}

// Clause 7.9: level and mask, twice.
function format(f, mask) {
  const bits = remainder((levelM << 3) | mask, 0x537, 10) ^ 0x5412;
  const bit = (i) => (bits >>> i) & 1;
  for (let i = 0; i < 6; i++) f.set(8, i, bit(i));
  f.set(8, 7, bit(6));
  f.set(8, 8, bit(7));
  f.set(7, 8, bit(8));
  for (let i = 9; i < 15; i++) f.set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i++) f.set(f.size - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i++) f.set(8, f.size - 15 + i, bit(i));
  f.set(8, f.size - 8, 1);
}

// Clause 7.10.
function versionBits(f, version) {
  if (version < 7) return;
  const bits = remainder(version, 0x1f25, 12);
  for (let i = 0; i < 18; i++) {
    const a = f.size - 11 + (i % 3);
    const b = Math.floor(i / 3);
    f.set(a, b, (bits >>> i) & 1);
    f.set(b, a, (bits >>> i) & 1);
  }
}

// Clause 7.7.3: two columns at a time from the right, up and down in turn.
function place(f, words) {
  let i = 0;
  for (let right = f.size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < f.size; step++) {
      for (const x of [right, right - 1]) {
        const y = ((right + 1) & 2) === 0 ? f.size - 1 - step : step;
        if (f.fixed[y][x]) continue;
        if (i < words.length * 8) f.dark[y][x] = (words[i >> 3] >>> (7 - (i & 7))) & 1;
        i++;
      }
    }
  }
}

const masks = [ // table 10
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function masked(f, mask) {
  const dark = f.dark.map((row) => row.slice());
  for (let y = 0; y < f.size; y++) for (let x = 0; x < f.size; x++) {
    if (!f.fixed[y][x] && masks[mask](x, y)) dark[y][x] ^= 1;
  }
  return dark;
}

// Clause 7.8.3: how much a picture looks like what confuses a reader.
function penalty(dark) {
  const size = dark.length;
  let sum = 0;
  let on = 0;
  const lines = [...dark.map((row) => Array.from(row)), ...dark.map((_, x) => dark.map((row) => row[x]))];
  for (const line of lines) {
    for (let i = 0, run = 1; i < size; i++, run++) {
      if (i + 1 < size && line[i] === line[i + 1]) continue;
      if (run >= 5) sum += run - 2;
      run = 0;
    }
    const text = line.join("");
    for (let i = 0; i + 11 <= size; i++) {
      const part = text.slice(i, i + 11);
      if (part === "10111010000" || part === "00001011101") sum += 40;
    }
  }
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
    on += dark[y][x];
    if (x + 1 < size && y + 1 < size) {
      const four = dark[y][x] + dark[y][x + 1] + dark[y + 1][x] + dark[y + 1][x + 1];
      if (four === 0 || four === 4) sum += 3;
    }
  }
  return sum + 10 * Math.floor(Math.abs(on * 20 - size * size * 10) / (size * size));
}

// matrix is rows of 0 and 1 without a margin. mask is chosen unless given.
export function matrix(text, mask) {
  const bytes = new TextEncoder().encode(text);
  const version = fit(bytes);
  const words = message(dataWords(bytes, version), version);
  const picture = (m) => {
    const f = frame(version);
    versionBits(f, version);
    format(f, m);
    place(f, words);
    return masked(f, m);
  };
  if (mask !== undefined) return picture(mask);
  let best;
  let least = Infinity;
  for (let m = 0; m < masks.length; m++) {
    const dark = picture(m);
    const cost = penalty(dark);
    if (cost < least) { best = dark; least = cost; }
  }
  return best;
}

// draw fills an <svg> with the code of text, dark on light whatever the theme.
export function draw(svg, text) {
  const rows = matrix(text);
  const margin = 4; // modules of quiet zone, clause 6.3.8
  const size = rows.length + 2 * margin;
  let path = "";
  rows.forEach((row, y) => row.forEach((on, x) => {
    if (on) path += `M${x + margin} ${y + margin}h1v1h-1z`;
  }));
  const make = (name, attributes) => {
    const el = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
    return el;
  };
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.replaceChildren(
    make("rect", { width: size, height: size, fill: "#fff" }),
    make("path", { d: path, fill: "#000" }),
  );
}
