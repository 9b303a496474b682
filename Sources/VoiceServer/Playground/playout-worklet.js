// Runs on the audio thread. Plays the replies' audio through a small jitter buffer and counts what was really rendered.
//
// In (port):  {type:"audio", epoch, position, buffer, offset}  i16 samples from byte `offset`; position within the reply
//             {type:"cut", epoch}                              forget this reply and every earlier one, fading in 5 ms
//             {type:"pause", epoch}                            fall silent in 5 ms; this reply may go on where it stopped
//             {type:"latency", seconds}                        how long a rendered sample takes to the loudspeaker
// Out (port): {type:"played", epoch, samples, rendered, gaps}  see `report`; `gaps` counts how often a reply ran dry
//
// Audio of an epoch that was cut, or older than the newest one seen, is dropped at the door.
const START_MS = 40;       // buffered before a reply starts, and again after it ran dry
const PATIENCE_MS = 80;    // a reply shorter than START_MS starts after this anyway
const FADE_MS = 5;
const REPORT_MS = 100;
const LIMIT_S = 5;         // most that waits here; the server sends at most 100 ms ahead
const HISTORY = 1024;      // render quanta remembered, to look back by the output latency

class Playout extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = [];            // {epoch, position, samples, at}: `at` is the next sample to play
    this.buffered = 0;          // samples in the queue
    this.playing = false;
    this.waited = 0;            // samples of silence since something waits in the queue
    this.newest = 0;            // newest epoch seen
    this.cutUpTo = 0;           // newest epoch cut
    this.goesBack = false;      // the next audio says where a paused reply goes on
    this.epoch = 0;             // reply being played
    this.rendered = 0;          // its samples rendered so far: position of the last one + 1
    this.gain = 1;
    this.last = 0;              // last sample rendered
    this.tail = null;           // what is faded out after a cut or a gap
    this.tailAt = 0;
    this.gaps = 0;
    this.ranDry = false;

    this.fade = Math.round(sampleRate * FADE_MS / 1000);
    this.latency = 0;           // in samples
    this.quantum = 128;
    this.history = Array.from({ length: HISTORY }, () => ({ epoch: 0, samples: 0 }));
    this.historyAt = 0;
    this.sent = { epoch: 0, samples: 0 };
    this.sinceReport = 0;

    this.port.onmessage = ({ data }) => this.receive(data);
  }

  receive(data) {
    if (data.type === "audio") this.push(data);
    else if (data.type === "cut") this.cut(data.epoch);
    else if (data.type === "pause") this.pause(data.epoch);
    else if (data.type === "latency") this.latency = Math.round(data.seconds * sampleRate);
  }

  push({ epoch, position, buffer, offset }) {
    if (epoch <= this.cutUpTo || epoch < this.newest) return;
    this.newest = epoch;
    const samples = new Int16Array(buffer, offset);
    if (this.goesBack && epoch === this.epoch) {
      this.rendered = position;
      this.sent = { epoch, samples: position };
    }
    this.goesBack = false;
    const tail = this.queue.at(-1);
    const expected = tail?.epoch === epoch ? tail.position + tail.samples.length
      : this.epoch === epoch ? this.rendered : 0;
    const at = Math.max(0, expected - position);        // the part that was there already
    if (at >= samples.length) return;
    if (this.ranDry && epoch === this.epoch) this.gaps += 1;
    this.ranDry = false;
    this.queue.push({ epoch, position, samples, at });
    this.buffered += samples.length - at;
    while (this.buffered > LIMIT_S * sampleRate && this.queue.length > 1) this.shift();
  }

  shift() {
    const first = this.queue.shift();
    this.buffered -= first.samples.length - first.at;
  }

  cut(epoch) {
    this.cutUpTo = Math.max(this.cutUpTo, epoch);
    this.silence(epoch);
  }

  pause(epoch) {
    this.goesBack = epoch === this.epoch;
    this.silence(epoch);
  }

  silence(epoch) {
    if (this.playing && this.epoch <= epoch) {
      this.startTail((i) => this.take() ?? this.last * (1 - i / this.fade));
      this.playing = false;
    }
    while (this.queue.length > 0 && this.queue[0].epoch <= epoch) this.shift();
    this.waited = 0;
    this.ranDry = false;
    // What was handed to the device still leaves the loudspeaker, so the answer counts it as played.
    if (this.epoch > 0 && this.epoch <= epoch) {
      this.forgetHistory();
      this.report(this.epoch, this.rendered);
    }
    if (this.epoch < epoch) this.report(epoch, 0);
  }

  startTail(next) {
    const tail = new Float32Array(this.fade);
    for (let i = 0; i < this.fade; i += 1) tail[i] = next(i) * (1 - (i + 1) / this.fade);
    this.tail = tail;
    this.tailAt = 0;
  }

  // The next sample of the reply being played, or undefined when none is there.
  take() {
    const chunk = this.queue[0];
    if (!chunk || chunk.epoch !== this.epoch) return undefined;
    const value = chunk.samples[chunk.at] / 32768;
    chunk.at += 1;
    this.buffered -= 1;
    this.rendered = chunk.position + chunk.at;
    if (chunk.at === chunk.samples.length) this.queue.shift();
    return value;
  }

  // True when the next sample can be taken; moves on to the next reply, waits for the start threshold, notices a dry queue.
  ready() {
    if (this.queue.length === 0) {
      if (this.playing) {
        this.playing = false;
        this.ranDry = true;
        const last = this.last;
        this.startTail(() => last);
      }
      this.waited = 0;
      return false;
    }
    if (!this.playing) {
      const enough = this.buffered >= sampleRate * START_MS / 1000 || this.waited >= sampleRate * PATIENCE_MS / 1000;
      this.waited += 1;
      if (!enough) return false;
      this.playing = true;
      this.gain = 0;
    }
    if (this.queue[0].epoch !== this.epoch) {
      this.epoch = this.queue[0].epoch;
      this.rendered = this.queue[0].position;
    }
    return true;
  }

  process(_inputs, [output]) {
    const out = output[0];
    this.quantum = out.length;
    for (let i = 0; i < out.length; i += 1) {
      let value = 0;
      if (this.ready()) {
        this.last = this.take();
        value = this.last * this.gain;
        this.gain = Math.min(1, this.gain + 1 / this.fade);
      }
      if (this.tail) {
        value += this.tail[this.tailAt];
        this.tailAt += 1;
        if (this.tailAt === this.tail.length) this.tail = null;
      }
      out[i] = value;
    }
    this.remember();
    return true;
  }

  // What has left the loudspeaker is what was rendered one output latency ago.
  remember() {
    const now = this.history[this.historyAt];
    now.epoch = this.epoch;
    now.samples = this.rendered;
    const back = Math.min(HISTORY - 1, Math.round(this.latency / this.quantum));
    const heard = this.history[(this.historyAt - back + HISTORY) % HISTORY];
    this.historyAt = (this.historyAt + 1) % HISTORY;
    this.sinceReport += this.quantum;

    if (heard.epoch < this.sent.epoch || heard.epoch === 0) return;
    if (heard.epoch === this.sent.epoch && heard.samples <= this.sent.samples) return;
    const first = heard.epoch !== this.sent.epoch && heard.samples > 0;
    const last = !this.playing && heard.epoch === this.epoch && heard.samples === this.rendered;
    const due = this.sinceReport >= sampleRate * REPORT_MS / 1000;
    if (first || last || due) this.report(heard.epoch, heard.samples);
  }

  forgetHistory() {
    for (const entry of this.history) {
      entry.epoch = this.epoch;
      entry.samples = this.rendered;
    }
  }

  report(epoch, samples) {
    this.sent = { epoch, samples };
    this.sinceReport = 0;
    this.port.postMessage({ type: "played", epoch, samples, rendered: this.rendered, gaps: this.gaps });
  }
}

registerProcessor("repartee-playout", Playout);
