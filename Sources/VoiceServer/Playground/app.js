// Puts the parts together: what the buttons do, what each news of the server changes, which message is shown when.
// A conversation is one `Talk` (context, capture, playout, client); it is made at "start" and gone after "end".
import { Capture, microphoneProblem, requestMicrophone } from "./capture.js";
import { Devices } from "./devices.js";
import { installHook } from "./hook.js";
import { LatencyPanel } from "./latency.js";
import { Notices } from "./notices.js";
import { Playout } from "./playout.js";
import { Client } from "./protocol.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";

const HIGHEST_RATE = 96000;        // docs/protocol.md; an interface at 192 kHz is asked for 48 kHz instead
const QUIET_HINT_MS = 8000;
const MODEL_NAMES = { vad: "Voice activity", turn: "End of turn", asr: "Recogniser", llm: "Language", tts: "Voice" };

const $ = (id) => document.getElementById(id);
const notices = new Notices($("notices"));
const transcript = new Transcript({
  list: $("talk"), scroller: $("scroller"), latest: $("latest"), announcer: $("announcer"),
});
const latency = new LatencyPanel({
  p50: $("stat-p50"), p90: $("stat-p90"), turns: $("stat-turns"), legend: $("legend"), list: $("turn-list"),
  empty: $("turns-empty"), breakdownBar: $("breakdown-bar"), breakdownTotal: $("breakdown-total"),
  breakdownNote: $("breakdown-note"), tabBar: $("tab-bar"), tabValue: $("tab-value"),
});
const timeline = new Timeline($("timeline"), () => ({
  you: getComputedStyle($("voice-you")).color,
  agent: getComputedStyle($("voice-agent")).color,
  line: getComputedStyle($("timeline")).color,
}));
const devices = new Devices(
  { input: $("input-device"), output: $("output-device"), outputField: $("output-field"), hint: $("device-hint") },
  { onInput: (id) => changeMicrophone(id), onOutput: (id) => changeLoudspeaker(id) },
);

/** The running conversation, or undefined. */
let talk;
const state = {
  phase: "idle",                   // idle | starting | connecting | live | waiting | ended
  userSpeaking: false, agentSpeaking: false, thinking: false, muted: false,
  session: null, models: {}, roundTrip: null, reports: [], drops: [],
  sent: 0, inputLevel: 0, quietSince: null,
};

// Starting and ending

async function start({ withMicrophone = true } = {}) {
  if (talk || state.phase === "starting") return;
  notices.clearAll();
  if (!isSecureContext || !navigator.mediaDevices || typeof AudioWorkletNode === "undefined") return refuseInsecure();
  setPhase("starting");
  const context = makeContext();
  try {
    const worklets = Promise.all(["capture-worklet.js", "playout-worklet.js"]
      .map((file) => context.audioWorklet.addModule(new URL(file, import.meta.url))));
    worklets.catch(() => {});        // told below; a refused microphone closes the context under them
    const stream = withMicrophone ? await requestMicrophone(devices.input) : undefined;
    await worklets;
    begin(context, stream);
  } catch (error) {
    context.close();
    setPhase(transcript.entries.length > 0 ? "ended" : "idle");
    explainMicrophone(error);
  }
}

function makeContext() {
  let context = new AudioContext({ latencyHint: "interactive" });
  if (context.sampleRate > HIGHEST_RATE) {
    context.close();
    context = new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
  }
  return context;
}

function begin(context, stream) {
  transcript.clear();
  latency.clear();
  state.reports = [];
  state.drops = [];
  state.sent = 0;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  talk = { context };
  talk.playout = makePlayout(context);
  talk.capture = new Capture(context, { onFrame: sendFrame, onLost: microphoneLost, onSystemMute: systemMute });
  if (stream) talk.capture.attach(stream);
  talk.client = new Client(`${scheme}//${location.host}/ws`, context.sampleRate, {
    onState: connectionChanged,
    onMessage: receive,
    onAudio: (audio) => talk?.playout.push(audio),
    onRoundTrip: (ms) => { state.roundTrip = ms; drawLink(); },
  });
  context.onstatechange = watchContext;
  watchContext();
  if (devices.output) changeLoudspeaker(devices.output);
  devices.refresh();
  setMuted(false);
  timeline.start();
  talk.client.open();
}

function end(phase = "ended") {
  const ending = talk;
  talk = undefined;
  if (ending) {
    ending.client.close();
    ending.capture.close();
    ending.playout.close();
    ending.context.onstatechange = null;
    ending.context.close();
  }
  clearInterval(countdown);
  notices.clearAll();
  timeline.stop();
  transcript.breakOff();
  quietSides();
  setPhase(phase);
}

