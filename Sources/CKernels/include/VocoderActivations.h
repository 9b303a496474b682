// Activations of a vocoder and of the flow in front of it, each in one pass over memory. The kinds of code are those of
// CausalConvolution.h.
#pragma once
#include <stdint.h>

// At most this many terms of a sum.
enum { va_most_terms = 8 };

// y = leaky(scale * sum of `terms` arrays), where leaky(v) = max(v, 0) + slope min(v, 0).
void va_leaky_sum(int kind, int64_t count, int64_t terms, const float *const *x, float scale, float slope, float *y);

// y[c] = tanh(x[c]) * sigmoid(x[channels + c]) for each column of 2 * channels numbers; to within 3e-7.
void va_gate(int kind, int64_t channels, int64_t columns, const float *x, float *y);
