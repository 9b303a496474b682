"""Checks that every relative link in a tracked Markdown file leads to a file of the checkout and to a heading in it.

usage: python3 scripts/check_links.py
"""

import os
import re
import subprocess
import sys
import urllib.parse

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def tracked(pattern):
    listing = subprocess.run(["git", "ls-files", "-z", pattern], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [name for name in listing.split("\0") if name and os.path.exists(name)]


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def anchors(path):
    """The anchors that a Markdown renderer makes of the headings."""
    found = {}
    for heading in HEADING.findall(FENCE.sub("", read(path))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        if count:
            found["%s-%d" % (slug, count)] = 1
    return found


def problems(path):
    text = CODE.sub("", FENCE.sub("", read(path)))
    for match in LINK.finditer(text):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            continue
        file, _, anchor = urllib.parse.unquote(target).partition("#")
        destination = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(destination):
            yield "%s: %s does not exist" % (path, target)
        elif anchor and destination.endswith(".md") and anchor not in anchors(destination):
            yield "%s: %s has no such heading" % (path, target)


def main():
    found = [problem for path in tracked("*.md") for problem in problems(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
