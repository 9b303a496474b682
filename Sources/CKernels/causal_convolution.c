// The loops of CausalConvolution.h: one kind for AVX-512, one for AVX2, one for NEON, and one that convolves 32-bit weights anywhere.
#include "CausalConvolution.h"

#include <string.h>

// No function with such an argument is ever called: all are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define inlined static inline __attribute__((always_inline))
// Constant loops whose values must stay in registers.
#define unrolled _Pragma("clang loop unroll(full)")

// Sixteen numbers; a processor with narrower registers takes several for them.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef _Float16 halves __attribute__((vector_size(32), aligned(2), may_alias));

static int64_t groups_of(int64_t outputs) { return (outputs + cc_group - 1) / cc_group; }

void cc_pack(int64_t inputs, int64_t outputs, int64_t taps, int64_t element_bytes, const void *weights, void *packed) {
    const char *from = weights;
    char *to = packed;
    memset(packed, 0, (size_t)(groups_of(outputs) * cc_group * inputs * taps * element_bytes));
    for (int64_t output = 0; output < outputs; output++) {
        char *group = to + output / cc_group * taps * inputs * cc_group * element_bytes;
        for (int64_t input = 0; input < inputs; input++) {
            for (int64_t tap = 0; tap < taps; tap++) {
                memcpy(group + ((tap * inputs + input) * cc_group + output % cc_group) * element_bytes,
                       from + ((output * inputs + input) * taps + tap) * element_bytes, (size_t)element_bytes);
            }
        }
    }
}

// MARK: loops, inlined into a function for each kind of processor

inlined lanes load(const float *from) { return *(const lanes *)from; }

// Stores the first `count` of sixteen sums.
inlined void store(lanes sums, int64_t count, float *y) {
    if (count >= cc_group) *(lanes *)y = sums;
    else memcpy(y, &sums, (size_t)count * sizeof(float));
}

// Stores a tile's sums, column by column, with what is to be added to them: the first `rows` of sixteen exist. Called rather
// than inlined, because there are many kinds of tiles.
__attribute__((noinline)) static void store_tile(const float *sums, int columns, int64_t rows, int64_t outputs,
                                                 const float *residual, float *y) {
    for (int t = 0; t < columns; t++, sums += cc_group, y += outputs) {
        if (residual) {
            for (int64_t row = 0; row < rows; row++) y[row] = sums[row] + residual[row];
            residual += outputs;
        } else {
            memcpy(y, sums, (size_t)rows * sizeof(float));
        }
    }
}

// The most columns of a tile.
enum { widest_tile = 24 };
// How far ahead weights are fetched, in bytes: a few columns need them faster than the processor guesses.
enum { fetched_ahead = 4096 };

// `columns` neighbouring columns of a group, a constant: all sums in registers. A weight is read once for all columns, and a
// column's value multiplies straight from memory.
inlined void tile(const int columns, const int half, const cc_kernel *kernel, int64_t group, const float *x,
                  const float *residual, float *y) {
    const int64_t inputs = kernel->inputs;
    const int size = cc_group * (half ? 2 : 4);
    const char *weights = (const char *)kernel->weights + group * kernel->taps * inputs * size;
    lanes sums[widest_tile];
    const lanes bias = load(kernel->bias + group * cc_group);
    unrolled
    for (int t = 0; t < columns; t++) sums[t] = bias;
    for (int64_t tap = 0; tap < kernel->taps; tap++) {
        // A pointer for every third column: the two after it are within what an address can express.
        const float *at[widest_tile / 3];
        unrolled
        for (int third = 0; third < widest_tile / 3; third++) {
            at[third] = x + (tap * kernel->dilation + 3 * third) * inputs;
        }
        for (int64_t input = 0; input < inputs; input++, weights += size) {
            const lanes row = half ? __builtin_convertvector(*(const halves *)weights, lanes) : *(const lanes *)weights;
            __builtin_prefetch(weights + fetched_ahead, 0, 2);
            unrolled
            for (int t = 0; t < columns; t++) sums[t] += row * at[t / 3][t % 3 * inputs + input];
        }
    }
    // A copy: what a call may see is not kept in registers.
    lanes results[widest_tile];
    unrolled
    for (int t = 0; t < columns; t++) results[t] = sums[t];
    const int64_t first = group * cc_group, left = kernel->outputs - first;
    store_tile((const float *)results, columns, left < cc_group ? left : cc_group, kernel->outputs,
               residual ? residual + first : 0, y + first);
}

#define tile_of(columns) \
    case columns: tile(columns, half, kernel, group, x, residual, y); break;

inlined void narrow_tile(const int half, int64_t columns, const cc_kernel *kernel, int64_t group, const float *x,
                         const float *residual, float *y) {
    switch (columns) { tile_of(1) tile_of(2) tile_of(3) tile_of(4) tile_of(5) tile_of(6) }
}

