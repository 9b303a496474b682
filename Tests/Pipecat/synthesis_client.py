"""What clients of `serve-tts` see of it: the reference's Pipecat service, a token-wise client, OpenAI's client.

The first does, message for message, what pipecat_bots/magpie_websocket_tts.py and tests/test_tts_cancel.py of
pipecat-ai/nemotron-january-2026 @ 70363cd do.
"""

import asyncio
import contextlib
import io
import json
import os
import subprocess
import time
import urllib.request

import av
import numpy
import openai
import websockets

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
RATE = 22000
LONG = ("This is a very long sentence that should take a while to generate because it has many words and will produce a "
        "significant amount of audio output. ")


@contextlib.contextmanager
def server(*arguments):
    """The real server; yields its address without the scheme."""
    with subprocess.Popen([BINARY, "serve-tts", "--port", "0", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))[len("http://"):]
        finally:
            process.terminate()
            process.wait(timeout=30)


async def send(socket, **message):
    await socket.send(json.dumps(message))


async def until(socket, kind, timeout=20):
    """Reads up to a message of this type. Returns it, the audio before it, and when that began."""
    audio, first = b"", None
    while True:
        message = await asyncio.wait_for(socket.recv(), timeout)
        if isinstance(message, bytes):
            first = first or time.monotonic()
            audio += message
        elif json.loads(message)["type"] == kind:
            return json.loads(message), audio, first


async def reference_service(check, address):
    """A bot's life: init once, then sentences, close, an interruption, and the next reply on the same socket."""
    async with websockets.connect("ws://%s/ws/tts/stream" % address) as socket:
        await send(socket, type="init", voice="aria", language="en")
        created = json.loads(await socket.recv())
        check("the first answer to init is stream_created", created["type"] == "stream_created"
              and len(created["stream_id"]) == 36 and created["sample_rate"] == RATE, created)
        complaint, _, _ = await until(socket, "error")
        check("a voice that is not there is told and not fatal", not complaint["fatal"] and "aria" in complaint["message"],
              complaint)
        for sentence in ("Hello! ", "How are you? "):
            await send(socket, type="text", text=sentence, mode="stream", preset="conservative")
        total = 0
        for number in (1, 2):
            segment, audio, _ = await until(socket, "segment_complete")
            length = len(audio) / 2 / RATE * 1000
            check("segment %d has the audio that it says" % number, segment["segment"] == number
                  and abs(segment["audio_ms"] - length) < 0.01 and 200 < length < 3000, (segment, length))
            total += length
        await send(socket, type="close")
        done, _, _ = await until(socket, "done")
        check("close is done", abs(done["total_audio_ms"] - total) < 0.01 and done["segments_generated"] == 2, done)

        await send(socket, type="text", text=LONG, mode="stream", preset="conservative")
        heard = 0
        while heard <= 5000:
            message = await asyncio.wait_for(socket.recv(), 10)
            heard += len(message) if isinstance(message, bytes) else 0
        await send(socket, type="cancel")
        after = 0
        with contextlib.suppress(asyncio.TimeoutError):
            while True:
                message = await asyncio.wait_for(socket.recv(), 0.5)
                after += len(message) if isinstance(message, bytes) else 0
        check("after a cancel less than 10 kB come, as the reference's test demands", after < 10000, after)

        await send(socket, type="init", voice="aria", language="en")
        began = time.monotonic()
        created, stale, _ = await until(socket, "stream_created", 1)
        check("a new stream is there within a second, without stale audio", time.monotonic() - began < 1 and not stale,
              len(stale))
        await send(socket, type="text", text="New stream test.", mode="stream", preset="conservative")
        await send(socket, type="close")
        done, audio, _ = await until(socket, "done")
        check("it is whole", 300 < len(audio) / 2 / RATE * 1000 < 1500, done)
        await send(socket, type="ping")
        check("a ping is answered", (await until(socket, "pong"))[0] == {"type": "pong"})


