#include "CKernels.h"

#include <math.h>
#include <string.h>

// Rows that are scored before their values are mixed: those of one head stay in the first cache.
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

static void attend_block(const ck_attention *a, int64_t query, int64_t head, int64_t row, int64_t count, progress *state) {
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

#if defined(__x86_64__)
#include <immintrin.h>

#define inlined static inline __attribute__((always_inline))
#define unrolled _Pragma("clang loop unroll(full)")
#define for_avx2 __attribute__((target("avx2,fma,f16c")))

for_avx2 inlined __m256 eight(const int is_half, const void *base, int64_t index) {
    return is_half ? _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)base + index)))
                   : _mm256_loadu_ps((const float *)base + index);
}

for_avx2 inlined float total(__m256 x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// e^x of numbers up to 0, to within 2e-7 of itself: x = n ln 2 + r, and the series of e^r to the seventh power.
for_avx2 inlined __m256 exponential(__m256 x) {
    x = _mm256_max_ps(x, _mm256_set1_ps(-87));
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    // ln 2 in two parts, so that n times the first is exact.
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 y = _mm256_set1_ps(1.0f / 5040);
    const float series[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
    unrolled
    for (int index = 0; index < 7; index++) y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(series[index]));
    const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(y, _mm256_castsi256_ps(power));
}

// `parts` eights of a head's values, a constant, mixed into `out`.
for_avx2 inlined void mix_avx2(const int is_half, const int parts, const void *values, int64_t at, int64_t width,
                               const float *shares, int64_t count, float factor, float *out) {
    __m256 sums[4];
    unrolled
    for (int part = 0; part < parts; part++) {
        sums[part] = _mm256_mul_ps(_mm256_loadu_ps(out + part * 8), _mm256_set1_ps(factor));
    }
    for (int64_t j = 0; j < count; j++) {
        const __m256 share = _mm256_set1_ps(shares[j]);
        unrolled
        for (int part = 0; part < parts; part++) {
            sums[part] = _mm256_fmadd_ps(share, eight(is_half, values, at + j * width + part * 8), sums[part]);
        }
    }
    unrolled
    for (int part = 0; part < parts; part++) _mm256_storeu_ps(out + part * 8, sums[part]);
}

for_avx2 inlined void block_avx2(const int is_half, const ck_attention *a, int64_t query, int64_t head, int64_t row,
                                 int64_t count, progress *state) {
    const int64_t size = a->head_width, width = a->heads * size, at = row * width + head * size;
    const float *q = a->qkv + query * 3 * width + head * size;
    const float scale = 1 / sqrtf((float)size);
    float scores[block_rows];
    for (int64_t j = 0; j < count; j++) {
        __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
        int64_t index = 0;
        for (; index + 16 <= size; index += 16) {
            sums[0] = _mm256_fmadd_ps(_mm256_loadu_ps(q + index), eight(is_half, a->keys, at + j * width + index), sums[0]);
            sums[1] = _mm256_fmadd_ps(_mm256_loadu_ps(q + index + 8),
                                      eight(is_half, a->keys, at + j * width + index + 8), sums[1]);
        }
        if (index < size) {
            sums[0] = _mm256_fmadd_ps(_mm256_loadu_ps(q + index), eight(is_half, a->keys, at + j * width + index), sums[0]);
        }
        scores[j] = total(_mm256_add_ps(sums[0], sums[1])) * scale;
    }
    const float factor = take_in(state, scores, count);
    for (int64_t j = count; j < block_rows; j++) scores[j] = -INFINITY;
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < count; j += 8) {
        const __m256 score = _mm256_loadu_ps(scores + j);
        const __m256 share = exponential(_mm256_sub_ps(score, _mm256_set1_ps(state->greatest)));
        const __m256 kept = _mm256_and_ps(share, _mm256_cmp_ps(score, _mm256_set1_ps(-INFINITY), _CMP_NEQ_OQ));
        sum = _mm256_add_ps(sum, kept);
        _mm256_storeu_ps(scores + j, kept);
    }
    state->sum += total(sum);
    float *out = a->out + query * width + head * size;
    int64_t index = 0;
    for (; index + 32 <= size; index += 32) {
        mix_avx2(is_half, 4, a->values, at + index, width, scores, count, factor, out + index);
    }
    for (; index < size; index += 8) {
        mix_avx2(is_half, 1, a->values, at + index, width, scores, count, factor, out + index);
    }
}

for_avx2 static void half_block_avx2(const ck_attention *a, int64_t query, int64_t head, int64_t row, int64_t count,
                                     progress *state) {
    block_avx2(1, a, query, head, row, count, state);
}

for_avx2 static void single_block_avx2(const ck_attention *a, int64_t query, int64_t head, int64_t row, int64_t count,
                                       progress *state) {
    block_avx2(0, a, query, head, row, count, state);
}
#endif

typedef void (*block_function)(const ck_attention *, int64_t, int64_t, int64_t, int64_t, progress *);

static block_function best_block(const ck_attention *a) {
#if defined(__x86_64__)
    if (ck_best_kind() != ck_none && a->head_width % 8 == 0) return a->is_half ? half_block_avx2 : single_block_avx2;
#endif
    (void)a;
    return attend_block;
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
    const block_function block = best_block(a);
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
                for (int64_t head = first; head < last; head++) {
                    block(a, query, head, span[run * 2] + row, count, states + head);
                }
            }
        }
        for (int64_t head = first; head < last; head++) {
            const float inverse = 1 / states[head].sum;
            for (int64_t index = 0; index < size; index++) out[head * size + index] *= inverse;
        }
    }
}
