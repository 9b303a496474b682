"""flite as a Pipecat service: the system's library, streamed while it works, without the silence before and after."""

import array
import asyncio
import ctypes

from pipecat.frames.frames import TTSAudioRawFrame
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService

RATE = 16_000
# Repartee's values (`FlitePiece.block`, `SilenceTrimmer`): 20 ms; sound is what exceeds 200 of 32768; 5 ms before it are kept.
BLOCK = 320
SOUND = 200
LEAD_IN = 80


class Wave(ctypes.Structure):
    _fields_ = [("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int), ("num_samples", ctypes.c_int),
                ("num_channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]


class Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class Streaming(ctypes.Structure):
    pass


CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(Streaming))
Streaming._fields_ = [("min_buffsize", ctypes.c_int), ("asc", CALLBACK), ("utt", ctypes.c_void_p),
                      ("item", ctypes.c_void_p), ("userdata", ctypes.c_void_p)]


class Flite:
    """One voice. ctypes lets other Python threads run while flite works."""

    def __init__(self, voice="slt"):
        names = ["libflite.so.1", "libflite_usenglish.so.1", "libflite_cmulex.so.1", f"libflite_cmu_us_{voice}.so.1"]
        self._library, *_, voices = [ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL) for name in names]
        library = self._library
        library.new_audio_streaming_info.restype = ctypes.POINTER(Streaming)
        library.audio_streaming_info_val.restype = ctypes.c_void_p
        library.audio_streaming_info_val.argtypes = [ctypes.POINTER(Streaming)]
        library.feat_set.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        library.flite_text_to_wave.restype = ctypes.POINTER(Wave)
        library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.POINTER(Voice)]
        library.delete_wave.argtypes = [ctypes.POINTER(Wave)]
        library.flite_init()
        register = getattr(voices, f"register_cmu_us_{voice}")
        register.restype, register.argtypes = ctypes.POINTER(Voice), [ctypes.c_char_p]
        self._voice = register(None)
        self._callback = CALLBACK(self._take)
        streaming = library.new_audio_streaming_info()
        streaming.contents.min_buffsize = BLOCK
        streaming.contents.asc = self._callback
        self._name = b"streaming_info"  # flite keeps the pointer
        library.feat_set(self._voice.contents.features, self._name, library.audio_streaming_info_val(streaming))

    def speak(self, text, deliver):
        """Calls `deliver` with 16-bit audio at 16 kHz as it is made, from just before the first sound to the last; blocks."""
        self._deliver, self._pending, self._has_begun = deliver, array.array("h"), False
        self._library.delete_wave(self._library.flite_text_to_wave(text.encode("ascii", "ignore"), self._voice))

    def _take(self, wave, start, size, _is_last, _streaming):
        samples = array.array("h", wave.contents.samples[start:start + size])
        self._pending.extend(samples)
        loud = [index for index, sample in enumerate(self._pending) if abs(sample) > SOUND]
        if loud:
            first = 0 if self._has_begun else max(0, loud[0] - LEAD_IN)
            self._has_begun = True
            self._deliver(self._pending[first:loud[-1] + 1].tobytes())
            self._pending = self._pending[loud[-1] + 1:]
        return 0  # CST_AUDIO_STREAM_CONT


class FliteTTS(TTSService):
    """Speaks a sentence at a time."""

    def __init__(self, flite):
        super().__init__(push_start_frame=True, push_stop_frames=True, sample_rate=RATE,
                         settings=TTSSettings(model="flite", voice="slt", language=None))
        self._flite = flite

    def can_generate_metrics(self):
        return True

    async def run_tts(self, text, context_id):
        loop, chunks = asyncio.get_running_loop(), asyncio.Queue()

        def work():
            try:
                self._flite.speak(text, lambda chunk: loop.call_soon_threadsafe(chunks.put_nowait, chunk))
            finally:
                loop.call_soon_threadsafe(chunks.put_nowait, None)

        job = loop.run_in_executor(None, work)
        while (chunk := await chunks.get()) is not None:
            await self.stop_ttfb_metrics()
            yield TTSAudioRawFrame(audio=chunk, sample_rate=RATE, num_channels=1, context_id=context_id)
        await job
