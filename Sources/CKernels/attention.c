// Attention of new positions to caches that are read where they lie; CKernels.h says how they are laid out.
#include "CKernels.h"

#include <math.h>
#include <string.h>

// Rows that are scored before their values are mixed.
enum { block_rows = 32 };

// What a query knows of one head while it goes through the rows; what is mixed so far lies in `out`.
typedef struct {
    float greatest, sum;
} progress;

static inline float from_half(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0) {
        const float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    const uint32_t bits = sign | (exponent == 31 ? 0xffu : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    // 65520 and more round to infinity.
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    if (magnitude < 0x38800000) {
        // Below 2^-14: a multiple of 2^-24, rounded to even by the addition.
        float small;
        memcpy(&small, &magnitude, sizeof small);
        small += 0.5f;
        memcpy(&bits, &small, sizeof bits);
        return sign | (uint16_t)(bits - 0x3f000000);
    }
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return sign | (uint16_t)((rounded - 0x38000000) >> 13);
}

static inline float number(const int is_half, const void *base, int64_t index) {
    return is_half ? from_half(((const uint16_t *)base)[index]) : ((const float *)base)[index];
}

static void keep(int is_half, void *cache, int64_t offset, const float *from, int64_t count) {
    if (is_half) {
        uint16_t *to = (uint16_t *)cache + offset;
        for (int64_t index = 0; index < count; index++) to[index] = to_half(from[index]);
    } else {
        memcpy((float *)cache + offset, from, (size_t)count * sizeof(float));
    }
}

// Takes in the scores of some rows: makes them shares relative to the greatest score so far. Returns the factor on what was
// mixed before.
static float take_in(progress *state, float *scores, int64_t count) {
    float greatest = state->greatest;
    for (int64_t j = 0; j < count; j++) greatest = scores[j] > greatest ? scores[j] : greatest;
    const float factor = state->greatest == -INFINITY ? 0 : expf(state->greatest - greatest);
    state->greatest = greatest;
    state->sum *= factor;
    return factor;
}

static void attend_head(const ck_attention *a, int64_t query, int64_t head, int64_t row, int64_t count, progress *state) {
    const int64_t size = a->head_width, width = a->heads * size;
    const float *q = a->qkv + query * 3 * width + head * size;
    const float scale = 1 / sqrtf((float)size);
    float scores[block_rows];
    for (int64_t j = 0; j < count; j++) {
        const int64_t at = (row + j) * width + head * size;
        float sum = 0;
        for (int64_t index = 0; index < size; index++) sum += q[index] * number(a->is_half, a->keys, at + index);
        scores[j] = sum * scale;
    }
    const float factor = take_in(state, scores, count);
    float *out = a->out + query * width + head * size;
    for (int64_t index = 0; index < size; index++) out[index] *= factor;
    for (int64_t j = 0; j < count; j++) {
        const int64_t at = (row + j) * width + head * size;
        const float share = expf(scores[j] - state->greatest);
        state->sum += share;
        for (int64_t index = 0; index < size; index++) out[index] += share * number(a->is_half, a->values, at + index);
    }
}

static void rows_anywhere(const ck_attention *a, int64_t query, int64_t first, int64_t last, int64_t row, int64_t count,
                          progress *states) {
    for (int64_t head = first; head < last; head++) attend_head(a, query, head, row, count, states + head);
}

#if defined(__x86_64__)
#include "exponential.h"

for_avx2 inlined __m256 eight(const int is_half, const void *base, int64_t index) {
    return is_half ? _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)base + index)))
                   : _mm256_loadu_ps((const float *)base + index);
}

for_avx2 inlined float total(__m256 x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// The scores of some rows, row by row as they lie in memory.
for_avx2 inlined void score_avx2(const int is_half, const ck_attention *a, const float *query, int64_t first, int64_t last,
                                 int64_t row, int64_t count, float (*scores)[block_rows]) {
    const int64_t size = a->head_width, width = a->heads * size;
    const float scale = 1 / sqrtf((float)size);
    for (int64_t j = 0; j < count; j++) {
        for (int64_t head = first; head < last; head++) {
            const float *q = query + head * size;
            const int64_t at = (row + j) * width + head * size;
            __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
            int64_t index = 0;
            for (; index + 16 <= size; index += 16) {
                sums[0] = _mm256_fmadd_ps(_mm256_loadu_ps(q + index), eight(is_half, a->keys, at + index), sums[0]);
                sums[1]
                    = _mm256_fmadd_ps(_mm256_loadu_ps(q + index + 8), eight(is_half, a->keys, at + index + 8), sums[1]);
            }
            if (index < size) {
                sums[0] = _mm256_fmadd_ps(_mm256_loadu_ps(q + index), eight(is_half, a->keys, at + index), sums[0]);
            }
            scores[head][j] = total(_mm256_add_ps(sums[0], sums[1])) * scale;
        }
    }
}

// Scores become shares; what was mixed before is scaled to them.
for_avx2 inlined void weigh_avx2(int64_t size, float *scores, int64_t count, progress *state, float *out) {
    const float factor = take_in(state, scores, count);
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = count; j < block_rows; j++) scores[j] = -INFINITY;
    for (int64_t j = 0; j < block_rows; j += 8) {
        const __m256 score = _mm256_loadu_ps(scores + j);
        const __m256 share = exponential(_mm256_sub_ps(score, _mm256_set1_ps(state->greatest)));
        const __m256 kept = _mm256_and_ps(share, _mm256_cmp_ps(score, _mm256_set1_ps(-INFINITY), _CMP_NEQ_UQ));
        sum = _mm256_add_ps(sum, kept);
        _mm256_storeu_ps(scores + j, kept);
    }
    state->sum += total(sum);
    if (factor == 1) return;
    for (int64_t index = 0; index < size; index += 8) {
        _mm256_storeu_ps(out + index, _mm256_mul_ps(_mm256_loadu_ps(out + index), _mm256_set1_ps(factor)));
    }
}

