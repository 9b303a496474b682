// The last seconds of both voices on one strip: the person above the line, the agent below it, so that who spoke when,
// and the gap between, can be seen. With reduced motion nothing scrolls: two level bars stand still and grow.
const STEP_MS = 50;
const BAR_PX = 3;
const PITCH_PX = 5;
const FLOOR_DB = -54;
const MOST_COLUMNS = 512;

/** Maps an RMS level to 0…1: decibels above the floor, bent so that loud and soft differ to the eye. */
function height(rms) {
  if (rms <= 0) return 0;
  const share = Math.max(0, 1 - (20 * Math.log10(rms)) / FLOOR_DB);
  return Math.min(1, 1.25 * share ** 1.7);
}

export class Timeline {
  /** `colours()` gives {you, agent, line} as CSS colours; asked again on every drawing, so a change of theme shows. */
  constructor(canvas, colours) {
    this.canvas = canvas;
    this.colours = colours;
    this.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
    this.columns = [];
    this.you = 0;
    this.agent = 0;
    this.frame = undefined;
  }

  start() {
    this.columns = [];
    this.since = performance.now();
    if (this.frame === undefined) this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.you = this.agent = 0;
  }

  hearYou(level) { this.you = Math.max(this.you, level); }
  hearAgent(level) { this.agent = Math.max(this.agent, level); }

  tick(now) {
    const steps = Math.min(MOST_COLUMNS, Math.floor((now - this.since) / STEP_MS));
    for (let i = 0; i < steps; i += 1) {
      this.columns.push([height(this.you), height(this.agent)]);
      if (i === 0) this.you = this.agent = 0;
    }
    if (steps > 0) this.since = now - ((now - this.since) % STEP_MS);
    if (this.columns.length > MOST_COLUMNS) this.columns.splice(0, this.columns.length - MOST_COLUMNS);
    this.draw((now - this.since) / STEP_MS);
    this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  draw(fraction) {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const tall = canvas.clientHeight;
    if (width === 0) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(tall * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(tall * ratio);
    }
    const ink = this.colours();
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, tall);
    const middle = tall / 2;
    if (this.reducedMotion.matches) return this.drawMeters(g, ink, width, middle);

    g.fillStyle = ink.line;
    g.fillRect(0, middle - 0.5, width, 1);
    for (let i = 0; i < this.columns.length; i += 1) {
      const x = width - (this.columns.length - i + fraction) * PITCH_PX;
      if (x < -PITCH_PX) continue;
      const [you, agent] = this.columns[i];
      if (you > 0.02) column(g, ink.you, x, middle - 2, -you * (middle - 3));
      if (agent > 0.02) column(g, ink.agent, x, middle + 2, agent * (middle - 3));
    }
  }

  drawMeters(g, ink, width, middle) {
    const [you, agent] = this.columns.at(-1) ?? [0, 0];
    for (const [y, level, colour] of [[middle - 9, you, ink.you], [middle + 5, agent, ink.agent]]) {
      g.fillStyle = ink.line;
      g.fillRect(0, y, width, 4);
      g.fillStyle = colour;
      g.fillRect(0, y, width * level, 4);
    }
  }
}

function column(g, colour, x, base, extent) {
  g.fillStyle = colour;
  g.beginPath();
  g.roundRect(x, Math.min(base, base + extent), BAR_PX, Math.max(2, Math.abs(extent)), 1.5);
  g.fill();
}
