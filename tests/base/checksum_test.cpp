// SPDX-License-Identifier: Apache-2.0
#include "estab/base/checksum.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "estab/base/random.hpp"

namespace estab {
namespace {

std::vector<std::byte> random_bytes(Random& random, std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (auto& b : bytes) b = std::byte(random());
  return bytes;
}

// RFC 1071 §1 as it is said, one 16-bit word after the other.
std::uint16_t by_the_book(Bytes data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); i += 2) {
    sum += std::uint32_t(data[i]) << 8;
    if (i + 1 < data.size()) sum += std::uint32_t(data[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return std::uint16_t(sum);
}

std::uint16_t folded(std::uint64_t sum) {
  return ones_complement::swapped(ones_complement::fold(sum));
}

TEST(Checksum, TheExampleOfRfc1071) {
  constexpr std::uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  const auto sum = Checksum{}.add(as_bytes(example));
  EXPECT_EQ(sum.sum(), 0xddf2);
  EXPECT_EQ(sum.value(), 0x220d);
}

TEST(Checksum, EveryLengthAndAlignmentSumsAsTheBookSays) {
  Random random{1};
  const auto data = random_bytes(random, 700);
  for (std::size_t start = 0; start < 66; ++start)
    for (std::size_t length = 0; start + length <= data.size(); ++length) {
      const auto part = Bytes{data}.subspan(start, length);
      const auto book = by_the_book(part);
      ASSERT_EQ(folded(ones_complement::of(part)), book) << start << '+' << length;
      ASSERT_EQ(folded(ones_complement::portable(part)), book) << start << '+' << length;
    }
}

TEST(Checksum, TheLargestPacketOfOnesDoesNotOverflow) {
  const std::vector<std::byte> data(65535 + 1024, std::byte{0xff});
  for (const std::size_t length : {65535, 65536, 66559}) {
    const auto part = Bytes{data}.first(length);
    EXPECT_EQ(folded(ones_complement::of(part)), by_the_book(part));
    EXPECT_EQ(folded(ones_complement::portable(part)), by_the_book(part));
    EXPECT_EQ(Checksum{}.add(part).sum(), by_the_book(part));
  }
}

TEST(Checksum, PartsSumLikeTheWholeWhereverItIsSplit) {
  Random random{2};
  for (int i = 0; i < 3000; ++i) {
    const auto data = random_bytes(random, random.below(400));
    Checksum parts;
    for (std::size_t at = 0; at < data.size();) {
      const auto n = std::min<std::size_t>(data.size() - at, random.below(9));
      parts.add(Bytes{data}.subspan(at, n));
      at += n;
    }
    ASSERT_EQ(parts.sum(), by_the_book(data));
  }
}

TEST(Checksum, WordsMayFollowAnOddPart) {
  constexpr std::uint8_t whole[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
  const auto sum = Checksum{}.add(as_bytes(whole).first(1)).add16(0x3456).add32(0x789abcde);
  EXPECT_EQ(sum.sum(), by_the_book(as_bytes(whole)));
}

TEST(Checksum, DataThatHoldTheirChecksumSumToNothing) {
  Random random{3};
  for (int i = 0; i < 1000; ++i) {
    auto data = random_bytes(random, 2 + 2 * random.below(100));
    store_be(data.data(), std::uint16_t{0});
    store_be(data.data(), Checksum{}.add(data).value());
    ASSERT_EQ(Checksum{}.add(data).value(), 0);
  }
}

}  // namespace
}  // namespace estab
