"""Reads WordNet 3.0's data files: senses with their category, gloss and examples; imported by texts.py."""
import re
from collections import namedtuple

# Lexicographer file numbers, lexnames(5WN) of WordNet 3.0.
CATEGORIES = dict(enumerate(
    "adj_all adj_pert adv_all noun_tops noun_act noun_animal noun_artifact noun_attribute noun_body noun_cognition "
    "noun_communication noun_event noun_feeling noun_food noun_group noun_location noun_motive noun_object "
    "noun_person noun_phenomenon noun_plant noun_possession noun_process noun_quantity noun_relation noun_shape "
    "noun_state noun_substance noun_time verb_body verb_change verb_cognition verb_communication verb_competition "
    "verb_consumption verb_contact verb_creation verb_emotion verb_motion verb_perception verb_possession "
    "verb_social verb_stative verb_weather adj_ppl".split()))

Sense = namedtuple("Sense", "key category lemmas gloss examples")


def senses(folder):
    """All synsets in file order: lemmas in real case, the definition, the quoted example sentences."""
    for part in ("noun", "verb", "adj", "adv"):
        with open(f"{folder}/data.{part}", encoding="latin-1") as lines:
            for line in lines:
                if line.startswith("  "):
                    continue
                head, _, gloss = line.partition(" | ")
                fields = head.split()
                lemmas = [re.sub(r"\(\w+\)", "", word).replace("_", " ")
                          for word in fields[4:4 + 2 * int(fields[3], 16):2]]
                definition = re.split(r';\s*"|\s"', gloss, maxsplit=1)[0].strip(' ;"\n')
                yield Sense(f"{part}{fields[0]}", CATEGORIES[int(fields[1])], lemmas, definition,
                            re.findall(r'"([^"]+)"', gloss))


def first_categories(folder):
    """Maps each lower-case lemma to {part of speech: (category of its commonest sense, uses counted in it)}."""
    category = {sense.key: sense.category for sense in senses(folder)}
    found = {}
    for part in ("noun", "verb", "adj", "adv"):
        with open(f"{folder}/index.{part}", encoding="latin-1") as lines:
            for line in lines:
                if not line.startswith("  "):
                    fields = line.split()
                    pointers = int(fields[3])
                    tagged, offset = int(fields[5 + pointers]), fields[6 + pointers]
                    found.setdefault(fields[0].replace("_", " "), {})[part] = (category[part + offset], tagged)
    return found


def exceptions(folder):
    """Irregular inflections: {part of speech: {form: lemma}}."""
    tables = {}
    for part in ("noun", "verb"):
        with open(f"{folder}/{part}.exc", encoding="latin-1") as lines:
            tables[part] = {line.split()[0]: line.split()[1] for line in lines}
    return tables
