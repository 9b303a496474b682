"""Writes what Python's audioop makes of every G.711 byte and of every 16-bit sample.

usage: python3 Reference/Audio/g711_goldens.py Tests/AudioTests/Fixtures/g711.json

Needs Python 3.12 or older (audioop left with 3.13).
"""

import json
import struct
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
import audioop  # noqa: E402

LAWS = {
    "muLaw": (audioop.lin2ulaw, audioop.ulaw2lin),
    "aLaw": (audioop.lin2alaw, audioop.alaw2lin),
}
SAMPLES = range(-32768, 32768)


def runs(codes):
    """Codes as pairs: the first sample that has it, and the code."""
    found = []
    for sample, code in zip(SAMPLES, codes):
        if not found or found[-1][1] != code:
            found.append([sample, code])
    return found


def main():
    linear = struct.pack("<65536h", *SAMPLES)
    golden = {}
    for law, (encode, decode) in LAWS.items():
        decoded = struct.unpack("<256h", decode(bytes(range(256)), 2))
        codes = encode(linear, 2)
        golden[law] = {"decoded": decoded, "encoded": runs(codes)}
    with open(sys.argv[1], "w", encoding="utf-8") as stream:
        json.dump(golden, stream, separators=(",", ":"))
        stream.write("\n")


if __name__ == "__main__":
    main()
