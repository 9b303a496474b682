"""What every converter's command line does: read, check the hash, convert, write, report."""

import hashlib
import sys

from onnx_reader import OnnxError, read


def read_file(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return (file.read(),)


def run(usage, known_sha256, convert, unpack=read_file):
    """Runs `convert(graph, sha256, …) -> Writer` on the file named first and writes the file named second.

    An ONNX file with the known hash is the release this converter was checked with. Another one is converted too when its
    structure is the same, with a warning. `unpack(path)` gives the ONNX file's bytes and what else `convert` takes.
    """
    if len(sys.argv) != 3:
        sys.exit(usage)
    source, target = sys.argv[1:]
    try:
        data, *more = unpack(source)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 != known_sha256:
            print(f"warning: {source} has SHA-256 {sha256}, not the checked {known_sha256}; "
                  "converting it if its structure fits", file=sys.stderr)
        convert(read(data), sha256, *more).write(target)
    except OnnxError as error:
        sys.exit(f"error: cannot convert {source}: {error}")
    except OSError as error:
        sys.exit(f"error: {error}")
    with open(target, "rb") as file:
        print(f"{hashlib.sha256(file.read()).hexdigest()}  {target}")
