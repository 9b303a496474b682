"""Opus in and out for the client, by the FFmpeg in the package `av`."""

import base64
import json
import subprocess
import wave

import av
import numpy

import bursts

# What is said between the tones.
TEXT = ("Good morning. I would like to know whether the train to the coast still leaves at nine, how long it takes, "
        "and if there is a place for two bicycles.")
# As browsers send speech: mono, 32 kbit/s.
BIT_RATE = 32_000


class Decoder:
    """Packets of Opus to frames of 20 ms, 16-bit mono."""

    def __init__(self):
        self._codec = av.CodecContext.create("libopus", "r")
        self._codec.format, self._codec.layout, self._codec.sample_rate = "s16", "mono", bursts.RATE

    def decode(self, payload):
        return numpy.concatenate([frame.to_ndarray().reshape(-1) for frame in self._codec.decode(av.Packet(payload))])


# One row for each pitch: a frame's product with it is how much of the pitch is in the frame.
_WAVES = numpy.exp(-2j * numpy.pi * numpy.outer(bursts.TONES, numpy.arange(bursts.FRAME)) / bursts.RATE)


def heard(listener, label, samples):
    """Gives a listener the next frame; returns the tone that it now knows of, or None."""
    loud = numpy.abs(samples) > bursts.THRESHOLD
    place = int(loud.argmax())
    pitch = None
    if listener.wants_pitch:
        frame = samples.astype(float)
        # Parseval: a sine of amplitude a has the energy a*a*N/2 and a product of a*N/2.
        energies = abs(_WAVES @ frame) ** 2 * 2 / len(frame)
        pitch = bursts.strongest(energies, float(frame @ frame))
    return listener.take(label, place if loud[place] else None, pitch)


def encoded(samples):
    """16-bit samples as packets of Opus."""
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate, codec.format, codec.layout, codec.sample_rate = BIT_RATE, "s16", "mono", bursts.RATE
    codec.options = {"application": "voip"}
    packets = []
    for first in range(0, len(samples), bursts.FRAME):
        frame = av.AudioFrame.from_ndarray(numpy.array(samples[None, first:first + bursts.FRAME]), format="s16", layout="mono")
        frame.sample_rate, frame.pts = bursts.RATE, first
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def located(packets):
    """The tones in packets: (number of the packet, place in its samples, pitch), as the client's own decoder hears them.

    So the codec's delay on the way there, which the client's encoder has added, counts with the packet in which it is.
    """
    decoder, listener = Decoder(), bursts.Listener()
    found = (heard(listener, number, decoder.decode(packet)) for number, packet in enumerate(packets))
    return [tone for tone in found if tone]


def make_microphone(repartee, folder, seconds):
    """Writes the microphone's packets and tones to a file, and returns its path."""
    spoken, path = f"{folder}/speech.wav", f"{folder}/microphone.json"
    subprocess.run([repartee, "say", TEXT, "--voice", "rms", "--out", spoken], check=True, stdout=subprocess.DEVNULL)
    with wave.open(spoken) as file:
        rate, speech = file.getframerate(), numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    times = numpy.arange(0, len(speech) / rate, 1 / bursts.RATE)
    speech = numpy.interp(times, numpy.arange(len(speech)) / rate, speech).astype(int).tolist()
    packets = encoded(numpy.array(bursts.microphone(speech, seconds), dtype="<i2"))
    tones = located(packets)
    wanted = [pitch for _, pitch in bursts.plan(seconds)]
    if [pitch for _, _, pitch in tones] != wanted:
        raise RuntimeError(f"{len(tones)} of {len(wanted)} tones are found in what is to be sent")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump({"packets": [base64.b64encode(packet).decode() for packet in packets], "tones": tones}, stream)
    return path


def read_microphone(path):
    """Packets, and tones by the number of the packet in which they begin."""
    with open(path, encoding="utf-8") as stream:
        content = json.load(stream)
    return ([base64.b64decode(packet) for packet in content["packets"]],
            {number: (place, pitch) for number, place, pitch in content["tones"]})
