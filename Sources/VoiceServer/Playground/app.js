// Puts the parts together: what the buttons do, what each news of the server changes, which message is shown when.
// A conversation is one `Talk` (context, capture, playout, client); it is made at "start" and gone after "end".
import { Capture, requestMicrophone } from "./capture.js";
import { Devices } from "./devices.js";
import { installHook } from "./hook.js";
import { LatencyPanel } from "./latency.js";
import { Notices } from "./notices.js";
import { Playout } from "./playout.js";
import * as problems from "./problems.js";
import { Client } from "./protocol.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { $, draw, drawHero, drawLink, openSettings, showModels, showView } from "./view.js";

const HIGHEST_RATE = 96000;        // docs/protocol.md; an interface at 192 kHz is asked for 48 kHz instead
const QUIET_HINT_MS = 8000;

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
let countdown;
const state = {
  phase: "idle",                   // idle | starting | connecting | live | waiting | ended
  userSpeaking: false, agentSpeaking: false, thinking: false, muted: false,
  session: null, models: {}, advice: "", roundTrip: null, reports: [], drops: [],
  sent: 0, inputLevel: 0, quietSince: null,
};

// Starting and ending

async function start({ withMicrophone = true } = {}) {
  if (talk || state.phase === "starting") return;
  notices.clearAll();
  if (!isSecureContext || !navigator.mediaDevices || typeof AudioWorkletNode === "undefined") return notices.show("insecure", problems.insecurePage());
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
    onRoundTrip: (ms) => { state.roundTrip = ms; drawLink(state); },
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
  notices.show("quiet", { ...problems.microphoneSilent, actions: [["Choose", openSettings]] });
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
    notices.show("loudspeaker", { ...problems.loudspeakerUnavailable, actions: [["Choose", openSettings]] });
  }
}

async function microphoneLost() {
  if (!talk) return;
  try {
    await talk.capture.open("");
    await devices.refresh();
    notices.show("microphone", { ...problems.microphoneReplaced, actions: [["Choose", openSettings]], seconds: 12 });
  } catch {
    notices.show("microphone", {
      ...problems.microphoneGone, actions: [["Try again", () => changeMicrophone(devices.input)]],
    });
  }
}

function systemMute(muted) {
  if (!muted || state.muted) return notices.clear("system-mute");
  notices.show("system-mute", problems.microphoneMutedElsewhere);
}

function setMuted(muted) {
  state.muted = muted;
  talk?.capture.setMuted(muted);
  redraw();
}

function explainMicrophone(error) {
  const again = ["Try again", () => (talk ? changeMicrophone(devices.input) : start())];
  const typing = ["Type instead", () => start({ withMicrophone: false })];
  notices.show("microphone", { ...problems.microphoneProblem(error), actions: talk ? [again] : [again, typing] });
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
      ...problems.soundPaused, actions: [["Resume", () => context.resume().then(watchContext)]], dismissible: false,
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
      state.advice = news.advice;
      notices.clear("connection", "server");
      transcript.beginSession();
      showModels(news.models, news.advice);
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
        ...problems.protocolProblem(news.reason), actions: [["Reload", () => location.reload()]],
      });
  }
}

function showWaiting(news) {
  const { title, text } = problems.connectionLost(news);
  notices.show("connection", {
    title, text: text(), dismissible: false,
    actions: [["Try now", () => talk?.client.retryNow()], ["Stop trying", () => end()]],
  });
  countdown = setInterval(() => notices.update("connection", text()), 250);
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
    case "pause":
      return talk?.playout.pause(message.epoch);
    case "user_speaking":
      state.userSpeaking = message.speaking === true;
      if (state.userSpeaking) state.thinking = false;
      return redraw();
    case "agent_speaking":
      state.agentSpeaking = message.speaking === true;
      state.thinking = false;
      return redraw();
    case "user_transcript":
      transcript.user({ turn: message.turn, text: String(message.text ?? ""), final: message.final === true });
      state.thinking = message.final === true && !state.agentSpeaking;
      return redraw();
    case "agent_transcript":
      transcript.agent({
        turn: message.turn, heard: String(message.heard ?? ""), pending: String(message.pending ?? ""),
        final: message.final === true, interrupted: message.interrupted === true,
      });
      return redraw();
    case "turn_dropped":
      state.drops.push({ turn: message.turn, reason: message.reason });
      transcript.dropped({ turn: message.turn, reason: String(message.reason ?? "no reason given") });
      state.thinking = false;
      return redraw();
    case "turn":
      if (!message.report) return undefined;
      state.reports.push(message.report);
      latency.add(message.report);
      return transcript.measured(message.report);
    case "error":
      return notices.show("server", problems.serverFailure(message));
  }
  return undefined;
}

function setPhase(phase) {
  state.phase = phase;
  redraw();
}

function redraw() {
  draw(state, talk?.capture?.hasDevice ?? false);
}

// Wiring

for (const button of document.querySelectorAll('[data-action="start"]')) button.addEventListener("click", () => start());
$("stop").addEventListener("click", () => end());
$("mute").addEventListener("click", () => setMuted(!state.muted));
$("interrupt").addEventListener("click", () => talk?.client.say({ type: "interrupt" }));
$("message").addEventListener("input", redraw);
$("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("message").value.trim();
  if (text === "" || state.phase !== "live") return;
  talk.client.say({ type: "text", text });
  $("message").value = "";
  redraw();
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
if (!isSecureContext) notices.show("insecure", problems.insecurePage());

installHook({
  phase: () => state.phase,
  session: () => state.session,
  models: () => state.models,
  advice: () => state.advice,
  speaking: () => ({ user: state.userSpeaking, agent: state.agentSpeaking, thinking: state.thinking }),
  transcript: () => transcript.snapshot(),
  reports: () => structuredClone(state.reports),
  drops: () => structuredClone(state.drops),
  playout: () => ({ ...talk?.playout.report }),
  capture: () => ({ sent: state.sent, level: state.inputLevel, muted: state.muted, sampleRate: talk?.context.sampleRate }),
  notices: () => notices.list(),
  roundTrip: () => state.roundTrip,
});
