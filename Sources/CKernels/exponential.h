// The exponential function in vectors of AVX2, and what the loops that use it share.
#pragma once
#include <immintrin.h>

#define inlined static inline __attribute__((always_inline))
// Constant loops whose values must stay in registers.
#define unrolled _Pragma("clang loop unroll(full)")
#define for_avx2 __attribute__((target("avx2,fma,f16c")))

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
