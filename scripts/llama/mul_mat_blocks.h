// Products of matrices of 8 and 4 bits (Q8_0, Q4_1) with columns that ggml has rounded to 8 bits, for x86 processors with
// AVX2; Q8_0 also needs VNNI.
//
// Included by ggml-cpu.c (change_source.py). ggml multiplies one row and one column at a time, or four and four, and waits
// for memory in between. Here as many rows as a vector has lanes of 32 bits are laid side by side, so that each sum of
// four products has a lane of its own, whatever the number of columns; the next rows are fetched meanwhile. Rounding is
// ggml's; sums of blocks are added in another order.
#pragma once

#include "vectors.h"

#ifdef REPARTEE_VECTORS

enum {
    // Rows that are multiplied together: one in each lane.
    repartee_rows = repartee_lanes,
    // Columns that are multiplied together: as many sums as registers hold beside the rows.
    repartee_columns = repartee_lanes / 2,
    // Blocks of the rows that are laid side by side at a time: what the first-level cache holds beside the columns.
    repartee_blocks = 48,
    // Blocks of all columns that are prepared at a time.
    repartee_column_blocks = 4096,
};

// What is computed once for each block of a column. Rows of 8 bits are laid out with 128 added, since the instruction
// wants one factor without a sign: `shift` takes that away again. `sum` is for what is added to each number of a block of
// 4 bits.
struct repartee_column_block {
    float scale;
    union {
        int32_t shift;
        float sum;
    };
};

repartee_inlined float repartee_half(uint16_t half) { return _cvtsh_ss(half); }

repartee_inlined uint32_t repartee_word(const void *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Four 32-bit words, `stride` bytes apart.
repartee_inlined __m128i repartee_words(const char *first, int64_t stride) {
    return _mm_setr_epi32((int)repartee_word(first), (int)repartee_word(first + stride),
                          (int)repartee_word(first + 2 * stride), (int)repartee_word(first + 3 * stride));
}

#ifdef REPARTEE_WIDE

typedef __mmask16 repartee_mask;

// Sixteen bytes of every fourth row, from the first of these on.
repartee_inlined repartee_ints repartee_fourth_rows(const char *first, int64_t stride) {
    __m512i rows = _mm512_castsi128_si512(repartee_sixteen(first));
    rows = _mm512_inserti32x4(rows, repartee_sixteen(first + 4 * stride), 1);
    rows = _mm512_inserti32x4(rows, repartee_sixteen(first + 8 * stride), 2);
    return _mm512_inserti32x4(rows, repartee_sixteen(first + 12 * stride), 3);
}

// A 32-bit word of each row.
repartee_inlined repartee_ints repartee_row_words(const char *first, int64_t stride) {
    __m512i words = _mm512_castsi128_si512(repartee_words(first, stride));
    words = _mm512_inserti32x4(words, repartee_words(first + 4 * stride, stride), 1);
    words = _mm512_inserti32x4(words, repartee_words(first + 8 * stride, stride), 2);
    return _mm512_inserti32x4(words, repartee_words(first + 12 * stride, stride), 3);
}

// The numbers of 16 bits in the lower halves of the lanes.
repartee_inlined repartee_floats repartee_halves(repartee_ints words) {
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words));
}

// The lanes from the given one on.
repartee_inlined repartee_mask repartee_lanes_from(int64_t lane) { return (__mmask16)(0xffff << lane); }

repartee_inlined void repartee_store(float *result, repartee_mask lanes, repartee_floats values) {
    _mm512_mask_storeu_ps(result, lanes, values);
}

repartee_inlined repartee_ints repartee_add_fours(repartee_ints sums, repartee_ints unsigned_numbers, repartee_ints four) {
    return _mm512_dpbusd_epi32(sums, unsigned_numbers, four);
}

#else

typedef __m256i repartee_mask;

repartee_inlined repartee_ints repartee_fourth_rows(const char *first, int64_t stride) {
    const __m256i rows = _mm256_castsi128_si256(repartee_sixteen(first));
    return _mm256_inserti128_si256(rows, repartee_sixteen(first + 4 * stride), 1);
}

repartee_inlined repartee_ints repartee_row_words(const char *first, int64_t stride) {
    const __m256i words = _mm256_castsi128_si256(repartee_words(first, stride));
    return _mm256_inserti128_si256(words, repartee_words(first + 4 * stride, stride), 1);
}

repartee_inlined repartee_floats repartee_halves(repartee_ints words) {
    const __m256i low = _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

repartee_inlined repartee_mask repartee_lanes_from(int64_t lane) {
    return _mm256_cmpgt_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)lane - 1));
}

repartee_inlined void repartee_store(float *result, repartee_mask lanes, repartee_floats values) {
    _mm256_maskstore_ps(result, lanes, values);
}

