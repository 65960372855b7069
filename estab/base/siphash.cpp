// SPDX-License-Identifier: Apache-2.0
#include "estab/base/siphash.hpp"

namespace estab {
namespace {

struct Sip {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round(), round();
    v0 ^= word;
  }
};

template <class Word>
Word load_le(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

// The last octets, fewer than eight.
std::uint64_t load_tail(const std::byte* at, std::size_t left) {
  std::uint64_t word = 0;
  unsigned shift = 0;
  if (left & 4) word = load_le<std::uint32_t>(at), at += 4, shift = 32;
  if (left & 2) word |= std::uint64_t{load_le<std::uint16_t>(at)} << shift, at += 2, shift += 16;
  if (left & 1) word |= std::uint64_t(*at) << shift;
  return word;
}

}  // namespace

std::uint64_t siphash(const HashKey& key, Bytes data) {
  Sip sip{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
          key[1] ^ 0x7465646279746573};
  const std::byte* at = data.data();
  std::size_t left = data.size();
  for (; left >= 8; at += 8, left -= 8) sip.absorb(load_le<std::uint64_t>(at));
  sip.absorb(load_tail(at, left) | std::uint64_t(data.size()) << 56);
  sip.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) sip.round();
  return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

}  // namespace estab
