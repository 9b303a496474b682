#!/usr/bin/env python3
"""How far our phonemes agree with those of espeak-ng (Debian's package; a yardstick only, nothing of it is linked or kept).

  measure_phonemes.py PROGRAM [sentences.txt [how many words to list]]
  measure_phonemes.py --fixture cmudict.dict > Tests/SpeechSynthesisTests/Fixtures/espeak-phonemes.json

PROGRAM reads sentences, one a line, and writes their phonemes with a space between words. Without a file the sentences are
those of Python's help texts (pydoc) and the ones below. Odd sentences are for looking at, even ones for measuring.
Prints the rate of agreement, 1 - edit distance / espeak's phonemes, with and without marks of stress, and the words that
differ most often. The fixture holds the sentences below, espeak's phonemes for them and the dictionary's lines for their words
(CMUdict, BSD-2-Clause).
"""
import collections
import json
import pydoc_data.topics
import re
import subprocess
import sys

TALK = """
The quick brown fox jumps over the lazy dog near the river.
I can't believe it's not butter, but what a pretty little bottle of water.
Are you going to the store with a friend and her mother?
It was an hour before we had another apple for the button.
Good morning, how can I help you today?
Your appointment is on Thursday at three in the afternoon.
Could you please repeat the last four digits of your number?
The weather tomorrow will be partly cloudy with a chance of rain.
I have transferred your call to the billing department.
She sells sea shells by the sea shore.
We are sorry for the delay, and we appreciate your patience.
Turn left at the second traffic light and continue for two miles.
The meeting has been moved to the conference room upstairs.
My sister studied biology at the university of Michigan.
Do you want a small, medium or large coffee?
He walked slowly through the quiet streets of the old city.
The children were laughing and playing in the garden.
Please leave a message after the tone.
I would like to order a vegetarian pizza with extra cheese.
The train from Boston arrives in twenty minutes.
Nobody knows what happened to the missing airplane.
They finally decided to sell their house and move to the country.
A computer is a machine that follows instructions.
Let me check the status of your order for you.
The doctor said that you should drink plenty of water.
There is a wonderful museum just around the corner.
It is better to be safe than sorry.
Her brother works as an engineer for a famous company.
We could not find any record of this transaction.
What kind of music do you usually listen to?
The president gave a speech about the economy.
Never put off until tomorrow what you can do today.
The library opens at nine and closes at six.
He asked whether the package had already been delivered.
Thank you for calling, and have a great evening.
This restaurant serves the best seafood in town.
The battery is almost empty, so please charge your phone.
Some people think that money makes the world go around.
I am not sure if the answer is correct.
The old man remembered every detail of the story.
""".strip().split("\n")


def sentences():
    found = list(TALK)
    for topic in sorted(pydoc_data.topics.topics):
        text = re.sub(r"\s+", " ", pydoc_data.topics.topics[topic])
        for sentence in re.split(r"(?<=[.]) ", text):
            if re.fullmatch(r"[A-Z][a-z]+(,? [a-z']+){5,18}\.", sentence):
                found.append(sentence)
    unique = list(dict.fromkeys(found))
    return unique[:640]


def symbols(text, stress):
    text = re.sub(r"[^\w\sˈˌːᵻ\u0303\u0329ʔ]", "", text)
    if not stress:
        text = re.sub("[ˈˌ]", "", text)
    return re.findall(r"[^\s][ː\u0329\u0303]*", text)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def run(command, lines):
    return subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True).stdout


def espeak(lines):
    return [" ".join(run(["espeak-ng", "-v", "en-us", "-q", "--ipa"], [line]).split()) for line in lines]


def fixture(dictionary):
    words = {word.strip(".,?").lower() for line in TALK for word in line.split()}
    with open(dictionary, encoding="utf-8") as file:
        entries = [line for line in file if line.split(" ")[0] in words]
    rows = [{"text": text, "espeak": phonemes} for text, phonemes in zip(TALK, espeak(TALK))]
    out = json.dumps({"espeak-ng": "1.51", "dictionary": "".join(entries), "sentences": rows}, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write(out.replace('},{"', '},\n{"') + "\n")


def main():
    if sys.argv[1] == "--fixture":
        return fixture(sys.argv[2])
    lines = open(sys.argv[2], encoding="utf-8").read().split("\n") if len(sys.argv) > 2 and sys.argv[2] else sentences()
    lines = [line for line in lines if line.strip()]
    theirs = espeak(lines)
    ours = run(sys.argv[1].split(), lines).rstrip("\n").split("\n")
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    for name, part in (("looked at", 0), ("measured", 1)):
        for stress in (True, False):
            pairs = [(symbols(a, stress), symbols(b, stress)) for a, b in list(zip(ours, theirs))[part::2]]
            wrong, all_ = sum(distance(a, b) for a, b in pairs), sum(len(b) for _, b in pairs)
            print("%s, %d sentences, %s: %.2f %% of %d phonemes agree" % (
                name, len(pairs), "with stress" if stress else "without stress", 100 - 100 * wrong / all_, all_))
    words = collections.Counter()
    for line, a, b in list(zip(lines, ours, theirs))[0::2]:
        a, b, written = a.split(), b.split(), line.split()
        if len(a) == len(b) == len(written):
            words.update((w.lower().strip(".,?"), x, y) for w, x, y in zip(written, a, b) if x != y)
    for (word, x, y), count in words.most_common(int(sys.argv[3]) if len(sys.argv) > 3 else 40):
        print("%4d  %-16s ours %-18s espeak %s" % (count, word, x, y))


main()
