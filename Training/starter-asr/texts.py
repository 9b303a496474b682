"""Writes the sentences that the starter recogniser is trained on, one transcript a line.

    python texts.py OUT_DIR [--count 150000] [--seed 1] [--share /usr/share]

OUT_DIR gets train.txt, dev.txt and test.txt. SOURCES.md lists where the words come from. Held-out lines come from
templates, names and WordNet entries that train.txt does not use. Needs faker, wordfreq, chatterbot-corpus, PyYAML and
Debian's wordnet-base, wamerican and wbritish.
"""
import argparse
import random
import re
import zlib
from collections import Counter
from pathlib import Path

import coverage
import written
from cleaning import ALLOWED, CRUDE
from grammar import Grammar, parse_rules, sentence_case
from names import spoken_slots
from templates import RULES, TEMPLATES

DEV, TEST = 300, 600
# Class: share of all lines, and of these the shares of short, middle and long ones.
MIX = {"templates": (0.52, (0.28, 0.46, 0.26)), "wordnet": (0.30, (0.16, 0.66, 0.18)),
       "coverage": (0.16, (0.35, 0.65, 0)), "chat": (0.02, (0.42, 0.52, 0.06))}
SHORT, MIDDLE, LONG = range(3)
FILLERS = ("um,", "uh,", "well,", "so,", "okay,", "hey,", "yeah,", "oh,", "hmm,", "right,", "and", "but", "okay, so",
           "look,", "sorry,", "actually,", "no,", "yes,", "also,", "er,", "I mean,", "you know,")
ASKING = re.compile(r"(?:can|could|may|would|will) (?:I|you|we) |is it possible |(?:aren't|hasn't) ")
TAILS = (", please", ", thanks", ", okay", ", right", ", you know", ", I think", ", thank you", " again", " now")


def length_class(line):
    """Short is up to 4 words, middle up to 14, long up to 28; None is too long."""
    words = line.count(" ") + 1
    return SHORT if words <= 4 else MIDDLE if words <= 14 else LONG if words <= 28 and len(line) <= 170 else None


def held_out(key, percent):
    """A stable choice of about `percent` of all keys."""
    return zlib.crc32(key.encode()) % 100 < percent


def split_templates(heldout):
    """Templates by topic; fixed phrases and templates that are only a slot always stay in training."""
    chosen = {}
    for topic, text in TEMPLATES.items():
        lines = [line for line in text.strip().splitlines() if line]
        chosen[topic] = [line for line in lines if heldout == (line.count("{") > 0 and len(line.split()) > 3
                                                               and held_out(line, 10))]
    return {topic: lines for topic, lines in chosen.items() if lines}


def ended(text):
    """The sentence with its stop or question mark."""
    return text if text.endswith("?") else text + ("?" if ASKING.match(text) else ".")


def utterances(grammar, topics, rng):
    """Endless lines from templates: plain, with fillers, with restarts, or two and three of a topic in a row."""
    pool = [(topic, line) for topic, lines in topics.items() for line in lines]
    while True:
        topic, template = rng.choice(pool)
        text = ended(grammar.fill(template, rng))
        style = rng.random()
        if style < 0.12:
            text = f"{rng.choice(FILLERS)} {text}"
        elif style < 0.17:
            words = text.split()
            begun = min(len(words), rng.randint(1, 2))
            text = " ".join(words[:begun]).rstrip(",.?") + f", {rng.choice(('', '', 'uh, ', 'um, '))}" + text
        elif style < 0.22 and text.endswith("."):
            text = text[:-1] + rng.choice(TAILS) + "."
        elif style < 0.42:
            for other in rng.sample(topics[topic], min(len(topics[topic]), rng.choice((1, 1, 2)))):
                text += " " + ended(grammar.fill(other, rng))
        yield sentence_case(text)


def usable(line, seen):
    """Whether the line is new, decent and made of the transcript's characters only."""
    return line.lower() not in seen and ALLOWED.fullmatch(line) and not CRUDE.search(line)


def take(lines, wanted, seen, counts, patience=20_000):
    """Draws lines until each length class has its number, or nothing new came for `patience` draws; counts words."""
    taken, chosen, idle = [0, 0, 0], [], 0
    for line in lines:
        kind = length_class(line)
        idle += 1
        if kind is not None and taken[kind] < wanted[kind] and usable(line, seen):
            seen.add(line.lower())
            chosen.append(line)
            counts.update(coverage.words_of(line))
            taken[kind] += 1
            idle = 0
        if idle > patience or taken == list(wanted):
            break
    return chosen, taken


def collect(share, lexicon, total, seed, heldout, seen):
    """`total` lines in the wanted mix, and what each class gave; templates make up for classes that ran dry."""
    rng = random.Random(seed)
    grammar = Grammar(parse_rules(RULES) | spoken_slots(lexicon, heldout))
    counts = Counter()
    generators = {"templates": utterances(grammar, split_templates(heldout), rng),
                  "wordnet": written.wordnet_lines(f"{share}/wordnet", rng, lambda key: held_out(key, 3) == heldout),
                  "coverage": coverage.lines(lexicon, rng, grammar, counts),
                  "chat": written.chat_lines(rng, lambda key: held_out(key, 6) == heldout)}
    lines, report, missing = [], {}, [0, 0, 0]
    for name in ("chat", "wordnet", "templates", "coverage"):
        share_of_all, lengths = MIX[name]
        wanted = [round(total * share_of_all * part) for part in lengths]
        if name == "templates":
            wanted = [number + more for number, more in zip(wanted, missing)]
        chosen, report[name] = take(generators[name], wanted, seen, counts)
        missing = [gap + number - got for gap, number, got in zip(missing, wanted, report[name])]
        lines += chosen
    rng.shuffle(lines)
    return lines[:total], report


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("out", type=Path)
    options.add_argument("--count", type=int, default=150_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--share", type=Path, default=Path("/usr/share"), help="holds wordnet/ and dict/")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    lexicon = coverage.lexicon(chosen.share / "wordnet", chosen.share / "dict")
    seen = set()
    evaluation, report = collect(chosen.share, lexicon, DEV + TEST, chosen.seed + 1, True, seen)
    training, counts = collect(chosen.share, lexicon, chosen.count, chosen.seed, False, seen)
    for name, lines in (("dev", evaluation[:DEV]), ("test", evaluation[DEV:]), ("train", training)):
        (chosen.out / f"{name}.txt").write_text("".join(line + "\n" for line in lines))
        words = Counter(word for line in lines for word in coverage.words_of(line))
        mean = sum(words.values()) / max(1, len(lines))
        print(f"{name}: {len(lines)} lines, {len(words)} different words, {mean:.1f} words a line")
    print("held out by class (short, middle, long):", report)
    print("training by class (short, middle, long):", counts)


if __name__ == "__main__":
    main()
