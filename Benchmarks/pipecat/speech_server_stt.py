"""A recogniser behind `repartee serve-asr` as a Pipecat service (docs/asr-server.md)."""

import json

import websockets
from pipecat.frames.frames import TranscriptionFrame
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import STTService
from pipecat.utils.time import time_now_iso8601


class SpeechServerSTT(STTService):
    """Sends all audio; asks for the final transcript when the voice activity detector reports the end of speech."""

    def __init__(self, url):
        super().__init__(settings=STTSettings(model=None, language=None), ttfs_p99_latency=1.0)
        self._url = url
        self._socket = None

    async def start(self, frame):
        await super().start(frame)
        self._socket = await websockets.connect(self._url, compression=None, ping_interval=None)
        self._reader = self.create_task(self._read())

    async def cleanup(self):
        await super().cleanup()
        if self._socket:
            await self.cancel_task(self._reader)
            await self._socket.close()
            self._socket = None

    async def run_stt(self, audio):
        await self._socket.send(audio)
        yield None

    async def _handle_vad_user_stopped_speaking(self, frame):
        await super()._handle_vad_user_stopped_speaking(frame)
        await self._socket.send(json.dumps({"type": "reset"}))

    async def _read(self):
        async for message in self._socket:
            content = json.loads(message)
            if content["type"] == "error":
                raise RuntimeError(content["message"])
            if content.get("is_final") and content["text"]:
                await self.push_frame(
                    TranscriptionFrame(content["text"], self._user_id, time_now_iso8601(), finalized=True))
