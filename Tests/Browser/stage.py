"""What the browser test plays on: the server's process, and the WAV file that is the fake microphone."""

import array
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import wave


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`repartee serve` on one port; may be killed and started again."""

    def __init__(self, binary, port, log, agent=None, environment=None):
        self.binary = binary
        self.agent = ""
        if agent:
            with open(agent, encoding="utf-8") as file:
                self.agent = file.read()
        self.environment = environment or {}
        self.port = port
        self.log = log
        self.process = None
        # The recogniser of the checkout, also where a larger one was pulled.
        self.settings = os.path.join(os.path.dirname(log), "settings.yaml")
    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout=60, webrtc=True):
        """Starts it and waits until it says that it is well."""
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(f"recognizer:\n  model: starter-en\nwebrtc:\n  enabled: {'true' if webrtc else 'false'}\n")
            file.write(self.agent)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--port", str(self.port), "--config", self.settings],
                stdout=log, stderr=log, start_new_session=True, env={**os.environ, **self.environment})
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    said = [line for line in log.read().splitlines() if line.startswith("error:")]
                raise RuntimeError(f"the server ended at once with status {self.process.returncode}: "
                                   f"{said[-1] if said else f'see {self.log}'}")
            try:
                with urllib.request.urlopen(f"{self.origin}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise TimeoutError(f"the server did not answer /health within {timeout} s; see {self.log}")

    def wait_until_empty(self, timeout=15):
        """Waits until the last conversation has ended, and no place is kept for anybody."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            sessions = self.sessions()
            if sessions["active"] + sessions["reserved"] == 0:
                return
            time.sleep(0.1)
        raise TimeoutError(f"a conversation did not end within {timeout} s")

    def sessions(self):
        """How many conversations there are, may be, were, and were turned away."""
        with urllib.request.urlopen(f"{self.origin}/health", timeout=2) as answer:
            return json.load(answer)["sessions"]

    def stop(self):
        """As an operator in a hurry would (SIGTERM lets conversations finish): it takes leave of everybody."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def kill(self):
        """As a crash would: no farewell to anybody."""
        if self.process and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait(10)


def read_mono(path):
    """Samples and rate of a 16-bit WAV; of several channels the first."""
    with wave.open(path) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path} is not 16-bit")
        samples = array.array("h", file.readframes(file.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        return samples[::file.getnchannels()], file.getframerate()


def first_utterance(samples, rate, shortest=1.5, longest=6.0, pause=0.35):
    """The first stretch of speech that ends in a pause: real recordings are longer than one turn."""
    step = rate // 50
    levels = [math.sqrt(sum(v * v for v in samples[i:i + step]) / step) for i in range(0, len(samples) - step, step)]
    threshold = 0.06 * max(levels)
    begin = next(i for i, level in enumerate(levels) if level > threshold)
    quiet = 0
    end = begin
    for i in range(begin, len(levels)):
        quiet = 0 if levels[i] > threshold else quiet + 1
        length = (i - begin) / 50
        if (quiet >= pause * 50 and length >= shortest) or length >= longest:
            end = i - quiet + 5
            break
        end = i
    return samples[max(0, begin - 5) * step:end * step]


def spoken(binary, text, folder):
    path = os.path.join(folder, "say.wav")
    subprocess.run([binary, "say", text, "--out", path], check=True, capture_output=True, timeout=60)
    return read_mono(path)


def resampled(samples, rate, wanted):
    """Linear interpolation: good enough to be overheard by a voice activity detector and a recogniser."""
    count = int(len(samples) * wanted / rate)
    out = array.array("h", bytes(2 * count))
    for i in range(count):
        position = i * rate / wanted
        at = min(int(position), len(samples) - 2)
        out[i] = int(samples[at] + (samples[at + 1] - samples[at]) * (position - at))
    return out


def make_microphone(path, binary, folder, rate=16000, pause=1.6):
    """Writes a WAV that says two different things, each followed by a pause; the browser plays it in a loop.

    A person's voice from the fetched clips comes first where there is one; the program itself says the rest.
    Returns a line on what was used.
    """
    voices = []
    clips = os.path.join(os.environ.get("REPARTEE_CACHE") or os.path.expanduser("~/.cache/repartee"), "clips")
    clip = os.path.join(clips, "beckett.wav")
    if os.path.exists(clip):
        samples, its_rate = read_mono(clip)
        voices.append((os.path.basename(clip), resampled(first_utterance(samples, its_rate), its_rate, rate)))
    samples, its_rate = spoken(binary, "Wait, please tell me something else about the weather in London.", folder)
    voices.append(("repartee say", resampled(samples, its_rate, rate)))
    silence = array.array("h", bytes(2 * int(pause * rate)))
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _, samples in voices:
            file.writeframes((silence + samples).tobytes())
    return ", ".join(f"{name} {len(samples) / rate:.1f} s" for name, samples in voices)
