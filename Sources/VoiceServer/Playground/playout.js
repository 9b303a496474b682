// The loudspeaker of a WebSocket: hands the replies' audio to the worklet and keeps what the worklet reports.
const FADE_OUT_MS = 50;

export class Playout {
  /** `reply` hears along; `onPlayed(epoch, samples)` tells what has left the loudspeaker. */
  constructor(context, reply, onPlayed) {
    this.context = context;
    this.report = { epoch: 0, samples: 0, rendered: 0, gaps: 0 };
    this.node = new AudioWorkletNode(context, "repartee-playout", {
      numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data: { type, ...values } }) => {
      Object.assign(this.report, values);
      onPlayed(values.epoch, values.samples);
    };
    this.node.connect(context.destination);
    this.node.connect(reply);
    this.latencyTimer = setInterval(() => this.sendLatency(), 1000);
    this.sendLatency();
  }

  push({ epoch, position, buffer, offset }) {
    this.node.port.postMessage({ type: "audio", epoch, position, buffer, offset }, [buffer]);
  }

  cut(epoch) {
    this.node.port.postMessage({ type: "cut", epoch });
  }

  pause(epoch) {
    this.node.port.postMessage({ type: "pause", epoch });
  }

  // A Bluetooth loudspeaker is easily 200 ms behind; some browsers know only their own share of the delay.
  sendLatency() {
    const seconds = this.context.outputLatency || this.context.baseLatency || 0;
    this.node.port.postMessage({ type: "latency", seconds: Math.min(1, Math.max(0, seconds)) });
  }

  /** Fades out and ends. Another session numbers its replies from 1 again, so it gets a worklet of its own. */
  close() {
    clearInterval(this.latencyTimer);
    this.node.port.onmessage = null;
    this.cut(0xffffffff);
    setTimeout(() => this.node.disconnect(), FADE_OUT_MS);
  }
}
