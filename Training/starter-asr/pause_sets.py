"""Recordings with pauses in the middle, for `repartee bench endpointing`:

    python3 pause_sets.py OUT_DIR --tune PCM_DIR --test PCM_DIR [--people SETS/real] [--seed 1]

The PCM_DIRs hold shards of `synthesise.py`; README.md says which. Half of the utterances get one or two pauses at a word
border inside the utterance, so that what comes before sounds as in the middle of a sentence. Lengths are log-uniform from
0.3 to 1.5 s: short pauses are commoner than long ones (Campione and Véronis, A Large-Scale Multilingual Study of Silent
Pause Duration, 2002: log-normal). Borders are found by PocketSphinx's forced alignment and taken where the voice is low, so
that no sound is cut; where one is wanted, an utterance without such a border is left out. All get a level, faint room noise
throughout, half a second before and four seconds behind. Texts are whole and have no punctuation inside.

OUT_DIR/NAME.wav are the recordings, OUT_DIR/set.json what is in them: `end` is when the last audible sound ends, `pauses`
when the sound stops and goes on, all in seconds, with the number of the word after it where the pause was put in; pauses that
a voice made itself count as well. A recording is drawn by the seed and its own name alone. Its `part` is one of

    tune      the voices and texts of --tune
    test      the voices of --test with a natural prosody; no text of these is in --tune
    robotic   the same texts by eSpeak's formants and festival's diphones, whose prosody says little of where a sentence ends
    people    recordings of persons (`test_sets.py`), as they are, with pauses, and the pauses that a reader made in "A Tale
              of Two Cities"
"""

import argparse
import json
import re
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from pocketsphinx import Decoder

from noises import coloured

RATE = 16_000
LEAD, TRAIL = 0.5, 4.0  # seconds of room before and behind
PAUSES = (0.3, 1.5)  # seconds
SECOND_PAUSE = 0.3  # this share of the long enough utterances with pauses has two
PEAK = (0.08, 0.5)
ROOM = (35, 55)  # dB below the speech's root mean square
AUDIBLE = 500 / 32768  # `audible_threshold` of the session
LOW = 12  # dB below the speech's root mean square: a border where it may be cut
FADE = RATE // 100
NEAR = 0.05  # seconds: a border is looked for so far around where the alignment has it
WORDS = (5, 18)
RECORDINGS = 300  # of a part, at most
ROBOTIC = ("espeak", "festival-ked", "festival-kal")


def word_times(decoder, samples, text):
    """[(begin, end)] of the words in seconds, or nothing where the dictionary lacks a word."""
    words = re.sub("[^a-z' ]", "", text.lower()).split()
    if len(words) != len(text.split()) or any(decoder.lookup_word(word) is None for word in words):
        return []
    decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    spoken = [part for part in decoder.seg() or () if not part.word.startswith("<")]
    return [(part.start_frame / 100, (part.end_frame + 1) / 100) for part in spoken] if len(spoken) == len(words) else []


def borders(decoder, samples, text):
    """[(index of the word after it, sample)] of the word borders at which `samples` may be cut."""
    energy = np.convolve(samples**2, np.ones(2 * FADE) / (2 * FADE), "same")
    limit = np.mean(samples[np.abs(samples) > AUDIBLE]**2) / 10 ** (LOW / 10)
    times, found = word_times(decoder, samples, text), []
    for word in range(1, len(times)):
        first = max(int((times[word - 1][1] - NEAR) * RATE), FADE)
        last = min(int((times[word][0] + NEAR) * RATE), len(samples) - FADE)
        place = first + int(np.argmin(energy[first:last]))
        if energy[place] < limit:
            found.append((word, place))
    return found


def chosen(found, words, random):
    """One or two of the borders, with two words at either side of each."""
    fit = [(word, place) for word, place in found if 2 <= word <= words - 2]
    if not fit:
        return []
    first = fit[random.integers(len(fit))]
    others = [border for border in fit if abs(border[0] - first[0]) >= 3]
    if others and random.random() < SECOND_PAUSE:
        return sorted((first, others[random.integers(len(others))]))
    return [first]


def faded(samples, starts, ends):
    samples, ramp = samples.copy(), np.linspace(0, 1, FADE, dtype=np.float32)
    if starts:
        samples[:FADE] *= ramp
    if ends:
        samples[-FADE:] *= ramp[::-1]
    return samples


def last_audible(samples):
    return int(np.flatnonzero(np.abs(samples) > AUDIBLE)[-1]) + 1


def room(random, samples, speech):
    """Faint noise under all of it, a level of its own for each recording."""
    noise = coloured(random, random.uniform(0.5, 1.5), len(samples)).astype(np.float32)
    loud = np.sqrt(np.mean(speech[np.abs(speech) > AUDIBLE]**2))
    return samples + noise * (loud / 10 ** (random.uniform(*ROOM) / 20) / np.sqrt(np.mean(noise**2)))


def pieces_of(samples, cuts):
    """The pieces between the cuts, or all of it where a piece would not be audible."""
    edges = [0, *(place for _, place in cuts), len(samples)]
    pieces = [faded(samples[start:end], start > 0, end < len(samples)) for start, end in zip(edges, edges[1:])]
    return pieces if all(np.abs(piece).max() > AUDIBLE for piece in pieces) else [samples]


