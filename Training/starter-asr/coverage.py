"""Frames around the most frequent English words so that each is said several times; imported by texts.py."""
import re
from collections import defaultdict
from pathlib import Path

from wordfreq import top_n_list

from cleaning import CRUDE, UNSAID
from grammar import Grammar, sentence_case
from wordnet import exceptions, first_categories, senses

WORDS = 20_000
ENOUGH = 5          # a word said this often in the other lines needs no frame of its own
WORD_LISTS = ("american-english", "british-english")
ABBREVIATIONS = {"ok", "st", "dr", "mr", "mrs", "jr", "vs", "etc", "i'm", "ii"}
FRAMES = {
    "any": "I said {w}|the word is {w}|{w}, not {other}|{w} or {other}?|can you spell {w}?|"
           "how do you pronounce {w}?|what does {w} mean?|{w} and {other}|did you say {w} or {other}?|"
           "I said {w} and {other}|write down {w}|the next word is {w}|{w}|{w}, {other}, {third}|no, {w}|"
           "{um} {w}|the words are {w}, {other}, and {third}|you wrote {w} instead of {other}|say {w} again|"
           "it starts with {w}",
    "noun": "where is the {w}?|this is {a:w}|I need {a:w}|the {w} was {adj}|we talked about the {w}|"
            "what about the {w}?|the {w} and the {other}|do you know anything about the {w}?|"
            "that {w} is {adverb} {good}|no {w} today|{who} told me about the {w}|"
            "there is a problem with the {w}|my {w} is {adj}|some {w} would be {good}|"
            "I read about the {w} {past}|it's about the {w}|the {w} again?|I like the {w}|"
            "a different {w}, please",
    "food": "add {w} to my shopping list|do you like {w}?|I'd like some {w}, please|is there {w} in this?|"
            "more {w}, please|{w} with {dish}|how long do I cook {w}?|{who} doesn't eat {w}|"
            "{w} and {other}, please",
    "animal": "have you ever seen {a:w}?|tell me something about the {w}|is that {a:w} or {a:other}?|{a:w}|"
              "how long does {a:w} live?|we saw {a:w} {past}|the {w} ran away|what does {a:w} eat?",
    "person": "she works as {a:w}|are you {a:w}?|{who} is {a:w}|the {w} called {past}|I spoke with the {w}|"
              "is the {w} here?|he wants to be {a:w}|ask the {w}|the {w} said {clause}",
    "artifact": "where did I put the {w}?|can you find {a:w} {near}?|how much is {a:w}?|I'm looking for {a:w}|"
                "the {w} is broken|I left the {w} in the {room}|{who} bought {a:w} {past}|do you sell {w} parts?|"
                "the {w} is in the {room}|I need a new {w} by {weekday}|what is {a:w} for?",
    "place": "how far is {w}?|have you been to {w}?|I'm from {w}|tell me about {w}|we're flying to {w} {day}|"
             "what's the weather in {w}?|is {w} nice in {month}?|{w}, please",
    "proper": "who is {w}?|have you heard of {w}?|{w} was mentioned {past}|tell me about {w}|"
              "I read something about {w}|{w}",
    "plural": "how many {w} are there?|all the {w}|these {w} are {adj}|I don't like {w}|two {w}, please|"
              "where are the {w}?|we need more {w}|there are too many {w}|some {w} are {adverb} {good}|"
              "{w} and {other}|what do you know about {w}?|{who} told me about the {w}|I read about {w} {past}",
    "verb": "I want to {w}|can you {w}?|they {w} {often}|we should {w}|don't {w} yet|how do I {w}?|"
            "to {w} or to {other}?|I {w} {often}|{who} would never {w}|let's {w}|you have to {w} {day}|"
            "I didn't {w} it|please {w}|they might {w} {day}",
    "past": "he {w} {past}|I {w} it {past}|we {w} {past}|she {w} and left|they never {w}|it was {w}|"
            "{who} {w} {past}|nobody {w}|the {other} {w}",
    "ing": "are you {w}?|I'm {w}|they were {w} {past}|stop {w}|he is always {w}|{who} is {w} right now|"
           "I saw them {w}|we keep {w}|she started {w} {past}|no {w} today|I don't like {w}",
    "third": "she {w}|he {w} {often}|it {w}|{who} {oftenword} {w}|who {w}?|nobody {w} like that|the {other} {w}",
    "adj": "that is {w}|it was {degree} {w}|is it {w}?|why is it so {w}?|{a:w} day|something {w}, please|"
           "how {w}|I'm looking for something {w}|{a:w} idea|the {item} is {w}|not {w}, {other}|it's {w} today|"
           "{who} is {w}|the {w} one|more {w} than {other}|it looks {w} to me",
    "adv": "she did it {w}|{w}, I think|he spoke {w}|{w} {clause}|not {w}|it works {w}|we {w} agree|{w}, yes|"
           "it was done {w}",
}


