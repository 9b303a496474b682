// Products of 8-bit matrices, packed for it, with columns that are rounded to 8 bits; CKernels.h says how they are laid out.
// scripts/llama/mul_mat_blocks.h multiplies the same way inside ggml, where matrices stay as the file has them.
#include "CKernels.h"

#include <math.h>
#include <string.h>

enum { group_bytes = ck_group * ck_block, scale_bytes = ck_group * 2, tile_bytes = group_bytes + scale_bytes };

// What follows the numbers of a column, per block.
typedef struct {
    float scale;
    int32_t shift;
} column_block;

int64_t ck_column_bytes(int64_t k) { return k + k / ck_block * (int64_t)sizeof(column_block); }

void ck_pack(int64_t k, int64_t n, const void *q8_0, void *packed) {
    const int64_t blocks = k / ck_block;
    const uint8_t *source = q8_0;
    uint8_t *tile = packed;
    for (int64_t group = 0; group < n / ck_group; group++) {
        for (int64_t block = 0; block < blocks; block++, tile += tile_bytes) {
            for (int row = 0; row < ck_group; row++) {
                const uint8_t *from = source + ((group * ck_group + row) * blocks + block) * (2 + ck_block);
                memcpy(tile + group_bytes + row * 2, from, 2);
                for (int index = 0; index < ck_block; index++) {
                    tile[(index / 4 * ck_group + row) * 4 + index % 4] = from[2 + index] ^ 0x80;
                }
            }
        }
    }
}

static inline __attribute__((always_inline)) void pack_column(int64_t k, const float *x, void *column) {
    int8_t *numbers = column;
    column_block *tail = (column_block *)(numbers + k);
    for (int64_t block = 0; block < k / ck_block; block++) {
        const float *values = x + block * ck_block;
        float greatest = 0;
        for (int index = 0; index < ck_block; index++) {
            const float magnitude = fabsf(values[index]);
            greatest = magnitude > greatest ? magnitude : greatest;
        }
        const float scale = greatest / 127;
        const float inverse = scale > 0 ? 1 / scale : 0;
        int32_t sum = 0;
        for (int index = 0; index < ck_block; index++) {
            // Halves go away from zero, which vectorises; at most 127 because the greatest magnitude is.
            const float scaled = values[index] * inverse;
            const int32_t number = (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
            numbers[block * ck_block + index] = (int8_t)number;
            sum += number;
        }
        tail[block] = (column_block){.scale = scale, .shift = -128 * sum};
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define inlined static inline __attribute__((always_inline))
// Constant loops whose values must stay in registers: left to itself the compiler unrolls some and not others.
#define unrolled _Pragma("clang loop unroll(full)")
#define for_avx512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c,fma,avx2")))
#define for_avx2 __attribute__((target("avx2,fma,f16c")))

int ck_best_kind(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni")) {
        return ck_avx512vnni;
    }
    // Every processor with AVX2 and FMA converts half precision too.
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? ck_avx2 : ck_none;
}

// What pack_column gives, sixteen numbers at a time.
for_avx512 static void pack_column_avx512(int64_t k, const float *x, void *column) {
    int8_t *numbers = column;
    column_block *tail = (column_block *)(numbers + k);
    const __m512 half = _mm512_set1_ps(0.5f);
    const __m512i sign = _mm512_set1_epi32((int)0x80000000);
    for (int64_t block = 0; block < k / ck_block; block++) {
        const __m512 low = _mm512_loadu_ps(x + block * ck_block), high = _mm512_loadu_ps(x + block * ck_block + 16);
        const float greatest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high)));
        const float scale = greatest / 127;
        const __m512 inverse = _mm512_set1_ps(scale > 0 ? 1 / scale : 0);
        __m512i sum = _mm512_setzero_si512();
        unrolled
        for (int part = 0; part < 2; part++) {
            const __m512 scaled = _mm512_mul_ps(part ? high : low, inverse);
            // A half with the number's sign: (scaled & sign) | half.
            const __m512i halves
                = _mm512_ternarylogic_epi32(_mm512_castps_si512(scaled), sign, _mm512_castps_si512(half), 0xea);
            const __m512i rounded = _mm512_cvttps_epi32(_mm512_add_ps(scaled, _mm512_castsi512_ps(halves)));
            _mm_storeu_si128((__m128i *)(numbers + block * ck_block + part * 16), _mm512_cvtepi32_epi8(rounded));
            sum = _mm512_add_epi32(sum, rounded);
        }
        tail[block] = (column_block){.scale = scale, .shift = -128 * _mm512_reduce_add_epi32(sum)};
    }
}