#ifdef REPARTEE_VNNI
repartee_inlined repartee_ints repartee_add_fours(repartee_ints sums, repartee_ints unsigned_numbers, repartee_ints four) {
    return _mm256_dpbusd_avx_epi32(sums, unsigned_numbers, four);
}
#else
// Adds in 16 bits: two products of a number below 16 and one of 8 bits, eight times, are less than 2^15.
repartee_inlined repartee_ints repartee_add_fours(repartee_ints sums, repartee_ints unsigned_numbers, repartee_ints four) {
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(unsigned_numbers, four));
}
#endif

#endif

// The sum of a block's products in each lane.
repartee_inlined repartee_floats repartee_sums(repartee_ints sums) {
#ifdef REPARTEE_VNNI
    return repartee_op(cvtepi32_ps)(sums);
#else
    return repartee_op(cvtepi32_ps)(repartee_op(madd_epi16)(sums, repartee_op(set1_epi16)(1)));
#endif
}

// A block of each of the rows, side by side: eight times four numbers, then the scales and what is added to each number.
struct repartee_tile {
    repartee_ints numbers[8];
    repartee_floats scales;
    repartee_floats offsets;
};

// Sixteen bytes of each row: `sorted[i]` gets the i-th four of each.
repartee_inlined void repartee_sort(const char *first, int64_t stride, repartee_ints *sorted) {
    const repartee_ints a = repartee_fourth_rows(first, stride), b = repartee_fourth_rows(first + stride, stride);
    const repartee_ints c = repartee_fourth_rows(first + 2 * stride, stride);
    const repartee_ints d = repartee_fourth_rows(first + 3 * stride, stride);
    const repartee_ints ab_low = repartee_op(unpacklo_epi32)(a, b), ab_high = repartee_op(unpackhi_epi32)(a, b);
    const repartee_ints cd_low = repartee_op(unpacklo_epi32)(c, d), cd_high = repartee_op(unpackhi_epi32)(c, d);
    sorted[0] = repartee_op(unpacklo_epi64)(ab_low, cd_low);
    sorted[1] = repartee_op(unpackhi_epi64)(ab_low, cd_low);
    sorted[2] = repartee_op(unpacklo_epi64)(ab_high, cd_high);
    sorted[3] = repartee_op(unpackhi_epi64)(ab_high, cd_high);
}

// Lays a block of each row side by side. `stride` is the bytes of a row.
repartee_inlined void repartee_lay(bool four_bits, const char *rows, int64_t stride, struct repartee_tile *tile) {
    // The scale is in the lower half of a block's first word.
    const repartee_ints words = repartee_row_words(rows, stride);
    tile->scales = repartee_halves(words);
    if (four_bits) {
        const repartee_ints low = repartee_op(set1_epi8)(15);
        repartee_ints pairs[4];
        repartee_sort(rows + offsetof(block_q4_1, qs), stride, pairs);
        repartee_unrolled
        for (int part = 0; part < 4; part++) {
            tile->numbers[part] = repartee_bits(and)(pairs[part], low);
            tile->numbers[part + 4] = repartee_bits(and)(repartee_op(srli_epi16)(pairs[part], 4), low);
        }
        tile->offsets = repartee_halves(repartee_op(srli_epi32)(words, 16));
    } else {
        const repartee_ints signs = repartee_op(set1_epi8)((char)0x80);
        repartee_sort(rows + offsetof(block_q8_0, qs), stride, tile->numbers);
        repartee_sort(rows + offsetof(block_q8_0, qs) + 16, stride, tile->numbers + 4);
        repartee_unrolled
        for (int part = 0; part < 8; part++) tile->numbers[part] = repartee_bits(xor)(tile->numbers[part], signs);
    }
}

// Fetches a block of each row.
repartee_inlined void repartee_fetch(const char *rows, int64_t stride) {
    repartee_unrolled
    for (int row = 0; row < 8; row++) _mm_prefetch(rows + row * stride, _MM_HINT_T1);
#ifdef REPARTEE_WIDE
    repartee_unrolled
    for (int row = 8; row < 16; row++) _mm_prefetch(rows + row * stride, _MM_HINT_T1);
#endif
}

