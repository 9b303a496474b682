// The loudspeaker's side: hands the replies' audio to the worklet and keeps what the worklet reports.
export class Playout {
  /** `onPlayed(epoch, samples)`: what has left the loudspeaker; `onLevel(rms)`: about 50 times a second while sounding. */
  constructor(context, { onPlayed, onLevel }) {
    this.context = context;
    this.report = { epoch: 0, samples: 0, rendered: 0, total: 0, buffered: 0, gaps: 0, level: 0, peak: 0 };
    this.node = new AudioWorkletNode(context, "repartee-playout", {
      numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data: { type, ...values } }) => {
      Object.assign(this.report, values);
      if (type === "played") onPlayed(values.epoch, values.samples);
      if (type === "level") {
        this.report.peak = Math.max(this.report.peak, values.level);
        onLevel(values.level);
      }
    };
    this.node.connect(context.destination);
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

  close() {
    clearInterval(this.latencyTimer);
    this.node.port.onmessage = null;
    this.node.disconnect();
  }
}
