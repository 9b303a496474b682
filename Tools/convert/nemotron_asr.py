"""Nemotron Speech to GGUF: python3 nemotron_asr.py SOURCE OUT.gguf [--type q8_0|f16|f32]

SOURCE is NVIDIA's .nemo archive or a folder as Hugging Face's transformers writes it; what comes out has the layout of
NVIDIA's own GGUF files. The models: nemotron-speech-streaming-en-0.6b and nemotron-3.5-asr-streaming-0.6b, and others of
their architecture. Needs numpy for f16 and q8_0, and PyYAML for .nemo. A tensor at a time is in memory.
"""

import argparse
import os
import sys
from contextlib import contextmanager

import hugging_face_checkpoint
import nemo_checkpoint
from checkpoint import CheckpointError
from element_types import ITEM_SIZE, NumpyMissing, encode
from nemotron_layout import LayoutError, tensors, writer

# Exit codes of sysexits.h, as elsewhere in the project.
BAD_DATA, UNAVAILABLE, IO_ERROR = 65, 69, 74
# In checkpoints, but computed from the configuration or only used in training. Hybrid models have a second decoder.
_UNUSED = ("preprocessor.", "spec_augmentation.", "encoder.pos_enc.", "ctc_decoder.", "ctc_loss.", "loss.", "wer.")


@contextmanager
def opened(source):
    if os.path.isdir(source):
        yield hugging_face_checkpoint.read(source)
    else:
        with nemo_checkpoint.opened(source) as found:
            yield found


def significant(shape):
    """A shape without the ones at its end: kernels of width 1 are stored as matrices."""
    shape = list(shape)
    while len(shape) > 1 and shape[-1] == 1:
        shape.pop()
    return shape


def check_tensors(model, stored):
    """Refuses a checkpoint that lacks a tensor, has one of another shape or type, or one that would be left out."""
    wanted = {name: shape for name, shape, _ in tensors(model)}
    for name, shape in wanted.items():
        if name not in stored:
            raise CheckpointError(f"it has no tensor {name}")
        if significant(stored[name].shape) != significant(shape):
            raise CheckpointError(f"{name} has the shape {list(stored[name].shape)}, not {list(shape)}")
        if stored[name].kind not in ITEM_SIZE:
            raise CheckpointError(f"{name} holds {stored[name].kind}; float32, float16 and bfloat16 are supported")
    for name in stored:
        if name not in wanted and not name.startswith(_UNUSED):
            raise CheckpointError(f"its tensor {name} is not part of the supported architecture")


def convert(source, target, file_type):
    with opened(source) as (model, stored):
        model.check()
        check_tensors(model, stored)

        def values(name, shape, kind):
            try:
                return encode(stored[name].read(), stored[name].kind, kind)
            except CheckpointError:
                raise
            except ValueError as error:
                raise CheckpointError(f"{name} cannot be stored: {error}") from error

        writer(model, file_type, values).write(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--type", choices=("q8_0", "f16", "f32"), default="q8_0")
    arguments = parser.parse_args()
    try:
        convert(arguments.source, arguments.out, arguments.type)
    except (CheckpointError, LayoutError, UnicodeEncodeError) as error:
        fail(BAD_DATA, f"{arguments.source} cannot be converted: {error}")
    except (NumpyMissing, nemo_checkpoint.YAMLMissing) as error:
        fail(UNAVAILABLE, error)
    except OSError as error:
        fail(IO_ERROR, error)
    print(f"{arguments.out}: {os.path.getsize(arguments.out)} bytes")


def fail(code, message):
    print(f"error: {str(message).rstrip('.')}.", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
