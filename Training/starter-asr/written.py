"""Lines from written sources: WordNet examples and definitions, the ChatterBot corpus; imported by texts.py."""
import re
from importlib.resources import files

import yaml
from wordfreq import zipf_frequency

from cleaning import spoken_form
from grammar import with_article
from wordnet import senses

RAREST = 2.0   # Zipf scale: a hundred uses per billion words


def common(line):
    """Whether all words of the line are in ordinary use."""
    return all(zipf_frequency(word.strip(".,?").lower(), "en") >= RAREST for word in line.split())


def bare_gloss(sense):
    """The first part of the definition, without remarks in brackets."""
    return re.sub(r"\([^()]*\)", "", sense.gloss).split(";")[0].strip()


def definition(sense):
    """A spoken sentence from a gloss, or None."""
    name, gloss = sense.lemmas[0], bare_gloss(sense)
    if not gloss or not name.replace(" ", "").isalpha() or "(" in gloss:
        return None
    part = sense.category.split("_")[0]
    if part == "verb":
        return f"To {name} means to {gloss}."
    if part == "noun" and re.match(r"(a|an|any|the|one) ", gloss):
        return f"{with_article(name) if name[0].islower() else name} is {gloss}."
    if sense.category == "noun_person" and name[0].isupper():
        return f"{name} was {with_article(gloss)}."
    return f"{name} means {gloss}."


def wordnet_lines(folder, rng, belongs):
    """Examples first, then definitions in sentences and bare, each shuffled, of the entries that belong here."""
    entries = [sense for sense in senses(folder) if belongs(sense.key)]
    texts = [text for sense in entries for text in sense.examples]
    rng.shuffle(texts)
    rng.shuffle(entries)
    texts += [definition(sense) if rng.random() < 0.6 else bare_gloss(sense) for sense in entries]
    for text in texts:
        line = spoken_form(text) if text else None
        if line and common(line):
            yield line


def chat_lines(rng, belongs):
    """The sentences of the ChatterBot corpus."""
    folder = files("chatterbot_corpus") / "data" / "english"
    texts = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        for talk in yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]:
            texts += [text for text in talk if isinstance(text, str)]
    rng.shuffle(texts)
    for text in texts:
        for part in [text] if len(text) <= 170 else re.split(r"(?<=[.?!])\s+", text):
            line = spoken_form(part)
            if line and common(line) and belongs(part):
                yield line
