// Both voices' levels, and how long answers take as heard here: the worklet's figure, and what the devices add to it.
export class Meter {
  /**
   * `onLevels({you, agent})` is called 50 times a second with the RMS of both; `onAnswer(ms)` as a reply begins to sound, so long after the
   * person's last word.
   */
  constructor(context, capture, reply, { onLevels, onAnswer }) {
    this.context = context;
    this.capture = capture;
    this.report = { level: 0, peak: 0, total: 0 };
    this.node = new AudioWorkletNode(context, "repartee-meter", {
      numberOfInputs: 2, numberOfOutputs: 1, outputChannelCount: [1], channelCount: 1, channelCountMode: "explicit",
    });
    capture.node.connect(this.node, 0, 0);
    reply.connect(this.node, 0, 1);
    this.node.connect(context.destination);      // its output is silent; a node that leads nowhere may not be run
    this.node.port.onmessage = ({ data }) => {
      if (data.type === "answer") return onAnswer(1000 * (data.seconds + this.deviceLatency));
      this.report = { level: data.agent, peak: Math.max(this.report.peak, data.agent), total: data.total };
      return onLevels(data);
    };
  }

  /** What microphone and loudspeaker take, in seconds, as far as the browser knows. */
  get deviceLatency() {
    return (this.context.outputLatency || this.context.baseLatency || 0) + this.capture.latency;
  }

  close() {
    this.node.port.onmessage = null;
    this.node.disconnect();
  }
}
