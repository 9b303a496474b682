// One WebSocket (docs/protocol.md): messages, the microphone's sound up in pieces of 20 ms, the replies' sound down through a worklet that
// buffers, cuts and counts. What a wire is, and what it calls, stands in wire-webrtc.js.
import { Playout } from "./playout.js";

const UPLINK_LIMIT_S = 2;          // microphone audio waiting in the socket beyond this is dropped
const REPLY_HEADER = 12;

export class WebSocketWire {
  static title = "WebSocket";
  static exists = true;

  constructor({ context, capture, reply }, door, callbacks) {
    this.context = context;
    this.door = door;
    this.callbacks = callbacks;
    this.rate = context.sampleRate;
    this.capture = capture;
    this.sent = 0;
    this.uplink = new AudioWorkletNode(context, "repartee-capture", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      channelCount: 1, channelCountMode: "explicit", channelInterpretation: "speakers",
    });
    this.uplink.port.onmessage = ({ data }) => this.sendAudio(data);
    capture.node.connect(this.uplink);
    this.uplink.connect(context.destination);    // its output is silent; a node that leads nowhere may not be run
    this.playout = new Playout(context, reply, (epoch, samples) => this.say(JSON.stringify({ type: "played", epoch, samples })));
  }

  async open() {
    let place;
    try { place = await this.door.enter("websocket"); } catch (error) { return this.fail(error.outcome ?? { code: 1006 }); }
    if (this.closed) return undefined;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}/sessions/${place.session}/ws?token=${place.token}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => { this.isOpen = true; this.callbacks.onOpen(); };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.callbacks.onText(data); else this.receiveAudio(data);
    };
    this.socket.onclose = ({ code }) => this.fail({ code, unopened: !this.isOpen });
    return undefined;
  }

  say(text) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  /** Messages about the sound are the wire's own affair. */
  takes({ type, epoch, playout }) {
    switch (type) {
      case "cut": case "pause":
        this.playout[type](epoch);
        return true;
      case "ready":
        this.isReady = (playout?.sample_rate ?? this.rate) === this.rate;
        if (!this.isReady) this.fail({ code: 1003, reason: `The server wants to play at ${playout.sample_rate} Hz, this page at ${this.rate} Hz.` });
        return !this.isReady;
    }
    return false;
  }

  // Dropped before `ready` and while the network does not keep up.
  sendAudio(message) {
    if (!this.isReady || this.socket?.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > UPLINK_LIMIT_S * 2 * this.rate) return;
    this.socket.send(message);
    this.sent += 1;
  }

  receiveAudio(buffer) {
    const view = new DataView(buffer);
    const wellFormed = buffer.byteLength >= REPLY_HEADER && buffer.byteLength % 2 === 0 && view.getUint8(0) === 2;
    if (!wellFormed) return this.fail({ code: 1003, reason: "The server sent audio in a form this page does not know." });
    if (buffer.byteLength === REPLY_HEADER) return undefined;
    return this.playout.push({
      epoch: view.getUint32(4, true), position: view.getUint32(8, true), buffer, offset: REPLY_HEADER,
    });
  }

  /** The sound passes through the context, whichever device it comes from. */
  setTrack() {}

  async setLoudspeaker(deviceId) {
    if (deviceId !== (this.context.sinkId ?? "")) await this.context.setSinkId(deviceId);
  }

  get isSounding() { return this.context.state === "running"; }

  async resume() {}

  async statistics() { return {}; }

  fail(outcome) {
    if (this.closed) return;
    this.close();
    this.callbacks.onClosed(outcome);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.capture.node.disconnect(this.uplink);
    this.uplink.port.onmessage = null;
    this.uplink.disconnect();
    this.playout.close();
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(1000);
  }
}
