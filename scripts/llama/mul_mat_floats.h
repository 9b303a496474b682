// Products of numbers of 16 and 32 bits, above all attention's, for x86 processors with AVX2.
//
// Included by ggml-cpu.c (change_source.py): four rows by as many columns as registers hold sums of. Several heads of
// queries that share one of keys are its columns, so that each key and value is read once. ggml rounds columns to 16 bits
// first where rows have them; here they stay as they are, and the threads need not meet for it.
#pragma once

#include "vectors.h"

#ifdef REPARTEE_VECTORS

enum {
#ifdef REPARTEE_WIDE
    repartee_dot_columns = 6,
#else
    repartee_dot_columns = 3,
#endif
    repartee_dot_rows = 4,
    // Numbers of the rows that are multiplied with all columns before the next: what the first-level cache holds.
    repartee_dot_numbers = 8192,
    // Longer rows of 32 bits are left to ggml, whose tiles are quicker then.
    repartee_dot_longest_f32 = 512,
};

repartee_inlined repartee_floats repartee_load(bool halves, const char *numbers) {
#ifdef REPARTEE_WIDE
    return halves ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)numbers)) : _mm512_loadu_ps(numbers);
#else
    return halves ? _mm256_cvtph_ps(repartee_sixteen(numbers)) : _mm256_loadu_ps((const float *)numbers);
#endif
}

// The sum of each vector's lanes.
repartee_inlined __m128 repartee_four_sums(const repartee_floats *vectors) {
    __m256 halves[repartee_dot_rows];
    repartee_unrolled
    for (int row = 0; row < repartee_dot_rows; row++) {
#ifdef REPARTEE_WIDE
        const __m256d high = _mm512_extractf64x4_pd(_mm512_castps_pd(vectors[row]), 1);
        halves[row] = _mm256_add_ps(_mm512_castps512_ps256(vectors[row]), _mm256_castpd_ps(high));
#else
        halves[row] = vectors[row];
#endif
    }
    const __m256 pairs
        = _mm256_hadd_ps(_mm256_hadd_ps(halves[0], halves[1]), _mm256_hadd_ps(halves[2], halves[3]));
    return _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
}

// Some rows, four at a time, times `width` columns of `k` numbers.
repartee_inlined void repartee_dot(bool halves, const int width, int64_t k, const char *rows, int64_t stride, int64_t count,
                                   const float *const *columns, float *const *results) {
    const int64_t size = halves ? 2 : 4;
    for (int64_t row = 0; row < count; row += repartee_dot_rows, rows += repartee_dot_rows * stride) {
        repartee_floats sums[repartee_dot_columns][repartee_dot_rows];
        repartee_unrolled
        for (int j = 0; j < width; j++) {
            repartee_unrolled
            for (int i = 0; i < repartee_dot_rows; i++) sums[j][i] = repartee_op(setzero_ps)();
        }
        for (int64_t number = 0; number < k; number += repartee_lanes) {
            repartee_unrolled
            for (int i = 0; i < repartee_dot_rows; i++) {
                const repartee_floats numbers = repartee_load(halves, rows + i * stride + number * size);
                repartee_unrolled
                for (int j = 0; j < width; j++) {
                    sums[j][i] = repartee_op(fmadd_ps)(numbers, repartee_op(loadu_ps)(columns[j] + number), sums[j][i]);
                }
            }
        }
        repartee_unrolled
        for (int j = 0; j < width; j++) _mm_storeu_ps(results[j] + row, repartee_four_sums(sums[j]));
    }
}

repartee_inlined void repartee_dot_all(bool halves, int64_t width, int64_t k, const char *rows, int64_t stride,
                                       int64_t count, const float *const *columns, float *const *results) {
#define repartee_case(number)                                                                                          \
    case number: repartee_dot(halves, number, k, rows, stride, count, columns, results); break
    switch (width) {
        repartee_case(1);
        repartee_case(2);
        repartee_case(3);
#ifdef REPARTEE_WIDE
        repartee_case(4);
        repartee_case(5);
        repartee_case(6);
#endif
    }
#undef repartee_case
}

static void repartee_dot_f16(int64_t width, int64_t k, const char *rows, int64_t stride, int64_t count,
                             const float *const *columns, float *const *results) {
    repartee_dot_all(true, width, k, rows, stride, count, columns, results);
}

static void repartee_dot_f32(int64_t width, int64_t k, const char *rows, int64_t stride, int64_t count,
                             const float *const *columns, float *const *results) {
    repartee_dot_all(false, width, k, rows, stride, count, columns, results);
}

// Computes `dst` if it is such a product, together with the other threads, which need not have met.
static bool repartee_mul_mat_floats(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    const struct ggml_tensor *matrix = dst->src[0], *right = dst->src[1];
    const bool halves = matrix->type == GGML_TYPE_F16;
    const int64_t k = matrix->ne[0], height = matrix->ne[1];
    const bool known = halves || (matrix->type == GGML_TYPE_F32 && k <= repartee_dot_longest_f32);
    if (!known || right->type != GGML_TYPE_F32 || k == 0 || k % repartee_lanes != 0
        || height % repartee_dot_rows != 0 || matrix->ne[3] != right->ne[3]) {
        return false;
    }
    int64_t most = repartee_dot_numbers / k / repartee_dot_rows * repartee_dot_rows;
    if (most < repartee_dot_rows) most = repartee_dot_rows;
    const int64_t parts = (height + most - 1) / most;
    // Several heads of queries share one of keys.
    const int64_t shared = right->ne[2] / matrix->ne[2], width = shared * right->ne[1];
    const int64_t chunks = parts * matrix->ne[2] * matrix->ne[3];
    for (int64_t chunk = params->ith; chunk < chunks; chunk += params->nth) {
        const int64_t row = chunk % parts * most, plane = chunk / parts;
        const int64_t i2 = plane % matrix->ne[2], i3 = plane / matrix->ne[2];
        const int64_t count = height - row < most ? height - row : most;
        const char *rows = (const char *)matrix->data + i3 * matrix->nb[3] + i2 * matrix->nb[2] + row * matrix->nb[1];
        for (int64_t column = 0; column < width;) {
            const int64_t rest = width - column, passes = (rest + repartee_dot_columns - 1) / repartee_dot_columns;
            const int64_t now = (rest + passes - 1) / passes;
            const float *columns[repartee_dot_columns];
            float *results[repartee_dot_columns];
            for (int64_t j = 0; j < now; j++) {
                const int64_t head = i2 * shared + (column + j) / right->ne[1], i1 = (column + j) % right->ne[1];
                columns[j] = (const float *)((const char *)right->data + i3 * right->nb[3] + head * right->nb[2]
                                             + i1 * right->nb[1]);
                results[j] = (float *)((char *)dst->data + i3 * dst->nb[3] + head * dst->nb[2] + i1 * dst->nb[1]) + row;
            }
            if (halves) {
                repartee_dot_f16(now, k, rows, matrix->nb[1], count, columns, results);
            } else {
                repartee_dot_f32(now, k, rows, matrix->nb[1], count, columns, results);
            }
            column += now;
        }
    }
    return true;
}

#else

static bool repartee_mul_mat_floats(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    (void)params, (void)dst;
    return false;
}

#endif
