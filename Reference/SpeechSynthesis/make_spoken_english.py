#!/usr/bin/env python3
"""Writes spoken-english.json: what NeMo text processing and num2words make of written English.

  pip install -r requirements.txt && pip install --no-deps nemo_text_processing==1.2.0
  make_spoken_english.py > Tests/SpeechSynthesisTests/Fixtures/spoken-english.json

The sentences are ours. NeMo's grammars take some minutes to compile. Letters are compared without case, hyphens and marks:
`plain` brings both sides to that form, and the test does the same to what we make.
"""
import json
import random
import re
import sys

from num2words import num2words

SENTENCES = """
It costs $5.
It costs $5.50 today
they paid $1.5 million
we need $1,250
only $0.99
the price is $1
about €20
he owes £3.20
she has ¥1000
a loss of $20 billion
In 1984 it rained
since 1905
in 2024
the 1980s were loud
the 2nd time
the 21st of them
her 100th birthday
the 3rd floor
the 12th man
it is 3.14
it was 0.5
exactly 12.05
there are 1,234,567 of them
there are 25 apples
it has 100 pages
some 10,000 people
-5 degrees
1/2 cup
3/4 cup
2/3 of it
1 1/2 cups
50% off
3.5% more
at 3:30
at 3:30 pm
at 3:05 p.m.
at 10:15 a.m.
at 7 pm
at 7 p.m.
at 12:00 pm
on 2024-12-25
on December 25, 2024
on Dec 25, 2024
on january 5
on May 5
on the 5th of May
on 25 December 2024
in March 2020
on 12/25/2024
5 kg of rice
60 mph is slow
10 km away
3 GHz
16 GB of memory
100 km/h
it is 20 °C
2 hrs
5 ml
10 cm
1 kg
250 mg
12 ft
6 lbs
Mr. Smith is here
Mrs. Jones is here
Dr. Brown is here
Prof. Green is here
St. Louis
you vs. me
e.g. this one
the FBI agent
in the USA
the CEO said
the U.S. government
call 555-123-4567
call 1-800-555-1234
+1 555 123 4567
123-4567
john@example.com
www.example.com
example.com
https://www.example.com
https://example.com/path
john.doe@example.com
from 1990-1995
C & D
5 + 3 = 8
World War II
chapter IV
Henry VIII
COVID-19
5G
B2B
the 90s
1 billion
2.5 million people
$3 trillion
Jan. 1, 2000
the 1st of January 2001
at 00:15
at 15:45
10:00
9:00 a.m.
192.168.1.1
20-30 people
6 ft
1 m
1 hour
½ cup
2½ cups
100%
$100
$1000
£1
€1.50
€5.25
$2.01
7/8
9/10
11/16
5/100
1066
the year 1066
the year 1900
the year 2000
the year 2005
the year 2019
10th
11th
20th
30th
1000th
1st
22nd
33rd
44th
99
101
110
999
1001
2345
12345
123456
1000000
1000001
0.1
0.01
3.0
99.9
1.25
1,000.5
""".strip().split("\n")


def plain(text):
    text = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("-", " "))
    return " ".join(text.split())


def american(text):
    """num2words' British usage in American: no commas, hyphens, nor "and"."""
    return " ".join(word for word in plain(text).split() if word != "and")


def numbers():
    random.seed(1)
    values = list(range(0, 131)) + [10 ** n for n in range(2, 36)] + [10 ** n - 1 for n in range(2, 20)]
    values += [random.randrange(10 ** random.randrange(2, 30)) for _ in range(150)]
    return sorted(set(values))


def main():
    from nemo_text_processing.text_normalization.normalize import Normalizer
    normalizer = Normalizer(input_case="cased", lang="en")
    rows = [{"text": s, "nemo": plain(normalizer.normalize(s, verbose=False, punct_post_process=False))} for s in SENTENCES]
    values = numbers()
    fixture = {
        "nemo_text_processing": "1.2.0",
        "num2words": "0.5.14",
        "sentences": rows,
        "cardinals": [{"text": f"{n:,}", "words": american(num2words(n))} for n in values],
        "ordinals": [{"text": f"{n:,}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}",
                      "words": american(num2words(n, to='ordinal'))} for n in values if n > 0],
        "years": [{"text": str(n), "words": american(num2words(n, to='year'))} for n in range(1100, 2100, 7)],
    }
    out = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write(out.replace('},{"', '},\n{"') + "\n")


main()
