"""Golden messages of Pipecat's own package: RTVI models, protobuf frames, Twilio, Telnyx and Plivo messages.

    pip install pipecat-ai==1.14.0 websockets         (or the environment that Tests/Pipecat/run makes)
    python3 Reference/Transports/make_pipecat_goldens.py Tests/TransportTests/Fixtures/pipecat.json

Everything is made by Pipecat's classes, nothing is written by hand but the values that go in. Each message stands under a
name that the tests know; what must be equal is said there.
"""

import asyncio
import base64
import json
import sys

from pipecat.audio.utils import pcm_to_alaw, pcm_to_ulaw
from pipecat.frames.frames import (
    InputAudioRawFrame, InterruptionFrame, OutputAudioRawFrame, OutputTransportMessageUrgentFrame, TextFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.capabilities import BotCapabilities
from pipecat.processors.frameworks.rtvi import models as rtvi
from pipecat.serializers.plivo import PlivoFrameSerializer
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer

WHEN = "2026-11-26T09:00:00.250+00:00"
SAMPLES = [0, 1, -1, 100, -100, 4000, -4000, 32767, -32768, 12345, -12345, 8, -8, 132, -132, 30000]
PCM = b"".join(sample.to_bytes(2, "little", signed=True) for sample in SAMPLES)


def output(text, status, heard, rest, spoken=True):
    progress = rtvi.SpokenProgressData(accumulated_text=heard, remaining_text=rest) if spoken else None
    return rtvi.BotOutputMessage(data=rtvi.BotOutputMessageData(
        text=text, output_type="sentence", segment_id=7, will_be_spoken=spoken, spoken_status=status, spoken_progress=progress))


def server_messages():
    """Every message from the server, as a client of 2.2 gets it."""
    text = rtvi.TextMessageData(text="Two cities.")
    heard = rtvi.UserTranscriptionMessageData(text="hello", user_id="", timestamp=WHEN, final=True)
    return {
        "ready": rtvi.BotReady(id="a1", data=rtvi.BotReadyData(
            version=rtvi.PROTOCOL_VERSION, about={"library": "repartee", "library_version": "1.2.3"},
            capabilities=BotCapabilities(audio_in=True, audio_out=True, video_in=False, screen_in=False, video_out=False,
                                         metrics=True))),
        "ready-legacy": rtvi.BotReady(id="a1", data=rtvi.BotReadyData(
            version="1.4.0", about={"library": "repartee", "library_version": "1.2.3"},
            capabilities=BotCapabilities(audio_in=True, audio_out=True, video_in=False, screen_in=False, video_out=False,
                                         metrics=True))),
        "error": rtvi.Error(data=rtvi.ErrorData(error="the voice failed", fatal=False)),
        "error-response": rtvi.ErrorResponse(id="a2", data=rtvi.ErrorResponseData(error="Unsupported type x")),
        "server-message": rtvi.ServerMessage(data={"a": [1, 2.5, None, True, "b"]}),
        "server-response": rtvi.ServerResponse(id="a3", data=rtvi.RawServerResponseData(t="weather", d={"c": 21})),
        "user-started": rtvi.UserStartedSpeakingMessage(),
        "user-stopped": rtvi.UserStoppedSpeakingMessage(),
        "vad-started": rtvi.VADUserStartedSpeakingMessage(),
        "vad-stopped": rtvi.VADUserStoppedSpeakingMessage(),
        "mute-started": rtvi.UserMuteStartedMessage(),
        "mute-stopped": rtvi.UserMuteStoppedMessage(),
        "user-transcription": rtvi.UserTranscriptionMessage(data=heard),
        "user-input": rtvi.UserInputMessage(data=rtvi.UserInputMessageData(
            text="hello", input_type="transcription", timestamp=WHEN, final=True)),
        "user-input-chat": rtvi.UserInputMessage(data=rtvi.UserInputMessageData(
            text="hello", input_type="chat", timestamp=WHEN, final=True, msg_id="a4")),
        "user-llm-text": rtvi.UserLLMTextMessage(data=text),
        "bot-started": rtvi.BotStartedSpeakingMessage(),
        "bot-stopped": rtvi.BotStoppedSpeakingMessage(),
        "bot-interrupted": rtvi.BotInterruptedMessage(),
        "bot-output-new": output("Two cities.", "new", "", "Two cities."),
        "bot-output-in-progress": output("Two cities.", "in-progress", "Two", " cities."),
        "bot-output-completed": output("Two cities.", "completed", "Two cities.", ""),
        "bot-output-written": output("Two cities.", "new", "", "", spoken=False),
        "llm-started": rtvi.BotLLMStartedMessage(),
        "llm-stopped": rtvi.BotLLMStoppedMessage(),
        "tts-started": rtvi.BotTTSStartedMessage(),
        "tts-stopped": rtvi.BotTTSStoppedMessage(),
        "bot-llm-text": rtvi.BotLLMTextMessage(data=text),
        "bot-tts-text": rtvi.BotTTSTextMessage(data=text),
        "bot-transcription": rtvi.BotTranscriptionMessage(data=text),
        "stt-raw-text": rtvi.STTRawTextMessage(data=rtvi.STTRawTextMessageData(
            text="hello", user_id="", timestamp=WHEN, final=True)),
        "llm-raw-text": rtvi.LLMRawTextMessage(data=text),
        "tts-raw-text": rtvi.TTSRawTextMessage(data=text),
        "llm-marker": rtvi.BotLLMMarkerMessage(data=rtvi.BotLLMMarkerMessageData(
            text="●", kind="complete", raw="● Two cities.", markers=["●", "○"])),
        "function-started": rtvi.LLMFunctionCallStartMessage(data=rtvi.LLMFunctionCallStartMessageData(function_name="vote")),
        "function-started-redacted": rtvi.LLMFunctionCallStartMessage(data=rtvi.LLMFunctionCallStartMessageData()),
        "function-in-progress": rtvi.LLMFunctionCallInProgressMessage(data=rtvi.LLMFunctionCallInProgressMessageData(
            tool_call_id="c1", function_name="vote", arguments={"for": 3})),
        "function-stopped": rtvi.LLMFunctionCallStoppedMessage(data=rtvi.LLMFunctionCallStoppedMessageData(
            tool_call_id="c1", cancelled=False, function_name="vote", result={"ok": True})),
        "tts-audio": rtvi.BotTTSAudioMessage(data=rtvi.AudioMessageData(audio="AAA=", sample_rate=24000, num_channels=1)),
        "metrics": rtvi.MetricsMessage(data={"ttfb": [{"processor": "p", "model": "m", "value": 0.25}]}),
        "user-level": rtvi.UserAudioLevelMessage(data=rtvi.AudioLevelMessageData(value=0.5)),
        "bot-level": rtvi.BotAudioLevelMessage(data=rtvi.AudioLevelMessageData(value=0.25)),
        "system-log": rtvi.SystemLogMessage(data=text),
        "ui-command": rtvi.UICommandMessage(data=rtvi.UICommandData(command="toast", payload={"title": "t"})),
        "ui-job-group": rtvi.UIJobGroupMessage(data=rtvi.UIJobGroupCompletedData(job_id="j", at=5)),
    }


def client_messages():
    """Messages from a client, each with the data class by which Pipecat reads it."""
    data = {
        "client-ready": rtvi.ClientReadyData(version="2.1.0", about=rtvi.AboutClientData(library="@pipecat-ai/client-js")),
        "client-message": rtvi.RawClientMessageData(t="weather", d={"city": "Paris"}),
        "send-text": rtvi.SendTextData(content=" hi "),
        "send-text-later": rtvi.SendTextData(content="hi", options=rtvi.SendTextOptions(run_immediately=False)),
        "send-text-written": rtvi.SendTextData(content="hi", options=rtvi.SendTextOptions(audio_response=False)),
        "dtmf": rtvi.DTMFInputData(buttons=["1", "*", "#"]),
        "llm-function-call-result": rtvi.LLMFunctionCallResultData(
            function_name="vote", tool_call_id="c1", arguments={"for": 3}, result={"ok": True}),
        "send-file": rtvi.SendFileData(content="look", file=rtvi.File(
            format="image/png", source=rtvi.FileUrl(url="https://example.org/a.png"))),
        "ui-event": rtvi.UIEventData(event="clicked", payload={"x": 1}),
    }
    messages = {name: rtvi.Message(
        type=name.replace("-later", "").replace("-written", ""), id="b1", data=value.model_dump(exclude_none=True))
        for name, value in data.items()}
    messages["disconnect-bot"] = rtvi.Message(type="disconnect-bot", id="b1")
    messages["raw-audio"] = rtvi.Message(type="raw-audio", id="b1", data={
        "base64Audio": base64.b64encode(PCM).decode(), "sampleRate": 16000, "numChannels": 2})
    messages["raw-audio-batch"] = rtvi.Message(type="raw-audio-batch", id="b1", data={
        "base64AudioBatch": [base64.b64encode(PCM[:4]).decode(), base64.b64encode(PCM[4:]).decode()], "sampleRate": 24000,
        "numChannels": 1})
    return messages


class Unchanged:
    """Stands in for the serializers' resampler: both rates are 8 kHz."""

    async def resample(self, audio, in_rate, out_rate):
        assert in_rate == out_rate
        return audio


async def frames():
    serializer = ProtobufFrameSerializer()
    sound = OutputAudioRawFrame(audio=PCM, sample_rate=24000, num_channels=1)
    sound.id, sound.name, sound.pts = 11, "voice", 1_500_000_000
    text = TextFrame(text="hello")
    text.id, text.name = 12, "text"
    spoken = TranscriptionFrame(text="hello", user_id="u", timestamp=WHEN)
    spoken.id, spoken.name = 13, "spoken"
    interruption = InterruptionFrame()
    interruption.id, interruption.name = 14, "interruption"
    message = OutputTransportMessageUrgentFrame(message={"label": "rtvi-ai", "type": "client-ready", "id": "é"})
    made = {"audio": sound, "text": text, "transcription": spoken, "message": message, "interruption": interruption}
    return {name: (await serializer.serialize(frame)).hex() for name, frame in made.items()}


async def telephony():
    sound = OutputAudioRawFrame(audio=PCM, sample_rate=8000, num_channels=1)
    twilio = TwilioFrameSerializer("MZ1", params=TwilioFrameSerializer.InputParams(auto_hang_up=False))
    telnyx = {law: TelnyxFrameSerializer("T1", law, law, params=TelnyxFrameSerializer.InputParams(
        auto_hang_up=False, inbound_encoding=law, outbound_encoding=law)) for law in ("PCMU", "PCMA")}
    plivo = PlivoFrameSerializer("P1", params=PlivoFrameSerializer.InputParams(auto_hang_up=False))
    made = {"twilio": twilio, "telnyx-pcmu": telnyx["PCMU"], "telnyx-pcma": telnyx["PCMA"], "plivo": plivo}
    result = {}
    for name, serializer in made.items():
        serializer._output_resampler = Unchanged()
        result[name] = {"media": await serializer.serialize(sound), "clear": await serializer.serialize(InterruptionFrame())}
    return result


async def main(path):
    every = b"".join(sample.to_bytes(2, "little", signed=True) for sample in range(-32768, 32768, 16))
    golden = {
        "server": {name: message.model_dump(exclude_none=True, mode="json") for name, message in server_messages().items()},
        "client": {name: message.model_dump(exclude_none=True, mode="json") for name, message in client_messages().items()},
        "samples": SAMPLES,
        "frames": await frames(),
        "telephony": await telephony(),
        "mulaw": base64.b64encode(await pcm_to_ulaw(every, 8000, 8000, Unchanged())).decode(),
        "alaw": base64.b64encode(await pcm_to_alaw(every, 8000, 8000, Unchanged())).decode(),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
