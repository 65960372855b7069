// SPDX-License-Identifier: Apache-2.0
#include "estab/base/checksum.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace estab::ones_complement {
namespace {

template <class Word>
std::uint64_t word_at(const std::byte*& at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  at += sizeof word;
  return word;
}

std::uint64_t sum_of(const std::byte* at, std::size_t left) {
  std::uint64_t sum = 0;
  for (; left >= 8; left -= 8) sum = add(sum, word_at<std::uint64_t>(at));
  if (left & 4) sum = add(sum, word_at<std::uint32_t>(at));
  if (left & 2) sum = add(sum, word_at<std::uint16_t>(at));
  if (left & 1) {
    constexpr bool little = std::endian::native == std::endian::little;
    sum = add(sum, word_at<std::uint8_t>(at) << (little ? 0 : 8));
  }
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::uint64_t avx2(Bytes data) {
  const std::byte* at = data.data();
  std::size_t left = data.size();
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  __m256i even = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
  for (; left >= 64; at += 64, left -= 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 32));
    even = _mm256_add_epi64(even, _mm256_and_si256(a, low));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(a, 32));
    even = _mm256_add_epi64(even, _mm256_and_si256(b, low));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(b, 32));
  }
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi64(even, odd));
  std::uint64_t sum = sum_of(at, left);
  for (const auto lane : lanes) sum = add(sum, lane);
  return sum;
}
#endif

using Sum = std::uint64_t (*)(Bytes);
Sum best() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return avx2;
#endif
  return portable;
}

}  // namespace

std::uint64_t portable(Bytes data) { return sum_of(data.data(), data.size()); }

std::uint64_t of(Bytes data) {
  if (data.size() < 128) return portable(data);  // Headers: starting the vectors costs more.
  static const Sum chosen = best();
  return chosen(data);
}

}  // namespace estab::ones_complement
