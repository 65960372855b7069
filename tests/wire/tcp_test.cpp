// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/tcp.hpp"

#include "wire_samples.hpp"

namespace estab::wire {
namespace {

// Options as a SYN carries them, or as a segment after the handshake does.
Options random_options(Random& random, bool syn) {
  Options o;
  if (random.chance(0.5)) o.timestamps = {std::uint32_t(random()), std::uint32_t(random())};
  if (syn) {
    if (random.chance(0.7)) o.mss = std::uint16_t(random());
    if (random.chance(0.7)) o.window_scale = std::uint8_t(random());
    o.sack_permitted = random.chance(0.7);
  } else {
    o.sack_count = std::uint8_t(random.below(o.timestamps ? 4 : 5));
    for (auto& block : std::span{o.sack}.first(o.sack_count))
      block = {Seq{std::uint32_t(random())}, Seq{std::uint32_t(random())}};
  }
  return o;
}

TcpHeader random_header(Random& random) {
  TcpHeader h;
  h.source = Port{std::uint16_t(random())};
  h.destination = Port{std::uint16_t(random())};
  h.seq = Seq{std::uint32_t(random())};
  h.ack = Seq{std::uint32_t(random())};
  h.flags = Flags::from(std::uint8_t(random()));
  h.window = std::uint16_t(random());
  h.urgent = std::uint16_t(random());
  h.options = random_options(random, h.flags.syn);
  return h;
}

Octets emitted(const TcpHeader& h) {
  Octets out(tcp_size(h), std::byte{0xee});
  emit_tcp(h, out);
  return out;
}

TEST(Tcp, WhatIsEmittedIsParsedBack) {
  Random random{1};
  for (int i = 0; i < rounds(100000); ++i) {
    const auto h = random_header(random);
    const auto back = parse_tcp(emitted(h));
    ASSERT_TRUE(back);
    ASSERT_EQ(back->header, h);
    ASSERT_EQ(back->length, tcp_size(h));
    ASSERT_EQ(back->length % 4, 0u);
  }
}

TEST(Tcp, TheFieldsLieWhereTheRfcDrawsThem) {
  const TcpHeader h{.source = Port{0x0102},
                    .destination = Port{0x0304},
                    .seq = Seq{0x05060708},
                    .ack = Seq{0x090a0b0c},
                    .flags = {.fin = true, .urg = true},
                    .window = 0x0d0e,
                    .urgent = 0x0f10,
                    .options = {}};
  Octets expected;
  append(expected, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x50, 0x21, 13, 14, 0, 0, 15, 16});
  EXPECT_EQ(emitted(h), expected);
}

TEST(Tcp, TheControlBitsLieInTheRfcsOrder) {
  EXPECT_EQ((Flags{.fin = true}.octet()), 1);
  EXPECT_EQ((Flags{.syn = true}.octet()), 2);
  EXPECT_EQ((Flags{.rst = true}.octet()), 4);
  EXPECT_EQ((Flags{.psh = true}.octet()), 8);
  EXPECT_EQ((Flags{.ack = true}.octet()), 16);
  EXPECT_EQ((Flags{.urg = true}.octet()), 32);
  EXPECT_EQ((Flags{.ece = true}.octet()), 64);
  EXPECT_EQ((Flags{.cwr = true}.octet()), 128);
  for (int o = 0; o < 256; ++o) EXPECT_EQ(Flags::from(std::uint8_t(o)).octet(), o);
}

TEST(Tcp, Must1TheWindowIsUnsigned) {
  EXPECT_EQ(parse_tcp(emitted({.window = 0xffff}))->header.window, 65535u);
}

TEST(Tcp, ReservedBitsAreIgnored) {
  Random random{2};
  const auto h = random_header(random);
  auto s = emitted(h);
  octet(s, 12) |= 0x0f;
  EXPECT_EQ(parse_tcp(s)->header, h);
}

TEST(Tcp, AHeaderTruncatedAtAnyOctetIsRefused) {
  Random random{3};
  for (int i = 0; i < 200; ++i) {
    const auto whole = emitted(random_header(random));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto part = parse_tcp(Octets(whole.begin(), whole.begin() + std::ptrdiff_t(n)));
      ASSERT_FALSE(part);
      ASSERT_EQ(part.error(), n < 20 ? Reason::tcp_short : Reason::tcp_data_offset);
    }
  }
}

TEST(Tcp, EveryDataOffsetIsCheckedAgainstEveryLength) {
  for (std::size_t words = 0; words < 16; ++words)
    for (std::size_t size = 0; size <= 64; ++size) {
      Octets s(size);
      if (size > 12) octet(s, 12) = std::uint8_t(words << 4);
      const auto result = parse_tcp(s);
      ASSERT_EQ(result.has_value(), size >= 20 && words >= 5 && words * 4 <= size);
      ASSERT_EQ(result ? result->length : words * 4, words * 4);
    }
}

// A segment with text whose checksum is right, as receive() sees it.
struct Segment {
  Address source, destination;
  Octets octets;

  Segment(bool v4, Random& random)
      : source(v4 ? v4_source : v6_source), destination(v4 ? v4_destination : v6_destination) {
    octets = emitted(random_header(random));
    for (auto n = random.below(40); n > 0; --n) octets.push_back(std::byte(random()));
    store_be(&octets[tcp_checksum_offset], sum());
  }
  [[nodiscard]] std::uint16_t sum() const {
    const auto length = std::uint32_t(octets.size());
    return pseudo_header(source, destination, Protocol::tcp, length).add(octets).value();
  }
};

TEST(Tcp, Must3EveryBitFlipOfASegmentIsSeenByTheChecksum) {
  Random random{4};
  for (int i = 0; i < 60; ++i) {
    Segment segment{i % 2 == 0, random};
    ASSERT_EQ(segment.sum(), 0);
    for (std::size_t bit = 0; bit < segment.octets.size() * 8; ++bit) {
      flip(segment.octets, bit);
      ASSERT_NE(segment.sum(), 0) << "bit " << bit;
      flip(segment.octets, bit);
    }
  }
}

TEST(Tcp, Must3ASegmentThatStrayedToAnotherAddressIsSeenByTheChecksum) {
  Random random{5};
  for (const bool v4 : {true, false}) {
    Segment segment{v4, random};
    const auto home = segment.destination;
    for (std::size_t bit = v4 ? 96 : 0; bit < 128; ++bit) {
      auto octets = home.octets();
      octets[bit / 8] ^= std::uint8_t(1 << bit % 8);
      segment.destination = Address::v6(octets);
      ASSERT_NE(segment.sum(), 0) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace estab::wire