// The compiler's own vectors, twice as wide as without.
for_avx2 static void pack_column_avx2(int64_t k, const float *x, void *column) { pack_column(k, x, column); }

void ck_pack_column(int kind, int64_t k, const float *x, void *column) {
    switch (kind) {
    case ck_avx512vnni: pack_column_avx512(k, x, column); break;
    case ck_avx2: pack_column_avx2(k, x, column); break;
    default: pack_column(k, x, column);
    }
}

inlined int32_t four(const int8_t *numbers) {
    int32_t value;
    memcpy(&value, numbers, sizeof value);
    return value;
}

// Adds one block's products of sixteen rows and `count` columns, a constant, to `sums`: sums of four products go to the
// row's lane and are then scaled. With few columns each has two sums, so that additions need not wait for each other.
for_avx512 inlined void block_avx512(const int count, int64_t k, int64_t block, const uint8_t *tile, const uint8_t *x,
                                     int64_t stride, __m512 *sums) {
    const int ways = count <= 4 ? 2 : 1;
    __m512i products[6][2];
    unrolled
    for (int j = 0; j < count; j++) {
        const column_block *tail = (const column_block *)(x + j * stride + k) + block;
        products[j][0] = _mm512_set1_epi32(tail->shift);
        products[j][1] = _mm512_setzero_si512();
    }
    unrolled
    for (int part = 0; part < 8; part++) {
        const __m512i weights = _mm512_loadu_si512(tile + part * 64);
        unrolled
        for (int j = 0; j < count; j++) {
            const int8_t *numbers = (const int8_t *)(x + j * stride) + block * ck_block + part * 4;
            const int way = part % ways;
            products[j][way] = _mm512_dpbusd_epi32(products[j][way], weights, _mm512_set1_epi32(four(numbers)));
        }
    }
    const __m512 scales = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(tile + group_bytes)));
    unrolled
    for (int j = 0; j < count; j++) {
        const column_block *tail = (const column_block *)(x + j * stride + k) + block;
        const __m512i all = ways == 2 ? _mm512_add_epi32(products[j][0], products[j][1]) : products[j][0];
        const __m512 scale = _mm512_mul_ps(scales, _mm512_set1_ps(tail->scale));
        sums[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(all), scale, sums[j]);
    }
}

// Sixteen rows times `count` columns, a constant of at most six: as many sums as registers hold.
for_avx512 inlined void rows_avx512(const int count, int64_t k, int64_t n, const uint8_t *tiles, const uint8_t *x,
                                    int64_t stride, int adds, float *y) {
    __m512 sums[6];
    unrolled
    for (int j = 0; j < count; j++) sums[j] = _mm512_setzero_ps();
    for (int64_t block = 0; block < k / ck_block; block++) {
        block_avx512(count, k, block, tiles + block * tile_bytes, x, stride, sums);
    }
    unrolled
    for (int j = 0; j < count; j++) {
        if (adds) sums[j] = _mm512_add_ps(sums[j], _mm512_loadu_ps(y + j * n));
        _mm512_storeu_ps(y + j * n, sums[j]);
    }
}

// The same in vectors of half the width, with 16-bit products: four rows at a time, two sums for each until a block ends.
for_avx2 inlined void rows_avx2(const int count, int64_t k, int64_t n, const uint8_t *tiles, const uint8_t *x,
                                int64_t stride, int adds, float *y) {
    __m256 sums[4][2];
    unrolled
    for (int j = 0; j < count; j++) sums[j][0] = sums[j][1] = _mm256_setzero_ps();
    for (int64_t block = 0; block < k / ck_block; block++) {
        const uint8_t *tile = tiles + block * tile_bytes;
        unrolled
        for (int half = 0; half < 2; half++) {
            const __m256 scales
                = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(tile + group_bytes + half * ck_group)));
            __m256i pairs[4][2];
            unrolled
            for (int j = 0; j < count; j++) pairs[j][0] = pairs[j][1] = _mm256_setzero_si256();
            unrolled
            for (int part = 0; part < 8; part++) {
                const uint8_t *at = tile + part * 64 + half * 32;
                const __m256i low = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)at));
                const __m256i high = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(at + 16)));
                unrolled
                for (int j = 0; j < count; j++) {
                    const int8_t *numbers = (const int8_t *)(x + j * stride) + block * ck_block + part * 4;
                    const __m256i four_times
                        = _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(four(numbers))));
                    pairs[j][0] = _mm256_add_epi32(pairs[j][0], _mm256_madd_epi16(low, four_times));
                    pairs[j][1] = _mm256_add_epi32(pairs[j][1], _mm256_madd_epi16(high, four_times));
                }
            }
            unrolled
            for (int j = 0; j < count; j++) {
                const column_block *tail = (const column_block *)(x + j * stride + k) + block;
                // Rows 0, 1, 4, 5 | 2, 3, 6, 7 become 0 … 7.
                const __m256i mixed = _mm256_hadd_epi32(pairs[j][0], pairs[j][1]);
                const __m256i ordered = _mm256_permute4x64_epi64(mixed, 0xd8);
                const __m256 sum = _mm256_cvtepi32_ps(_mm256_add_epi32(ordered, _mm256_set1_epi32(tail->shift)));
                sums[j][half]
                    = _mm256_fmadd_ps(sum, _mm256_mul_ps(scales, _mm256_set1_ps(tail->scale)), sums[j][half]);
            }
        }
    }
    unrolled
    for (int j = 0; j < count; j++) {
        for (int half = 0; half < 2; half++) {
            float *to = y + j * n + half * 8;
            if (adds) sums[j][half] = _mm256_add_ps(sums[j][half], _mm256_loadu_ps(to));
            _mm256_storeu_ps(to, sums[j][half]);
        }
    }
}