async def token_service(check, address):
    """Tokens at 20 a second, words with their times, an acknowledged cancel."""
    async with websockets.connect("ws://%s/ws/tts/stream" % address) as socket:
        await send(socket, type="init", voice="rms", sample_rate=24000, tokens=True, words=True, context_id="reply-1")
        created = json.loads(await socket.recv())
        check("the client's rate and context are taken", created["sample_rate"] == 24000
              and created["context_id"] == "reply-1" and created["voice"] == "rms", created)
        text = "Good morning, my friend. I hope that you have slept well, and that it does not rain."
        words, segments, audio = [], [], b""

        async def write():
            for token in text.replace(" ", "\0 ").split("\0"):
                await send(socket, type="text", text=token)
                await asyncio.sleep(0.05)
            await send(socket, type="close")

        writer = asyncio.create_task(write())
        while True:
            message = await asyncio.wait_for(socket.recv(), 20)
            if isinstance(message, bytes):
                audio += message
                continue
            message = json.loads(message)
            if message["type"] == "timestamps":
                words += message["words"]
            elif message["type"] == "segment_complete":
                segments.append(message["text"])
            elif message["type"] == "done":
                break
        await writer
        length = len(audio) / 2 / 24000 * 1000
        check("tokens become clauses, which are the text", "".join(segments) == text and 2 <= len(segments) <= 4, segments)
        check("every word has its time", " ".join(word["word"] for word in words) == text
              and words == sorted(words, key=lambda word: word["end_ms"]) and words[-1]["end_ms"] <= length + 0.01
              and words[-1]["text_end"] == len(text), words)

        await send(socket, type="text", text=LONG * 20, context_id="reply-2", flush=True)
        await until(socket, "stream_created")
        heard = 0
        while heard < 48000:
            message = await asyncio.wait_for(socket.recv(), 10)
            heard += len(message) if isinstance(message, bytes) else 0
        await send(socket, type="cancel")
        cancelled, late, _ = await until(socket, "cancelled")
        sent = (heard + len(late)) / 2 / 24000 * 1000
        check("a cancel is acknowledged with exactly what was sent", cancelled["context_id"] == "reply-2"
              and abs(cancelled["audio_ms"] - sent) < 0.01, (cancelled, sent))
        spoken = cancelled["text_spoken"]
        check("and with the words that it speaks", (LONG * 20).startswith(spoken) and 2 < len(spoken.split()) < 60, spoken)
        await send(socket, type="ping")
        check("nothing comes after it", json.loads(await socket.recv()) == {"type": "pong"})


def whole_texts(check, address):
    client = openai.OpenAI(api_key="none", base_url="http://%s/v1" % address)
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there. How are you?",
                                        response_format="opus")
    with av.open(io.BytesIO(answer.content)) as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray() for frame in container.decode(stream)]
        name, rate = stream.codec_context.name, stream.codec_context.sample_rate
    opus = numpy.concatenate(frames, axis=1)[0]
    pcm = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there. How are you?", response_format="pcm")
    plain = numpy.frombuffer(pcm.content, dtype="<i2") / 32768
    check("FFmpeg decodes the Opus that OpenAI's client gets, to the same length", name in ("opus", "libopus")
          and abs(len(opus) / rate - len(plain) / RATE) < 0.002, (name, len(opus) / rate, len(plain) / RATE))

    def loudness(samples, rate):
        length = len(samples) // (rate // 50) * (rate // 50)
        return numpy.sqrt((samples[:length].reshape(-1, rate // 50) ** 2).mean(axis=1))

    a, b = loudness(opus, rate), loudness(plain, RATE)
    count = min(len(a), len(b))
    check("and it sounds where it should", numpy.corrcoef(a[:count], b[:count])[0, 1] > 0.95,
          numpy.corrcoef(a[:count], b[:count])[0, 1])
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="slt", input=LONG * 20,
                                                            response_format="wav") as answer:
        chunks = answer.iter_bytes(4096)
        began = time.monotonic()
        head = next(chunks)
        first = time.monotonic() - began
        rest = sum(len(chunk) for chunk in chunks)
        whole = time.monotonic() - began
    check("a WAV file comes as it is made", head[:4] == b"RIFF" and rest > 1000000 and first < whole / 5,
          (head[:4], rest, first, whole))
    try:
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")
        check("a voice that nobody has is refused", False)
    except openai.BadRequestError as error:
        check("a voice that nobody has is refused", "slt" in str(error), error)


async def checks(check):
    with server("--voice", "slt") as address:
        with urllib.request.urlopen("http://%s/v1/audio/config" % address, timeout=10) as answer:
            configuration = json.load(answer)
        check("the configuration is the reference's", configuration["sample_rate"] == RATE and configuration["channels"] == 1
              and configuration["encoding"] == "pcm_s16le" and "slt" in configuration["voices"], configuration)
        await reference_service(check, address)
        await token_service(check, address)
        await asyncio.to_thread(whole_texts, check, address)
