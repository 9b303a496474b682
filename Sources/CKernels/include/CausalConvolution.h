// Causal convolutions over time in 32-bit floats, for networks whose columns (time steps) are few and whose channels lie next
// to each other: x[t * channels + c]. Windows are never copied: a tap reads the columns where they are.
//
// A packed kernel has its output channels in groups of sixteen, the last one filled up with zeros: for each group, tap and
// input channel sixteen weights side by side, F16 or F32 as in the file. Half precision is widened exactly while it is read.
#pragma once
#include <stdint.h>

// The kinds of code that there are; 0 is none.
enum { cc_none = 0, cc_avx2 = 1, cc_avx512 = 2, cc_plain = 3 };

// The fastest kind that this processor runs, cc_none if there is none.
int cc_best_kind(void);

// The fastest kind that convolves with F32 weights here: cc_plain does that on any processor.
int cc_kind_of_singles(void);

// Output channels in a group.
enum { cc_group = 16 };

// A convolution y[t] = bias + sum of weights[tap] x[t + tap * dilation] over taps, t counted from the oldest column of x: with
// (taps - 1) * dilation columns of history in front of the new ones, the last tap meets the new column.
typedef struct {
    int64_t inputs, outputs, taps, dilation;
    // Whether the packed weights are F16; else F32.
    int half;
    const void *weights;
    // One for each output channel, filled up with zeros to whole groups.
    const float *bias;
} cc_kernel;

// Packs weights that a file has in the order [outputs][inputs][taps], the last fastest, elements of 2 or 4 bytes.
// `packed` has taps * inputs times the outputs in whole groups.
void cc_pack(int64_t inputs, int64_t outputs, int64_t taps, int64_t element_bytes, const void *weights, void *packed);

// Computes `columns` columns of each of `streams` streams: this thread's share, part `part` of `parts`. A stream of x has
// (taps - 1) * dilation columns more than one of y. `residual`, of y's shape, is added unless it is null.
void cc_convolve(int kind, const cc_kernel *kernel, int64_t columns, int64_t streams, int64_t part, int64_t parts,
                 const float *x, const float *residual, float *y);

// Half-snake activation: max(x, 0) + slope min(x, 0) + inverse sin²(alpha x), parameters repeated with a period that is a
// multiple of sixteen; x[0] has the first ones. Squared sines to within 3e-7 for |alpha x| < 10.
void cc_half_snake(int kind, int64_t count, int64_t period, const float *alpha, const float *inverse, const float *slope,
                   const float *x, float *y);

// Transposed convolution by `rate` whose kernel covers two columns and whose output channel c sees the inputs 2c and 2c + 1
// only: columns first up to last of one stream. x has one column of history in front; y has rate columns for each of x.
// Packed weights: for each group, each phase of the rate, then (earlier, later column) x (even, odd input), sixteen weights.
void cc_upsample(int kind, int64_t outputs, int64_t rate, int64_t first, int64_t last, const float *weights,
                 const float *bias, const float *x, float *y);
