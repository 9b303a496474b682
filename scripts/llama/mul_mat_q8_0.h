// Products of 8-bit matrices (Q8_0) with columns that ggml has rounded to 8 bits, for processors with AVX-512 VNNI.
//
// Included by ggml-cpu.c (change_source.py). ggml multiplies one row and one column at a time, or four and four, in
// vectors of half the width, and waits for memory in between. Here sixteen rows are laid side by side, so that each sum
// of four products has a lane of its own, whatever the number of columns; the next rows are fetched meanwhile. Rounding
// is ggml's; sums of blocks are added in another order.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512VNNI__) \
    && defined(__F16C__)

#include <immintrin.h>

enum {
    // Rows that are multiplied together: the 32-bit lanes of a vector.
    repartee_rows = 16,
    // Columns that are multiplied together: as many sums as registers hold beside the rows.
    repartee_columns = 8,
    // Blocks of the rows that are laid side by side at a time: what the first-level cache holds beside the columns.
    repartee_blocks = 48,
    // Blocks of all columns that are prepared at a time.
    repartee_column_blocks = 4096,
};

#define repartee_inlined static inline __attribute__((always_inline))
// Constant loops whose values must stay in registers: left to itself the compiler unrolls some and not others.
#ifdef __clang__
#define repartee_unrolled _Pragma("clang loop unroll(full)")
#else
#define repartee_unrolled _Pragma("GCC unroll 8")
#endif

// What is computed once for each block of a column. Rows are laid out with 128 added, since the instruction wants one
// factor without a sign: `shift` takes that away again.
struct repartee_column_block {
    float scale;
    int32_t shift;
};

// Sixteen rows, side by side: of each block eight times four numbers of each row, then the scales.
struct repartee_tile {
    __m512i numbers[repartee_blocks][8];
    __m512 scales[repartee_blocks];
};

repartee_inlined float repartee_half(uint16_t half) { return _cvtsh_ss(half); }

repartee_inlined __m256i repartee_numbers(const block_q8_0 *block) {
    return _mm256_loadu_si256((const __m256i *)block->qs);
}

// Prepares the blocks of one column.
static void repartee_prepare(int64_t blocks, const block_q8_0 *column, struct repartee_column_block *prepared) {
    for (int64_t block = 0; block < blocks; block++) {
        // Four numbers are added in each lane, then the eight lanes.
        const __m256i fours
            = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), repartee_numbers(column + block));
        __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
        sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
        sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
        prepared[block].scale = repartee_half(column[block].d);
        prepared[block].shift = -128 * _mm_cvtsi128_si32(sum);
    }
}

// Two rows in one vector, with 128 added to each number.
repartee_inlined __m512i repartee_pair(const block_q8_0 *low, const block_q8_0 *high) {
    const __m512i pair = _mm512_inserti64x4(_mm512_castsi256_si512(repartee_numbers(low)), repartee_numbers(high), 1);
    return _mm512_xor_si512(pair, _mm512_set1_epi8((char)0x80));
}