inlined void wide_tile(const int half, int64_t columns, const cc_kernel *kernel, int64_t group, const float *x,
                       const float *residual, float *y) {
    switch (columns) {
        tile_of(7) tile_of(8) tile_of(9) tile_of(10) tile_of(11) tile_of(12) tile_of(13) tile_of(14) tile_of(15)
        tile_of(16) tile_of(17) tile_of(18) tile_of(19) tile_of(20) tile_of(21) tile_of(22) tile_of(23) tile_of(24)
    default: narrow_tile(half, columns, kernel, group, x, residual, y);
    }
}

// Goes through this part's tiles of at most `widest` columns; the weights of a group are read once for all columns of all
// streams.
inlined void convolve(const int widest, const int half, const cc_kernel *kernel, int64_t columns, int64_t streams,
                      int64_t part, int64_t parts, const float *x, const float *residual, float *y) {
    const int64_t tiles = (columns + widest - 1) / widest;
    const int64_t all = groups_of(kernel->outputs) * streams * tiles;
    const int64_t history = (kernel->taps - 1) * kernel->dilation;
    for (int64_t index = all * part / parts; index < all * (part + 1) / parts; index++) {
        const int64_t group = index / (streams * tiles);
        const int64_t stream = index / tiles % streams;
        // Tiles of nearly the same width.
        const int64_t first = index % tiles * columns / tiles;
        const int64_t count = (index % tiles + 1) * columns / tiles - first;
        const float *from = x + (stream * (history + columns) + first) * kernel->inputs;
        const int64_t place = (stream * columns + first) * kernel->outputs;
        const float *added = residual ? residual + place : 0;
        if (widest > 6) wide_tile(half, count, kernel, group, from, added, y + place);
        else narrow_tile(half, count, kernel, group, from, added, y + place);
    }
}

// sin²(x) = sin²(x - n pi): the nearest n, then a polynomial that is right to 4e-9 of the sine up to pi / 2 (fitted by
// iteratively weighted least squares).
inlined lanes squared_sine(lanes x) {
    // Adding and taking away 1.5 * 2^23 rounds to a whole number.
    const float rounder = 12582912.0f;
    const lanes scaled = x * 0.318309886f;
    const lanes raised = scaled + rounder;
    const lanes whole = raised - rounder;
    // pi in two parts.
    lanes rest = x - whole * 3.14159274f;
    rest = rest + whole * 8.74227766e-8f;
    const lanes square = rest * rest;
    lanes sum = square * 2.60493175e-6f - 1.98089489e-4f;
    sum = sum * square + 8.33304971e-3f;
    sum = sum * square - 0.166666582f;
    sum = sum * square + 1.0f;
    const lanes sine = rest * sum;
    return sine * sine;
}

inlined lanes half_snake_lanes(lanes x, const float *alpha, const float *inverse, const float *slope) {
    const lanes zero = {0};
    const lanes rectified = __builtin_elementwise_max(x, zero) + load(slope) * __builtin_elementwise_min(x, zero);
    return rectified + load(inverse) * squared_sine(load(alpha) * x);
}

inlined void half_snake(int64_t count, int64_t period, const float *alpha, const float *inverse, const float *slope,
                        const float *x, float *y) {
    int64_t phase = 0, index = 0;
    for (; index + cc_group <= count; index += cc_group) {
        *(lanes *)(y + index) = half_snake_lanes(load(x + index), alpha + phase, inverse + phase, slope + phase);
        phase += cc_group;
        if (phase == period) phase = 0;
    }
    if (index == count) return;
    float values[cc_group] = {0};
    memcpy(values, x + index, (size_t)(count - index) * sizeof(float));
    *(lanes *)values = half_snake_lanes(load(values), alpha + phase, inverse + phase, slope + phase);
    memcpy(y + index, values, (size_t)(count - index) * sizeof(float));
}

