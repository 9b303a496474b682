"""Reads the pieces of a SentencePiece model. Standard library only.

It is a protobuf message, ModelProto of google/sentencepiece's sentencepiece_model.proto: field 1, repeated, is a piece
with its text in field 1.
"""

from checkpoint import CheckpointError
from onnx_reader import OnnxError, fields


def pieces(data):
    """The texts of all pieces, in the order of their numbers."""
    try:
        found = [_text(value) for number, value in fields(memoryview(data)) if number == 1]
    except (OnnxError, TypeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"the tokenizer is no SentencePiece model: {error}") from error
    if not found:
        raise CheckpointError("the tokenizer is no SentencePiece model: it has no pieces")
    return found


def _text(piece):
    for number, value in fields(piece):
        if number == 1:
            return bytes(value).decode("utf-8")
    return ""
