// Vectors of the widest kind that the processor has, for the products in this folder. Included by ggml-cpu.c through them
// (change_source.py).
#pragma once

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512VNNI__) \
    && defined(__F16C__)
#define REPARTEE_VECTORS 1
#define REPARTEE_WIDE 1
#define REPARTEE_VNNI 1
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define REPARTEE_VECTORS 1
#ifdef __AVXVNNI__
#define REPARTEE_VNNI 1
#endif
#endif

#ifdef REPARTEE_VECTORS

#include <immintrin.h>

#define repartee_inlined static inline __attribute__((always_inline))
// Constant loops whose values must stay in registers: left to itself the compiler unrolls some and not others.
#ifdef __clang__
#define repartee_unrolled _Pragma("clang loop unroll(full)")
#else
#define repartee_unrolled _Pragma("GCC unroll 8")
#endif

repartee_inlined __m128i repartee_sixteen(const char *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

#ifdef REPARTEE_WIDE

enum { repartee_lanes = 16 };

typedef __m512i repartee_ints;
typedef __m512 repartee_floats;

#define repartee_op(name) _mm512_##name
#define repartee_bits(name) _mm512_##name##_si512

#else

enum { repartee_lanes = 8 };

typedef __m256i repartee_ints;
typedef __m256 repartee_floats;

#define repartee_op(name) _mm256_##name
#define repartee_bits(name) _mm256_##name##_si256

#endif

#endif
