"""Slot values that are drawn or computed: names, addresses, numbers, letters; imported by texts.py."""
import importlib
import re
import string
import zlib

import spoken

LOCALES = ("en_US", "en_US", "en_GB", "en_IE", "en_IN", "en_NZ", "en_NG")
PLAIN = re.compile(r"[A-Z][a-z]+")
HELD_OUT_PERCENT = 5


def name_list(kind, heldout):
    """First or last names of Faker's English locales, those of one side of the split."""
    found = set()
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        found.update(name for name in getattr(provider, kind) if PLAIN.fullmatch(name))
    return sorted(name for name in found if heldout == (zlib.crc32(name.encode()) % 100 < HELD_OUT_PERCENT))


def spelled(name, rng):
    """The name letter by letter: "S M I T H", or "S, M, I, T, H"."""
    return rng.choice((" ", " ", " ", ", ")).join(name.upper())


def said_and_spelled(name, rng):
    """The name, then its letters."""
    return name + rng.choice((", ", ", ", ", spelled ", ", that's ")) + spelled(name, rng)


def spoken_slots(lexicon, heldout):
    """All slots that are functions of the generator, with the names of one side of the split."""
    first, last = name_list("first_names", heldout), name_list("last_names", heldout)
    suffixes = "ton ville ford burg field wood bury port land shire view mouth ham side".split()

    def city(rng):
        if rng.random() < 0.5:
            return rng.choice(("", "", "New ", "North ", "Port ", "Lake ", "East ", "West ")) + rng.choice(last)
        return rng.choice(last) + rng.choice(suffixes)

    def digit_slot(low, high):
        return lambda rng: spoken.digit_string(rng, low, high)

    def number_slot(low, high):
        return lambda rng: spoken.cardinal(rng.randint(low, high))

    def one_of(values):
        return lambda rng: rng.choice(values)

    return {
        "weekday": one_of(spoken.WEEKDAYS), "month": one_of(spoken.MONTHS), "clock": spoken.clock, "date": spoken.date,
        "duration": spoken.duration, "year": spoken.any_year, "money": spoken.money, "number": spoken.number,
        "decimal": spoken.decimal, "temperature": spoken.temperature, "house": spoken.house_number,
        "phone": spoken.phone, "code": spoken.code, "ordinal": lambda rng: spoken.ordinal(rng.randint(1, 31)),
        "smallnumber": number_slot(2, 60), "smallscale": number_slot(1, 10), "twodigit": number_slot(60, 99),
        "age": number_slot(3, 95), "digits": digit_slot(5, 11), "digits3": digit_slot(3, 3),
        "digits4": digit_slot(4, 4), "digits5": digit_slot(5, 5), "digits6": digit_slot(6, 6),
        "digitpair": number_slot(1, 99), "letter": one_of(string.ascii_uppercase),
        "letters": lambda rng: spoken.letters(rng, 2, 6), "letters2": lambda rng: spoken.letters(rng, 2, 2),
        "postcode": lambda rng: f"{spoken.letters(rng, 1, 2)} {spoken.digit_string(rng, 1, 2)}, "
                                f"{spoken.digit_string(rng, 1, 1)} {spoken.letters(rng, 2, 2)}",
        "smallfever": lambda rng: rng.choice((
            f"thirty {rng.choice(('six', 'seven', 'eight', 'nine'))} point {spoken.digit_string(rng, 1, 1)}",
            f"a hundred and {rng.choice(('one', 'two', 'three'))}")),
        "first": one_of(first), "last": one_of(last), "city": city,
        "firstlow": lambda rng: rng.choice(first).lower(), "lastlow": lambda rng: rng.choice(last).lower(),
        "spelledfirst": lambda rng: spelled(rng.choice(first), rng),
        "spelledlast": lambda rng: spelled(rng.choice(last), rng),
        "firstspelled": lambda rng: said_and_spelled(rng.choice(first), rng),
        "lastspelled": lambda rng: said_and_spelled(rng.choice(last), rng),
        "food": one_of(lexicon["food"]), "animal": one_of(lexicon["animal"]),
        "wordnoun": one_of(lexicon["noun"]), "wordnounplural": one_of(lexicon["plural"]),
        "artifact": one_of(lexicon["artifact"]), "person": one_of(lexicon["person"]),
        "adjword": one_of(lexicon["adj"]), "verbword": one_of(lexicon["verb"]),
    }
