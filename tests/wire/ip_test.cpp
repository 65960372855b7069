// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/ip.hpp"

#include "wire_samples.hpp"

namespace estab::wire {
namespace {

const Octets some_payload(24, std::byte{0x5a});
Octets v4_sample() { return datagram(true, Protocol::tcp, some_payload); }
Octets v6_sample() { return datagram(false, Protocol::tcp, some_payload); }

// The sample with IPv4 options in front of its payload; their size is a multiple of four.
Octets with_options(std::initializer_list<int> options) {
  Octets d = v4_sample(), added;
  append(added, options);
  d.insert(d.begin() + 20, added.begin(), added.end());
  octet(d, 0) = std::uint8_t(0x45 + added.size() / 4);
  store_be(&d[2], std::uint16_t(d.size()));
  repair_v4(d);
  return d;
}

TEST(Ip, WhatIsEmittedIsParsedBackInBothFamilies) {
  Random random{1};
  for (int i = 0; i < 2000; ++i) {
    IpHeader h;
    const bool v4 = random.chance(0.5);
    std::array<std::uint8_t, 16> octets[2];
    for (auto& address : octets)
      for (auto& o : address) o = std::uint8_t(random() | 1);  // Never IPv4-mapped.
    h.source = v4 ? Address::v4(std::uint32_t(random())) : Address::v6(octets[0]);
    h.destination = v4 ? Address::v4(std::uint32_t(random())) : Address::v6(octets[1]);
    h.protocol = Protocol::tcp;
    h.hop_limit = std::uint8_t(random());
    h.dscp = std::uint8_t(random.below(64));
    h.ecn = Ecn(random.below(4));
    h.header_length = v4 ? 20 : 40;
    h.total_length = h.header_length + std::uint32_t(random.below(1400));
    Octets d(h.total_length);
    emit_ip(h, d);
    const auto back = parsed(d);
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, h);
    ASSERT_EQ(back->payload_length(), d.size() - h.header_length);
  }
}

TEST(Ip, AnAtomicIpv4DatagramHasNoIdentificationAndMayNotBeFragmented) {
  const auto d = v4_sample();
  EXPECT_EQ(load_be<std::uint16_t>(&d[4]), 0);
  EXPECT_EQ(load_be<std::uint16_t>(&d[6]), 0x4000);
}

TEST(Ip, Ipv6IsEmittedWithoutAFlowLabelAndParsedWithAny) {
  auto d = v6_sample();
  EXPECT_EQ(load_be<std::uint32_t>(&d[0]) & 0xfffff, 0u);
  const auto before = *parsed(d);
  store_be(&d[0], load_be<std::uint32_t>(&d[0]) | 0xabcde);
  EXPECT_EQ(*parsed(d), before);
}

TEST(Ip, EveryBitFlipOfAnIpv4HeaderIsRefused) {
  for (std::size_t bit = 0; bit < 160; ++bit) {
    auto d = v4_sample();
    flip(d, bit);
    // One flip makes an IPv6 header of it, which has no sum of its own; TCP's covers that.
    if (octet(d, 0) == 0x65) continue;
    EXPECT_FALSE(parsed(d)) << "bit " << bit;
  }
}

TEST(Ip, ADatagramTruncatedAtAnyOctetIsShort) {
  for (const auto& whole : {v4_sample(), v6_sample(), with_options({7, 3, 4, 0})})
    for (std::size_t n = 0; n < whole.size(); ++n) {
      SCOPED_TRACE(n);
      expect_refused(Octets(whole.begin(), whole.begin() + std::ptrdiff_t(n)), Reason::ip_short);
    }
}

TEST(Ip, TheHeaderSufficesWhereThePayloadLiesInSlices) {
  const auto v4 = v4_sample(), v6 = v6_sample();
  EXPECT_TRUE(parse_ip(Bytes{v4}.first(20), v4.size()));
  EXPECT_TRUE(parse_ip(Bytes{v6}.first(40), v6.size()));
}

TEST(Ip, PaddingOfTheLinkBehindTheDatagramIsNotPayload) {
  for (auto d : {v4_sample(), v6_sample()}) {
    const auto before = *parsed(d);
    d.resize(d.size() + 6);
    EXPECT_EQ(*parsed(d), before);
  }
}

TEST(Ip, OnlyVersions4And6AreKnown) {
  expect_refused({}, Reason::ip_short);
  for (int version = 0; version < 16; ++version) {
    if (version == 4 || version == 6) continue;
    auto d = v4_sample();
    octet(d, 0) = std::uint8_t(version << 4 | 5);
    expect_refused(d, Reason::ip_version);
  }
}

TEST(Ip, AnIpv4HeaderLengthUnder20OrPastTheEndIsRefused) {
  for (int words = 0; words < 5; ++words) {
    auto d = v4_sample();
    octet(d, 0) = std::uint8_t(0x40 | words);
    expect_refused(d, Reason::ip_header_length);
  }
  auto d = v4_sample();
  octet(d, 0) = 0x4f;  // 60 octets of header in a datagram of 44.
  expect_refused(d, Reason::ip_header_length);
  d = v4_sample();
  store_be(&d[2], std::uint16_t{19});
  expect_refused(d, Reason::ip_header_length);
}

TEST(Ip, AFragmentIsRefusedAndTheReservedBitDoesNotMatter) {
  for (const std::uint16_t field : {0x2000, 0x0001, 0x1fff, 0x2001, 0x6000}) {
    auto d = v4_sample();
    store_be(&d[6], field);
    repair_v4(d);
    expect_refused(d, Reason::ip_fragment);
  }
  for (const std::uint16_t field : {0x0000, 0x4000, 0x8000, 0xc000}) {
    auto d = v4_sample();
    store_be(&d[6], field);
    repair_v4(d);
    EXPECT_TRUE(parsed(d)) << field;
  }
}

TEST(Ip, Must50UnknownIpv4OptionsArePassedOver) {
  for (const auto& d : {with_options({0x9e, 4, 1, 2}),            // An experiment's (RFC 4727).
                        with_options({1, 1, 1, 1}),               // No operation.
                        with_options({148, 4, 0, 0}),             // Router alert.
                        with_options({68, 8, 5, 0, 0, 0, 0, 0}),  // Internet timestamp.
                        with_options({7, 3, 4, 0}),               // Record route.
                        with_options({0, 131, 0, 0})}) {          // Nothing counts behind the end.
    const auto h = parsed(d);
    ASSERT_TRUE(h);
    EXPECT_EQ(h->payload_length(), some_payload.size());
  }
}

TEST(Ip, Must7AnIpv4OptionOfIllegalLengthIsRefused) {
  for (const auto& d :
       {with_options({7, 0, 0, 0}), with_options({7, 1, 0, 0}), with_options({7, 5, 0, 0}),
        with_options({1, 1, 1, 7}), with_options({0x9e, 255, 0, 0})})
    expect_refused(d, Reason::ip_header_length);
}

TEST(Ip, SourceRoutesAreRefused) {
  expect_refused(with_options({131, 3, 4, 0}), Reason::ip_source_route);
  expect_refused(with_options({1, 137, 3, 4}), Reason::ip_source_route);
}

TEST(Ip, AnIpv4ChecksumThatDoesNotMatchIsToldAsSuch) {
  auto d = v4_sample();
  octet(d, 8) ^= 1;
  expect_refused(d, Reason::ip_checksum);
}

TEST(Ip, MappedIpv4AddressesAreRefusedOnIpv6) {
  const auto mapped = Address::v4(10, 0, 0, 1).octets();
  auto d = v6_sample();
  std::memcpy(&d[8], mapped.data(), 16);
  expect_refused(d, Reason::ip_source_invalid);
  d = v6_sample();
  std::memcpy(&d[24], mapped.data(), 16);
  expect_refused(d, Reason::ip_destination_invalid);
}

TEST(Ip, RandomDatagramsAreRefusedOrLieWithinTheirBounds) {
  Random random{3};
  int taken = 0;
  for (int i = 0; i < rounds(1000000); ++i) {
    auto d = random.chance(0.5) ? v4_sample() : v6_sample();
    for (auto n = random.below(4); n > 0; --n)
      octet(d, random.below(random.chance(0.5) ? 12 : d.size())) = std::uint8_t(random());
    d.resize(d.size() - random.below(random.chance(0.9) ? 1 : d.size()));
    if (d.size() >= 20 && octet(d, 0) >> 4 == 4) repair_v4(d);
    const auto h = parsed(Octets(d));  // A fresh block of the exact size, for ASan.
    if (!h) continue;
    ++taken;
    ASSERT_LE(h->header_length, h->total_length);
    ASSERT_LE(h->total_length, d.size());
    ASSERT_LT(h->dscp, 64);
    ASSERT_EQ(h->source.is_v4(), h->destination.is_v4());
  }
  EXPECT_GT(taken, rounds(1000));
}

TEST(Ip, ThePseudoHeaderIsTheOneOfTheRfcs) {
  // RFC 9293 §3.1: source, destination, zero, protocol, length.
  Octets v4;
  append(v4, {192, 0, 2, 1, 10, 7, 0, 2, 0, 6, 5, 180});
  EXPECT_EQ(pseudo_header(v4_source, v4_destination, Protocol::tcp, 1460).sum(),
            Checksum{}.add(v4).sum());
  // RFC 8200 §8.1: source, destination, length in 32 bits, zero, next header.
  Octets v6(40);
  std::memcpy(&v6[0], v6_source.octets().data(), 16);
  std::memcpy(&v6[16], v6_destination.octets().data(), 16);
  store_be(&v6[32], std::uint32_t{70000});
  store_be(&v6[36], std::uint32_t{58});
  EXPECT_EQ(pseudo_header(v6_source, v6_destination, Protocol::icmpv6, 70000).sum(),
            Checksum{}.add(v6).sum());
}

}  // namespace
}  // namespace estab::wire