// Adds the products of one block of each row with one of each column.
repartee_inlined void repartee_add(bool four_bits, const int width, const struct repartee_tile *tile,
                                   const char *columns, int64_t stride, const struct repartee_column_block *prepared,
                                   int64_t blocks, repartee_floats *sums) {
    const size_t numbers = four_bits ? offsetof(block_q8_1, qs) : offsetof(block_q8_0, qs);
    repartee_ints products[repartee_columns];
    repartee_unrolled
    for (int j = 0; j < width; j++) {
        products[j] = four_bits ? repartee_bits(setzero)() : repartee_op(set1_epi32)(prepared[j * blocks].shift);
    }
    repartee_unrolled
    for (int part = 0; part < 8; part++) {
        repartee_unrolled
        for (int j = 0; j < width; j++) {
            const repartee_ints four
                = repartee_op(set1_epi32)((int)repartee_word(columns + j * stride + numbers + part * 4));
            products[j] = repartee_add_fours(products[j], tile->numbers[part], four);
        }
    }
    repartee_unrolled
    for (int j = 0; j < width; j++) {
        const struct repartee_column_block *column = prepared + j * blocks;
        const repartee_floats scale = repartee_op(mul_ps)(tile->scales, repartee_op(set1_ps)(column->scale));
        if (four_bits) sums[j] = repartee_op(fmadd_ps)(tile->offsets, repartee_op(set1_ps)(column->sum), sums[j]);
        sums[j] = repartee_op(fmadd_ps)(repartee_sums(products[j]), scale, sums[j]);
    }
}

// One product: some rows with some columns.
struct repartee_product {
    // The first block of the first row, and bytes from row to row.
    const char *rows;
    int64_t row_stride;
    // Blocks of a row and of a column.
    int64_t blocks;
    // The first block of the first column, and bytes from column to column.
    const char *columns;
    int64_t column_stride;
    const struct repartee_column_block *prepared;
    float *result;
    int64_t result_stride;
    repartee_mask lanes;
    // Bytes from the rows to those that this thread probably multiplies next.
    int64_t ahead;
};

// The blocks from `first` on of rows that lie side by side, times `width` columns from `column` on.
repartee_inlined void repartee_multiply(bool four_bits, const int width, const struct repartee_product *product,
                                        const struct repartee_tile *tiles, int64_t first, int64_t count, int64_t column) {
    const size_t block_size = four_bits ? sizeof(block_q8_1) : sizeof(block_q8_0);
    const char *columns = product->columns + column * product->column_stride + first * block_size;
    const struct repartee_column_block *prepared = product->prepared + column * product->blocks + first;
    float *result = product->result + column * product->result_stride;
    repartee_floats sums[repartee_columns];
    repartee_unrolled
    for (int j = 0; j < width; j++) {
        sums[j] = first > 0 ? repartee_op(loadu_ps)(result + j * product->result_stride) : repartee_op(setzero_ps)();
    }
    for (int64_t block = 0; block < count; block++) {
        repartee_add(four_bits, width, tiles + block, columns + block * block_size, product->column_stride,
                     prepared + block, product->blocks, sums);
    }
    repartee_unrolled
    for (int j = 0; j < width; j++) repartee_store(result + j * product->result_stride, product->lanes, sums[j]);
}

// One column: nothing is kept of the rows.
repartee_inlined void repartee_multiply_one(bool four_bits, const struct repartee_product *product) {
    const size_t row_size = four_bits ? sizeof(block_q4_1) : sizeof(block_q8_0);
    const size_t block_size = four_bits ? sizeof(block_q8_1) : sizeof(block_q8_0);
    repartee_floats sum = repartee_op(setzero_ps)();
    for (int64_t block = 0; block < product->blocks; block++) {
        struct repartee_tile tile;
        repartee_fetch(product->rows + product->ahead + block * row_size, product->row_stride);
        repartee_lay(four_bits, product->rows + block * row_size, product->row_stride, &tile);
        repartee_add(four_bits, 1, &tile, product->columns + block * block_size, 0, product->prepared + block, 0, &sum);
    }
    repartee_store(product->result, product->lanes, sum);
}

// Any number of columns.
repartee_inlined void repartee_multiply_all(bool four_bits, const struct repartee_product *product, int64_t columns) {
    const size_t row_size = four_bits ? sizeof(block_q4_1) : sizeof(block_q8_0);
    struct repartee_tile tiles[repartee_blocks];
    for (int64_t first = 0; first < product->blocks; first += repartee_blocks) {
        const int64_t count = product->blocks - first < repartee_blocks ? product->blocks - first : repartee_blocks;
        for (int64_t block = 0; block < count; block++) {
            const char *rows = product->rows + (first + block) * row_size;
            repartee_fetch(rows + product->ahead, product->row_stride);
            repartee_lay(four_bits, rows, product->row_stride, tiles + block);
        }
        for (int64_t column = 0; column < columns;) {
            // Passes of nearly the same width.
            const int64_t rest = columns - column, passes = (rest + repartee_columns - 1) / repartee_columns;
            const int64_t width = (rest + passes - 1) / passes;
#define repartee_case(number)                                                                                          \
    case number: repartee_multiply(four_bits, number, product, tiles, first, count, column); break
            switch (width) {
                repartee_case(1);
                repartee_case(2);
                repartee_case(3);
                repartee_case(4);
#ifdef REPARTEE_WIDE
                repartee_case(5);
                repartee_case(6);
                repartee_case(7);
                repartee_case(8);
#endif
            }
#undef repartee_case
            column += width;
        }
    }
}

