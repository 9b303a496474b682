#!/usr/bin/env python3
"""Writes tokenizers.json: three small SentencePiece BPE models, and what the original makes of texts and of token ids.

  pip install sentencepiece==0.2.3
  make_tokenizer_fixture.py > tokenizers.json

The models are trained here: one English, one of many languages with language tags and a control piece, one with byte
fallback. The words they learn from are in the help texts that come with Python 3.11 (pydoc) and in the sentences below; only
the sentences are written. Nothing of a real model is involved.

What is written for ids is what the original decodes, without language tags (NeMo 3.0.0 strips them with the same pattern,
nemo/collections/asr/parts/submodules/rnnt_decoding.py) and with runs of white space as one space.
"""
import io
import json
import pydoc_data.topics
import random
import re
import sys

import sentencepiece

TAGS = ["<en-US>", "<de-DE>", "<fr-FR>", "<es-ES>", "<ru-RU>", "<hi-IN>", "<ja-JP>", "<ko-KR>", "<ar-AR>", "<zh-CN>"]
SENTENCES = {
    "<en-US>": ["Hi, can you tell me what is the capital of the UK?", "Don't you think we'll need two of them?",
                "My number is 555, 0123. Call me at 7:30!"],
    "<de-DE>": ["Können Sie mir bitte sagen, wie spät es ist?", "Ich hätte gern zwei Brötchen und einen großen Kaffee.",
                "Übermorgen fährt der Zug um zwölf Uhr fünfzehn nach Köln."],
    "<fr-FR>": ["Est-ce que vous pouvez répéter, s'il vous plaît ?", "J'ai perdu ma clé à l'hôtel, où dois-je aller ?",
                "Ça fait déjà trois semaines que j'attends une réponse."],
    "<es-ES>": ["¿Qué hora es? ¡No puede ser!", "Mañana por la mañana llamaré al señor Núñez.",
                "¿Dónde está la estación de autobuses?"],
    "<ru-RU>": ["Скажите, пожалуйста, который час?", "Завтра утром я позвоню вам ещё раз.", "Спасибо, всё понятно."],
    "<hi-IN>": ["कृपया मुझे बताइए कि समय क्या हुआ है।", "मैं कल सुबह आपको फिर फ़ोन करूँगा।", "धन्यवाद, सब ठीक है।"],
    "<ja-JP>": ["すみません、今何時ですか。", "明日の朝、もう一度お電話します。", "はい、わかりました。ありがとうございます。"],
    "<ko-KR>": ["지금 몇 시인지 알려 주세요.", "내일 아침에 다시 전화할게요.", "네, 알겠습니다. 감사합니다."],
    "<ar-AR>": ["كم الساعة الآن، من فضلك؟", "سأتصل بك مرة أخرى غدًا صباحًا.", "شكرًا، كل شيء واضح."],
    "<zh-CN>": ["请问，现在几点了？", "我明天早上再给您打电话。", "谢谢，我明白了。"],
}
ENGLISH = [
    "Good morning, I would like to book a table for four people tonight.", "The function returns a list of all the names.",
    "Could you please repeat the last part of that sentence?", "An object is created when the class is called.",
    "Yes.", "No, thank you.", "If the value is not found, the default is used instead.", "What happened then?",
    "She said that the meeting had been moved to Thursday afternoon.", "It depends on the order of the arguments.",
    "Turn left at the second light, then go straight for about two miles.", "Interesting!", "Nothing else matters here.",
    "Supercalifragilisticexpialidocious is not a word you hear every day.", "Well, that was unexpected; wasn't it?",
    "Statements separated by semicolons are executed one after another.", "Wait: there is more to come.",
]
# Phrases nobody trained on, and characters that normalisation changes, drops or takes for spaces.
UNSEEN = [
    "", " ", "a", "Kubernetes", "kubernetes", "KUBERNETES", "Repartee", "Nemotron Speech", "Anna Karenina", "x" * 40,
    "abababababab", "aaaaaaaaa", "the the the", "mississippi", "New York, New York!", "O'Brien", "it's", "rock 'n' roll",
    "3.14159", "e-mail: a@b.c", "100%", "  leading and trailing  ", "many     spaces", "tab\tand\nnewline\r\nand\u00a0more",
    "zero\u200bwidth\u200cjoin\ufeffer", "con\u0007trol\u007fs", "ﬁne ﬂow ﬃ", "Ｆｕｌｌ ｗｉｄｔｈ", "½ cup", "№ 5", "x²",
    "e\u0301te\u0301", "café", "naïve", "Zürich", "Straße", "▁already▁marked", "\u3000ideographic\u3000space",
    "ﾊﾝｶｸ", "שלום", "emoji 🎉", "👩‍👩‍👧", "a\u0301b", "ÅÅÅ", "…", "“quoted”", "dash — dash", "snake_case_name", "C++",
]
SPACES = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def help_texts():
    for name in sorted(pydoc_data.topics.topics):
        for line in pydoc_data.topics.topics[name].splitlines():
            line = line.strip().strip("*")
            if len(line) > 30 and re.fullmatch(r"[A-Za-z0-9 .,;:?!'()-]+", line):
                yield line


