// SPDX-License-Identifier: Apache-2.0
#include "estab/base/checksum.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace estab {
namespace {

constexpr std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(sum);
}

// The sum is the same in either byte order but for a swap of its octets (RFC 1071 §2B).
std::uint64_t from_native(std::uint64_t sum) {
  const std::uint16_t folded = fold(sum);
  return std::endian::native == std::endian::little ? std::byteswap(folded) : folded;
}

template <class Word>
std::uint64_t word_at(const std::byte*& at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  at += sizeof word;
  return word;
}

// In the machine's byte order: words of any width may be added, if the carry is brought round.
std::uint64_t native_sum(const std::byte* at, std::size_t left) {
  std::uint64_t sum = 0;
  for (; left >= 8; left -= 8) {
    const auto word = word_at<std::uint64_t>(at);
    sum += word;
    sum += sum < word;
  }
  std::uint64_t rest = 0;
  if (left & 4) rest += word_at<std::uint32_t>(at);
  if (left & 2) rest += word_at<std::uint16_t>(at);
  if (left & 1) {
    constexpr bool little = std::endian::native == std::endian::little;
    rest += word_at<std::uint8_t>(at) << (little ? 0 : 8);
  }
  return (sum & 0xffff'ffff) + (sum >> 32) + rest;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::uint64_t avx2_sum(Bytes data) {
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
  std::uint64_t sum = native_sum(at, left);
  for (const auto lane : lanes) sum += fold(lane);
  return from_native(sum);
}
#endif

using SumFunction = std::uint64_t (*)(Bytes);
SumFunction best_sum() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return avx2_sum;
#endif
  return scalar_sum;
}

}  // namespace

std::uint64_t scalar_sum(Bytes data) { return from_native(native_sum(data.data(), data.size())); }

std::uint64_t ones_complement_sum(Bytes data) {
  if (data.size() < 128) return scalar_sum(data);  // Headers: starting the vectors costs more.
  static const SumFunction chosen = best_sum();
  return chosen(data);
}

Checksum& Checksum::add(Bytes part) {
  if (part.empty()) return *this;
  add_word(std::uint16_t(ones_complement_sum(part)));
  odd_ ^= part.size() & 1;
  return *this;
}

std::uint16_t Checksum::sum() const { return fold(sum_); }

}  // namespace estab