// Mixes the values of some rows, four at a time as they lie in memory; rows beyond the last have no share.
for_avx2 inlined void mix_avx2(const int is_half, const ck_attention *a, int64_t first, int64_t last, int64_t row,
                               int64_t count, float (*shares)[block_rows], float *out) {
    const int64_t size = a->head_width, width = a->heads * size;
    for (int64_t j = 0; j < count; j += 4) {
        int64_t at[4];
        unrolled
        for (int k = 0; k < 4; k++) at[k] = (row + (j + k < count ? j + k : count - 1)) * width;
        for (int64_t head = first; head < last; head++) {
            __m256 share[4];
            unrolled
            for (int k = 0; k < 4; k++) share[k] = _mm256_set1_ps(shares[head][j + k]);
            for (int64_t index = head * size; index < (head + 1) * size; index += 8) {
                __m256 sum = _mm256_loadu_ps(out + index);
                unrolled
                for (int k = 0; k < 4; k++) {
                    sum = _mm256_fmadd_ps(share[k], eight(is_half, a->values, at[k] + index), sum);
                }
                _mm256_storeu_ps(out + index, sum);
            }
        }
    }
}

for_avx2 inlined void rows_avx2(const int is_half, const ck_attention *a, int64_t query, int64_t first, int64_t last,
                                int64_t row, int64_t count, progress *states) {
    float scores[ck_most_heads][block_rows];
    const int64_t size = a->head_width, width = a->heads * size;
    float *out = a->out + query * width;
    score_avx2(is_half, a, a->qkv + query * 3 * width, first, last, row, count, scores);
    for (int64_t head = first; head < last; head++) {
        weigh_avx2(size, scores[head], count, states + head, out + head * size);
    }
    mix_avx2(is_half, a, first, last, row, count, scores, out);
}

for_avx2 static void half_rows_avx2(const ck_attention *a, int64_t query, int64_t first, int64_t last, int64_t row,
                                    int64_t count, progress *states) {
    rows_avx2(1, a, query, first, last, row, count, states);
}

for_avx2 static void single_rows_avx2(const ck_attention *a, int64_t query, int64_t first, int64_t last, int64_t row,
                                      int64_t count, progress *states) {
    rows_avx2(0, a, query, first, last, row, count, states);
}
#endif

typedef void (*rows_function)(const ck_attention *, int64_t, int64_t, int64_t, int64_t, int64_t, progress *);

static rows_function best_rows(const ck_attention *a) {
#if defined(__x86_64__)
    if (ck_best_kind() != ck_none && a->head_width % 8 == 0) return a->is_half ? half_rows_avx2 : single_rows_avx2;
#endif
    (void)a;
    return rows_anywhere;
}

// At least the new position's, also where nobody has set the span.
static int64_t own_rows(const int32_t *span) { return span[3] > 0 ? span[3] : 1; }

void ck_attend(const ck_attention *a, int64_t first, int64_t last) {
    const int64_t size = a->head_width, width = a->heads * size, part = (last - first) * size;
    if (part <= 0) return;
    for (int64_t query = 0; query < a->queries; query++) {
        const int32_t *span = a->spans + query * 4;
        const float *key = a->qkv + query * 3 * width + width + first * size;
        const int64_t at = (int64_t)(span[2] + own_rows(span) - 1) * width + first * size;
        keep(a->is_half, a->keys, at, key, part);
        keep(a->is_half, a->values, at, key + width, part);
    }
    const rows_function attend_rows = best_rows(a);
    for (int64_t query = 0; query < a->queries; query++) {
        progress states[ck_most_heads];
        for (int64_t head = first; head < last; head++) states[head] = (progress){-INFINITY, 0};
        float *out = a->out + query * width;
        memset(out + first * size, 0, (size_t)part * sizeof(float));
        for (int run = 0; run < 2; run++) {
            const int32_t *span = a->spans + query * 4;
            const int64_t rows = run == 0 ? span[1] : own_rows(span);
            for (int64_t row = 0; row < rows; row += block_rows) {
                const int64_t count = rows - row < block_rows ? rows - row : block_rows;
                attend_rows(a, query, first, last, span[run * 2] + row, count, states);
            }
        }
        for (int64_t head = first; head < last; head++) {
            const float inverse = 1 / states[head].sum;
            for (int64_t index = 0; index < size; index++) out[head * size + index] *= inverse;
        }
    }
}