// Four times four numbers of eight rows, `stride` blocks apart, of which the pairs are 0 and 4, 1 and 5, 2 and 6, 3 and
// 7: a transposition in each quarter of the vectors. `sorted[i]` holds the i-th four of the rows 0 to 3, then those four
// places on, then those of the rows 4 to 7.
repartee_inlined void repartee_sort(const block_q8_0 *first, int64_t stride, __m512i *sorted) {
    const block_q8_0 *fifth = first + 4 * stride;
    const __m512i a = repartee_pair(first, fifth), b = repartee_pair(first + stride, fifth + stride);
    const __m512i c = repartee_pair(first + 2 * stride, fifth + 2 * stride);
    const __m512i d = repartee_pair(first + 3 * stride, fifth + 3 * stride);
    const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
    const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
    sorted[0] = _mm512_unpacklo_epi64(ab_low, cd_low);
    sorted[1] = _mm512_unpackhi_epi64(ab_low, cd_low);
    sorted[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
    sorted[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
}

// Lays `count` blocks of sixteen rows side by side, and fetches what lies `ahead` blocks behind them.
static void repartee_lay(int64_t count, const block_q8_0 *rows, int64_t stride, int64_t ahead,
                         struct repartee_tile *tile) {
    for (int64_t block = 0; block < count; block++) {
        const block_q8_0 *first = rows + block;
        uint16_t halves[repartee_rows];
        repartee_unrolled
        for (int quarter = 0; quarter < 4; quarter++) {
            const block_q8_0 *four = first + 4 * quarter * stride;
            halves[quarter * 4] = four->d;
            halves[quarter * 4 + 1] = four[stride].d;
            halves[quarter * 4 + 2] = four[2 * stride].d;
            halves[quarter * 4 + 3] = four[3 * stride].d;
            const block_q8_0 *next = four + ahead;
            _mm_prefetch((const char *)next, _MM_HINT_T1);
            _mm_prefetch((const char *)(next + stride), _MM_HINT_T1);
            _mm_prefetch((const char *)(next + 2 * stride), _MM_HINT_T1);
            _mm_prefetch((const char *)(next + 3 * stride), _MM_HINT_T1);
        }
        tile->scales[block] = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)halves));
        __m512i low[4], high[4];
        repartee_sort(first, stride, low);
        repartee_sort(first + 8 * stride, stride, high);
        repartee_unrolled
        for (int part = 0; part < 4; part++) {
            tile->numbers[block][part] = _mm512_shuffle_i32x4(low[part], high[part], 0x88);
            tile->numbers[block][part + 4] = _mm512_shuffle_i32x4(low[part], high[part], 0xdd);
        }
    }
}

repartee_inlined __m512i repartee_four(const int8_t *numbers) {
    int32_t four;
    memcpy(&four, numbers, sizeof four);
    return _mm512_set1_epi32(four);
}

// Sixteen rows times `width` columns, a constant.
repartee_inlined void repartee_multiply(const int width, int64_t count, const struct repartee_tile *tile,
                                        const block_q8_0 *columns, int64_t stride,
                                        const struct repartee_column_block *prepared, int64_t blocks, bool adds,
                                        float *result, int64_t result_stride, __mmask16 rows) {
    __m512 sums[repartee_columns];
    repartee_unrolled
    for (int j = 0; j < width; j++) {
        sums[j] = adds ? _mm512_maskz_loadu_ps(rows, result + j * result_stride) : _mm512_setzero_ps();
    }
    for (int64_t block = 0; block < count; block++) {
        __m512i products[repartee_columns];
        repartee_unrolled
        for (int j = 0; j < width; j++) products[j] = _mm512_set1_epi32(prepared[j * blocks + block].shift);
        repartee_unrolled
        for (int part = 0; part < 8; part++) {
            const __m512i numbers = tile->numbers[block][part];
            repartee_unrolled
            for (int j = 0; j < width; j++) {
                const int8_t *column = (columns + j * stride + block)->qs;
                products[j] = _mm512_dpbusd_epi32(products[j], numbers, repartee_four(column + part * 4));
            }
        }
        repartee_unrolled
        for (int j = 0; j < width; j++) {
            const __m512 scale = _mm512_mul_ps(tile->scales[block], _mm512_set1_ps(prepared[j * blocks + block].scale));
            sums[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[j]), scale, sums[j]);
        }
    }
    repartee_unrolled
    for (int j = 0; j < width; j++) _mm512_mask_storeu_ps(result + j * result_stride, rows, sums[j]);
}

