// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>

namespace estab {

// xoshiro256** seeded by splitmix64: fast and repeatable, for simulation and jitter.
// Never for what a peer must not guess: that is a keyed hash under a key from the caller.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit constexpr Random(std::uint64_t seed = 1) {
    for (auto& word : state_) word = split(seed);
  }
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }

  constexpr result_type operator()() {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound); bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;  // GCC and Clang have it, ISO C++ has not.
    return std::uint64_t(Wide{(*this)()} * bound >> 64);
  }
  // Uniform in [0, 1).
  constexpr double unit() { return double((*this)() >> 11) * 0x1.0p-53; }
  constexpr bool chance(double probability) { return probability > 0 && unit() < probability; }

 private:
  static constexpr std::uint64_t split(std::uint64_t& x) {
    x += 0x9e3779b97f4a7c15;
    auto z = x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_[4]{};
};

}  // namespace estab
