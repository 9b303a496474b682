"""A small expansion engine for sentence templates; imported by texts.py.

`{slot}` inserts a value, `{a:slot}` one with its article, `[this|that|]` chooses one branch (an empty one is allowed).
A slot is a list of templates or a function of a random generator; all may nest.
"""
import re

# Words that take "an": a vowel that is not said "you" or "one", a silent h, letters whose names begin with a vowel.
AN = re.compile(r"(?i)(?!(?:eu|uni(?![mn]|den)|use|usu|usa|uti|one\b|once|ura|ub|u\b))[aeiou]|"
                r"hour|heir|honest|honou?r|[FHLMNRSX]\b")


def with_article(phrase):
    """The phrase after "a" or "an"."""
    return ("an " if AN.match(phrase) else "a ") + phrase


def alternatives(text):
    """Splits at the bars that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "|" and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return parts + [text[start:]]


class Grammar:
    """Expands templates; `slots` maps names to lists of templates or to functions of a random generator."""

    def __init__(self, slots):
        self.slots = slots
        self.compiled = {}

    def expand(self, template, rng):
        """One random sentence of the template, spaces and articles in order, first letters large."""
        return sentence_case(self.fill(template, rng))

    def fill(self, template, rng):
        pieces = self.compiled.get(template)
        if pieces is None:
            pieces = self.compiled[template] = self.parse(template)
        out = []
        for kind, value in pieces:
            if kind == "text":
                out.append(value)
            elif kind == "choice":
                out.append(self.fill(rng.choice(value), rng))
            else:
                article, name = kind == "article", value
                source = self.slots[name]
                filled = source(rng) if callable(source) else self.fill(rng.choice(source), rng)
                out.append(with_article(filled) if article else filled)
        return "".join(out)

    def parse(self, template):
        pieces, index = [], 0
        while index < len(template):
            if template[index] == "[":
                end = closing(template, index)
                pieces.append(("choice", alternatives(template[index + 1:end])))
            elif template[index] == "{":
                end = template.index("}", index)
                name = template[index + 1:end]
                pieces.append(("article", name[2:]) if name.startswith("a:") else ("slot", name))
                if pieces[-1][1] not in self.slots:
                    raise KeyError(f"template {template!r} names the unknown slot {name!r}")
            else:
                end = min([at for at in (template.find("[", index), template.find("{", index)) if at >= 0]
                          or [len(template)]) - 1
                pieces.append(("text", template[index:end + 1]))
            index = end + 1
        return pieces


def closing(text, start):
    """The index of the bracket that closes the one at `start`."""
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == "[") - (text[index] == "]")
        if depth == 0:
            return index
    raise ValueError(f"unbalanced bracket in template {text!r}")


def sentence_case(text):
    """Tidies spaces and commas and capitalises sentence starts."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([.,?])", r"\1", text)
    text = re.sub(r"^[, ]+|,(?=[.,?])", "", text)
    return re.sub(r"(^|[.?] )([a-z])", lambda found: found.group(1) + found.group(2).upper(), text)


def parse_rules(text):
    """`name: this | that` lines to a dictionary of template lists; repeated names add up."""
    rules = {}
    for line in text.strip().splitlines():
        name, _, body = line.partition(":")
        rules.setdefault(name.strip(), []).extend(part.strip() for part in alternatives(body))
    return rules