// Columns of the next pass over a group of rows, of `left`: equal passes of at most `most`.
static int64_t width(int64_t left, int64_t most) {
    const int64_t passes = (left + most - 1) / most;
    return (left + passes - 1) / passes;
}

// More than six columns at once do not fit the registers; the rows are in the cache for the next ones.
for_avx512 static void multiply_avx512(int64_t k, int64_t n, int64_t columns, int64_t first, int64_t last,
                                       const uint8_t *packed, const uint8_t *x, int adds, float *y) {
    const int64_t stride = ck_column_bytes(k);
    for (int64_t group = first; group < last; group++) {
        const uint8_t *tiles = packed + group * (k / ck_block) * tile_bytes;
        for (int64_t j = 0, count; j < columns; j += count) {
            const uint8_t *from = x + j * stride;
            float *to = y + j * n + group * ck_group;
            count = width(columns - j, 6);
            switch (count) {
            case 1: rows_avx512(1, k, n, tiles, from, stride, adds, to); break;
            case 2: rows_avx512(2, k, n, tiles, from, stride, adds, to); break;
            case 3: rows_avx512(3, k, n, tiles, from, stride, adds, to); break;
            case 4: rows_avx512(4, k, n, tiles, from, stride, adds, to); break;
            case 5: rows_avx512(5, k, n, tiles, from, stride, adds, to); break;
            default: rows_avx512(6, k, n, tiles, from, stride, adds, to); break;
            }
        }
    }
}

for_avx2 static void multiply_avx2(int64_t k, int64_t n, int64_t columns, int64_t first, int64_t last,
                                   const uint8_t *packed, const uint8_t *x, int adds, float *y) {
    const int64_t stride = ck_column_bytes(k);
    for (int64_t group = first; group < last; group++) {
        const uint8_t *tiles = packed + group * (k / ck_block) * tile_bytes;
        for (int64_t j = 0, count; j < columns; j += count) {
            const uint8_t *from = x + j * stride;
            float *to = y + j * n + group * ck_group;
            count = width(columns - j, 4);
            switch (count) {
            case 1: rows_avx2(1, k, n, tiles, from, stride, adds, to); break;
            case 2: rows_avx2(2, k, n, tiles, from, stride, adds, to); break;
            case 3: rows_avx2(3, k, n, tiles, from, stride, adds, to); break;
            default: rows_avx2(4, k, n, tiles, from, stride, adds, to); break;
            }
        }
    }
}

void ck_multiply(int kind, int64_t k, int64_t n, int64_t columns, int64_t first, int64_t last, const void *packed,
                 const void *x, int adds, float *y) {
    if (kind == ck_avx512vnni) multiply_avx512(k, n, columns, first, last, packed, x, adds, y);
    if (kind == ck_avx2) multiply_avx2(k, n, columns, first, last, packed, x, adds, y);
}

#else

int ck_best_kind(void) { return ck_none; }

void ck_pack_column(int kind, int64_t k, const float *x, void *column) {
    (void)kind;
    pack_column(k, x, column);
}

void ck_multiply(int kind, int64_t k, int64_t n, int64_t columns, int64_t first, int64_t last, const void *packed,
                 const void *x, int adds, float *y) {
    (void)kind, (void)k, (void)n, (void)columns, (void)first, (void)last, (void)packed, (void)x, (void)adds, (void)y;
}

#endif
