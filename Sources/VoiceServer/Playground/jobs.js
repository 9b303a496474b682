// What the agent has done in the background: one line a job, above the controls, with its last news and a way to cancel it.
// The words go in by textContent only.
const MOST_ENDED = 3;
const ENDED_MS = 12000;
const STATUS = { running: "running", completed: "done", failed: "failed", cancelled: "cancelled" };

export class Jobs {
  /** `cancel(id)` asks the server to stop a job. */
  constructor(list, cancel) {
    this.list = list;
    this.cancel = cancel;
    this.jobs = new Map();
  }

  clear() {
    for (const job of this.jobs.values()) clearTimeout(job.timer);
    this.jobs.clear();
    this.list.replaceChildren();
  }

  /** Takes a `job` message. Of a job the message with the highest `seq` counts. */
  update({ id, tool, status, seq, text }) {
    let job = this.jobs.get(id);
    if (job && seq < job.seq) return;
    if (!job) {
      job = { id, ...this.line(id) };
      this.jobs.set(id, job);
    }
    Object.assign(job, { tool, status, seq, text });
    job.element.dataset.status = status;
    job.name.textContent = tool;
    job.state.textContent = STATUS[status] ?? status;
    job.news.textContent = text;
    job.news.title = text;
    job.stop.hidden = status !== "running";
    job.stop.setAttribute("aria-label", `Cancel ${tool}`);
    if (status !== "running") this.retire(job);
  }

  line(id) {
    const element = document.createElement("li");
    element.className = "job";
    const dot = document.createElement("span");
    dot.className = "job-dot";
    dot.setAttribute("aria-hidden", "true");
    const [name, state, news] = ["job-name", "job-state", "job-news"].map((style) => {
      const span = document.createElement("span");
      span.className = style;
      return span;
    });
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "job-cancel";
    stop.textContent = "Cancel";
    stop.addEventListener("click", () => { stop.disabled = true; this.cancel(id); });
    element.append(dot, name, state, news, stop);
    this.list.append(element);
    return { element, name, state, news, stop };
  }

  // An ended job is shown for a while, and only the last few are.
  retire(job) {
    clearTimeout(job.timer);
    job.timer = setTimeout(() => this.remove(job), ENDED_MS);
    const ended = [...this.jobs.values()].filter((other) => other.status !== "running");
    for (const old of ended.slice(0, -MOST_ENDED)) this.remove(old);
  }

  remove(job) {
    clearTimeout(job.timer);
    job.element.remove();
    this.jobs.delete(job.id);
  }

  /** Plain copies of what is shown, for the test hook. */
  snapshot() {
    return [...this.jobs.values()].map(({ id, tool, status, seq, text }) => ({ id, tool, status, seq, text }));
  }
}
