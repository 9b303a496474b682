"""The Pipecat agent: WebSocket, Silero VAD, Smart Turn v3.2, a recogniser, llama-server, flite. README.md says why it is as it is.

usage: bot.py --port PORT --recognizer pocketsphinx|URL --language-model URL --system-prompt TEXT --max-tokens N
"""

import argparse

import uvicorn
from fastapi import FastAPI, WebSocket
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

from flite_tts import RATE, Flite, FliteTTS
from pocketsphinx_stt import Decoder, PocketSphinxSTT
from speech_server_stt import SpeechServerSTT


def pipeline(websocket, options, recognizer, flite):
    """The agent for one connection. What is not said here has Pipecat's default: turns begin with voice activity and end when
    Smart Turn says so 0.2 s after speech, else after 3 s."""
    transport = FastAPIWebsocketTransport(websocket, FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, serializer=ProtobufFrameSerializer()))
    language_model = OpenAILLMService(
        base_url=options.language_model, api_key="none",
        settings=OpenAILLMService.Settings(
            model="smollm2", temperature=0.0, max_tokens=options.max_tokens, system_instruction=options.system_prompt))
    aggregators = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer()))
    worker = PipelineWorker(
        Pipeline([transport.input(), recognizer, aggregators.user(), language_model, FliteTTS(flite),
                  transport.output(), aggregators.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE, enable_metrics=True))

    @transport.event_handler("on_client_disconnected")
    async def stop(_transport, _websocket):
        await worker.cancel()

    return worker


def main():
    parser = argparse.ArgumentParser(description="The Pipecat agent of the comparison.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--recognizer", required=True, help="pocketsphinx, or the address of `repartee serve-asr`")
    parser.add_argument("--language-model", required=True, metavar="URL")
    parser.add_argument("--system-prompt", required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    options = parser.parse_args()
    flite = Flite()
    decoder = Decoder() if options.recognizer == "pocketsphinx" else None
    app = FastAPI()

    @app.get("/health")
    async def health():
        return {"status": "ok"}

    @app.websocket("/ws")
    async def talk(websocket: WebSocket):
        await websocket.accept()
        recognizer = PocketSphinxSTT(decoder) if decoder else SpeechServerSTT(options.recognizer)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(pipeline(websocket, options, recognizer, flite))
        await runner.run()

    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
