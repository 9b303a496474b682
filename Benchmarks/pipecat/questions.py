"""The questions of `repartee bench v2v`: the same texts, spoken by the same voice."""

import array
import os
import re
import subprocess
import wave

import player

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/Repartee/Benchmarks/BenchmarkUtterances.swift")
VOICE = "rms"


def texts(source=SOURCE):
    """Short and long questions in turn."""
    with open(source, encoding="utf-8") as stream:
        lists = [re.findall(r'"([^"]+)"', part) for part in re.findall(r"\[(.*?)\]", stream.read(), re.DOTALL)]
    if [len(each) for each in lists] != [10, 10]:
        raise ValueError(f"{source} no longer has ten short and ten long questions")
    return [text for pair in zip(*lists) for text in pair]


def speak(text, path, repartee):
    """Synthesises a question once; returns its 16-bit samples at 16 kHz."""
    if not os.path.exists(path):
        subprocess.run([repartee, "say", text + ".", "--voice", VOICE, "--out", path], check=True, stdout=subprocess.DEVNULL)
    with wave.open(path) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (player.RATE, 1, 2):
            raise ValueError(f"{path} is not mono 16-bit audio at {player.RATE} Hz")
        return array.array("h", file.readframes(file.getnframes()))


def spoken(folder, repartee):
    """All questions: (text, samples)."""
    os.makedirs(folder, exist_ok=True)
    return [(text, speak(text, os.path.join(folder, f"{index:02}.wav"), repartee))
            for index, text in enumerate(texts())]
