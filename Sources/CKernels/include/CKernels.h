// Loops for which ggml's own are far from what memory gives, or which it has not: products of 8-bit matrices with a few columns, the
// Gaussian error linear unit, attention to caches; CausalConvolution.h has convolutions over time, Resampling.h a filter at other times.
//
// A packed matrix holds the numbers of ggml's Q8_0 (blocks of 32 weights with an F16 scale) in another order: sixteen rows
// side by side, block by block: eight groups of four weights of each row, shifted by 128 to be unsigned, then sixteen scales.
// It has the size of the original. Packed columns hold signed 8-bit numbers, then per block a scale and −128 times the sum
// of the numbers, which undoes the shift.
#pragma once
#include <stdint.h>

#include "CausalConvolution.h"
#include "Resampling.h"
#include "VocoderActivations.h"

// The kinds of code that this file has; 0 is none.
enum { ck_none = 0, ck_avx2 = 1, ck_avx512vnni = 2 };

// The fastest kind that this processor runs, ck_none if there is none.
int ck_best_kind(void);

// Rows of a packed matrix come in groups of this many, columns in blocks of ck_block.
enum { ck_group = 16, ck_block = 32 };

// Bytes of one column of k numbers, k a multiple of ck_block.
int64_t ck_column_bytes(int64_t k);

// Packs a matrix of n rows (a multiple of ck_group) of k weights (a multiple of ck_block). `packed` has n * k / 32 * 34 bytes.
void ck_pack(int64_t k, int64_t n, const void *q8_0, void *packed);

// Packs one column of k floats that are finite; every kind packs the same numbers.
void ck_pack_column(int kind, int64_t k, const float *x, void *column);

// Rows first * ck_group up to last * ck_group of the product of a packed matrix and `columns` packed columns: y[j * n + i].
// The product is added to what is there if `adds`.
void ck_multiply(int kind, int64_t k, int64_t n, int64_t columns, int64_t first, int64_t last, const void *packed,
                 const void *x, int adds, float *y);

// Replaces numbers by their Gaussian error linear units, approximated by tanh: x / (1 + e^(-2u)), u = sqrt(2 / pi) * (x +
// 0.044715 x^3); to within 1e-6 of the magnitude.
void ck_gelu(int64_t count, float *x);

// Attention of new positions of some sequences to all positions before them, kept in caches. A cache has rows of
// heads * head_width numbers; a sequence's keys lie in two runs of rows: some that it may share with other sequences, and
// its own, whose last row is the new position's and is written first.
typedef struct {
    int64_t heads, head_width, queries;
    // Whether the caches hold F16 rather than F32.
    int is_half;
    // Per query: query, key and value, heads * head_width numbers each.
    const float *qkv;
    // Per query: first row and number of rows that are shared, first row and number of rows that are its own, at least 1.
    const int32_t *spans;
    void *keys, *values;
    // Per query: heads * head_width numbers.
    float *out;
} ck_attention;

// At most this many heads.
enum { ck_most_heads = 128 };

// The part of heads `first` up to `last`, softmax(q k / sqrt(head_width)) v. Parts may run at the same time.
void ck_attend(const ck_attention *attention, int64_t first, int64_t last);
