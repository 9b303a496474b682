// The Gaussian error linear unit by its tanh approximation.
#include "CKernels.h"

#include <math.h>

static float gelu(float x) {
    const float u = 0.79788456f * x * (1 + 0.044715f * x * x);
    return x / (1 + expf(-2 * u));
}

#if defined(__x86_64__)
#include "exponential.h"

for_avx2 static int64_t gelu_avx2(int64_t count, float *x) {
    const __m256 one = _mm256_set1_ps(1), zero = _mm256_setzero_ps(), sign = _mm256_set1_ps(-0.0f);
    int64_t index = 0;
    for (; index + 8 <= count; index += 8) {
        const __m256 value = _mm256_loadu_ps(x + index);
        const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(value, value), _mm256_set1_ps(0.044715f), one);
        const __m256 u = _mm256_mul_ps(_mm256_mul_ps(value, _mm256_set1_ps(2 * 0.79788456f)), cubic);
        // e^-|2u|, so that nothing overflows; 1 / (1 + e^(-2u)) is e^(2u) / (1 + e^(2u)) where u is negative.
        const __m256 small = exponential(_mm256_or_ps(u, sign));
        const __m256 upper = _mm256_blendv_ps(one, small, _mm256_cmp_ps(u, zero, _CMP_LT_OQ));
        _mm256_storeu_ps(x + index, _mm256_div_ps(_mm256_mul_ps(value, upper), _mm256_add_ps(one, small)));
    }
    return index;
}
#endif

void ck_gelu(int64_t count, float *x) {
    int64_t index = 0;
#if defined(__x86_64__)
    if (ck_best_kind() != ck_none) index = gelu_avx2(count, x);
#endif
    for (; index < count; index++) x[index] = gelu(x[index]);
}
