"""Pipecat's side: its SmallWebRTC transport with nothing behind it but an echo. All sessions in one process, as its own
development runner serves them.

usage: pipecat_echo.py --port PORT [--chunks N]
"""

import argparse
import asyncio

import uvicorn
from fastapi import FastAPI, Request
from loguru import logger
from pipecat.frames.frames import InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.request_handler import SmallWebRTCRequest, SmallWebRTCRequestHandler
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner


class Echo(FrameProcessor):
    """What comes from the microphone goes to the loudspeaker."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(audio=frame.audio, sample_rate=frame.sample_rate, num_channels=frame.num_channels)
        await self.push_frame(frame, direction)


async def hold(connection, chunks):
    """One session, to its end. What is not said here has Pipecat's default."""
    transport = SmallWebRTCTransport(connection, TransportParams(
        audio_in_enabled=True, audio_out_enabled=True, audio_out_10ms_chunks=chunks))
    worker = PipelineWorker(
        Pipeline([transport.input(), Echo(), transport.output()]),
        params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000), idle_timeout_secs=None)

    @transport.event_handler("on_client_disconnected")
    async def stop(_transport, _client):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def main():
    parser = argparse.ArgumentParser(description="The Pipecat agent of the comparison.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chunks", type=int, default=4, help="audio_out_10ms_chunks; 4 is Pipecat's default")
    options = parser.parse_args()
    logger.remove()  # what logging costs is not compared
    app, handler, sessions = FastAPI(), SmallWebRTCRequestHandler(), set()

    @app.get("/health")
    async def health():
        return {"status": "ok"}

    @app.post("/api/offer")
    async def answer(request: Request):
        async def begin(connection):
            session = asyncio.create_task(hold(connection, options.chunks))
            sessions.add(session)
            session.add_done_callback(sessions.discard)

        return await handler.handle_web_request(SmallWebRTCRequest.from_dict(await request.json()), begin)

    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