function quietSides() {
  state.userSpeaking = state.agentSpeaking = state.thinking = false;
}

// The microphone

function sendFrame(message, level) {
  state.inputLevel = level;
  timeline.hearYou(level);
  if (talk?.client.sendAudio(message)) state.sent += 1;
  noticeQuiet(level);
}

// A microphone that gives nothing but zeros is switched off somewhere, or the wrong one.
function noticeQuiet(level) {
  const now = performance.now();
  if (level > 0 || state.muted || !talk?.capture.hasDevice || state.phase !== "live") {
    if (state.quietSince !== null) notices.clear("quiet");
    state.quietSince = null;
    return;
  }
  state.quietSince ??= now;
  if (now - state.quietSince < QUIET_HINT_MS || state.quietSince === Infinity) return;
  state.quietSince = Infinity;     // said once
  notices.show("quiet", {
    tone: "info", title: "The microphone is silent",
    text: "Nothing at all arrives from it. Check its switch, or choose another one.",
    actions: [["Choose", openSettings]],
  });
}

async function changeMicrophone(deviceId) {
  if (!talk) return;
  try {
    await talk.capture.open(deviceId);
    notices.clear("microphone");
  } catch (error) {
    explainMicrophone(error);
  }
}

async function changeLoudspeaker(deviceId) {
  if (!talk?.context.setSinkId) return;
  try {
    await talk.context.setSinkId(deviceId);
    notices.clear("loudspeaker");
  } catch {
    notices.show("loudspeaker", {
      tone: "info", title: "That loudspeaker is not available", text: "The sound stays where it is.",
      actions: [["Choose", openSettings]],
    });
  }
}

async function microphoneLost() {
  if (!talk) return;
  try {
    await talk.capture.open("");
    await devices.refresh();
    notices.show("microphone", {
      tone: "info", title: "The microphone was unplugged", text: "The default one is used now.",
      actions: [["Choose", openSettings]],
    });
  } catch {
    notices.show("microphone", {
      title: "The microphone was unplugged", text: "Plug one in and try again. You can type meanwhile.",
      actions: [["Try again", () => changeMicrophone(devices.input)]],
    });
  }
}

function systemMute(muted) {
  if (!muted || state.muted) return notices.clear("system-mute");
  notices.show("system-mute", {
    tone: "info", title: "The microphone is muted outside this page", text: "The system or a switch on the device mutes it.",
  });
}

function setMuted(muted) {
  state.muted = muted;
  talk?.capture.setMuted(muted);
  const label = muted ? "Unmute microphone" : "Mute microphone";
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").setAttribute("aria-label", label);
  $("mute").title = label;
  draw();
}

// What can go wrong, in words

function refuseInsecure() {
  notices.show("insecure", {
    title: "The microphone needs a secure page",
    text: `Browsers give the microphone only to https pages and to this very machine. Open http://localhost:${location.port || 80}/ on the machine that runs Repartee, or put https in front of it.`,
  });
}

function explainMicrophone(error) {
  const typing = ["Type instead", () => start({ withMicrophone: false })];
  const again = ["Try again", () => (talk ? changeMicrophone(devices.input) : start())];
  const actions = talk ? [again] : [again, typing];
  switch (microphoneProblem(error)) {
    case "refused":
      return notices.show("microphone", {
        title: "The microphone was refused",
        text: "Allow it for this page in the permissions beside the address, then try again.", actions,
      });
    case "missing":
      return notices.show("microphone", {
        title: "No microphone found", text: "Plug one in, or switch it on in the system's sound settings.", actions,
      });
    case "busy":
      return notices.show("microphone", {
        title: "The microphone cannot be opened", text: "Another program may hold it. Close that, or choose another device.", actions,
      });
    default:
      return notices.show("microphone", {
        title: "The audio could not be started", text: error?.message ?? "The browser gives no reason.", actions,
      });
  }
}

const LOST = {
  gone: ["The server does not answer", "The connection broke."],
  restarting: ["The server is shutting down", "It may be back in a moment."],
  slow: ["The connection is too slow", "The server closed it because this page did not keep up."],
  failed: ["Something failed on the server", "It ended the conversation."],
  full: ["The server is full", "All its places for conversations are taken."],
};
let countdown;

/** The server's words as a sentence of this page. */
function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

