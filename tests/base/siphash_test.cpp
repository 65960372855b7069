// SPDX-License-Identifier: Apache-2.0
#include "estab/base/siphash.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <set>
#include <vector>

#include "estab/base/random.hpp"

namespace estab {
namespace {

// Appendix A of the paper: key 00 01 … 0f, text 00 01 … 0e.
TEST(SipHash, TheTestVectorOfItsPaper) {
  std::array<std::uint8_t, 15> text;
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = std::uint8_t(i);
  const HashKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  EXPECT_EQ(siphash(key, as_bytes(text)), 0xa129ca6149be45e5);
}

TEST(SipHash, AgreesWithLibsodiumOnEveryLength) {
  static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == 16);
  Random random{1};
  for (std::size_t length = 0; length < 300; ++length) {
    const HashKey key{random(), random()};
    std::vector<unsigned char> text(length);
    for (auto& c : text) c = static_cast<unsigned char>(random());
    std::array<unsigned char, 16> key_octets;
    for (int i = 0; i < 16; ++i)
      key_octets[i] = static_cast<unsigned char>(key[i / 8] >> i % 8 * 8);
    std::array<unsigned char, 8> out;
    crypto_shorthash(out.data(), text.data(), text.size(), key_octets.data());
    std::uint64_t expected = 0;
    for (int i = 7; i >= 0; --i) expected = expected << 8 | out[i];
    ASSERT_EQ(siphash(key, as_bytes(text)), expected) << length;
  }
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  std::set<std::uint64_t> seen;
  const std::array<std::uint8_t, 36> flow{};
  for (std::uint64_t i = 0; i < 1000; ++i) seen.insert(siphash({i, 0}, as_bytes(flow)));
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace estab
