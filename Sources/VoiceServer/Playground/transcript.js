// The conversation as text. Keeps one entry per side and turn and draws it; the words go in by textContent only.
// After a reconnection the server counts turns from 0 again, so an entry belongs to (session, role, turn).
import { bar, milliseconds } from "./latency.js";

const MOST_ENTRIES = 400;
const NEAR_END_PX = 80;

export class Transcript {
  constructor({ list, scroller, latest, announcer }) {
    this.list = list;
    this.scroller = scroller;
    this.latest = latest;
    this.announcer = announcer;
    this.entries = [];
    this.session = 0;
    this.follow = true;
    scroller.addEventListener("scroll", () => {
      this.follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
      latest.hidden = this.follow;
    }, { passive: true });
    latest.addEventListener("click", () => { this.follow = true; this.scrollDown(); });
    new ResizeObserver(() => this.scrollDown()).observe(scroller);
  }

  clear() {
    this.entries = [];
    this.session = 0;
    this.list.replaceChildren();
    this.follow = true;
    this.latest.hidden = true;
  }

  /** A new connection to the server: what follows is another conversation. */
  beginSession(returns) {
    this.session += 1;
    if (this.entries.length > 0) this.remark(`Reconnected. The conversation ${returns ? "goes on" : "starts over"}.`);
  }

  user({ turn, text, final }) {
    this.removeUnheard();
    const entry = this.entry("user", turn);
    entry.text = text;
    entry.final = final;
    entry.words.textContent = text || "…";
    entry.element.classList.toggle("partial", !final);
    if (final) this.announce(`You: ${text}`);
    this.scrollDown();
  }

  agent({ turn, heard, pending, final, interrupted }) {
    const entry = this.entry("agent", turn);
    if ((heard === "" && !final) || (heard + pending).length > entry.full.length) entry.full = heard + pending;
    Object.assign(entry, { heard, pending: final ? "" : pending, final, interrupted });
    entry.words.textContent = heard;
    entry.rest.textContent = entry.pending;
    entry.line.hidden = (final || entry.calls.size > 0) && (heard + entry.pending).trim() === "";
    entry.element.classList.toggle("partial", !final);
    entry.element.classList.toggle("interrupted", interrupted);
    if (final && interrupted) {
      this.note(entry, heard.trim() === "" ? "Interrupted before anything was heard" : "Interrupted");
    }
    if (final) this.announce(`Repartee: ${heard}${interrupted ? " (interrupted)" : ""}`);
    this.scrollDown();
  }

  /** Shows a call of a tool under the answer that made it; told again, with its result, when it ended. */
  call({ turn, id, tool, args, result, succeeded }) {
    const entry = this.entry("agent", turn);
    let call = entry.calls.get(id);
    if (!call) {
      const element = document.createElement("details");
      element.className = "call";
      const summary = document.createElement("summary");
      const content = document.createElement("pre");
      element.append(summary, content);
      entry.body.append(element);
      call = { element, summary, content, tool, args };
      entry.calls.set(id, call);
    }
    const ended = result !== undefined;
    call.result = result;
    call.element.classList.toggle("running", !ended);
    call.element.classList.toggle("failed", ended && !succeeded);
    call.summary.textContent = `${tool}${ended ? (succeeded ? "" : " – failed") : " …"}`;
    call.content.textContent = [JSON.stringify(call.args), result].filter((part) => part !== undefined).join("\n");
    if (entry.line.textContent === "") entry.line.hidden = true;
    this.scrollDown();
  }

  // The person spoke on before a sound of the answer was out: the server forgets that answer, and so does the page.
  removeUnheard() {
    const entry = this.entries.at(-1);
    if (entry?.role !== "agent" || entry.final || entry.heard !== "" || entry.calls.size > 0) return;
    this.entries.pop().element.remove();
  }

  dropped({ turn, reason }) {
    const entry = this.find("user", turn);
    if (!entry) return this.remark(`No answer: ${reason}`);
    entry.dropped = reason;
    entry.element.classList.add("dropped");
    this.note(entry, `No answer: ${reason}`);
  }

  /** The connection or the conversation ended: what was still to be said will not be. */
  breakOff() {
    for (const entry of this.entries) {
      if (entry.role !== "agent" || entry.final) continue;
      entry.final = true;
      entry.pending = entry.rest.textContent = "";
      entry.element.classList.remove("partial");
      entry.element.classList.add("interrupted");
      this.note(entry, "Broken off");
    }
  }

  /** Shows the turn's latency under its answer; `heard` is the page's own figure, if there is one. */
  measured(report, heard) {
    const entry = this.find("agent", report.turn);
    if (!entry || !Number.isFinite(report.v2v_ms) || entry.measured) return;
    entry.measured = true;
    const track = document.createElement("span");
    track.className = "bar-track mini";
    track.setAttribute("aria-hidden", "true");
    track.append(...bar(report, report.v2v_ms));
    const text = document.createElement("span");
    text.textContent = `${milliseconds(report.v2v_ms)} to first sound${heard === undefined ? "" : `, heard here after ${milliseconds(heard)}`}`;
    this.footer(entry).append(track, text);
    this.scrollDown();
  }

  /** A line between the messages. */
  remark(text) {
    const element = document.createElement("li");
    element.className = "remark";
    element.textContent = text;
    this.list.append(element);
    this.scrollDown();
  }

  find(role, turn) {
    return this.entries.findLast((e) => e.role === role && e.turn === turn && e.session === this.session);
  }

  entry(role, turn) {
    const known = this.find(role, turn);
    if (known) return known;
    const element = document.createElement("li");
    element.className = `entry ${role}`;
    const name = document.createElement("p");
    name.className = "who";
    name.textContent = role === "user" ? "You" : "Repartee";
    const body = document.createElement("div");
    body.className = "body";
    const line = document.createElement("p");
    line.className = "line";
    const words = document.createElement("span");
    words.className = "words";
    const rest = document.createElement("span");
    rest.className = "pending";
    line.append(words, rest);
    body.append(line);
    element.append(name, body);
    const entry = {
      role, turn, session: this.session, element, body, line, words, rest,
      text: "", heard: "", pending: "", full: "", final: false, interrupted: false, dropped: null, measured: false, calls: new Map(),
    };
    this.place(entry);
    return entry;
  }

  // An answer stands after the words it answers, even when the next words have begun already.
  place(entry) {
    const question = entry.role === "agent" ? this.find("user", entry.turn) : undefined;
    if (question) question.element.after(entry.element); else this.list.append(entry.element);
    this.entries.push(entry);
    if (this.entries.length > MOST_ENTRIES) this.entries.shift().element.remove();
  }

  note(entry, text) {
    if (!entry.noteElement) {
      entry.noteElement = document.createElement("span");
      entry.noteElement.className = "note";
      this.footer(entry).prepend(entry.noteElement);
    }
    entry.noteElement.textContent = text;
    this.scrollDown();
  }

  // The small line under an entry.
  footer(entry) {
    if (!entry.footer) {
      entry.footer = document.createElement("p");
      entry.footer.className = "footer";
      entry.body.append(entry.footer);
    }
    return entry.footer;
  }

  announce(text) {
    this.announcer.textContent = text;
  }

  scrollDown() {
    if (this.follow) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Plain copies of the entries, for the test hook. */
  snapshot() {
    return this.entries.map(({ role, turn, session, text, heard, pending, full, final, interrupted, dropped, calls }) => ({
      role, turn, session, text, heard, pending, full, final, interrupted, dropped,
      calls: [...calls.values()].map(({ tool, args, result }) => ({ tool, args, result })),
    }));
  }
}