function showWaiting({ kind, reason, until, attempt }) {
  const [title, usual] = LOST[kind] ?? LOST.gone;
  const cause = reason ? sentence(reason) : usual;
  const text = () => {
    const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    return `${cause} Trying again${seconds > 0 ? ` in ${seconds} s` : " now"} (attempt ${attempt}).`;
  };
  clearInterval(countdown);
  notices.show("connection", {
    title, text: text(), dismissible: false,
    actions: [["Try now", () => talk?.client.retryNow()], ["Stop trying", () => end()]],
  });
  countdown = setInterval(() => notices.update("connection", text()), 250);
}

// Browsers hold back audio until the page was touched, and phones suspend it during a call or behind a locked screen.
function watchContext() {
  const { context } = talk ?? {};
  if (!context) return;
  if (context.state === "running") return notices.clear("suspended");
  context.resume().catch(() => {});
  setTimeout(() => {
    if (talk?.context !== context || context.state === "running") return;
    notices.show("suspended", {
      tone: "info", title: "The browser has paused the sound", text: "The conversation goes on once it runs again.",
      actions: [["Resume", () => context.resume().then(watchContext)]], dismissible: false,
    });
  }, 600);
}

// The server's news

function connectionChanged(news) {
  clearInterval(countdown);
  switch (news.name) {
    case "connecting":
      return setPhase("connecting");
    case "ready":
      state.session = news.session ?? null;
      state.models = news.models;
      notices.clear("connection", "server");
      transcript.beginSession();
      showModels(news.models);
      return setPhase("live");
    case "waiting":
      notices.clear("server", "quiet");
      transcript.breakOff();
      quietSides();
      renewPlayout();
      setPhase("waiting");
      return showWaiting(news);
    case "closed":
      end();
      if (news.kind === "ended") return transcript.remark("The server ended the conversation.");
      return notices.show("connection", {
        title: "The page and the server do not understand each other",
        text: `${news.reason ? sentence(news.reason) : "The server closed the connection because of a protocol error."} Reload the page; it may be older than the server.`,
        actions: [["Reload", () => location.reload()]],
      });
  }
}

// Another session numbers its replies from 1 again, so it gets a fresh worklet. The old one fades out first.
function renewPlayout() {
  const before = talk.playout;
  before.cut(0xffffffff);
  setTimeout(() => before.close(), 50);
  talk.playout = makePlayout(talk.context);
}

function makePlayout(context) {
  return new Playout(context, {
    onPlayed: (epoch, samples) => talk?.client.say({ type: "played", epoch, samples }),
    onLevel: (level) => timeline.hearAgent(level),
  });
}

function receive(message) {
  switch (message.type) {
    case "cut":
      return talk?.playout.cut(message.epoch);
    case "user_speaking":
      state.userSpeaking = message.speaking === true;
      if (state.userSpeaking) state.thinking = false;
      return draw();
    case "agent_speaking":
      state.agentSpeaking = message.speaking === true;
      state.thinking = false;
      return draw();
    case "user_transcript":
      transcript.user({ turn: message.turn, text: String(message.text ?? ""), final: message.final === true });
      state.thinking = message.final === true && !state.agentSpeaking;
      return draw();
    case "agent_transcript":
      transcript.agent({
        turn: message.turn, heard: String(message.heard ?? ""), pending: String(message.pending ?? ""),
        final: message.final === true, interrupted: message.interrupted === true,
      });
      return draw();
    case "turn_dropped":
      state.drops.push({ turn: message.turn, reason: message.reason });
      transcript.dropped({ turn: message.turn, reason: String(message.reason ?? "no reason given") });
      state.thinking = false;
      return draw();
    case "turn":
      if (!message.report) return undefined;
      state.reports.push(message.report);
      latency.add(message.report);
      return transcript.measured(message.report);
    case "error":
      return notices.show("server", { title: "The server reports a failure", text: sentence(String(message.message ?? message.code ?? "")) });
  }
  return undefined;
}

function showModels(models) {
  const list = $("models");
  list.replaceChildren();
  for (const [key, label] of Object.entries(MODEL_NAMES)) {
    if (!models[key]) continue;
    const row = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = label;
    const name = document.createElement("dd");
    name.textContent = models[key];
    row.append(term, name);
    list.append(row);
  }
  $("models-section").hidden = list.children.length === 0;
}

// What is seen

function setPhase(phase) {
  state.phase = phase;
  document.body.dataset.phase = phase;
  $("mute").disabled = !talk;
  $("message").disabled = phase !== "live";
  $("hero").hidden = !(phase === "idle" || phase === "starting");
  for (const button of document.querySelectorAll('[data-action="start"]')) button.disabled = phase === "starting";
  draw();
}

