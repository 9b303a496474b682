// The microphone: permission, the chosen device, its loss, and the worklet that cuts it into messages.
// Without a device (typing only, or after it was unplugged) the worklet goes on with silence.
export class Capture {
  /** `onFrame(message, level)` is called every 20 ms; `onLost()` when the device in use has gone. */
  constructor(context, { onFrame, onLost, onSystemMute }) {
    this.context = context;
    this.onLost = onLost;
    this.onSystemMute = onSystemMute;
    this.node = new AudioWorkletNode(context, "repartee-capture", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      channelCount: 1, channelCountMode: "explicit", channelInterpretation: "speakers",
    });
    this.node.port.onmessage = ({ data }) => onFrame(data.message, data.level);
    this.node.connect(context.destination);      // its output is silent; a node that leads nowhere may not be run
    this.muted = false;
    this.closed = false;
  }

  /** Opens a device ("" is the system's default) and puts it in place of the one before. Throws what getUserMedia throws. */
  async open(deviceId) {
    const stream = await requestMicrophone(deviceId);
    if (this.closed) stream.getTracks().forEach((track) => track.stop()); else this.attach(stream);
  }

  attach(stream) {
    this.release();
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = () => { if (this.stream === stream) { this.release(); this.onLost(); } };
    track.onmute = () => this.onSystemMute(true);
    track.onunmute = () => this.onSystemMute(false);
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.node);
  }

  get deviceId() {
    return this.stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  get hasDevice() {
    return this.stream !== undefined;
  }

  /** While muted the server is sent silence; nothing of the device reaches the page. */
  setMuted(muted) {
    this.muted = muted;
    this.node.port.postMessage({ muted });
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  release() {
    this.source?.disconnect();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
    this.source = this.stream = undefined;
  }

  close() {
    this.closed = true;
    this.release();
    this.node.disconnect();
    this.node.port.onmessage = null;
  }
}

/** Asks for the microphone; a chosen device that has gone is replaced by the default. */
export async function requestMicrophone(deviceId) {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: { ideal: 1 } };
  if (!deviceId) return navigator.mediaDevices.getUserMedia({ audio });
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: deviceId } } });
  } catch (error) {
    if (error.name !== "OverconstrainedError" && error.name !== "NotFoundError") throw error;
    return navigator.mediaDevices.getUserMedia({ audio });
  }
}
