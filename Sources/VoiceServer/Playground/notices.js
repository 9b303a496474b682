// Messages above the controls: what went wrong, in one or two sentences, and what to do. One notice per kind.
const MOST = 3;

export class Notices {
  constructor(container) {
    this.container = container;
    this.shown = new Map();
  }

  /** Shows or replaces the notice of this kind. `actions` are [label, function] pairs; `tone` is "error" or "info"; after `seconds` it goes. With `field`,
   * {label, value}, something secret is asked for, which the functions get. */
  show(kind, { tone = "error", title, text = "", actions = [], dismissible = true, seconds, field }) {
    const element = document.createElement("div");
    element.className = `notice ${tone}`;
    element.dataset.kind = kind;
    element.setAttribute("role", tone === "error" ? "alert" : "status");
    const body = document.createElement("div");
    body.className = "notice-body";
    const heading = document.createElement("p");
    heading.className = "notice-title";
    heading.textContent = title;
    const detail = document.createElement("p");
    detail.className = "notice-text";
    detail.textContent = text;
    body.append(heading, detail);
    const input = document.createElement("input");
    if (field) {
      Object.assign(input, { type: "password", autocomplete: "off", value: field.value, className: "notice-field" });
      input.setAttribute("aria-label", field.label);
      body.append(input);
    }
    const buttons = document.createElement("div");
    buttons.className = "notice-actions";
    const all = dismissible ? [...actions, ["Dismiss", () => {}]] : actions;
    for (const [label, act] of all) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = label === "Dismiss" ? "button quiet" : "button small";
      button.textContent = label;
      button.addEventListener("click", () => { this.clear(kind); act(input.value); });
      buttons.append(button);
    }
    element.append(icon("i-alert"), body, buttons);

    const before = this.shown.get(kind);
    if (before) before.element.replaceWith(element); else this.container.prepend(element);
    this.shown.set(kind, { element, detail, title, text });
    if (seconds) setTimeout(() => { if (this.shown.get(kind)?.element === element) this.clear(kind); }, seconds * 1000);
    while (this.shown.size > MOST) this.clear(this.shown.keys().next().value);
  }

  /** Changes the second line only, so that a countdown is not announced as news each second. */
  update(kind, text) {
    const notice = this.shown.get(kind);
    if (!notice || notice.text === text) return;
    notice.text = text;
    notice.detail.textContent = text;
  }

  clear(...kinds) {
    for (const kind of kinds) {
      this.shown.get(kind)?.element.remove();
      this.shown.delete(kind);
    }
  }

  clearAll() {
    this.clear(...this.shown.keys());
  }

  list() {
    return [...this.shown].map(([kind, { title, text }]) => ({ kind, title, text }));
  }
}

/** An icon of the page's own sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}
