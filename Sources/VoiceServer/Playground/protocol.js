// The page's end of docs/protocol.md: one WebSocket, kept alive, reopened with back-off when it breaks.
// Knows nothing about audio devices or the document. Tells its owner through four callbacks:
//   onState({name, …})  "connecting" | "ready" | "waiting" (before the next attempt) | "closed" (no further attempt)
//   onMessage(object)   every JSON message except `ready` and `pong`
//   onAudio({epoch, position, buffer, offset})
//   onRoundTrip(ms)
const VERSION = 1;
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000];
const FULL_RETRY_MS = 8000;
const READY_TIMEOUT_MS = 15000;
const PING_MS = 4000;
const SILENCE_LIMIT_MS = 13000;    // three pings unanswered: the peer is gone though the socket looks open
const STABLE_MS = 10000;           // a connection this old starts the back-off over
const UPLINK_LIMIT_S = 2;          // microphone audio waiting in the socket beyond this is dropped
const REPLY_HEADER = 12;

/** What a close code means for the page: `kind` names the notice, `retry` whether to try again. */
function meaning(code) {
  switch (code) {
    case 1000: return { kind: "ended", retry: false };
    case 1001: return { kind: "restarting", retry: true };
    case 1002: case 1003: case 1007: case 1009: return { kind: "protocol", retry: false };
    case 1008: return { kind: "slow", retry: true };
    case 1011: return { kind: "failed", retry: true };
    case 1013: return { kind: "full", retry: true };
    default: return { kind: "gone", retry: true };
  }
}

export class Client {
  constructor(url, sampleRate, callbacks) {
    this.url = url;
    this.sampleRate = sampleRate;
    this.callbacks = callbacks;
    this.attempt = 0;
    this.stopped = false;
    this.ready = false;
    this.droppedUplink = 0;
    this.onLine = () => { if (this.retryTimer) this.retryNow(); };
    addEventListener("online", this.onLine);
  }

  open() {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.ready = false;
    this.lastError = undefined;
    this.callbacks.onState({ name: "connecting", attempt: this.attempt });
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.readyTimer = setTimeout(() => this.lost(socket, 1006), READY_TIMEOUT_MS);
    socket.onopen = () => this.say({
      type: "hello", version: VERSION,
      microphone: { sample_rate: this.sampleRate }, playout: { sample_rate: this.sampleRate },
    });
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heardAt = performance.now();
      if (typeof data === "string") this.receiveText(data); else this.receiveAudio(data);
    };
    socket.onclose = ({ code }) => this.lost(socket, code);
  }

  /** Ends the conversation for good. */
  close() {
    this.stopped = true;
    removeEventListener("online", this.onLine);
    this.say({ type: "bye" });
    const socket = this.socket;
    this.forgetSocket();
    clearTimeout(this.retryTimer);
    socket?.close(1000);
  }

  retryNow() {
    if (!this.stopped) this.open();
  }

  say(object) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(object));
  }

  /** Sends one finished microphone message. Dropped before `ready` and while the network does not keep up. */
  sendAudio(message) {
    if (!this.ready || this.socket?.readyState !== WebSocket.OPEN) return false;
    if (this.socket.bufferedAmount > UPLINK_LIMIT_S * 2 * this.sampleRate) {
      this.droppedUplink += 1;
      return false;
    }
    this.socket.send(message);
    return true;
  }

  receiveText(text) {
    let message;
    try { message = JSON.parse(text); } catch { message = undefined; }
    if (typeof message?.type !== "string") return this.refuse("The server sent a message that is not in the protocol.");
    if (message.type === "ready") return this.becomeReady(message);
    if (message.type === "pong") {
      if (Number.isFinite(message.t)) this.callbacks.onRoundTrip(performance.now() - message.t);
      return;
    }
    if (message.type === "error") this.lastError = message;
    this.callbacks.onMessage(message);
  }

  receiveAudio(buffer) {
    const view = new DataView(buffer);
    const wellFormed = buffer.byteLength >= REPLY_HEADER && buffer.byteLength % 2 === 0 && view.getUint8(0) === 2;
    if (!wellFormed) return this.refuse("The server sent audio in a form this page does not know.");
    if (buffer.byteLength === REPLY_HEADER) return;
    this.callbacks.onAudio({
      epoch: view.getUint32(4, true), position: view.getUint32(8, true), buffer, offset: REPLY_HEADER,
    });
  }

  becomeReady(message) {
    const rate = message.playout?.sample_rate;
    if (rate !== undefined && rate !== this.sampleRate) {
      return this.refuse(`The server wants to play at ${rate} Hz, this page at ${this.sampleRate} Hz.`);
    }
    clearTimeout(this.readyTimer);
    this.ready = true;
    this.readyAt = performance.now();
    this.pingTimer = setInterval(() => this.ping(), PING_MS);
    this.ping();
    this.callbacks.onState({ name: "ready", session: message.session, models: message.models ?? {}, advice: String(message.advice ?? "") });
  }

  ping() {
    if (performance.now() - this.heardAt > SILENCE_LIMIT_MS) return this.lost(this.socket, 1006);
    this.say({ type: "ping", t: performance.now() });
  }

  /** Gives up on a server that does not speak the protocol. */
  refuse(reason) {
    const socket = this.socket;
    this.forgetSocket();
    socket?.close(1000);
    this.finish({ kind: "protocol", reason });
  }

  forgetSocket() {
    clearTimeout(this.readyTimer);
    clearInterval(this.pingTimer);
    this.socket = undefined;
    this.ready = false;
  }

  lost(socket, code) {
    if (!socket || socket !== this.socket) return;
    if (this.ready && performance.now() - this.readyAt > STABLE_MS) this.attempt = 0;
    this.forgetSocket();
    socket.close();
    const { kind, retry } = meaning(code);
    const reason = this.lastError?.message;
    if (this.stopped || !retry) return this.finish({ kind, reason });
    const backoff = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)];
    const delay = kind === "full" ? FULL_RETRY_MS : backoff;
    this.attempt += 1;
    this.retryTimer = setTimeout(() => this.open(), delay);
    this.callbacks.onState({ name: "waiting", kind, reason, code, attempt: this.attempt, until: performance.now() + delay });
  }

  finish(detail) {
    this.stopped = true;
    removeEventListener("online", this.onLine);
    this.callbacks.onState({ name: "closed", ...detail });
  }
}
