// The microphone: permission, the chosen device, its loss. `node` is its sound in the context, `track` what a call sends.
// Without a device (typing only, or after it was unplugged) both go on with silence.
export class Capture {
  /** `onTrack(track)` is called when another track takes the place of the one before, `onLost()` when the device in use has gone. */
  constructor(context, { onTrack, onLost, onSystemMute }) {
    this.context = context;
    this.onTrack = onTrack;
    this.onLost = onLost;
    this.onSystemMute = onSystemMute;
    this.node = new GainNode(context, { channelCount: 1, channelCountMode: "explicit" });
    [this.silence] = context.createMediaStreamDestination().stream.getAudioTracks();
    this.track = this.silence;
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
    track.onended = () => {
      if (this.stream !== stream) return;
      this.release();
      this.onTrack(this.track);
      this.onLost();
    };
    track.onmute = () => this.onSystemMute(true);
    track.onunmute = () => this.onSystemMute(false);
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.node);
    this.track = track;
    this.onTrack(track);
  }

  get hasDevice() {
    return this.stream !== undefined;
  }

  /** How long the device takes until its sound is here, in seconds, where the browser knows. */
  get latency() {
    return this.stream?.getAudioTracks()[0]?.getSettings().latency ?? 0;
  }

  /** While muted the server is sent silence; nothing of the device reaches the page. */
  setMuted(muted) {
    this.muted = muted;
    this.node.gain.value = muted ? 0 : 1;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  release() {
    this.source?.disconnect();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
    this.source = this.stream = undefined;
    this.track = this.silence;
  }

  close() {
    this.closed = true;
    this.release();
    this.silence.stop();
    this.node.disconnect();
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
