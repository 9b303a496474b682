"""The two wire formats behind one face: how a call is opened, how a microphone's audio is sent, what a message means.

`read` returns pairs of a name and a value: ("audio", bytes), ("reply", epoch), ("cut", None), ("heard", text) for what was
understood of the question, ("said", text) for a piece of the answer, ("verdict", bool) for Smart Turn's.
"""

import json
import struct

from pipecat.frames.protobufs import frames_pb2

from player import RATE


class Repartee:
    """docs/protocol.md."""

    reports_playout = True

    def __init__(self):
        self._epoch = None

    def hello(self):
        rate = {"sample_rate": RATE}
        return json.dumps({"type": "hello", "version": 1, "microphone": rate, "playout": rate})

    def is_ready(self, message):
        return isinstance(message, str) and json.loads(message)["type"] == "ready"

    def microphone(self, pcm):
        return b"\x01\x00" + pcm

    def played(self, samples):
        return json.dumps({"type": "played", "epoch": self._epoch, "samples": samples})

    def read(self, message):
        if isinstance(message, bytes):
            epoch = struct.unpack_from("<I", message, 4)[0]
            began = [("reply", epoch)] if epoch != self._epoch else []
            self._epoch = epoch
            return began + [("audio", message[12:])]
        content = json.loads(message)
        if content["type"] == "cut":
            return [("cut", None)]
        if content["type"] == "user_transcript" and content["final"]:
            return [("heard", content["text"])]
        if content["type"] == "agent_transcript" and content["final"]:
            return [("said", content["heard"])]
        return []


class Pipecat:
    """Protobuf frames, RTVI messages among them."""

    reports_playout = False

    def hello(self):
        data = {"version": "1.0.0", "about": {"library": "repartee-benchmark"}}
        message = {"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": data}
        return frames_pb2.Frame(message=frames_pb2.MessageFrame(data=json.dumps(message))).SerializeToString()

    def is_ready(self, message):
        frame = frames_pb2.Frame.FromString(message)
        return frame.WhichOneof("frame") == "message" and json.loads(frame.message.data)["type"] == "bot-ready"

    def microphone(self, pcm):
        audio = frames_pb2.AudioRawFrame(audio=pcm, sample_rate=RATE, num_channels=1)
        return frames_pb2.Frame(audio=audio).SerializeToString()

    def read(self, message):
        frame = frames_pb2.Frame.FromString(message)
        kind = frame.WhichOneof("frame")
        if kind == "audio":
            return [("audio", frame.audio.audio)]
        if kind == "interruption":
            return [("cut", None)]
        if kind != "message":
            return []
        content = json.loads(frame.message.data)
        data = content.get("data") or {}
        if content["type"] == "user-transcription" and data["final"]:
            return [("heard", data["text"])]
        if content["type"] == "bot-tts-text":
            return [("said", data["text"])]
        return []