// Sixteen rows times any number of columns.
static void repartee_multiply_all(int64_t width, int64_t count, const struct repartee_tile *tile,
                                  const block_q8_0 *columns, int64_t stride,
                                  const struct repartee_column_block *prepared, int64_t blocks, bool adds,
                                  float *result, int64_t result_stride, __mmask16 rows) {
    while (width > 0) {
        // Passes of nearly the same width.
        const int64_t passes = (width + repartee_columns - 1) / repartee_columns;
        const int64_t now = (width + passes - 1) / passes;
#define repartee_case(number)                                                                                          \
    case number:                                                                                                       \
        repartee_multiply(number, count, tile, columns, stride, prepared, blocks, adds, result, result_stride, rows);  \
        break
        switch (now) {
            repartee_case(1);
            repartee_case(2);
            repartee_case(3);
            repartee_case(4);
            repartee_case(5);
            repartee_case(6);
            repartee_case(7);
            repartee_case(8);
        }
#undef repartee_case
        width -= now;
        columns += now * stride;
        prepared += now * blocks;
        result += now * result_stride;
    }
}

// Computes `dst` if it is such a product, together with the other threads; false if it is another one, for ggml to
// compute. The columns are rounded already, and the threads have waited for each other since.
static bool repartee_mul_mat_q8_0(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    const struct ggml_tensor *matrix = dst->src[0];
    const int64_t blocks = matrix->ne[0] / QK8_0;
    const int64_t height = matrix->ne[1], width = dst->ne[1];
    if (matrix->type != GGML_TYPE_Q8_0 || dst->src[1]->type != GGML_TYPE_F32 || blocks > repartee_column_blocks
        || height < repartee_rows || ggml_nrows(matrix) != height || ggml_nrows(dst) != width
        || matrix->nb[1] % sizeof(block_q8_0) != 0) {
        return false;
    }
    const int64_t stride = matrix->nb[1] / sizeof(block_q8_0), result_stride = dst->nb[1] / sizeof(float);
    const int64_t tiles = (height + repartee_rows - 1) / repartee_rows;
    const int64_t most = repartee_column_blocks / blocks;
    const int64_t groups = (width + most - 1) / most, group = (width + groups - 1) / groups;
    // The rows that this thread probably multiplies next.
    const int64_t ahead = params->nth * repartee_rows * stride;

    struct repartee_column_block prepared[repartee_column_blocks];
    struct repartee_tile tile;
    int64_t prepared_group = -1;
    int64_t chunk = params->ith;
    while (chunk < tiles * groups) {
        const int64_t first_column = chunk / tiles * group;
        const block_q8_0 *columns = (const block_q8_0 *)params->wdata + first_column * blocks;
        const int64_t count = width - first_column < group ? width - first_column : group;
        if (prepared_group != first_column) {
            for (int64_t j = 0; j < count; j++) repartee_prepare(blocks, columns + j * blocks, prepared + j * blocks);
            prepared_group = first_column;
        }
        // The last rows may be fewer: they are multiplied with some of those before, which are not stored again.
        const int64_t wanted_row = chunk % tiles * repartee_rows;
        const int64_t first_row = wanted_row < height - repartee_rows ? wanted_row : height - repartee_rows;
        const __mmask16 mask = (__mmask16)(0xffff << (wanted_row - first_row));
        float *result = (float *)dst->data + first_column * result_stride + first_row;
        for (int64_t block = 0; block < blocks; block += repartee_blocks) {
            const int64_t now = blocks - block < repartee_blocks ? blocks - block : repartee_blocks;
            repartee_lay(now, (const block_q8_0 *)matrix->data + first_row * stride + block, stride, ahead, &tile);
            repartee_multiply_all(count, now, &tile, columns + block, blocks, prepared + block, blocks, block > 0,
                                  result, result_stride, mask);
        }
        chunk = atomic_fetch_add_explicit(&params->threadpool->current_chunk, 1, memory_order_relaxed);
    }
    return true;
}

#undef repartee_inlined
#undef repartee_unrolled

#else

static bool repartee_mul_mat_q8_0(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    (void)params, (void)dst;
    return false;
}

#endif
