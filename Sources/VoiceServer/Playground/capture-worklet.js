// Runs on the audio thread. Cuts the microphone's signal into frames of 20 ms and posts each as a finished binary message
// of kind 1 (docs/protocol.md): u8 1, u8 0, n little-endian i16. Mono, at the context's own rate.
//
// A frame leaves every 20 ms whatever happens: while muted, or when the device has gone, it holds silence. The server's
// clock for this person is the count of these samples, so a hole would shift everything after it.
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate / 50);
    this.begin();
  }

  begin() {
    this.message = new ArrayBuffer(2 + 2 * this.size);
    new Uint8Array(this.message)[0] = 1;
    this.samples = new Int16Array(this.message, 2);
    this.filled = 0;
  }

  process([input], [output]) {
    const channel = input[0];
    const count = output[0].length;
    for (let i = 0; i < count; i += 1) {
      const value = channel ? Math.max(-1, Math.min(1, channel[i])) : 0;
      this.samples[this.filled] = Math.round(value * 32767);
      this.filled += 1;
      if (this.filled === this.size) {
        this.port.postMessage(this.message, [this.message]);
        this.begin();
      }
    }
    return true;
  }
}

registerProcessor("repartee-capture", Capture);
