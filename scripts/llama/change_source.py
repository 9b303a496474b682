#!/usr/bin/env python3
"""Changes llama.cpp's source before it is built; docs/building.md says why.

usage: change_source.py SOURCE

Each place is looked for by its text, so that another version of llama.cpp either has it unchanged or is refused.
"""

import os
import shutil
import sys

BARRIER = "atomic_load_explicit(&tp->n_barrier_passed, memory_order_relaxed) == n_passed"
KERNEL = "mul_mat_q8_0.h"

# What it is, the text that is there once, the text that takes its place.
CHANGES = [
    (
        # Threads that wait for each other spin, also for one that has lost its processor to another program, perhaps on
        # the very processor that it waits for. After some microseconds they now offer it to whoever wants it.
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
        "the beginning of a product",
        "void ggml_compute_forward_mul_mat(\n",
        f'#include "{KERNEL}"\n\nvoid ggml_compute_forward_mul_mat(\n',
    ),
    (
        # Columns are rounded, the threads have met: from here on the product may be ours.
        "where the columns of a product are rounded",
        """    ggml_barrier(params->threadpool);

#if GGML_USE_LLAMAFILE
    if (src1->type != vec_dot_type) {
""",
        """    ggml_barrier(params->threadpool);

    if (repartee_mul_mat_q8_0(params, dst)) {
        return;
    }

#if GGML_USE_LLAMAFILE
    if (src1->type != vec_dot_type) {
""",
    ),
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "ggml", "src", "ggml-cpu")
    path = os.path.join(folder, "ggml-cpu.c")
    try:
        with open(path, encoding="utf-8") as source:
            text = source.read()
    except OSError as error:
        sys.exit(f"error: {path} cannot be read ({error.strerror}): give the folder of llama.cpp's source.")
    for name, before, after in CHANGES:
        if text.count(before) != 1:
            sys.exit(f"error: {name} is not in {path} as it was: the pinned commit has moved; compare it with {__file__}.")
        text = text.replace(before, after)
    with open(path, "w", encoding="utf-8") as source:
        source.write(text)
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), KERNEL), folder)


if __name__ == "__main__":
    main()
