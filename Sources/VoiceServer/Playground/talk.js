// One conversation: the sound of both sides in one AudioContext, and the client that carries it. Made at "start", gone after "end".
import { Capture } from "./capture.js";
import { Client } from "./client.js";
import { Meter } from "./meter.js";

const HIGHEST_RATE = 96000;        // docs/protocol.md; an interface at 192 kHz is asked for 48 kHz instead
const WORKLETS = ["capture-worklet.js", "meter-worklet.js", "playout-worklet.js"];

export function makeContext() {
  const context = new AudioContext({ latencyHint: "interactive" });
  if (context.sampleRate <= HIGHEST_RATE) return context;
  context.close();
  return new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
}

export function loadWorklets(context) {
  return Promise.all(WORKLETS.map((file) => context.audioWorklet.addModule(new URL(file, import.meta.url))));
}

export class Talk {
  /** `callbacks` are those of Capture, Meter and Client, but onTrack, and `onSound()`: the browser may have paused or resumed the sound. */
  constructor(context, stream, transport, callbacks) {
    this.context = context;
    this.capture = new Capture(context, { ...callbacks, onTrack: (track) => this.client?.setTrack(track) });
    if (stream) this.capture.attach(stream);
    this.reply = new GainNode(context);
    this.meter = new Meter(context, this.capture, this.reply, callbacks);
    this.client = new Client(transport, { context, capture: this.capture, reply: this.reply }, callbacks);
    context.onstatechange = callbacks.onSound;
  }

  /** False while the browser holds back what is to be heard. */
  get isSounding() { return this.client.wire?.isSounding ?? this.context.state === "running"; }

  /** Asks the browser to go on with the sound. Throws if it wants the person to touch the page first. */
  async resume() {
    await Promise.all([this.context.state === "running" || this.context.resume(), this.client.wire?.resume()]);
  }

  close() {
    this.context.onstatechange = null;
    this.client.close();
    this.meter.close();
    this.capture.close();
    this.context.close();
  }
}