def lexicon(folder, word_lists):
    """Word lists by use: {use: [words in real case]}, of the most frequent words that WordNet or a word list knows."""
    cases, irregular, categories = real_case(folder), exceptions(folder), first_categories(folder)
    spellings = defaultdict(set)
    for name in WORD_LISTS:
        for word in Path(word_lists, name).read_text(encoding="utf-8").split():
            spellings[word.lower()].add(word)
    uses = defaultdict(list)
    for word in top_n_list("en", WORDS):
        if not re.fullmatch(r"[a-z]{2,}('[a-z]+)?|[ai]", word) or CRUDE.search(word) or UNSAID.search(word):
            continue
        for use, form in [] if word in ABBREVIATIONS else classify(word, cases, categories, irregular, spellings):
            uses[use].append(form)
    return dict(uses)


def real_case(folder):
    """{lower-case lemma: its spellings in WordNet}."""
    cases = defaultdict(set)
    for sense in senses(folder):
        for lemma in sense.lemmas:
            cases[lemma.lower()].add(lemma)
    return cases


def stems(word):
    """Regular bases with the use that the ending gives: (base, part of speech, use)."""
    if word.endswith("s"):
        bases = [word[:-1]] + ([word[:-2]] if word.endswith("es") else [])
        bases += [word[:-3] + "y"] if word.endswith("ies") else []
        return [(base, "noun", "plural") for base in bases] + [(base, "verb", "third") for base in bases]
    for ending, use in (("ing", "ing"), ("ed", "past")):
        if word.endswith(ending):
            base = word[:-len(ending)]
            bases = [base, base + "e"] + ([base[:-1]] if base[-1:] == base[-2:-1] else [])
            bases += [base[:-1] + "y"] if ending == "ed" and base.endswith("i") else []
            return [(one, "verb", use) for one in bases]
    return []


def classify(word, cases, categories, irregular, spellings):
    """The uses of a word with its spelling there; empty for words whose case or reading is unknown."""
    if word in cases and not any(one.islower() for one in cases[word]):
        return named(sorted(cases[word])[0], categories[word].get("noun", ("",))[0])
    if word in cases:
        return [("any", word)] + by_part_of_speech(word, categories.get(word, {}))
    if irregular["noun"].get(word) in categories:
        return [("any", word), ("plural", word)]
    if irregular["verb"].get(word) in categories:
        return [("any", word), ("ing" if word.endswith("ing") else "past", word)]
    found = {(use, word) for base, part, use in stems(word)
             if part in categories.get(base, {}) and base in cases.get(base, ())}
    if found:
        return [("any", word)] + sorted(found)
    if word in spellings[word]:
        return [("any", word)]
    return named(min(spellings[word]), "") if spellings[word] else []


def named(spelling, category):
    """The uses of a proper name; none for initialisms."""
    if not re.fullmatch(r"[A-Z][a-z]+|[A-Z]'[a-z]+|YouTube", spelling):
        return []
    return [("any", spelling), ("place" if category == "noun_location" else "proper", spelling)]


def by_part_of_speech(word, parts):
    """Uses of a lower-case WordNet lemma, without parts of speech that are rare for it."""
    found, best = [], max((tagged for _, tagged in parts.values()), default=0)
    for part, (category, tagged) in sorted(parts.items()):
        if tagged * 4 >= best:
            kind = category.split("_")[1]
            found.append((part, word))
            found += [(kind, word)] if part == "noun" and kind in ("food", "animal", "person", "artifact") else []
    return found


def lines(lexicon, rng, grammar, counts):
    """Endless frames around the words that `counts` (in lower case, kept up to date by the caller) has least of."""
    state = {}
    grammar = Grammar(grammar.slots | {
        "w": lambda rng: state["w"], "other": lambda rng: rng.choice(state["pool"]),
        "third": lambda rng: rng.choice(state["pool"]), "adj": lambda rng: rng.choice(lexicon["adj"]),
        "oftenword": lambda rng: rng.choice(("often", "always", "never", "usually", "sometimes")),
        "degree": lambda rng: rng.choice(("very", "really", "so", "too", "not", "a bit"))})
    frames = {use: text.split("|") for use, text in FRAMES.items()}
    wanted = 1
    while True:
        needy = {use: [word for word in words if wanted > ENOUGH or counts[word.lower()] < wanted]
                 for use, words in lexicon.items() if use in frames}
        queue = [(use, word) for use, words in needy.items() for word in words]
        rng.shuffle(queue)
        for use, word in queue:
            if wanted > ENOUGH or counts[word.lower()] < wanted:
                state["w"], state["pool"] = word, needy[use]
                text = grammar.fill(rng.choice(frames[use]), rng)
                yield sentence_case(text if text.endswith("?") else text + ".")
        wanted += 1


def words_of(line):
    """The words of a line in lower case."""
    return [word.strip(".,?").lower() for word in line.split()]
