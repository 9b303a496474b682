"""Makes the tokeniser, byte-pair encoding with case: python3 tokenizer.py TEXTS OUT.model [--size 512]

With a GGUF file in place of TEXTS it takes out the tokeniser that the model was trained with.
"""

import argparse
import base64
from pathlib import Path

import gguf
import sentencepiece


def make(texts, out, size):
    sentencepiece.SentencePieceTrainer.train(
        input=texts, model_prefix=out.removesuffix(".model"), vocab_size=size, model_type="bpe", character_coverage=1.0,
        bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, normalization_rule_name="identity", num_threads=1,
        input_sentence_size=0, minloglevel=2)


def take_out(path, out):
    field = gguf.GGUFReader(path).fields["asr.tokenizer.spm_model"]
    Path(out).write_bytes(base64.b64decode(bytes(field.parts[field.data[0]])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    if arguments.source.endswith(".gguf"):
        take_out(arguments.source, arguments.out)
    else:
        make(arguments.source, arguments.out, arguments.size)


if __name__ == "__main__":
    main()