static void repartee_multiply_q8_0(const struct repartee_product *product, int64_t columns) {
    if (columns == 1) repartee_multiply_one(false, product); else repartee_multiply_all(false, product, columns);
}

static void repartee_multiply_q4_1(const struct repartee_product *product, int64_t columns) {
    if (columns == 1) repartee_multiply_one(true, product); else repartee_multiply_all(true, product, columns);
}

// Prepares the blocks of columns.
static void repartee_prepare_q8_0(int64_t blocks, const block_q8_0 *columns, struct repartee_column_block *prepared) {
    for (int64_t block = 0; block < blocks; block++) {
        int32_t sum = 0;
        for (int number = 0; number < QK8_0; number++) sum += columns[block].qs[number];
        prepared[block].scale = repartee_half(columns[block].d);
        prepared[block].shift = -128 * sum;
    }
}

static void repartee_prepare_q8_1(int64_t blocks, const block_q8_1 *columns, struct repartee_column_block *prepared) {
    for (int64_t block = 0; block < blocks; block++) {
        const uint32_t both = repartee_word(columns + block);
        prepared[block].scale = repartee_half((uint16_t)both);
        prepared[block].sum = repartee_half((uint16_t)(both >> 16));
    }
}

// Computes `dst` if it is such a product, together with the other threads; false if it is another one, for ggml to
// compute. The columns are rounded already, and the threads have waited for each other since.
static bool repartee_mul_mat_blocks(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    const struct ggml_tensor *matrix = dst->src[0];
    const bool four_bits = matrix->type == GGML_TYPE_Q4_1;
#ifdef REPARTEE_VNNI
    const bool known = four_bits || matrix->type == GGML_TYPE_Q8_0;
#else
    const bool known = four_bits;
#endif
    const int64_t blocks = matrix->ne[0] / QK8_0;
    const int64_t height = matrix->ne[1], width = dst->ne[1];
    if (!known || dst->src[1]->type != GGML_TYPE_F32 || blocks == 0 || blocks > repartee_column_blocks
        || height < repartee_rows || ggml_nrows(matrix) != height || ggml_nrows(dst) != width) {
        return false;
    }
    const int64_t block_size = four_bits ? sizeof(block_q8_1) : sizeof(block_q8_0);
    const int64_t tiles = (height + repartee_rows - 1) / repartee_rows;
    const int64_t most = repartee_column_blocks / blocks;
    const int64_t groups = (width + most - 1) / most, group = (width + groups - 1) / groups;

    struct repartee_column_block prepared[repartee_column_blocks];
    struct repartee_product product = {
        .row_stride = (int64_t)matrix->nb[1],
        .blocks = blocks,
        .column_stride = blocks * block_size,
        .prepared = prepared,
        .result_stride = (int64_t)(dst->nb[1] / sizeof(float)),
        .ahead = (int64_t)(params->nth * repartee_rows * matrix->nb[1]),
    };
    int64_t prepared_group = -1;
    int64_t chunk = params->ith;
    while (chunk < tiles * groups) {
        const int64_t first_column = chunk / tiles * group;
        const int64_t columns = width - first_column < group ? width - first_column : group;
        product.columns = (const char *)params->wdata + first_column * product.column_stride;
        if (prepared_group != first_column) {
            if (four_bits) {
                repartee_prepare_q8_1(columns * blocks, (const block_q8_1 *)product.columns, prepared);
            } else {
                repartee_prepare_q8_0(columns * blocks, (const block_q8_0 *)product.columns, prepared);
            }
            prepared_group = first_column;
        }
        // The last rows may be fewer: they are multiplied with some of those before, which are not stored again.
        const int64_t wanted_row = chunk % tiles * repartee_rows;
        const int64_t first_row = wanted_row < height - repartee_rows ? wanted_row : height - repartee_rows;
        product.rows = (const char *)matrix->data + first_row * product.row_stride;
        product.result = (float *)dst->data + first_column * product.result_stride + first_row;
        product.lanes = repartee_lanes_from(wanted_row - first_row);
        if (four_bits) {
            repartee_multiply_q4_1(&product, columns);
        } else {
            repartee_multiply_q8_0(&product, columns);
        }
        chunk = atomic_fetch_add_explicit(&params->threadpool->current_chunk, 1, memory_order_relaxed);
    }
    return true;
}

#else

static bool repartee_mul_mat_blocks(const struct ggml_compute_params *params, struct ggml_tensor *dst) {
    (void)params, (void)dst;
    return false;
}

#endif
