"""Makes the golden data of Tests/TurnDetectionTests. See README.md beside this file."""

import argparse
import json
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

RATE = 16000
WINDOW, CONTEXT = 512, 64

# (name, file, first sample, last sample or None for the end, samples of digital silence after it)
CLIPS = [
    ("first sentence, whole", "two-cities.wav", 0.0, 4.6, 0.2),
    ("first sentence, cut", "two-cities.wav", 0.0, 2.6, 0.2),
    ("cut in a word", "two-cities.wav", 5.0, 7.33, 0.0),
    ("one second", "two-cities.wav", 10.0, 11.0, 0.0),
    ("a third of a second", "two-cities.wav", 12.0, 12.33, 0.0),
    ("six seconds", "two-cities.wav", 8.0, 14.0, 0.2),
    ("exactly eight seconds", "two-cities.wav", 20.0, 28.0, 0.0),
    ("fifteen seconds", "two-cities.wav", 20.0, 35.0, 0.2),
    ("the whole reading", "two-cities.wav", 0.0, None, 0.0),
    ("end of the reading", "two-cities.wav", 38.0, None, 0.2),
    ("question", "spoken.wav", 0.0, 2.4, 0.0),
    ("question, cut", "spoken.wav", 0.0, 1.1, 0.2),
    ("everything flite said", "spoken.wav", 0.0, None, 0.0),
    ("speech in noise", "noisy.wav", 0.0, 3.9, 0.0),
    ("noise", "noisy.wav", 4.2, 6.0, 0.0),
    ("tone", "tone.wav", 0.0, None, 0.0),
]
MEL_CLIP = "first sentence, whole"

SENTENCES = [
    "Can you tell me what the weather is like today?",
    "I would like to book a table for",
    "Yes, please.",
    "My phone number is four one five, um",
    "Thank you, goodbye.",
]


def read_wav(path):
    """Mono samples in [-1, 1] as float32, and the rate."""
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return samples.astype(np.float32) / 32768, file.getframerate()


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes())


def third_of_rate(samples):
    """48 kHz to 16 kHz by a windowed sinc, 7.2 kHz wide."""
    n = np.arange(-96, 97)
    kernel = np.sinc(n * 0.3) * 0.3 * np.blackman(len(n))
    return np.convolve(samples, kernel / kernel.sum(), "same")[::3]


def flite(sentence, folder):
    path = Path(folder) / "flite.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(path)], check=True)
    samples, rate = read_wav(path)
    assert rate == RATE, rate
    return samples


def make_audio(speech, out):
    """Writes the clips and returns the samples as a reader of the files will see them."""
    reading, rate = read_wav(speech)
    assert rate == 3 * RATE, rate
    reading = third_of_rate(reading)
    random = np.random.default_rng(20260107)
    pause = np.zeros(int(0.7 * RATE))
    with tempfile.TemporaryDirectory() as folder:
        spoken = np.concatenate([part for s in SENTENCES for part in (flite(s, folder), pause)])
    noise = random.standard_normal(6 * RATE)
    noise = np.convolve(noise, np.ones(4) / 4, "same")
    piece = np.concatenate([reading[8 * RATE:12 * RATE], np.zeros(2 * RATE)])
    noise *= np.sqrt(np.mean(piece[:4 * RATE] ** 2) / np.mean(noise ** 2)) / 2  # 6 dB below the speech
    t = np.arange(2 * RATE) / RATE
    tone = 0.3 * np.concatenate([np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * (100 + 900 * t) * t)])
    tone[::8000] = 0.9
    for name, samples in (("two-cities", reading), ("spoken", spoken), ("noisy", piece + noise), ("tone", tone)):
        write_wav(out / f"{name}.wav", samples)
    return {path.name: read_wav(path)[0] for path in sorted(out.glob("*.wav"))}


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Silero:
    """The streaming use that Silero VAD documents: 64 samples of context before each window, state handed on."""

    def __init__(self, path):
        self.session = session(str(path))
        self.reset()

    def reset(self):
        self.state = np.zeros((2, 1, 128), np.float32)
        self.context = np.zeros(CONTEXT, np.float32)

    def window(self, samples):
        x = np.concatenate([self.context, samples])[None]
        y, self.state = self.session.run(None, {"input": x, "state": self.state, "sr": np.array(RATE, np.int64)})
        self.context = x[0, -CONTEXT:]
        return float(y[0, 0])


