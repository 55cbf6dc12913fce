// The live graph: upload and bitrate over the last three minutes.

const span = 180; // seconds

export function rate(bitsPerSecond) {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

// ceiling is the next round number above the highest value: 1, 2 or 5 times a power of ten.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e5)));
  return [1, 2, 5, 10].map((m) => m * power).find((v) => v >= value);
}

export class Graph {
  constructor(svg) {
    this.svg = svg;
    this.points = []; // {at, upload, bitrate}
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  add(upload, bitrate) {
    const at = performance.now() / 1000;
    this.points.push({ at, upload, bitrate });
    while (this.points[0].at < at - span - 2) this.points.shift();
    this.draw();
  }

  draw() {
    const { width, height } = this.svg.getBoundingClientRect();
    if (width === 0) return;
    const left = 4, right = 4, top = 16, bottom = 20;
    const newest = this.points.at(-1)?.at ?? 0;
    const high = ceiling(1.1 * Math.max(...this.points.flatMap((p) => [p.upload, p.bitrate]), 1e5));
    const x = (at) => width - right - ((newest - at) / span) * (width - left - right);
    const y = (v) => height - bottom - (v / high) * (height - top - bottom);
    const make = (name, kind, attributes, text) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", name);
      if (kind) e.setAttribute("class", kind);
      for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
      if (text) e.textContent = text;
      return e;
    };
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const at = Math.round(y(high * share)) + 0.5;
      parts.push(make("line", "grid", { x1: left, x2: width - right, y1: at, y2: at }));
      if (share > 0) parts.push(make("text", "", { x: left, y: at - 4 }, rate(high * share)));
    }
    parts.push(make("text", "", { x: left, y: height - 5 }, "3 minutes ago"));
    parts.push(make("text", "", { x: width - right, y: height - 5, "text-anchor": "end" }, "now"));
    const line = (key) => this.points.filter((p) => p.at >= newest - span)
      .map((p) => `${x(p.at).toFixed(1)},${y(p[key]).toFixed(1)}`);
    const upload = line("upload");
    if (upload.length > 1) {
      const from = upload[0].split(",")[0];
      const to = upload.at(-1).split(",")[0];
      parts.push(make("path", "area", { d: `M${from},${y(0)}L${upload.join("L")}L${to},${y(0)}Z` }));
      parts.push(make("polyline", "bitrate", { points: line("bitrate").join(" ") }));
      parts.push(make("polyline", "upload", { points: upload.join(" ") }));
    }
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...parts);
  }
}
