"""Numbers, times, dates, money, letters and addresses as they are said; imported by grammar.py and texts.py."""

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen").split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
IRREGULAR_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
                      "nine": "ninth", "twelve": "twelfth"}
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def cardinal(number, british=False):
    """The number in words, without hyphens; `british` puts "and" before the tens."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (" " + ONES[number % 10] if number % 10 else "")
    for size, name in ((1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            head, rest = divmod(number, size)
            link = " and " if british and 0 < rest < 100 else " "
            return f"{cardinal(head, british)} {name}" + (link + cardinal(rest, british) if rest else "")


def ordinal(number):
    """The ordinal in words: first, twenty second, one hundredth."""
    head, _, last = cardinal(number).rpartition(" ")
    if last in IRREGULAR_ORDINALS:
        last = IRREGULAR_ORDINALS[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return f"{head} {last}".strip()


def year(number):
    """A year from 1000 to 2099 as people say it."""
    century, rest = divmod(number, 100)
    if 2000 <= number <= 2009 or number % 1000 == 0:
        return cardinal(number)
    if rest == 0:
        return cardinal(century) + " hundred"
    return cardinal(century) + (" oh " + ONES[rest] if rest < 10 else " " + cardinal(rest))


def digits(text, rng):
    """Digits one by one; one style of zero per call, now and then "double" for a pair."""
    zero = rng.choice(("zero", "oh"))
    doubles = rng.random() < 0.15
    words, index = [], 0
    while index < len(text):
        word = zero if text[index] == "0" else ONES[int(text[index])]
        pair = doubles and text[index:index + 2] == text[index] * 2
        words.append("double " + word if pair else word)
        index += 2 if pair else 1
    return " ".join(words)


def digit_string(rng, low, high):
    """A random string of `low` to `high` digits, spoken."""
    return digits("".join(rng.choice("0123456789") for _ in range(rng.randint(low, high))), rng)


def phone(rng):
    """A phone number in groups, as dictated."""
    groups = rng.choice(((3, 3, 4), (3, 4), (3, 3, 2, 2), (5, 6), (4, 3, 4), (4, 4)))
    return ", ".join(digits("".join(rng.choice("0123456789") for _ in range(size)), rng) for size in groups)


def letters(rng, low, high):
    """Random single letters with spaces between them."""
    return " ".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(low, high)))


def code(rng):
    """A reference of letters and digits: "K seven four B nine"."""
    parts = [letters(rng, 1, 3), digit_string(rng, 2, 5)]
    if rng.random() < 0.3:
        parts.append(letters(rng, 1, 2))
    return " ".join(parts)


def clock(rng):
    """A time of day."""
    hour, minute = rng.randint(1, 12), rng.choice((0, 0, 5, 10, 15, 15, 20, 25, 30, 30, 35, 40, 45, 45, 50, 55))
    style, name = rng.random(), ONES[hour]
    after = ONES[hour % 12 + 1]
    if rng.random() < 0.05:
        return rng.choice(("noon", "midnight"))
    if style < 0.25 and minute == 15:
        return f"a quarter past {name}"
    if style < 0.25 and minute == 45:
        return f"a quarter to {after}"
    if style < 0.3 and minute == 30:
        return f"half past {name}"
    if style < 0.25 and 0 < minute < 30:
        return f"{cardinal(minute)} past {name}"
    if style < 0.25 and minute > 30:
        return f"{cardinal(60 - minute)} to {after}"
    if rng.random() < 0.12:
        minute = rng.randint(1, 59)
    if minute == 0:
        return name + rng.choice(("", " o'clock", " o'clock", " A M", " P M", " in the morning", " in the afternoon"))
    said = "oh " + ONES[minute] if minute < 10 else cardinal(minute)
    return f"{name} {said}" + rng.choice(("", "", "", " A M", " P M", " in the morning", " tonight"))


def date(rng):
    """A day of the year, sometimes with weekday or year."""
    month = rng.choice(MONTHS)
    day = rng.randint(1, 28 if month == "February" else 30)
    said = rng.choice((f"{month} {ordinal(day)}", f"the {ordinal(day)} of {month}", f"{month} the {ordinal(day)}",
                       f"the {ordinal(day)}"))
    if rng.random() < 0.2:
        said = f"{rng.choice(WEEKDAYS)}, {said}"
    if rng.random() < 0.15 and month in said:
        said += " " + any_year(rng)
    return said


def any_year(rng):
    """A year that is likely to be talked about."""
    return year(rng.choice((rng.randint(1700, 1949), rng.randint(1950, 2035), rng.randint(2010, 2030))))


def money(rng):
    """An amount with its currency."""
    unit, part = rng.choice((("dollars", "cents"), ("dollars", "cents"), ("pounds", "pence"), ("euros", "cents")))
    amount = rng.choice((rng.randint(2, 20), rng.randint(2, 100), rng.randint(10, 100) * 10,
                         rng.randint(1, 90) * 1000, rng.randint(100, 9999)))
    said, style = cardinal(amount, rng.random() < 0.3), rng.random()
    cents = rng.choice((99, 95, 50, 49, 25, 75, rng.randint(10, 98)))
    if style < 0.2 and amount < 100:
        return f"{said} {cardinal(cents)}"
    if style < 0.35 and amount < 1000:
        return f"{said} {unit} and {cardinal(cents)} {part}"
    return f"{said} {unit}"


def number(rng):
    """A whole number, small ones more often."""
    top = rng.choice((20, 100, 100, 1000, 10_000, 1_000_000))
    return cardinal(rng.randint(2, top), rng.random() < 0.3)


def decimal(rng):
    """A decimal number with one or two digits after the point."""
    return f"{cardinal(rng.randint(0, 120))} point {digit_string(rng, 1, 2)}"


def temperature(rng):
    """A room, oven or weather temperature."""
    value = rng.choice((rng.randint(15, 30), rng.randint(55, 95), rng.randrange(150, 475, 25), rng.randint(2, 40)))
    return cardinal(value) + rng.choice((" degrees", " degrees", "", " degrees Celsius", " degrees Fahrenheit"))


def duration(rng):
    """A span of time."""
    unit, top = rng.choice((("seconds", 90), ("minutes", 20), ("minutes", 59), ("hours", 12), ("days", 14),
                            ("weeks", 8), ("months", 18), ("years", 40)))
    fixed = ("half an hour", "an hour", "a minute", "an hour and a half", "a couple of hours", "two and a half hours",
             "a week", "a few days", "a couple of weeks", "three quarters of an hour", "a month", "a year")
    return rng.choice(fixed) if rng.random() < 0.25 else f"{cardinal(rng.randint(2, top))} {unit}"


def house_number(rng):
    """A house number: twelve, one forty five, twenty three hundred."""
    value = rng.choice((rng.randint(1, 99), rng.randint(100, 999), rng.randint(1000, 9999)))
    if value < 100:
        return cardinal(value)
    head, rest = divmod(value, 100)
    if rest == 0:
        return cardinal(head) + " hundred"
    return cardinal(head) + (" oh " + ONES[rest] if rest < 10 else " " + cardinal(rest))
