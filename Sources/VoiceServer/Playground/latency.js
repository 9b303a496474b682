// The latency panel: one bar per turn, split into the seven tiles of the turn report, and the figures over all turns.
// The legend doubles as the read-out: it shows the tiles of the turn under the pointer, in focus, pinned, or else the latest.

/** The tiles in the order of the critical path: key of the report and name. */
export const TILES = [
  ["endpoint_wait", "Endpoint wait"],
  ["turn_detection", "Turn decision"],
  ["asr_final", "Final transcript"],
  ["llm_first_token", "First token"],
  ["llm_first_segment", "First clause"],
  ["tts_first_audio", "First audio"],
  ["output", "Playout"],
];
const MOST_ROWS = 60;
const STEPS = [250, 500, 750, 1000, 1500, 2000, 3000, 5000, 8000, 12000, 20000];

/** "412 ms", or "1.24 s" from a second on. */
export function milliseconds(value) {
  return value < 999.5 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** The p-th percentile of the values, nearest rank. */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p / 100 * sorted.length) - 1)];
}

/** The segments of a turn's bar; `scale` is the length of the track in ms. */
export function bar(report, scale) {
  return TILES.map(([key], index) => {
    const segment = document.createElement("span");
    segment.className = `tile tile-${index + 1}`;
    segment.style.width = `${100 * Math.max(0, report.tiles_ms?.[key] ?? 0) / scale}%`;
    segment.hidden = !(report.tiles_ms?.[key] > 0);
    return segment;
  });
}

/** When the answer was heard here, on the same track. */
function mark(heard, scale) {
  if (heard === undefined) return [];
  const line = document.createElement("span");
  line.className = "heard-mark";
  line.style.left = `${100 * heard / scale}%`;
  return [line];
}

/** What became of the answer that was drafted before the turn was over; "" where none was. */
export function draft(report) {
  return { hit: "The answer was drafted before the turn was over.", miss: "A draft was thrown away." }[report.speculation] ?? "";
}

/** All of a turn's figures in one sentence, for screen readers. */
function sentence(report, heard) {
  const tiles = TILES.map(([key, name]) => `${name} ${Math.round(report.tiles_ms?.[key] ?? 0)}`).join(", ");
  const here = heard === undefined ? "" : `, heard here after ${Math.round(heard)}`;
  return `Turn ${report.turn}: ${Math.round(report.v2v_ms)} milliseconds${here}. ${tiles}. ${draft(report)}`.trim();
}

export class LatencyPanel {
  constructor(elements) {
    this.elements = elements;
    this.values = TILES.map(([, name], index) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const swatch = document.createElement("span");
      swatch.className = `swatch tile-${index + 1}`;
      term.append(swatch, name);
      const value = document.createElement("dd");
      row.append(term, value);
      elements.legend.append(row);
      return value;
    });
    this.clear();
  }

  clear() {
    this.reports = [];
    this.heard = [];
    this.pinned = undefined;
    this.preview = undefined;
    this.elements.list.replaceChildren();
    this.draw();
  }

  /** Takes a turn report and when the answer was heard here, in ms. Turns without a voice-to-voice time (typed, greeting) do not count. */
  add(report, heard) {
    if (!Number.isFinite(report?.v2v_ms) || !report.tiles_ms) return;
    this.reports.push(report);
    if (heard !== undefined) this.heard.push(heard);
    this.elements.list.prepend(this.row(report, heard));
    if (this.elements.list.children.length > MOST_ROWS) this.elements.list.lastElementChild.remove();
    this.draw();
  }

  row(report, heard) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "turn-row";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", sentence(report, heard));
    const number = document.createElement("span");
    number.className = "turn-number";
    number.textContent = report.turn;
    const track = document.createElement("span");
    track.className = "bar-track";
    const value = document.createElement("span");
    value.className = "turn-value";
    value.textContent = milliseconds(report.v2v_ms);
    const here = document.createElement("span");
    here.className = "turn-heard";
    here.textContent = heard === undefined ? "–" : milliseconds(heard);
    button.append(number, track, value, here);
    Object.assign(button, { report, heard });
    const preview = (shown) => () => { this.preview = shown; this.drawBreakdown(); };
    button.addEventListener("pointerenter", preview(report));
    button.addEventListener("pointerleave", preview(undefined));
    button.addEventListener("focus", preview(report));
    button.addEventListener("blur", preview(undefined));
    button.addEventListener("click", () => {
      this.pinned = this.pinned === report ? undefined : report;
      this.draw();
    });
    item.append(button);
    return item;
  }

  draw() {
    const { p50, p90, heard50, heard90, turns, empty, list, tabBar, tabValue } = this.elements;
    const all = this.reports.map((report) => report.v2v_ms);
    p50.textContent = all.length ? milliseconds(percentile(all, 50)) : "–";
    p90.textContent = all.length ? milliseconds(percentile(all, 90)) : "–";
    heard50.textContent = this.heard.length ? `heard ${milliseconds(percentile(this.heard, 50))}` : "";
    heard90.textContent = this.heard.length ? `heard ${milliseconds(percentile(this.heard, 90))}` : "";
    turns.textContent = String(all.length);
    empty.hidden = all.length > 0;

    const rows = [...list.querySelectorAll(".turn-row")];
    const longest = Math.max(...rows.map((row) => Math.max(row.report.v2v_ms, row.heard ?? 0)), 1);
    const scale = STEPS.find((step) => step >= longest) ?? longest;
    for (const row of rows) {
      row.querySelector(".bar-track").replaceChildren(...bar(row.report, scale), ...mark(row.heard, scale));
      row.setAttribute("aria-pressed", String(row.report === this.pinned));
    }
    const latest = this.reports.at(-1);
    tabBar.replaceChildren(...(latest ? bar(latest, latest.v2v_ms) : []));
    tabValue.textContent = latest ? `${milliseconds(latest.v2v_ms)} · p50 ${p50.textContent}` : "no turns yet";
    this.drawBreakdown();
  }

  drawBreakdown() {
    const { breakdownTotal, breakdownBar, breakdownNote } = this.elements;
    const report = this.preview ?? this.pinned ?? this.reports.at(-1);
    breakdownBar.replaceChildren(...(report ? bar(report, Math.max(1, report.v2v_ms)) : []));
    breakdownTotal.textContent = report ? `turn ${report.turn} · ${milliseconds(report.v2v_ms)}` : "";
    TILES.forEach(([key], index) => {
      this.values[index].textContent = report ? milliseconds(report.tiles_ms[key] ?? 0) : "–";
    });
    const usage = report?.llm;
    const memory = usage
      ? `Prompt of ${usage.prompt_tokens} tokens, ${usage.cached_tokens} of them remembered; ${usage.generated_tokens} generated.`
      : "";
    breakdownNote.textContent = report ? [draft(report), memory].filter(Boolean).join(" ") : "";
  }
}