def silences(samples, cuts):
    """The pauses in `samples`: at least 0.3 s without an audible sample. `cuts` are [(word, sample)] of those put in."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
    pauses = []
    for gap in np.flatnonzero(np.diff(loud) >= PAUSES[0] * RATE):
        first, last = int(loud[gap]) + 1, int(loud[gap + 1])
        words = [word for word, place in cuts if first <= place <= last]
        pauses.append({"start": round(first / RATE, 4), "end": round(last / RATE, 4)} | ({"word": words[0]} if words else {}))
    return pauses


def recording(samples, cuts, random):
    """(samples, end, pauses): the utterance with silence at the cuts, in its room."""
    samples = samples * np.float32(random.uniform(*PEAK) / np.abs(samples).max())
    out, inserted = [np.zeros(int(LEAD * RATE), np.float32)], []
    for index, piece in enumerate(pieces_of(samples, cuts)):
        if index:
            inserted.append((cuts[index - 1][0], sum(map(len, out))))
            out.append(np.zeros(int(np.exp(random.uniform(*np.log(PAUSES))) * RATE), np.float32))
        out.append(piece)
    out.append(np.zeros(int(TRAIL * RATE), np.float32))
    whole = np.concatenate(out)
    return room(random, whole, samples), round(last_audible(whole) / RATE, 4), silences(whole, inserted)


def write(out, name, samples):
    with wave.open(str(out / f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.round(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def utterances(folder):
    """(name, voice, text, samples) of the utterances whose text is one whole sentence, each text and voice once."""
    seen = set()
    for shard in sorted(folder.glob("*.pcm")):
        samples = np.memmap(shard, np.int16, "r")
        for number, line in enumerate(open(shard.with_suffix(".jsonl"))):
            u = json.loads(line)
            text = u["text"]
            words = len(text.split())
            if not WORDS[0] <= words <= WORDS[1] or not re.fullmatch(r"[^.?!;:,]*[.?!]", text):
                continue
            if (text, u["voice"]) in seen:
                continue
            seen.add((text, u["voice"]))
            speech = samples[u["offset"]:u["offset"] + u["length"]].astype(np.float32) / 32768
            yield f"{shard.stem}-{number:03d}", u["voice"], text, speech


def texts(folder):
    return {text for _, _, text, _ in utterances(folder)}


def synthetic(folder, is_test, arguments, decoder):
    known = texts(arguments.tune) if is_test else set()
    paused, counts = Counter(), Counter()
    for name, voice, text, speech in utterances(folder):
        if text in known:
            continue
        part = "tune" if not is_test else "robotic" if voice.startswith(ROBOTIC) else "test"
        if counts[part] == RECORDINGS:
            continue
        random = np.random.default_rng([arguments.seed, *name.encode()])
        cuts = []
        if 2 * paused[part] <= counts[part]:
            cuts = chosen(borders(decoder, speech, text), len(text.split()), random)
            if not cuts:
                continue
        samples, end, pauses = recording(speech, cuts, random)
        counts[part] += 1
        paused[part] += bool(pauses)
        yield name, samples, {"voice": voice, "text": text, "part": part, "end": end, "pauses": pauses}


def people(arguments, decoder):
    for path in sorted(arguments.people.glob("*.wav")):
        text = path.with_suffix(".txt").read_text().strip()
        speech = soundfile.read(path, dtype="float32")[0]
        random = np.random.default_rng([arguments.seed, *path.stem.encode()])
        entry = {"voice": "person", "text": text, "part": "people"}
        if len(text.split()) > WORDS[1] + 10:
            # Long: with the reader's own pauses and level.
            samples = np.pad(speech, (int(LEAD * RATE), int(TRAIL * RATE)))
            end = round(last_audible(samples) / RATE, 4)
            yield path.stem, room(random, samples, speech), {**entry, "end": end, "pauses": silences(samples, [])}
            continue
        for suffix, cuts in (("", []), ("-paused", chosen(borders(decoder, speech, text), len(text.split()),
                                                          random))):
            if suffix and not cuts:
                continue
            samples, end, pauses = recording(speech, cuts, random)
            yield path.stem + suffix, samples, {**entry, "end": end, "pauses": pauses}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tune", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    decoder = Decoder(lm=None, loglevel="FATAL", beam=1e-60, wbeam=1e-40, pbeam=1e-60)
    arguments.out.mkdir(parents=True, exist_ok=True)
    entries = []
    sources = [synthetic(arguments.tune, False, arguments, decoder),
               synthetic(arguments.test, True, arguments, decoder)]
    if arguments.people:
        sources.append(people(arguments, decoder))
    for source in sources:
        for name, samples, entry in source:
            write(arguments.out, name, samples)
            entries.append({"file": f"{name}.wav", **entry})
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (arguments.out / "set.json").write_text(f"[\n{lines}\n]\n")
    for part in ("tune", "test", "robotic", "people"):
        chosen_part = [entry for entry in entries if entry["part"] == part]
        pauses = sum(len(entry["pauses"]) for entry in chosen_part)
        print(f"{part}: {len(chosen_part)} recordings, {pauses} pauses in "
              f"{sum(bool(entry['pauses']) for entry in chosen_part)}")


if __name__ == "__main__":
    main()