def train(lines, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", bos_id=-1, eos_id=-1, num_threads=1,
        minloglevel=2, **options)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    # What the Swift encoder rests on: without scores, the order of the ids is the order of the merges.
    ordinary = [i for i in range(len(processor)) if not (
        processor.is_unknown(i) or processor.is_control(i) or processor.is_byte(i) or processor.id_to_piece(i) in TAGS)]
    scores = [processor.get_score(i) for i in ordinary]
    assert all(a > b for a, b in zip(scores, scores[1:])), "the scores do not fall with the ids"
    return processor


def decoded(processor, ids):
    text = re.sub(r"\s*<[a-z]{2}-[A-Z]{2}>", "", processor.decode(ids))
    return SPACES.sub(" ", text).strip(" ")


def results(name, processor, texts, seed):
    generator = random.Random(seed)
    encodings, decodings = [], []
    for text in texts:
        ids = processor.encode(text)
        known = processor.unk_id() not in ids
        # Only the trainer takes the name of a tag for its token; who says it in a phrase means its characters.
        if not any(tag in text for tag in TAGS):
            encodings.append({"text": text, "ids": ids if known else None})
        if known:
            decodings.append({"ids": ids, "text": decoded(processor, ids)})
    usable = [i for i in range(len(processor)) if i != processor.unk_id() and processor.id_to_piece(i) not in TAGS]
    for length in list(range(1, 9)) * 5:
        ids = [generator.choice(usable) for _ in range(length)]
        decodings.append({"ids": ids, "text": decoded(processor, ids)})
    return {
        "name": name,
        "pieces": [processor.id_to_piece(i) for i in range(len(processor))],
        "encodings": encodings,
        "decodings": decodings,
    }


def main():
    english = list(help_texts())
    foreign = [sentence for tag in TAGS for sentence in SENTENCES[tag]]
    tagged = [sentence + " " + tag for tag in TAGS for sentence in SENTENCES[tag]]
    switched = [a + " " + b for a, b in zip(tagged, tagged[3:])]

    models = [
        ("english", train(english, vocab_size=512), ENGLISH + UNSEEN),
        ("languages", train(english[:400] + foreign * 8, vocab_size=1024, character_coverage=1.0,
                            user_defined_symbols=TAGS, control_symbols=["<pad>"]),
         ENGLISH + foreign + tagged + switched + UNSEEN),
        ("bytes", train(english, vocab_size=640, byte_fallback=True), ENGLISH + foreign + UNSEEN),
    ]
    fixture = {
        "sentencepiece": sentencepiece.__version__,
        "models": [results(name, processor, texts, seed) for seed, (name, processor, texts) in enumerate(models)],
    }
    # One entry a line: readable in a diff.
    out = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write(out.replace('{"', '\n{"') + "\n")


main()
