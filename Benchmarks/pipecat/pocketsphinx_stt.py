"""PocketSphinx as a Pipecat service: the system's library and model, with Repartee's settings."""

import asyncio
import ctypes
import ctypes.util
import os
import queue
import threading
from collections import deque

from pipecat.frames.frames import TranscriptionFrame
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import STTService
from pipecat.utils.time import time_now_iso8601

FOLDER = os.environ.get("REPARTEE_POCKETSPHINX_MODELS") or "/usr/share/pocketsphinx/model/en-us"
# `PocketSphinxDecoder.tuning` and `.initialMean` of Repartee.
TUNING = ["-fwdflat", "no", "-bestpath", "yes", "-maxhmmpf", "2000", "-maxwpf", "20",
          "-cmninit", "42,0,5,3,0,-1,-3,-3,-5,-5,-2,-1,2"]


class Decoder:
    """A `ps_decoder_t`. ctypes lets other Python threads run during a call."""

    def __init__(self):
        self._library = ctypes.CDLL(ctypes.util.find_library("pocketsphinx"), mode=ctypes.RTLD_GLOBAL)
        base = ctypes.CDLL(ctypes.util.find_library("sphinxbase"), mode=ctypes.RTLD_GLOBAL)
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
        for library, name, result, arguments in [
            (base, "err_set_logfp", None, [pointer]),
            (base, "cmd_ln_parse_r", pointer, [pointer, pointer, number, ctypes.POINTER(text), number]),
            (self._library, "ps_args", pointer, []),
            (self._library, "ps_init", pointer, [pointer]),
            (self._library, "ps_start_stream", number, [pointer]),
            (self._library, "ps_start_utt", number, [pointer]),
            (self._library, "ps_end_utt", number, [pointer]),
            (self._library, "ps_process_raw", number, [pointer, pointer, ctypes.c_size_t, number, number]),
            (self._library, "ps_get_hyp", text, [pointer, pointer]),
        ]:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        base.err_set_logfp(None)
        arguments = ["pipecat", "-hmm", f"{FOLDER}/en-us", "-lm", f"{FOLDER}/en-us.lm.bin",
                     "-dict", f"{FOLDER}/cmudict-en-us.dict", *TUNING]
        array = (text * len(arguments))(*(argument.encode() for argument in arguments))
        configuration = base.cmd_ln_parse_r(None, self._library.ps_args(), len(arguments), array, 1)
        self._decoder = configuration and self._library.ps_init(configuration)
        if not self._decoder:
            raise RuntimeError(f"PocketSphinx cannot load the model in {FOLDER}")

    def start(self, is_new_speaker):
        """Begins an utterance."""
        if is_new_speaker:
            self._library.ps_start_stream(self._decoder)
        self._library.ps_start_utt(self._decoder)

    def feed(self, pcm):
        """Decodes mono 16-bit audio at 16 kHz."""
        self._library.ps_process_raw(self._decoder, pcm, len(pcm) // 2, 0, 0)

    def finish(self):
        """Ends the utterance; returns its words as Repartee writes them."""
        self._library.ps_end_utt(self._decoder)
        hypothesis = self._library.ps_get_hyp(self._decoder, None)
        words = [word.split("(")[0] for word in (hypothesis or b"").decode().split() if word[0] not in "<[+"]
        line = " ".join("I" + word[1:] if word == "i" or word.startswith("i'") else word for word in words)
        return line[:1].upper() + line[1:]


class PocketSphinxSTT(STTService):
    """Decodes on a thread of its own while the person speaks; the final transcript follows the end of speech that the voice
    activity detector reports."""

    # Voice activity is confirmed after 0.2 s; the recogniser hears 0.3 s more, as Repartee's does.
    PRE_ROLL_MESSAGES = 25

    def __init__(self, decoder):
        super().__init__(settings=STTSettings(model="pocketsphinx-en-us", language=None), ttfs_p99_latency=1.0)
        self._decoder = decoder
        self._pre_roll = deque(maxlen=self.PRE_ROLL_MESSAGES)
        self._jobs = queue.SimpleQueue()
        self._is_speaking = False

    async def start(self, frame):
        await super().start(frame)
        threading.Thread(target=self._decode, args=(asyncio.get_running_loop(),), daemon=True).start()

    async def cleanup(self):
        await super().cleanup()
        self._jobs.put(None)

    async def run_stt(self, audio):
        if self._is_speaking:
            self._jobs.put(audio)
        else:
            self._pre_roll.append(audio)
        yield None

    async def _handle_vad_user_started_speaking(self, frame):
        await super()._handle_vad_user_started_speaking(frame)
        if not self._is_speaking:
            self._is_speaking = True
            self._jobs.put("start")
            for audio in self._pre_roll:
                self._jobs.put(audio)
            self._pre_roll.clear()

    async def _handle_vad_user_stopped_speaking(self, frame):
        await super()._handle_vad_user_stopped_speaking(frame)
        if self._is_speaking:
            self._is_speaking = False
            self._jobs.put("finish")

    def _decode(self, loop):
        is_new_speaker = True
        while (job := self._jobs.get()) is not None:
            if job == "start":
                self._decoder.start(is_new_speaker)
                is_new_speaker = False
            elif job == "finish":
                asyncio.run_coroutine_threadsafe(self._push(self._decoder.finish()), loop)
            else:
                self._decoder.feed(job)

    async def _push(self, text):
        if text:
            await self.push_frame(TranscriptionFrame(text, self._user_id, time_now_iso8601(), finalized=True))
