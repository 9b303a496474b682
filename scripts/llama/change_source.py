#!/usr/bin/env python3
"""Changes llama.cpp's source before it is built; docs/building.md says why.

usage: change_source.py SOURCE

Each place is looked for by its text, so that another version of llama.cpp either has it unchanged or is refused.
"""

import glob
import os
import shutil
import sys

BARRIER = "atomic_load_explicit(&tp->n_barrier_passed, memory_order_relaxed) == n_passed"

# In which file, what it is, the text that is there once, the text that takes its place.
CHANGES = [
    (
        # Threads that wait for each other spin, also for one that has lost its processor to another program, perhaps on
        # the very processor that it waits for. After some microseconds they now offer it to whoever wants it.
        "ggml-cpu.c",
        "the barrier's loop",
        f"""    while ({BARRIER}) {{
        ggml_thread_cpu_relax();
    }}
""",
        f"""    for (int turns = 0; {BARRIER}; turns++) {{
        if (turns < 1024) {{
            ggml_thread_cpu_relax();
        }} else {{
            sched_yield();
        }}
    }}
""",
    ),
    (
        "ggml-cpu.c",
        "the beginning of a product",
        "void ggml_compute_forward_mul_mat(\n",
        '#include "mul_mat_blocks.h"\n#include "mul_mat_floats.h"\n\nvoid ggml_compute_forward_mul_mat(\n',
    ),
    (
        # Nothing of a product has been done yet.
        "ggml-cpu.c",
        "where a product's shapes have been looked at",
        '    // TODO: extract to "extra_op"\n',
        """    if (repartee_mul_mat_floats(params, dst)) {
        return;
    }

""",
    ),
    (
        # Columns are rounded, the threads have met.
        "ggml-cpu.c",
        "where the columns of a product are rounded",
        """    ggml_barrier(params->threadpool);

#if GGML_USE_LLAMAFILE
    if (src1->type != vec_dot_type) {
""",
        """    ggml_barrier(params->threadpool);

    if (repartee_mul_mat_blocks(params, dst)) {
        return;
    }

#if GGML_USE_LLAMAFILE
    if (src1->type != vec_dot_type) {
""",
    ),
    (
        # One number after the other, each waiting for the one before: the longest part of a soft-max.
        "vec.h",
        "the largest of many numbers",
        """    float max = -INFINITY;
    for (int i = 0; i < n; ++i) {
        max = MAX(max, x[i]);
    }
    *s = max;
""",
        """    float lanes[16];
    for (int j = 0; j < 16; ++j) {
        lanes[j] = -INFINITY;
    }
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < 16; ++j) {
            lanes[j] = MAX(lanes[j], x[i + j]);
        }
    }
    float max = -INFINITY;
    for (; i < n; ++i) {
        max = MAX(max, x[i]);
    }
    for (int j = 0; j < 16; ++j) {
        max = MAX(max, lanes[j]);
    }
    *s = max;
""",
    ),
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "ggml", "src", "ggml-cpu")
    texts = {}
    for name, place, before, after in CHANGES:
        path = os.path.join(folder, name)
        try:
            if path not in texts:
                with open(path, encoding="utf-8") as source:
                    texts[path] = source.read()
        except OSError as error:
            sys.exit(f"error: {path} cannot be read ({error.strerror}): give the folder of llama.cpp's source.")
        if texts[path].count(before) != 1:
            sys.exit(f"error: {place} is not in {path} as it was: the pinned commit has moved; compare it with {__file__}.")
        texts[path] = texts[path].replace(before, after)
    for path, text in texts.items():
        with open(path, "w", encoding="utf-8") as source:
            source.write(text)
    for header in glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.h")):
        shutil.copy(header, folder)


if __name__ == "__main__":
    main()
