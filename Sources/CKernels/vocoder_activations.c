// The loops of VocoderActivations.h, for the kinds of CausalConvolution.h.
#include "VocoderActivations.h"

#include <string.h>

#include "CausalConvolution.h"

// No function with such an argument is ever called: all are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define inlined static inline __attribute__((always_inline))

// Sixteen numbers; a processor with narrower registers takes several for them.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t whole_lanes __attribute__((vector_size(64), aligned(4)));
enum { width = 16 };

inlined lanes load(const float *from) { return *(const lanes *)from; }

// The first `count` of sixteen numbers, then zeros.
inlined lanes load_part(const float *from, int64_t count) {
    float values[width] = {0};
    memcpy(values, from, (size_t)count * sizeof(float));
    return load(values);
}

inlined lanes limited(lanes x, float bound) {
    const lanes zero = {0};
    return __builtin_elementwise_min(__builtin_elementwise_max(x, zero - bound), zero + bound);
}

// e^x of numbers within ±87, to within 2e-7 of itself: x = n ln 2 + r, and the series of e^r to the seventh power.
inlined lanes exponential(lanes x) {
    // Adding and taking away 1.5 * 2^23 rounds to a whole number.
    const float rounder = 12582912.0f;
    const lanes whole = (x * 1.44269504f + rounder) - rounder;
    // ln 2 in two parts, so that n times the first is exact.
    lanes r = x - whole * 0.693359375f;
    r = r + whole * 2.12194440e-4f;
    lanes y = r * (1.0f / 5040) + 1.0f / 720;
    y = y * r + 1.0f / 120;
    y = y * r + 1.0f / 24;
    y = y * r + 1.0f / 6;
    y = y * r + 0.5f;
    y = y * r + 1.0f;
    y = y * r + 1.0f;
    const whole_lanes power = (__builtin_convertvector(whole, whole_lanes) + 127) << 23;
    return y * (lanes)power;
}

// tanh(a) sigmoid(b) = (e^2a - 1) / ((e^2a + 1) (1 + e^-b)); beyond the bounds both have levelled off.
inlined lanes gated(lanes a, lanes b) {
    const lanes doubled = exponential(limited(a, 10) * 2.0f), fallen = exponential(-limited(b, 30));
    return (doubled - 1.0f) / ((doubled + 1.0f) * (fallen + 1.0f));
}

inlined void gate(int64_t channels, int64_t columns, const float *x, float *y) {
    for (int64_t column = 0; column < columns; column++, x += 2 * channels, y += channels) {
        int64_t c = 0;
        for (; c + width <= channels; c += width) *(lanes *)(y + c) = gated(load(x + c), load(x + channels + c));
        if (c == channels) continue;
        const lanes last = gated(load_part(x + c, channels - c), load_part(x + channels + c, channels - c));
        memcpy(y + c, &last, (size_t)(channels - c) * sizeof(float));
    }
}

inlined lanes leaky(lanes v, float scale, float slope) {
    const lanes zero = {0};
    const lanes scaled = v * scale;
    return __builtin_elementwise_max(scaled, zero) + __builtin_elementwise_min(scaled, zero) * slope;
}

inlined void leaky_sum(int64_t count, int64_t terms, const float *const *x, float scale, float slope, float *y) {
    int64_t index = 0;
    for (; index + width <= count; index += width) {
        lanes sum = load(x[0] + index);
        for (int64_t term = 1; term < terms; term++) sum += load(x[term] + index);
        *(lanes *)(y + index) = leaky(sum, scale, slope);
    }
    if (index == count) return;
    lanes sum = load_part(x[0] + index, count - index);
    for (int64_t term = 1; term < terms; term++) sum += load_part(x[term] + index, count - index);
    sum = leaky(sum, scale, slope);
    memcpy(y + index, &sum, (size_t)(count - index) * sizeof(float));
}

#define kind_of(name, attribute)                                                                                        \
    attribute static void gate_##name(int64_t channels, int64_t columns, const float *x, float *y) {                    \
        gate(channels, columns, x, y);                                                                                  \
    }                                                                                                                   \
    attribute static void leaky_sum_##name(int64_t count, int64_t terms, const float *const *x, float scale,            \
                                           float slope, float *y) {                                                     \
        leaky_sum(count, terms, x, scale, slope, y);                                                                    \
    }

#if defined(__x86_64__)
kind_of(avx512, __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma,avx2"))))
kind_of(avx2, __attribute__((target("avx2,fma,f16c"))))
#define choose(function, ...)                                                                                           \
    if (kind == cc_avx512) function##_avx512(__VA_ARGS__);                                                              \
    if (kind == cc_avx2) function##_avx2(__VA_ARGS__);
#elif defined(__aarch64__)
kind_of(plain, )
#define choose(function, ...)                                                                                           \
    if (kind == cc_plain) function##_plain(__VA_ARGS__);
#else
#define choose(function, ...) (void)kind;
#endif

void va_leaky_sum(int kind, int64_t count, int64_t terms, const float *const *x, float scale, float slope, float *y) {
    choose(leaky_sum, count, terms, x, scale, slope, y)
}

void va_gate(int kind, int64_t channels, int64_t columns, const float *x, float *y) {
    choose(gate, channels, columns, x, y)
}
