#!/usr/bin/env python3
"""Asks a server recorded questions over WebRTC with aiortc, each 1 s after the answer to the one before, and records both sides.

    Benchmarks/peers/talk ADDRESS --out TALK.wav --report TALK.json QUESTION.wav…

`repartee bench v2v --transport webrtc` runs this. ADDRESS is host:port; questions are WAV files of 48 kHz, 16 bit, mono. TALK.wav has the
person on the left and the agent on the right, on this program's clock: a microphone's frame of 20 ms is handed over when its last sample
has been spoken, and what comes in is played as soon as it is there and what came before has been played. TALK.json says where each
question begins: {"questions":[seconds,…],"lag_ms":…}, the latter the most that the microphone was late.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import wave

import numpy

os.environ.setdefault("LOGURU_LEVEL", "WARNING")  # Pipecat greets at every start
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/Pipecat"))
import webrtc_client as webrtc

RATE, FRAME = webrtc.RATE, webrtc.FRAME
LEAD_IN_S, PAUSE_S = 2, 1


class Microphone(webrtc.Microphone):
    """A microphone that keeps what it heard, and how late it was."""

    def __init__(self):
        super().__init__()
        self.heard, self.lag = [], 0.0

    async def recv(self):
        frame = await super().recv()
        self.lag = max(self.lag, time.monotonic() - self.began - (self.sent - FRAME) / RATE)
        self.heard.append(frame.to_ndarray()[0])
        return frame

    @property
    def start(self):
        """When its first sample was spoken."""
        return self.began - FRAME / RATE

    def ask(self, samples):
        """Begins with the next frame; returns when that is, in seconds of the recording."""
        begin = self.sent / RATE
        self.say(samples.tobytes())
        self.spoken = None
        return begin


class Talker(webrtc.Peer):
    """A peer that keeps what it played."""

    def __init__(self, address, session):
        super().__init__(address, session, Microphone())
        self.played, self.free = [], 0.0

    async def listen(self, track):
        while True:
            try:
                frame = await track.recv()
            except Exception:  # the end of the track
                return
            # Opus comes out of aiortc as 48 kHz, two channels side by side.
            samples = frame.to_ndarray().reshape(-1, 2).mean(axis=1).astype("<i2")
            begin = max(time.monotonic(), self.free)
            self.free = begin + len(samples) / RATE
            self.played.append((begin, samples))

    def latest(self, *kinds):
        return max((time for kind in kinds for time in self.times(kind)), default=None)

    def has_answered(self):
        """True once the agent has stopped speaking since the person was last noticed to fall silent, a pause ago."""
        finished = self.microphone.spoken
        silent, closed = self.latest("user-stopped-speaking"), self.latest("bot-stopped-speaking")
        if finished is None or silent is None or closed is None or closed <= silent:
            return False
        begun = self.latest("bot-started-speaking", "user-started-speaking")
        return (begun is None or begun < closed) and time.monotonic() - max(closed, finished) >= PAUSE_S

    def recording(self):
        heard = numpy.concatenate(self.microphone.heard)
        length = len(heard) + RATE
        agent = numpy.zeros(length, "<i2")
        for begin, samples in self.played:
            at = round((begin - self.microphone.start) * RATE)
            if 0 <= at < length:
                agent[at:at + len(samples)] = samples[:length - at]
        return numpy.stack((numpy.pad(heard, (0, RATE)), agent), axis=1)


def question(path):
    with wave.open(path) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise ValueError("%s is not 48 kHz, 16 bit, mono" % path)
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2")


async def talk(arguments):
    questions = [question(path) for path in arguments.questions]
    status, started = await asyncio.to_thread(webrtc.call, arguments.address, "/start", {"transport": "webrtc"})
    if status != 200:
        raise RuntimeError("no session: %s %s" % (status, started))
    talker, begins = Talker(arguments.address, started["sessionId"]), []
    try:
        await talker.offer()
        if not await talker.wait(lambda: talker.channel.readyState == "open", 20):
            raise RuntimeError("not connected: " + talker.connection.connectionState)
        talker.tell("client-ready", "1", version="2.2.0", about={"library": "repartee-talker"})
        if not await talker.message("bot-ready", seconds=20):
            raise RuntimeError("the agent did not become ready")
        await asyncio.sleep(LEAD_IN_S)
        for samples in questions:
            begins.append(talker.microphone.ask(samples))
            await talker.wait(lambda: talker.microphone.spoken is not None, 60)
            await talker.wait(talker.has_answered, arguments.patience)
            if talker.connection.connectionState != "connected":
                raise RuntimeError("the connection broke: " + talker.connection.connectionState)
        recording, lag = talker.recording(), talker.microphone.lag
    finally:
        await talker.connection.close()
    with wave.open(arguments.out, "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(recording.tobytes())
    with open(arguments.report, "w") as file:
        json.dump({"questions": begins, "lag_ms": lag * 1000}, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--out", required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--patience", type=float, default=20, help="seconds to wait for an answer")
    parser.add_argument("questions", nargs="+")
    try:
        asyncio.run(talk(parser.parse_args()))
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit("error: %s" % error)


if __name__ == "__main__":
    main()
