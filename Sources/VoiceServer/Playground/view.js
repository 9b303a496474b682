// Draws the page's state: phase, who speaks, connection, models. Reads the state it is given and writes the document;
// decides nothing.
const MODEL_NAMES = { vad: "Voice activity", turn: "End of turn", asr: "Recogniser", llm: "Language", tts: "Voice" };
const LINK_WORDS = {
  idle: "Not connected", starting: "Starting", connecting: "Connecting", live: "Connected", waiting: "Reconnecting",
  ended: "Not connected",
};

export const $ = (id) => document.getElementById(id);

/** `state` as in app.js; `hears` tells whether there is a microphone. */
export function draw(state, hears) {
  const { phase, userSpeaking, agentSpeaking, thinking, muted } = state;
  document.body.dataset.phase = phase;
  $("hero").hidden = !(phase === "idle" || phase === "starting");
  for (const button of document.querySelectorAll('[data-action="start"]')) button.disabled = phase === "starting";

  $("voices").dataset.user = userSpeaking;
  $("voices").dataset.agent = agentSpeaking;
  write($("voice-you-state"), userSpeaking ? " speaking" : " silent");
  write($("voice-agent-state"), agentSpeaking ? " speaking" : " silent");
  const words = phaseWords(state, hears);
  write($("phase"), words);
  document.title = words === "" ? "Repartee" : `${words} · Repartee`;

  $("message").disabled = phase !== "live";
  $("send").disabled = phase !== "live" || $("message").value.trim() === "";
  $("interrupt").disabled = !(phase === "live" && (agentSpeaking || thinking));
  const muteLabel = muted ? "Unmute microphone" : "Mute microphone";
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").setAttribute("aria-label", muteLabel);
  $("mute").title = muteLabel;
  drawLink(state);
}

function phaseWords({ phase, userSpeaking, agentSpeaking, thinking, muted }, hears) {
  switch (phase) {
    case "idle": case "ended": return "";
    case "starting": return "Asking for the microphone";
    case "connecting": return "Connecting";
    case "waiting": return "Waiting";
  }
  if (agentSpeaking) return userSpeaking ? "Both speaking" : "Speaking";
  if (userSpeaking) return "Hearing you";
  if (thinking) return "Thinking";
  return muted || !hears ? "Microphone off" : "Listening";
}

export function drawLink({ phase, link }) {
  $("link").dataset.state = phase;
  write($("link-text"), LINK_WORDS[phase]);
  const live = phase === "live";
  write($("link-via"), live ? link.transport : "");
  write($("link-trip"), live ? trip(link.roundTrip) : "");
  if (link.transport === undefined) return;
  $("connection-section").hidden = false;
  write($("connection-transport"), link.transport);
  write($("connection-trip"), live ? trip(link.roundTrip) : "");
  write($("connection-loss"), link.lostUp === undefined ? "" : `${percent(link.lostUp)} from you, ${percent(link.lostDown ?? 0)} to you`);
  write($("connection-buffer"), link.jitterBuffer === undefined ? "" : `${Math.round(link.jitterBuffer)} ms`);
  write($("connection-note"), link.fallback ? `WebRTC was tried first. ${link.fallback}` : "");
  for (const row of $("connection").children) row.hidden = row.lastElementChild.textContent === "";
  $("connection-note").hidden = !link.fallback;
}

function trip(ms) {
  if (ms === undefined) return "";
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

/** The models in use, and what the server advises about them. */
export function showModels(models, advice) {
  const rows = Object.entries(MODEL_NAMES).filter(([key]) => models[key]).map(([key, label]) => {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = label;
    const name = document.createElement("dd");
    name.textContent = models[key];
    row.append(term, name);
    return row;
  });
  $("models").replaceChildren(...rows);
  $("models-section").hidden = rows.length === 0;
  $("models-advice").textContent = advice;
  $("models-advice").hidden = advice === "";
}

/** On narrow screens: "conversation" or "latency". */
export function showView(view) {
  document.body.dataset.view = view;
  $("latency-tab").setAttribute("aria-expanded", String(view === "latency"));
}

export function openSettings() {
  if (!$("settings").matches(":popover-open")) $("settings").showPopover();
  $("input-device").focus();
}

/** The brand's figure: a question above the line, its answer below. */
export function drawHero() {
  const you = [8, 18, 34, 46, 30, 40, 22, 12, 6];
  const agent = [6, 16, 30, 22, 38, 48, 34, 42, 26, 30, 16, 8];
  const bar = (className, x, y, height) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ class: className, x, y, width: 6, height, rx: 3 })) rect.setAttribute(name, value);
    return rect;
  };
  $("hero-wave").append(
    ...you.map((level, i) => bar("mark-you", 30 + i * 12, 58 - level, level)),
    ...agent.map((level, i) => bar("mark-agent", 24 + (you.length + i) * 12, 62, level)),
  );
}

// Text that stays the same is not written again, so that assistive technology hears of changes only.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
