// Runs on the audio thread. Hears the microphone (input 0) and the replies (input 1) on one clock and tells how loud both are, and how
// long each answer took: from the last audible sample of the person to the first audible sample of the reply.
//
// Out (port): {type:"levels", you, agent, total}  RMS of the last 20 ms; samples of replies that sounded since the start
//             {type:"answer", seconds}            a reply has begun to sound, so long after the person's last word
//
// The rule, in blocks of 10 ms:
// - A sample of a reply is audible above -36 dBFS, as everywhere in Repartee (Sources/Audio/SpeechEdge.swift). It begins a reply if
//   none was audible in the 0.3 s before.
// - A sample of the person is audible above the same level, above a tenth of the loudest of what is being said where that is less (a
//   quiet microphone), and in any case above four times the quietest block of the last 3 s (a noisy room).
// - A block is speech if it and two more of the last eight are audible: clicks are not. Speech ends with its last audible sample; what is
//   quieter, as breath mostly is, does not move the end. Silence of 0.5 s parts one utterance from the next.
// - An utterance that began while a reply sounded, or up to 0.3 s after, may be echo, and was no question anyway: its answer has no figure.
//   Nor has a reply without an utterance since the one before.
const AUDIBLE = 500 / 32768;
const QUIETEST = 0.003;            // below this a microphone is not listened to
const NOTHING = 1e-5;              // -100 dBFS
const LOUDEST_THRESHOLD = 0.1;
const FLOOR_FACTOR = 4;
const FLOOR_WINDOWS = 6;           // of half a second
const REPLY_GAP_S = 0.3;
const UTTERANCE_GAP_S = 0.5;
const RECENT = 8;
const ENOUGH = 3;
const SILENT = 0.001;              // -60 dBFS: what codecs make of silence

class Meter extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate / 100);
    this.you = new Float32Array(this.size);
    this.agent = new Float32Array(this.size);
    this.filled = 0;
    this.begin = currentFrame;           // of the block

    this.floors = [];                    // quietest block of each window
    this.floorBlocks = 0;
    this.recent = 0;                     // a bit for each of the last blocks: audible or not
    this.loudest = 0;                    // of the utterance
    this.spokenUntil = -Infinity;        // frame after the person's last audible one
    this.isOverReply = false;            // the utterance began over a reply
    this.isOpen = false;                 // the utterance has no answer yet
    this.repliedUntil = -Infinity;       // frame after the reply's last audible one

    this.energies = [0, 0];
    this.blocks = 0;
    this.total = 0;
  }

  process([microphone, reply], [output]) {
    const count = output[0].length;
    for (let i = 0; i < count; i += 1) {
      if (this.filled === 0) this.begin = currentFrame + i;
      this.you[this.filled] = microphone[0]?.[i] ?? 0;
      this.agent[this.filled] = reply[0]?.[i] ?? 0;
      this.filled += 1;
      if (this.filled === this.size) {
        this.hearReply();
        this.hearPerson();
        this.measure();
        this.filled = 0;
      }
    }
    return true;
  }

  hearReply() {
    const first = this.agent.findIndex((v) => Math.abs(v) > AUDIBLE);
    if (first < 0) return;
    const at = this.begin + first;
    if (at - this.repliedUntil > REPLY_GAP_S * sampleRate && this.isOpen) {
      if (!this.isOverReply) this.port.postMessage({ type: "answer", seconds: (at - this.spokenUntil) / sampleRate });
      this.isOpen = false;
    }
    this.repliedUntil = this.begin + 1 + this.agent.findLastIndex((v) => Math.abs(v) > AUDIBLE);
  }

  hearPerson() {
    const peak = this.you.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    this.noteFloor(peak);
    const threshold = this.threshold();
    const audible = peak > threshold;
    this.recent = ((this.recent << 1) | audible) & ((1 << RECENT) - 1);
    if (!audible || ones(this.recent) < ENOUGH) return;
    if (this.begin - this.spokenUntil > UTTERANCE_GAP_S * sampleRate) {
      this.isOverReply = this.begin - this.repliedUntil < REPLY_GAP_S * sampleRate;
      this.loudest = 0;
    }
    this.isOpen = true;
    this.loudest = Math.max(this.loudest, peak);
    this.spokenUntil = this.begin + 1 + this.you.findLastIndex((v) => Math.abs(v) > threshold);
  }

  threshold() {
    const voice = Math.max(QUIETEST, Math.min(AUDIBLE, this.loudest / 10));
    const floor = this.floors.length > 0 ? Math.min(...this.floors) : 0;
    return Math.min(LOUDEST_THRESHOLD, Math.max(voice, FLOOR_FACTOR * floor));
  }

  // What is quieter than any room comes of a muted microphone, or of noise suppression.
  noteFloor(peak) {
    if (peak < NOTHING) return;
    if (this.floorBlocks === 0) {
      this.floors.push(Infinity);
      if (this.floors.length > FLOOR_WINDOWS) this.floors.shift();
    }
    this.floorBlocks = (this.floorBlocks + 1) % 50;
    this.floors.push(Math.min(this.floors.pop(), peak));
  }

  measure() {
    for (let i = 0; i < this.size; i += 1) {
      this.energies[0] += this.you[i] ** 2;
      this.energies[1] += this.agent[i] ** 2;
    }
    this.blocks += 1;
    if (this.blocks < 2) return;
    const [you, heard] = this.energies.map((energy) => Math.sqrt(energy / (2 * this.size)));
    const agent = heard < SILENT ? 0 : heard;
    if (agent > 0) this.total += 2 * this.size;
    this.port.postMessage({ type: "levels", you, agent, total: this.total });
    this.energies = [0, 0];
    this.blocks = 0;
  }
}

function ones(bits) {
  let count = 0;
  for (let rest = bits; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

registerProcessor("repartee-meter", Meter);
