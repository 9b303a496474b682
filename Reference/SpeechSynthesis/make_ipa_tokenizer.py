#!/usr/bin/env python3
"""Writes ipa-tokenizer.json: what NeMo's IPATokenizer makes of texts, with small dictionaries of ours.

  pip install -r requirements.txt && pip download --no-deps nemo_toolkit==3.0.0 && unzip nemo_toolkit-3.0.0-*.whl -d nemo
  make_ipa_tokenizer.py nemo > Tests/SpeechSynthesisTests/Fixtures/ipa-tokenizer.json

Only six files of NeMo are run; what they import beside those and do not need for this is replaced by empty modules.
"""
import importlib.util
import json
import logging
import os
import sys
import tempfile
import types

ROOT = sys.argv[1]


def package(name):
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(ROOT, *name.split("."))]
    sys.modules[name] = module
    return module


for name in ("nemo", "nemo.collections", "nemo.collections.common", "nemo.collections.common.tokenizers",
             "nemo.collections.common.tokenizers.text_to_speech", "nemo.collections.tts", "nemo.collections.tts.g2p",
             "nemo.collections.tts.g2p.models"):
    package(name)
package("nemo.utils").logging = logging
spec = types.ModuleType("nemo.collections.common.tokenizers.tokenizer_spec")
spec.TokenizerSpec = object
sys.modules[spec.__name__] = spec
for name, member in (("tokenizers", "Tokenizer"), ("transformers", "PreTrainedTokenizerBase")):
    module = types.ModuleType(name)
    setattr(module, member, type(member, (), {}))
    sys.modules[name] = module
logging.disable(logging.CRITICAL)

from nemo.collections.common.tokenizers.text_to_speech.tts_tokenizers import IPATokenizer  # noqa: E402
from nemo.collections.tts.g2p.models.i18n_ipa import IpaG2p  # noqa: E402

ENGLISH = """;;; a comment
HELLO  hˈɛlˌoʊ
HELLO(1)  hʌlˈoʊ
WORLD  wˈɝld
A  ə
A(1)  ˈeɪ
CAT  kˈæt
DOG  dˈɑɡ
JONES  dʒˈoʊnz
BUS  bˈʌs
READ  ɹˈɛd
READ(1)  ɹˈid
CAN'T  kˈænt
WELL  wˈɛl
KNOWN  nˈoʊn
THE  ðə
ZEBRA  zˈibɹə
QUICK  kwˈɪk
FIX  fˈɪks
JUMPS  dʒˈʌmps
VOW  vˈaʊ
YOU  jˈu
IT'S  ˈɪts
'BOUT  bˈaʊt
S  ˈɛs
X2Y  ˈɛks
mixed  mˈɪkst
Mixed  mˈɪkst
"""
HETERONYMS = ["read", "live"]
GERMAN = """Haus  hˈaʊs
Häuser  hˈɔɪzɐ
und  ʊnt
und(1)  ˈʊnt
schön  ʃˈøːn
Straße  ʃtʁˈaːsə
ICH  ɪç
Maus  mˈaʊs
"""
SPANISH = """HOLA  ˈola
MUNDO  mˈundo
AÑO  ˈaɲo
ÉL  ˈel
QUÉ  kˈe
EL  el
"""
ENGLISH_TEXTS = [
    "Hello world.", "hello, World!", "The cat's dog.", "cats and dogs", "Jones's bus", "Jones' buses", "bus's", "read the cat",
    "I read it", "can't", "Can’t you?", "well-known", "well-unknown cat", "-cat-", "'bout it's", "café naïve Zoë", "CAT", "Cat",
    "unknownword", "a 5 cats", "5-10 cats", "x2y", "|h ə l oʊ| cat", "|ˈ k æ t|", "||", "|", "cat | dog", "|cat dog", "a  b",
    " cat ", "   ", "", "\"Hello\"", "“Hello”", "(cat) [dog] {the}", "cat/dog; the: cat?", "cat\ndog", "cat\tdog", "ﬁx",
    "Straße", "ß", "日本 cat", "привет", "cat’s", "cat''s", "'s", "s", "cats'", "the—cat", "the – cat", "…", "😀 cat", "cat&dog",
    "100%", "$5", "cat_dog", "cat+dog", "e\u0301cat", "\u0301cat", "CAT'S", "fixs", "quicks", "mixed", "live", "lives", "reads",
    "|<pad>|", "| |", "|a||b|", "you-you-you", "cat--dog", "cat-'dog", "x-ray", "A", "a", "don't", "cat,dog", "T'S", "¡hola!",
    "İstanbul", "ſ", "K", "Å cat", "½ cat",
]
OTHER_TEXTS = [
    "Haus und Maus", "haus", "HAUS", "Häuser sind schön!", "Ha\u0308user", "Straße", "STRASSE", "straße", "ich", "Ich", "ICH",
    "„Haus“", "‚Maus‘ – und", "Unbekannt", "Haus-Maus", "Haus-unbekannt", "5 Häuser", "Haus’s", "|h a ʊ s| Maus", "", " ",
    "hola mundo", "¡Hola, mundo!", "¿Qué año?", "El", "él", "ÉL", "desconocido", "año-mundo", "«hola»", "mundo…", "niño", "हिन्दी",
]


def tokenizer(text, locale, case, prefix, ambiguous, padded, heteronyms=None):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", delete=False) as file:
        file.write(text)
    g2p = IpaG2p(file.name, locale=locale, ignore_ambiguous_words=ambiguous, heteronyms=heteronyms, use_chars=True,
                 phoneme_probability=1.0, grapheme_case=case, grapheme_prefix=prefix)
    os.unlink(file.name)
    return IPATokenizer(g2p, locale=locale, punct=True, apostrophe=True, pad_with_space=padded)


def results(name, dictionary, locale, case, prefix, ambiguous, padded, texts, heteronyms=None):
    made = tokenizer(dictionary, locale, case, prefix, ambiguous, padded, heteronyms)

    def encode(text):
        try:
            return made.encode(text)
        except IndexError:  # NeMo fails when nothing but spaces is left; nothing is what it means.
            return [made.space] * 2 if padded else []
    return {"name": name, "dictionary": dictionary, "heteronyms": heteronyms or [], "locale": locale, "case": case,
            "prefix": prefix, "ignoresAmbiguousWords": ambiguous, "isPadded": padded, "vocabulary": made.tokens,
            "texts": [{"text": text, "ids": encode(text)} for text in texts]}


def main():
    fixture = {"nemo_toolkit": "3.0.0", "tokenizers": [
        results("english", ENGLISH, "en-US", "upper", "", False, False, ENGLISH_TEXTS, HETERONYMS),
        results("english, ambiguous words spelled", ENGLISH, "en-US", "upper", "", True, False, ENGLISH_TEXTS, HETERONYMS),
        results("german", GERMAN, "de-DE", "mixed", "#", False, True, OTHER_TEXTS),
        results("spanish", SPANISH, "es-ES", "upper", "", False, True, OTHER_TEXTS),
    ]}
    out = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write(out.replace('},{"', '},\n{"') + "\n")


main()