function draw() {
  const { phase, userSpeaking, agentSpeaking, thinking, muted } = state;
  $("voices").dataset.user = userSpeaking;
  $("voices").dataset.agent = agentSpeaking;
  $("voice-you-state").textContent = userSpeaking ? " speaking" : " silent";
  $("voice-agent-state").textContent = agentSpeaking ? " speaking" : " silent";
  $("interrupt").disabled = !(phase === "live" && (agentSpeaking || thinking));
  $("send").disabled = phase !== "live" || $("message").value.trim() === "";
  const words = {
    idle: "", starting: "Asking for the microphone", connecting: "Connecting", waiting: "Waiting", ended: "Ended",
    live: agentSpeaking ? (userSpeaking ? "Both speaking" : "Speaking") : userSpeaking ? "Hearing you"
      : thinking ? "Thinking" : muted || !talk?.capture.hasDevice ? "Microphone off" : "Listening",
  }[phase];
  if ($("phase").textContent !== words) $("phase").textContent = words;
  document.title = words && phase !== "ended" ? `${words} · Repartee` : "Repartee";
  drawLink();
}

function drawLink() {
  const { phase, roundTrip } = state;
  const words = {
    idle: "Not connected", starting: "Starting", connecting: "Connecting", waiting: "Reconnecting", ended: "Not connected",
    live: "Connected",
  }[phase];
  const trip = phase === "live" && roundTrip !== null ? `${roundTrip < 10 ? roundTrip.toFixed(1) : Math.round(roundTrip)} ms` : "";
  $("link").dataset.state = phase;
  $("link-trip").textContent = trip;
  if ($("link-text").textContent !== words) $("link-text").textContent = words;
}

function openSettings() {
  if (!$("settings").matches(":popover-open")) $("settings").showPopover();
  $("input-device").focus();
}

function showView(view) {
  document.body.dataset.view = view;
  $("latency-tab").setAttribute("aria-expanded", String(view === "latency"));
}

// The brand's figure: a question above the line, its answer below.
function drawHero() {
  const you = [8, 18, 34, 46, 30, 40, 22, 12, 6];
  const agent = [6, 16, 30, 22, 38, 48, 34, 42, 26, 30, 16, 8];
  const put = (x, level, className) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const up = className === "mark-you";
    rect.setAttribute("class", className);
    rect.setAttribute("x", x);
    rect.setAttribute("y", up ? 58 - level : 62);
    rect.setAttribute("width", 6);
    rect.setAttribute("height", level);
    rect.setAttribute("rx", 3);
    $("hero-wave").append(rect);
  };
  you.forEach((level, i) => put(30 + i * 12, level, "mark-you"));
  agent.forEach((level, i) => put(30 + (you.length - 0.5 + i) * 12, level, "mark-agent"));
}

// Wiring

for (const button of document.querySelectorAll('[data-action="start"]')) button.addEventListener("click", () => start());
$("stop").addEventListener("click", () => end());
$("mute").addEventListener("click", () => setMuted(!state.muted));
$("interrupt").addEventListener("click", () => talk?.client.say({ type: "interrupt" }));
$("message").addEventListener("input", draw);
$("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("message").value.trim();
  if (text === "" || state.phase !== "live") return;
  talk.client.say({ type: "text", text });
  $("message").value = "";
  draw();
});
$("latency-tab").addEventListener("click", () => { showView("latency"); $("latency-back").focus(); });
$("latency-back").addEventListener("click", () => { showView("conversation"); $("latency-tab").focus(); });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || $("settings").matches(":popover-open")) return;
  if (document.body.dataset.view === "latency") return showView("conversation");
  if (!$("interrupt").disabled) talk?.client.say({ type: "interrupt" });
});
// Hidden pages keep talking; only what the browser suspended is woken up when the page is seen again.
addEventListener("visibilitychange", () => { if (!document.hidden) watchContext(); });
addEventListener("pagehide", () => { if (talk) end(); });

drawHero();
setPhase("idle");
if (!isSecureContext) refuseInsecure();

installHook({
  phase: () => state.phase,
  session: () => state.session,
  models: () => state.models,
  speaking: () => ({ user: state.userSpeaking, agent: state.agentSpeaking }),
  transcript: () => transcript.snapshot(),
  reports: () => structuredClone(state.reports),
  drops: () => structuredClone(state.drops),
  playout: () => ({ ...talk?.playout.report }),
  capture: () => ({ sent: state.sent, level: state.inputLevel, muted: state.muted, sampleRate: talk?.context.sampleRate }),
  notices: () => notices.list(),
  roundTrip: () => state.roundTrip,
});
