// The loop of Resampling.h: one kind for AVX2, one for all other processors.
#include "Resampling.h"

#include <string.h>

// No function with such an argument is ever called: all are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define inlined static inline __attribute__((always_inline))

// Eight numbers; a processor with narrower registers takes two for them.
typedef float lanes __attribute__((vector_size(32), aligned(4), may_alias));

inlined lanes load(const float *from) { return *(const lanes *)from; }

// Four sums hide the latency of the additions.
inlined float weighted(int64_t count, const float *weights, const float *x) {
    lanes sums[4] = {{0}, {0}, {0}, {0}};
    int64_t at = 0;
    for (; at + 4 * rs_group <= count; at += 4 * rs_group) {
        for (int part = 0; part < 4; part++) {
            sums[part] += load(weights + at + part * rs_group) * load(x + at + part * rs_group);
        }
    }
    for (; at < count; at += rs_group) sums[0] += load(weights + at) * load(x + at);
    lanes sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

#define kind(name, attributes)                                                                                          \
    attributes static void resample_##name(int64_t row, int64_t phases, const float *weights, int64_t step,             \
                                           int64_t fraction, int64_t start, int64_t phase, const float *x,              \
                                           int64_t count, float *y) {                                                   \
        for (int64_t index = 0; index < count; index++) {                                                               \
            y[index] = weighted(row, weights + phase * row, x + start);                                                 \
            start += step;                                                                                              \
            phase += fraction;                                                                                          \
            if (phase >= phases) {                                                                                      \
                phase -= phases;                                                                                        \
                start++;                                                                                                \
            }                                                                                                           \
        }                                                                                                               \
    }

kind(plain, )

#if defined(__x86_64__)

kind(avx2, __attribute__((target("avx2,fma"))))

void rs_resample(int64_t row, int64_t phases, const float *weights, int64_t step, int64_t fraction, int64_t start, int64_t phase,
                 const float *x, int64_t count, float *y) {
    int fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    (fast ? resample_avx2 : resample_plain)(row, phases, weights, step, fraction, start, phase, x, count, y);
}

#else

void rs_resample(int64_t row, int64_t phases, const float *weights, int64_t step, int64_t fraction, int64_t start, int64_t phase,
                 const float *x, int64_t count, float *y) {
    resample_plain(row, phases, weights, step, fraction, start, phase, x, count, y);
}

#endif
