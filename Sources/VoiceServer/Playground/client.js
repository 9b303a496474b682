// The page's end of docs/protocol.md: greets, keeps alive, connects again with back-off when the connection breaks. Over WebRTC where
// that can be had, else over a WebSocket (wire-webrtc.js, wire-websocket.js); knows neither devices nor the document. Tells its owner:
//   onState({name, …})  "connecting" | "ready" | "waiting" (before the next attempt) | "closed" (no further attempt)
//   onMessage(object)   every JSON message but `ready`, `pong` and those that the wire takes
//   onLink({transport, fallback, roundTrip, jitterBuffer, lostUp, lostDown})  how the connection is; ms and shares, undefined if not known
//   onSound()           the browser may have paused the sound
//   onLoudspeaker()     the chosen loudspeaker cannot be had
import { Door } from "./door.js";
import { WebRTCWire } from "./wire-webrtc.js";
import { WebSocketWire } from "./wire-websocket.js";

const VERSION = 1;
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000];
const FULL_RETRY_MS = 8000;
const READY_TIMEOUT_MS = 15000;
const PING_MS = 4000;
const STATISTICS_MS = 1000;
const TRIPS = 8;                   // pings of which the quickest counts
const SILENCE_LIMIT_MS = 13000;    // three pings unanswered: the peer is gone though the connection looks open
const STABLE_MS = 10000;           // a connection this old starts the back-off over

/** What a close code means for the page: `kind` names the notice, `retry` whether to try again. */
function meaning(code) {
  switch (code) {
    case 1000: return { kind: "ended", retry: false };
    case 1001: return { kind: "restarting", retry: true };
    case 1012: return { kind: "replaced", retry: true };
    case 1002: case 1003: case 1007: case 1009: return { kind: "protocol", retry: false };
    case 1008: return { kind: "slow", retry: true };
    case 1011: return { kind: "failed", retry: true };
    case 1013: return { kind: "full", retry: true };
    case 4001: return { kind: "elsewhere", retry: false };
    default: return { kind: "gone", retry: true };
  }
}

export class Client {
  /** `transport` is "webrtc", "websocket", or anything else for the better one that works; `sound` is what a wire connects. */
  constructor(transport, sound, callbacks) {
    this.mayFallBack = transport !== "webrtc";
    this.Wire = transport === "websocket" ? WebSocketWire : WebRTCWire;
    this.sound = sound;
    this.callbacks = callbacks;
    this.door = new Door();
    this.loudspeaker = "";
    this.attempt = 0;
    this.stopped = false;
    this.ready = false;
    this.onLine = () => { if (this.retryTimer) this.retryNow(); };
    addEventListener("online", this.onLine);
  }

  open() {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.ready = false;
    this.lastError = undefined;
    this.trips = [];
    if (!this.Wire.exists) return this.fallBack("This browser has none.");
    this.callbacks.onState({ name: "connecting", attempt: this.attempt });
    const wire = new this.Wire(this.sound, this.door, {
      onOpen: () => this.say({
        type: "hello", version: VERSION, microphone: { sample_rate: wire.rate }, playout: { sample_rate: wire.rate },
      }),
      onText: (text) => { if (wire === this.wire) this.receive(text); },
      onClosed: (outcome) => { if (wire === this.wire) this.lost(outcome); },
      onPaused: () => this.callbacks.onSound(),
    });
    this.wire = wire;
    this.setLink({ transport: this.Wire.title, fallback: this.fallback });
    this.readyTimer = setTimeout(() => this.lost({ code: 1006 }), READY_TIMEOUT_MS);
    this.setLoudspeaker(this.loudspeaker);
    return wire.open();
  }

  /** Ends the conversation for good. */
  close() {
    this.stopped = true;
    removeEventListener("online", this.onLine);
    clearTimeout(this.retryTimer);
    this.say({ type: "bye" });
    this.forgetWire();
  }

  retryNow() {
    if (!this.stopped) this.open();
  }

  say(object) {
    if (this.wire?.isOpen) this.wire.say(JSON.stringify(object));
  }

  /** Another microphone. */
  setTrack(track) { this.wire?.setTrack(track); }

