"""Prose to read aloud: python3 novels.py OUT.txt

Five novels by Jane Austen (public domain) from Debian's r-cran-janeaustenr, cut into lines of at most 22 words at the ends of
sentences and clauses. "Sense and Sensibility" is left out: recordings of it are among the test sets.
"""

import re
import subprocess
import sys
from pathlib import Path

from cleaning import spoken_form

NOVELS = ("prideprejudice", "emma", "mansfieldpark", "northangerabbey", "persuasion")
HEADING = re.compile(r"(?:CHAPTER|VOLUME|Chapter|THE END|Finis|FINIS)\b.*")
SHORTEST, LONGEST = 3, 22


def paragraphs(novel):
    command = f"library(janeaustenr); writeLines({novel})"
    text = subprocess.run(["Rscript", "-e", command], check=True, capture_output=True, text=True).stdout
    for paragraph in re.split(r"\n\s*\n", text):
        if not HEADING.match(paragraph.strip()):
            yield re.sub(r"\s+", " ", paragraph.replace("_", "")).strip()


def lines(paragraph):
    """The paragraph in pieces that end where a sentence or, in long sentences, a clause ends."""
    for sentence in re.split(r"(?<=[.?!])['\"]* (?=[\"'A-Z])(?<!Mr\. )(?<!Mrs\. )(?<!Dr\. )(?<!St\. )", paragraph):
        piece = []
        for clause in re.split(r"(?<=[,;:])\s|--", sentence):
            words = clause.split()
            if piece and len(piece) + len(words) > LONGEST:
                yield " ".join(piece)
                piece = []
            piece += words
        yield " ".join(piece)


def main():
    seen = set()
    with open(Path(sys.argv[1]), "w", encoding="utf-8") as out:
        for novel in NOVELS:
            for paragraph in paragraphs(novel):
                for line in lines(paragraph):
                    spoken = spoken_form(line.strip(" ,;:-"))
                    if spoken and SHORTEST <= len(spoken.split()) <= LONGEST and spoken not in seen:
                        seen.add(spoken)
                        out.write(spoken + "\n")


if __name__ == "__main__":
    main()