class ResetPolicy:
    """Resets as Pipecat 1.14 does (audio/vad/silero.py and vad_analyzer.py), without its loudness gate.

    Due after 2 s of audio; done when the speaker is quiet and the last 5 windows or more were below 0.1. Speaking
    starts and stops after 6 windows (0.2 s) at or above, or below, 0.7.
    """

    def __init__(self):
        self.windows = self.low = self.run = 0
        self.state = "quiet"

    def due(self, probability):
        self.windows += 1
        self.low = self.low + 1 if probability < 0.1 else 0
        due = self.windows * WINDOW >= 2 * RATE and self.state == "quiet" and self.low >= 5
        if due:
            self.windows = 0
        self.step(probability >= 0.7)
        return due

    def step(self, speech):
        if self.state == "quiet" and speech:
            self.state, self.run = "starting", 1
        elif self.state == "starting":
            self.state, self.run = ("starting", self.run + 1) if speech else ("quiet", 0)
        elif self.state == "speaking" and not speech:
            self.state, self.run = "stopping", 1
        elif self.state == "stopping":
            self.state, self.run = ("speaking", 0) if speech else ("stopping", self.run + 1)
        if self.run >= 6:
            self.state, self.run = ("speaking" if self.state == "starting" else "quiet"), 0


def voice_activity(model, samples, resets):
    model.reset()
    policy, probabilities, reset_at = ResetPolicy(), [], []
    for i in range(len(samples) // WINDOW):
        probability = model.window(samples[i * WINDOW:(i + 1) * WINDOW])
        probabilities.append(probability)
        if resets and policy.due(probability):
            model.reset()
            reset_at.append(i + 1)
    return probabilities, reset_at


def without_activation_rounding(model):
    """The same graph with weights multiplied out to F32 and no rounding of activations."""
    graph = model.graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    source = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "QuantizeLinear"}
    renamed, kept = {}, []
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            continue
        if node.op_type != "DequantizeLinear":
            kept.append(node)
        elif node.input[0] in constants:
            values, scale, zero = (constants[name] for name in node.input)
            assert not zero.any()
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            shape = [scale.size if i == axis else 1 for i in range(values.ndim)]
            constants[node.output[0]] = (values.astype(np.float32) * scale.reshape(shape)).astype(np.float32)
        else:
            renamed[node.output[0]] = source[node.input[0]]
    for node in kept:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
    used = {name for node in kept for name in node.input}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items() if k in used)
    return model


def mel_filters():
    """Slaney's mel scale and area normalisation (librosa.filters.mel, htk=False, norm="slaney"), [80, 201]."""
    step = np.log(6.4) / 27
    mels = np.linspace(0, 15 + np.log(8) / step, 82)
    hertz = np.where(mels < 15, 200 * mels / 3, 1000 * np.exp(step * (mels - 15)))
    bins = np.linspace(0, RATE / 2, 201)
    rising = (bins - hertz[:-2, None]) / (hertz[1:-1] - hertz[:-2])[:, None]
    falling = (hertz[2:, None] - bins) / (hertz[2:] - hertz[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (hertz[2:] - hertz[:-2]))[:, None]


def log_mel(samples):
    """Whisper's features (Hugging Face WhisperFeatureExtractor, chunk_length 8, do_normalize), [80, 800].

    The last 8 s; a shorter clip is padded in front with zeros.
    """
    x = samples[-8 * RATE:].astype(np.float32)
    x = np.pad(x, (8 * RATE - len(x), 0))
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    x = np.pad(x.astype(np.float64), 200, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(x, 400)[::160]
    power = np.abs(np.fft.rfft(frames * np.hanning(401)[:-1])) ** 2
    mel = np.log10(np.maximum(1e-10, mel_filters() @ power.T))[:, :-1]
    return ((np.maximum(mel, mel.max() - 8) + 4) / 4).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--silero", "--smart-turn", "--speech", "--out"):
        parser.add_argument(name, type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    audio = make_audio(arguments.speech, arguments.out)

    silero, vad = Silero(arguments.silero), []
    for name, samples in audio.items():
        plain, _ = voice_activity(silero, samples, resets=False)
        reset, at = voice_activity(silero, samples, resets=True)
        entry = {"file": name, "probabilities": plain, "with_resets": reset, "reset_before_window": at}
        vad.append({k: [round(p, 7) if isinstance(p, float) else p for p in v] if isinstance(v, list) else v
                    for k, v in entry.items()})

    shipped = session(str(arguments.smart_turn))
    exact = session(without_activation_rounding(onnx.load(arguments.smart_turn)).SerializeToString())
    turns = []
    for name, file, start, end, silence in CLIPS:
        first, last = round(start * RATE), len(audio[file]) if end is None else round(end * RATE)
        silent = round(silence * RATE)
        features = log_mel(np.concatenate([audio[file][first:last], np.zeros(silent, np.float32)]))
        if name == MEL_CLIP:
            features.astype("<f4").tofile(arguments.out / "mel.f32")
        p, q = (s.run(None, {"input_features": features[None]})[0].item() for s in (exact, shipped))
        print(f"{name:24} exact {p:.4f} int8 {q:.4f}")
        turns.append({"name": name, "file": file, "start": first, "end": last, "silence": silent,
                      "probability": round(p, 7), "int8_probability": round(q, 7)})

    golden = {"voice_activity": vad, "turns": turns, "mel_clip": MEL_CLIP}
    (arguments.out / "golden.json").write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
