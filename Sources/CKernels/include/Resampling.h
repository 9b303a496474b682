// Samples at other times: each is the sum of a window of samples, weighted by a row of a filter.
#pragma once
#include <stdint.h>

// Rows have a multiple of this many weights.
enum { rs_group = 8 };

// y[i] = sum over t of weights[phase * row + t] * x[start + t], for `count` numbers; after each `start` goes on by `step`, and `phase` by
// `fraction`, which is less than `phases`; where that reaches `phases` it starts from there again and `start` goes on by one more. How the
// numbers are cut into calls does not change them, on one processor. The windows have to lie within x.
void rs_resample(int64_t row, int64_t phases, const float *weights, int64_t step, int64_t fraction, int64_t start, int64_t phase,
                 const float *x, int64_t count, float *y);
