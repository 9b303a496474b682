"""A conversation with Pipecat's own WebSocket client transport and its RTVI models."""

import asyncio
import json
import time
import urllib.request

from pipecat.frames.frames import (
    EndFrame, Frame, InputAudioRawFrame, InputTransportMessageFrame, InterruptionFrame, OutputAudioRawFrame,
    OutputTransportMessageUrgentFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi import models as rtvi
from pipecat.transports.websocket.client import WebsocketClientParams, WebsocketClientTransport
from pipecat.workers.runner import WorkerRunner

RATE = 16000
MODELS = {model.model_fields["type"].default: model for model in vars(rtvi).values()
          if isinstance(model, type) and issubclass(model, rtvi.BaseModel) and "type" in model.model_fields
          and isinstance(model.model_fields["type"].default, str)}


class Ear(FrameProcessor):
    """Keeps what comes from the server, with its time."""

    def __init__(self):
        super().__init__()
        self.messages = []
        self.sound = []
        self.interruptions = 0

    async def process_frame(self, frame: Frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            self.sound.append((time.monotonic(), frame))
            return
        if isinstance(frame, InputTransportMessageFrame):
            self.messages.append((time.monotonic(), frame.message))
            return
        if isinstance(frame, InterruptionFrame):
            self.interruptions += 1
        await self.push_frame(frame, direction)

    def of(self, kind):
        return [message for _, message in self.messages if message["type"] == kind]

    async def wait(self, kind, count=1, seconds=60, until=None):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [message for message in self.of(kind) if until is None or until(message)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
        return []


class Call:
    """A connection: what is sent goes through Pipecat's output transport."""

    def __init__(self, url):
        self.transport = WebsocketClientTransport(uri=url, params=WebsocketClientParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_in_sample_rate=24000, audio_out_sample_rate=RATE,
            add_wav_header=False))
        self.ear = Ear()
        self.worker = PipelineWorker(
            Pipeline([self.transport.input(), self.ear, self.transport.output()]),
            params=PipelineParams(audio_in_sample_rate=24000, audio_out_sample_rate=RATE), idle_timeout_secs=None,
            enable_rtvi=False)

    async def __aenter__(self):
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        self.running = asyncio.create_task(runner.run())
        return self

    async def __aexit__(self, *_):
        await self.worker.queue_frame(EndFrame())
        await asyncio.wait_for(self.running, 20)

    async def say(self, message):
        await self.worker.queue_frame(OutputTransportMessageUrgentFrame(message=message.model_dump(exclude_none=True)))

    async def tell(self, kind, identity, **data):
        await self.say(rtvi.Message(type=kind, id=identity, data=data or None))

    async def speak(self, pcm):
        """Speaks in real time; the transport paces what it is given."""
        await self.worker.queue_frame(OutputAudioRawFrame(audio=pcm, sample_rate=RATE, num_channels=1))


def valid(message):
    """Whether a message is what Pipecat's own model of its type accepts, with no field that the model lacks."""
    model = MODELS.get(message["type"])
    if model is None:
        return False
    given = model.model_validate(message).model_dump(exclude_none=True)
    return set(message) <= set(given) and (not isinstance(message.get("data"), dict) or set(message["data"]) <= set(given["data"]))


async def checks(check, address, question):
    request = urllib.request.Request("http://%s/start" % address, json.dumps({"transport": "websocket"}).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        place = json.load(answer)
    url = place["wsUrl"]
    wanted = "ws://%s/sessions/%s/ws-client?token=%s" % (address, place["sessionId"], place["token"])
    check("/start names the WebSocket", url == wanted, url)
    async with Call(url) as call:
        await talk(check, call, question)


async def talk(check, call, question):
    ear = call.ear
    await call.tell("client-ready", "hello-1", version="2.2.0", about={"library": "repartee-check"})
    ready = await ear.wait("bot-ready")
    check("bot-ready comes first, with the id of client-ready", ready and ready[0]["id"] == "hello-1"
          and ear.messages[0][1]["type"] == "bot-ready" and ready[0]["data"]["version"] == rtvi.PROTOCOL_VERSION, ear.messages[:2])
    await ear.wait("bot-stopped-speaking")
    greeting = [m["data"] for m in ear.of("bot-output")]
    check("the greeting is told as it is heard", greeting and greeting[0]["spoken_status"] == "new"
          and "".join(m["data"]["text"] for m in ear.of("bot-tts-text")).replace(" ", "").startswith("Hellothere."), greeting)
    check("its pieces are complete at the end", {d["segment_id"] for d in greeting if d["spoken_status"] == "new"}
          == {d["segment_id"] for d in greeting if d["spoken_status"] == "completed"}, greeting)
    first = ear.sound[0][0]
    ahead = max(sum(len(f.audio) / 2 / f.sample_rate for _, f in ear.sound[:i + 1]) - (at - first)
                for i, (at, _) in enumerate(ear.sound))
    frames = {(f.sample_rate, f.num_channels) for _, f in ear.sound}
    check("sound comes at 24 kHz in frames of 20 ms, at most 40 ms ahead", frames == {(24000, 1)} and ahead < 0.085
          and max(len(f.audio) for _, f in ear.sound) == 960, (frames, ahead))

    silence = bytes(2 * RATE)
    await call.speak(silence[:RATE // 2] + question + 3 * silence)
    heard = await ear.wait("user-transcription", until=lambda m: m["data"]["final"])
    check("a spoken question is understood", heard and any(
        word in heard[0]["data"]["text"].lower() for word in ("capital", "france", "what")), heard)
    check("the person's turn has its borders", ear.of("user-started-speaking") and await ear.wait("user-stopped-speaking"))
    metrics = await ear.wait("metrics")
    check("the answer is measured", metrics and {"ttfb", "tokens", "characters"} <= set(metrics[0]["data"])
          and all(0 <= t["value"] < 60 for t in metrics[0]["data"]["ttfb"]), metrics)
    text = "".join(m["data"]["text"] for m in ear.of("bot-llm-text"))
    check("the language model's text is told", text.strip() and len(ear.of("bot-llm-started")) == len(ear.of("bot-llm-stopped")) == 1,
          text)

    spoken = len(ear.of("bot-started-speaking"))
    await call.tell("send-text", "t-1", content="Tell me a long story about the sea and the ships on it.")
    chat = await ear.wait("user-input", until=lambda m: m["data"]["input_type"] == "chat")
    check("a typed message is told back as chat", chat and chat[0]["data"]["msg_id"] == "t-1", chat)
    await ear.wait("bot-started-speaking", spoken + 1)
    cuts = len(ear.of("bot-interrupted"))
    await call.tell("send-text", "t-2", content="Say the word blue.", options={"audio_response": False})
    await ear.wait("bot-interrupted", cuts + 1)
    at = next(moment for moment, m in reversed(ear.messages) if m["type"] == "bot-interrupted")
    written = await ear.wait("bot-output", until=lambda m: not m["data"]["will_be_spoken"])
    await asyncio.sleep(1)
    late = [moment - at for moment, _ in ear.sound if moment > at + 0.05]
    check("an interruption silences at once, told by a frame and a message", ear.interruptions >= 1 and not late,
          (ear.interruptions, late[:5]))
    check("a question can be answered in writing", written and written[0]["data"]["text"], ear.messages[-8:])

    await call.tell("client-message", "m-1", t="weather", d={"city": "Paris"})
    await call.tell("ui-event", "u-1", event="clicked")
    errors = await ear.wait("error-response", 2)
    check("what the agent lacks is refused with the message's id", [m["id"] for m in errors] == ["m-1", "u-1"], errors)
    strange = [m for _, m in ear.messages if not valid(m)]
    check("every message is one of Pipecat's own models", not strange, strange[:3])