// The even and the odd inputs of a group of outputs.
inlined void split(const float *x, int64_t outputs, lanes *even, lanes *odd) {
    float values[2 * cc_group] = {0};
    if (outputs < cc_group) {
        memcpy(values, x, (size_t)(2 * outputs) * sizeof(float));
        x = values;
    }
    const lanes low = load(x), high = load(x + cc_group);
    *even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

inlined void upsample(int64_t outputs, int64_t rate, int64_t first, int64_t last, const float *weights,
                      const float *bias, const float *x, float *y) {
    for (int64_t group = 0; group < groups_of(outputs); group++) {
        const int64_t channel = group * cc_group;
        const float *kernel = weights + group * rate * 4 * cc_group;
        const lanes offset = load(bias + channel);
        lanes even, odd;
        split(x + (first * outputs + channel) * 2, outputs - channel, &even, &odd);
        for (int64_t column = first; column < last; column++) {
            const lanes earlier_even = even, earlier_odd = odd;
            split(x + ((column + 1) * outputs + channel) * 2, outputs - channel, &even, &odd);
            for (int64_t phase = 0; phase < rate; phase++) {
                const float *four = kernel + phase * 4 * cc_group;
                lanes sum = offset + load(four) * earlier_even;
                sum += load(four + cc_group) * earlier_odd;
                sum += load(four + 2 * cc_group) * even;
                sum += load(four + 3 * cc_group) * odd;
                store(sum, outputs - channel, y + (column * rate + phase) * outputs + channel);
            }
        }
    }
}

// MARK: the kinds

#define convolve_arguments                                                                                              \
    const cc_kernel *kernel, int64_t columns, int64_t streams, int64_t part, int64_t parts, const float *x,              \
        const float *residual, float *y
#define snake_arguments                                                                                                 \
    int64_t count, int64_t period, const float *alpha, const float *inverse, const float *slope, const float *x, float *y
#define upsample_arguments                                                                                              \
    int64_t outputs, int64_t rate, int64_t first, int64_t last, const float *weights, const float *bias,                 \
        const float *x, float *y

#define kind(name, attribute, widest)                                                                                   \
    attribute static void convolve_halves_##name(convolve_arguments) {                                                  \
        convolve(widest, 1, kernel, columns, streams, part, parts, x, residual, y);                                     \
    }                                                                                                                   \
    attribute static void convolve_singles_##name(convolve_arguments) {                                                 \
        convolve(widest, 0, kernel, columns, streams, part, parts, x, residual, y);                                     \
    }                                                                                                                   \
    attribute static void half_snake_##name(snake_arguments) {                                                          \
        half_snake(count, period, alpha, inverse, slope, x, y);                                                         \
    }                                                                                                                   \
    attribute static void upsample_##name(upsample_arguments) {                                                         \
        upsample(outputs, rate, first, last, weights, bias, x, y);                                                      \
    }

#define dispatch(name)                                                                                                  \
    static void convolve_##name(convolve_arguments) {                                                                   \
        if (kernel->half) convolve_halves_##name(kernel, columns, streams, part, parts, x, residual, y);                \
        else convolve_singles_##name(kernel, columns, streams, part, parts, x, residual, y);                            \
    }

#if !defined(__aarch64__)

// Two columns of sixteen are eight registers of four.
static void convolve_singles_plain(convolve_arguments) {
    convolve(2, 0, kernel, columns, streams, part, parts, x, residual, y);
}

#endif

#if defined(__x86_64__)

// Twenty-four columns are as many of the 32 registers.
kind(avx512, __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma,avx2"))), widest_tile)
dispatch(avx512)
// Six columns of sixteen are twelve of the sixteen registers.
kind(avx2, __attribute__((target("avx2,fma,f16c"))), 6)
dispatch(avx2)

int cc_best_kind(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq")) {
        return cc_avx512;
    }
    // Every processor with AVX2 and FMA converts half precision too.
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? cc_avx2 : cc_none;
}

#define choose(function, ...)                                                                                           \
    if (kind == cc_avx512) function##_avx512(__VA_ARGS__);                                                              \
    if (kind == cc_avx2) function##_avx2(__VA_ARGS__);

#elif defined(__aarch64__)

// NEON: six columns of four registers each are 24 of 32.
kind(plain, , 6)
dispatch(plain)

int cc_best_kind(void) { return cc_plain; }

#define choose(function, ...)                                                                                           \
    if (kind == cc_plain) function##_plain(__VA_ARGS__);

#else

int cc_best_kind(void) { return cc_none; }

#define choose(function, ...) (void)kind;

#endif

int cc_kind_of_singles(void) {
    const int best = cc_best_kind();
    return best == cc_none ? cc_plain : best;
}

void cc_convolve(int kind, const cc_kernel *kernel, int64_t columns, int64_t streams, int64_t part, int64_t parts,
                 const float *x, const float *residual, float *y) {
    choose(convolve, kernel, columns, streams, part, parts, x, residual, y)
#if !defined(__aarch64__)
    if (kind == cc_plain && !kernel->half) convolve_singles_plain(kernel, columns, streams, part, parts, x, residual, y);
#endif
}

void cc_half_snake(int kind, int64_t count, int64_t period, const float *alpha, const float *inverse, const float *slope,
                   const float *x, float *y) {
    choose(half_snake, count, period, alpha, inverse, slope, x, y)
}

void cc_upsample(int kind, int64_t outputs, int64_t rate, int64_t first, int64_t last, const float *weights,
                 const float *bias, const float *x, float *y) {
    choose(upsample, outputs, rate, first, last, weights, bias, x, y)
}