  /** "" is the system's default. */
  async setLoudspeaker(deviceId) {
    this.loudspeaker = deviceId;
    try { await this.wire?.setLoudspeaker(deviceId); } catch { this.callbacks.onLoudspeaker(); }
  }

  receive(text) {
    this.heardAt = performance.now();
    let message;
    try { message = JSON.parse(text); } catch { message = undefined; }
    if (typeof message?.type !== "string") return this.refuse("The server sent a message that is not in the protocol.");
    if (this.wire.takes(message)) return undefined;
    if (message.type === "ready") return this.becomeReady(message);
    if (message.type === "pong") {
      if (Number.isFinite(message.t)) this.noteTrip(performance.now() - message.t);
      return undefined;
    }
    if (message.type === "error") this.lastError = message;
    return this.callbacks.onMessage(message);
  }

  // The smallest of the last few is the network's: a server that rests reads late what comes.
  noteTrip(milliseconds) {
    this.trips = [...this.trips.slice(1 - TRIPS), milliseconds];
    this.setLink({ roundTrip: Math.min(...this.trips) });
  }

  becomeReady(message) {
    clearTimeout(this.readyTimer);
    this.ready = true;
    this.readyAt = performance.now();
    this.pingTimer = setInterval(() => this.ping(), PING_MS);
    this.statisticsTimer = setInterval(() => this.measure(this.wire), STATISTICS_MS);
    this.ping();
    const { returns } = this.door;
    this.door.remember(message);
    this.callbacks.onState({ name: "ready", session: message.session, returns, models: message.models ?? {}, advice: String(message.advice ?? "") });
  }

  ping() {
    if (performance.now() - this.heardAt > SILENCE_LIMIT_MS) return this.lost({ code: 1006 });
    return this.say({ type: "ping", t: performance.now() });
  }

  async measure(wire) {
    const statistics = await wire.statistics();
    if (wire === this.wire) this.setLink(statistics);
  }

  /** Notes what is known of the connection; another transport starts anew. */
  setLink(news) {
    const known = Object.entries(news).filter(([, value]) => value !== undefined);
    this.link = { ...(news.transport ? {} : this.link), ...Object.fromEntries(known) };
    this.callbacks.onLink({ ...this.link });
  }

  /** Gives up on a server that does not speak the protocol. */
  refuse(reason) {
    this.forgetWire();
    this.finish({ kind: "protocol", reason });
  }

  forgetWire() {
    clearTimeout(this.readyTimer);
    clearInterval(this.pingTimer);
    clearInterval(this.statisticsTimer);
    const { wire } = this;
    this.wire = undefined;
    this.ready = false;
    wire?.close();
  }

  /** Goes on over a WebSocket, for the rest of the conversation. */
  fallBack(reason) {
    if (!this.mayFallBack || this.Wire === WebSocketWire) return this.finish({ kind: "unserved", reason });
    this.fallback = reason;
    this.Wire = WebSocketWire;
    return this.open();
  }

  lost({ code, reason, unserved, unopened, startsOver, wantsKey }) {
    if (this.ready && performance.now() - this.readyAt > STABLE_MS) this.attempt = 0;
    this.forgetWire();
    if (unserved) return this.fallBack(unserved);
    if (wantsKey) return this.finish({ kind: "key", reason });
    if (startsOver && !this.stopped) return this.open();
    if (unopened && this.door.returns) return this.doubtWayBack(code);
    const { kind, retry } = meaning(code);
    const words = this.lastError?.message ?? reason;
    if (this.stopped || !retry) return this.finish({ kind, reason: words });
    if (kind === "failed") this.door.forget();    // what failed once would fail again
    const backoff = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)];
    const delay = kind === "full" ? FULL_RETRY_MS : backoff;
    this.attempt += 1;
    this.retryTimer = setTimeout(() => this.open(), delay);
    return this.callbacks.onState({ name: "waiting", kind, reason: words, code, attempt: this.attempt, until: performance.now() + delay });
  }

  /** A WebSocket does not say why it did not open. */
  async doubtWayBack(code) {
    if (await this.door.isClosed()) this.door.forget();
    if (this.door.returns) return this.lost({ code });
    return this.stopped ? undefined : this.open();
  }

  finish(detail) {
    this.stopped = true;
    removeEventListener("online", this.onLine);
    this.callbacks.onState({ name: "closed", ...detail });
  }
}
