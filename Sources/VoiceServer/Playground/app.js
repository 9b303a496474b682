// Puts the parts together: what the buttons do, what each news of the server changes, which message is shown when.
// A conversation is one `Talk`; it is made at "start" and gone after "end".
import { requestMicrophone } from "./capture.js";
import { Devices } from "./devices.js";
import { Door } from "./door.js";
import { installHook } from "./hook.js";
import { Jobs } from "./jobs.js";
import { LatencyPanel } from "./latency.js";
import { Notices } from "./notices.js";
import * as problems from "./problems.js";
import { loadWorklets, makeContext, Talk } from "./talk.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { $, draw, drawHero, drawLink, openSettings, showModels, showView } from "./view.js";

/** "webrtc" or "websocket" where the address asks for one. */
const TRANSPORT = new URLSearchParams(location.search).get("transport");
const QUIET_HINT_MS = 8000;

const notices = new Notices($("notices"));
const transcript = new Transcript({
  list: $("talk"), scroller: $("scroller"), latest: $("latest"), announcer: $("announcer"),
});
const latency = new LatencyPanel({
  p50: $("stat-p50"), p90: $("stat-p90"), heard50: $("stat-heard-p50"), heard90: $("stat-heard-p90"), turns: $("stat-turns"), legend: $("legend"), list: $("turn-list"),
  empty: $("turns-empty"), breakdownBar: $("breakdown-bar"), breakdownTotal: $("breakdown-total"),
  breakdownNote: $("breakdown-note"), tabBar: $("tab-bar"), tabValue: $("tab-value"),
});
const timeline = new Timeline($("timeline"), () => ({
  you: getComputedStyle($("voice-you")).color,
  agent: getComputedStyle($("voice-agent")).color,
  line: getComputedStyle($("timeline")).color,
}));
const jobs = new Jobs($("jobs"), (id) => talk?.client.say({ type: "cancel_job", id }));
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
  session: null, models: {}, advice: "", link: {}, reports: [], heard: [], drops: [],
  inputLevel: 0, quietSince: null,
  answers: [],                     // latencies heard here since the last report, in ms
};

// Starting and ending

async function start({ withMicrophone = true } = {}) {
  if (talk || state.phase === "starting") return;
  notices.clearAll();
  if (!isSecureContext || !navigator.mediaDevices || typeof AudioWorkletNode === "undefined") return notices.show("insecure", problems.insecurePage());
  setPhase("starting");
  const context = makeContext();
  try {
    const worklets = loadWorklets(context);
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

function begin(context, stream) {
  transcript.clear();
  jobs.clear();
  latency.clear();
  state.reports = [];
  state.heard = [];
  state.drops = [];
  talk = new Talk(context, stream, TRANSPORT, {
    onLost: microphoneLost,
    onSystemMute: systemMute,
    onLevels: hear,
    onAnswer: (ms) => state.answers.push(ms),
    onState: connectionChanged,
    onMessage: receive,
    onLink: (link) => { state.link = link; drawLink(state); },
    onSound: watchSound,
    onLoudspeaker: loudspeakerRefused,
  });
  watchSound();
  devices.refresh();
  setMuted(false);
  timeline.start();
  talk.client.loudspeaker = devices.output;
  talk.client.open();
}

function end(phase = "ended") {
  const ending = talk;
  talk = undefined;
  ending?.close();
  clearInterval(countdown);
  notices.clearAll();
  timeline.stop();
  transcript.breakOff();
  jobs.clear();
  quietSides();
  setPhase(phase);
}

function quietSides() {
  state.userSpeaking = state.agentSpeaking = state.thinking = false;
}

// The microphone

function hear({ you, agent }) {
  state.inputLevel = you;
  timeline.hearYou(you);
  timeline.hearAgent(agent);
  noticeQuiet(you);
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
  notices.clear("loudspeaker");
  await talk?.client.setLoudspeaker(deviceId);
}

function loudspeakerRefused() {
  notices.show("loudspeaker", { ...problems.loudspeakerUnavailable, actions: [["Choose", openSettings]] });
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
function watchSound() {
  const watched = talk;
  if (!watched) return;
  if (watched.context.state === "running" && watched.isSounding) return notices.clear("suspended");
  watched.resume().catch(() => {});
  setTimeout(() => {
    if (talk !== watched) return;
    if (watched.isSounding) return notices.clear("suspended");
    notices.show("suspended", {
      ...problems.soundPaused, dismissible: false,
      actions: [["Resume", () => watched.resume().catch(() => {}).then(watchSound)]],
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
      transcript.beginSession(news.returns);
      state.answers = [];
      showModels(news.models, news.advice);
      return setPhase("live");
    case "waiting":
      notices.clear("server", "quiet");
      transcript.breakOff();
      jobs.clear();
      quietSides();
      setPhase("waiting");
      return showWaiting(news);
    case "closed":
      end();
      if (news.kind === "key") return askForKey(news.reason);
      if (news.kind === "elsewhere") return transcript.remark("The conversation goes on in another window.");
      if (news.kind === "ended") return transcript.remark("The server ended the conversation.");
      if (news.kind === "unserved") return notices.show("connection", problems.transportUnserved(news.reason));
      return notices.show("connection", {
        ...problems.protocolProblem(news.reason), actions: [["Reload", () => location.reload()]],
      });
  }
}

function askForKey(reason) {
  notices.show("key", {
    ...problems.keyWanted(Door.key, reason), field: { label: "Key", value: Door.key },
    actions: [["Continue", (key) => { Door.key = key.trim(); start(); }]],
  });
}

function showWaiting(news) {
  const { title, text } = problems.connectionLost(news);
  notices.show("connection", {
    title, text: text(), dismissible: false,
    actions: [["Try now", () => talk?.client.retryNow()], ["Stop trying", () => end()]],
  });
  countdown = setInterval(() => notices.update("connection", text()), 250);
}

function receive(message) {
  switch (message.type) {
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
      return message.report ? measured(message.report) : undefined;
    case "tool_began":
      return transcript.call({ turn: message.turn, id: String(message.id), tool: String(message.tool), args: message.arguments });
    case "tool_ended":
      return transcript.call({
        turn: message.turn, id: String(message.id), tool: String(message.tool),
        result: String(message.result), succeeded: message.succeeded === true,
      });
    case "job":
      return jobs.update({
        id: String(message.id), tool: String(message.tool), status: String(message.status), seq: Number(message.seq),
        text: String(message.text ?? ""),
      });
    case "handed_over":
      return transcript.remark(`${message.agent} has the conversation now.`);
    case "error":
      return notices.show("server", problems.serverFailure(message));
  }
  return undefined;
}

// The answer's beginning was heard since the report before; typed turns and greetings have none, and whatever else was heard is not theirs.
function measured(report) {
  const [heard] = Number.isFinite(report.v2v_ms) ? state.answers : [];
  state.answers = [];
  state.reports.push(report);
  if (heard !== undefined) state.heard.push({ turn: report.turn, ms: heard });
  latency.add(report, heard);
  transcript.measured(report, heard);
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
addEventListener("visibilitychange", () => { if (!document.hidden) watchSound(); });
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
  heard: () => structuredClone(state.heard),
  playout: () => ({ ...talk?.client.wire?.playout?.report, ...talk?.meter.report }),
  capture: () => ({
    sent: talk?.client.wire?.sent, level: state.inputLevel, muted: state.muted, sampleRate: talk?.context.sampleRate,
  }),
  jobs: () => jobs.snapshot(),
  notices: () => notices.list(),
  link: () => ({ ...state.link }),
});
