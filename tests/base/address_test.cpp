// SPDX-License-Identifier: Apache-2.0
#include "estab/base/address.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "estab/base/random.hpp"

namespace estab {
namespace {

std::string printed(std::string_view text) {
  const auto address = Address::parse(text);
  return address ? address->to_string() : "refused";
}

TEST(Address, Ipv4IsReadAndPrintedAsDottedDecimal) {
  EXPECT_EQ(Address::parse("192.0.2.1"), Address::v4(192, 0, 2, 1));
  EXPECT_EQ(printed("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(printed("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(Address::v4(0xc0000201u).to_string(), "192.0.2.1");
  EXPECT_EQ(Address::v4(192, 0, 2, 1).to_v4(), 0xc0000201u);
}

TEST(Address, Ipv6IsPrintedAsRfc5952Recommends) {
  EXPECT_EQ(printed("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");          // §4.1, §4.2.1, §4.3
  EXPECT_EQ(printed("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // §4.2.2
  EXPECT_EQ(printed("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // §4.2.3, the longest run
  EXPECT_EQ(printed("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // §4.2.3, the first of two
  EXPECT_EQ(printed("::"), "::");
  EXPECT_EQ(printed("::1"), "::1");
  EXPECT_EQ(printed("1::"), "1::");
  EXPECT_EQ(printed("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(printed("::2:3:4:5:6:7:8"), "0:2:3:4:5:6:7:8");
}

TEST(Address, AnIpv4TailMayEndAnIpv6Address) {
  EXPECT_EQ(printed("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(printed("1:2:3:4:5:6:1.2.3.4"), "1:2:3:4:5:6:102:304");
  EXPECT_EQ(Address::parse("::ffff:192.0.2.1"), Address::v4(192, 0, 2, 1));
}

TEST(Address, NonsenseIsRefused) {
  for (const auto* text : {"",
                           " ",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.256",
                           "1.2.3.-4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1..2.3",
                           ".1.2.3",
                           "1.2.3.",
                           "01.2.3.4",
                           "1.2.3.00",
                           "0x1.2.3.4",
                           "1.2.3.4/24",
                           "+1.2.3.4",
                           "1234.1.1.1",
                           "a.b.c.d",
                           ":",
                           ":::",
                           "1:::2",
                           "1::2::3",
                           "1:2:3:4:5:6:7",
                           "::1%eth0",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7::8",
                           "12345::",
                           "g::",
                           "[::1]",
                           ":1:2:3:4:5:6:7:8",
                           "1:",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1.2.3.4::",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "0x1::",
                           "::-1",
                           "1:2:"})
    EXPECT_EQ(Address::parse(text), std::nullopt) << '"' << text << '"';
}

TEST(Address, WhatIsPrintedIsReadBack) {
  Random random{1};
  for (int i = 0; i < 20000; ++i) {
    std::array<std::uint8_t, 16> octets{};
    // Runs of zeros of all lengths at all places, lest every address look alike.
    for (auto& octet : octets)
      if (random.chance(0.4)) octet = std::uint8_t(random());
    const auto address = Address::v6(octets);
    EXPECT_EQ(Address::parse(address.to_string()), address) << address.to_string();
    const auto v4 = Address::v4(std::uint32_t(random()));
    EXPECT_EQ(Address::parse(v4.to_string()), v4);
  }
}

TEST(Address, ReadingSurvivesArbitraryText) {
  constexpr std::string_view alphabet = "0123456789abcdef:./%[]x ";
  Random random{2};
  for (int i = 0; i < 50000; ++i) {
    std::string text(random.below(24), ' ');
    std::ranges::generate(text, [&] { return alphabet[random.below(alphabet.size())]; });
    if (const auto address = Address::parse(text)) {
      EXPECT_EQ(Address::parse(address->to_string()), address) << text;
    }
    (void)Prefix::parse(text);
  }
}

TEST(Address, KnowsTheKindsThatNoHostHas) {
  EXPECT_TRUE(Address{}.is_unspecified());
  EXPECT_TRUE(Address::parse("0.0.0.0")->is_unspecified());
  EXPECT_FALSE(Address::parse("::1")->is_unspecified());
  EXPECT_TRUE(Address::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(Address::parse("::1")->is_loopback());
  EXPECT_FALSE(Address::parse("::2")->is_loopback());
  EXPECT_TRUE(Address::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(Address::parse("239.255.255.255")->is_multicast());
  EXPECT_FALSE(Address::parse("240.0.0.1")->is_multicast());
  EXPECT_FALSE(Address::parse("223.255.255.255")->is_multicast());
  EXPECT_TRUE(Address::parse("ff02::1")->is_multicast());
  EXPECT_FALSE(Address::parse("fe80::1")->is_multicast());
  EXPECT_TRUE(Address::parse("255.255.255.255")->is_limited_broadcast());
  EXPECT_FALSE(Address::parse("255.255.255.254")->is_limited_broadcast());
}

TEST(Address, PrefixClearsAllBitsBehindIt) {
  EXPECT_EQ(Address::parse("10.77.255.255")->prefix(18).to_string(), "10.77.192.0");
  EXPECT_EQ(Address::parse("10.77.1.2")->prefix(32).to_string(), "10.77.1.2");
  EXPECT_EQ(Address::parse("10.77.1.2")->prefix(0).to_string(), "0.0.0.0");
  EXPECT_EQ(Address::parse("2001:db8:ffff::1")->prefix(33).to_string(), "2001:db8:8000::");
  EXPECT_EQ(Address::parse("2001:db8::1")->prefix(128).to_string(), "2001:db8::1");
  EXPECT_EQ(Address::parse("2001:db8::1")->prefix(0).to_string(), "::");
}

TEST(Address, AgreesOverALengthWhereItsPrefixesAreTheSame) {
  const Address addresses[] = {*Address::parse("10.77.1.2"),
                               *Address::parse("10.77.1.3"),
                               *Address::parse("10.78.1.2"),
                               *Address::parse("138.77.1.2"),
                               *Address::parse("2001:db8::1"),
                               *Address::parse("2001:db8::"),
                               *Address::parse("2001:db9::1"),
                               *Address::parse("2001:db8:0:1::1"),
                               *Address::parse("2001:db8:0:0:8000::1"),
                               *Address::parse("8001:db8::1")};
  for (const auto& a : addresses) {
    for (const auto& b : addresses) {
      for (unsigned length = 0; length <= (a.is_v4() ? 32u : 128u); ++length) {
        const bool same = a.is_v4() == b.is_v4() && a.prefix(length) == b.prefix(length);
        EXPECT_EQ(a.agrees(b, length), same)
            << a.to_string() << ' ' << b.to_string() << '/' << length;
      }
    }
  }
}

TEST(Prefix, IsReadAndPrinted) {
  const auto prefix = Prefix::parse("10.77.0.2/24");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->address.to_string(), "10.77.0.2");
  EXPECT_EQ(prefix->length, 24);
  EXPECT_EQ(prefix->to_string(), "10.77.0.2/24");
  EXPECT_EQ(Prefix::parse("fd00::2/64")->to_string(), "fd00::2/64");
  EXPECT_EQ(Prefix::parse("10.0.0.1")->length, 32);
  EXPECT_EQ(Prefix::parse("::1")->length, 128);
  for (const auto* text : {"10.0.0.1/33", "::1/129", "10.0.0.1/", "/24", "10.0.0.1/-1", "10.0.0/8",
                           "10.0.0.1/8/8", "10.0.0.1/ 8", "10.0.0.1/8x", "::/999"})
    EXPECT_EQ(Prefix::parse(text), std::nullopt) << text;
}

TEST(Prefix, ContainsItsNetworkAndNothingElse) {
  const auto net = *Prefix::parse("10.77.0.2/24");
  EXPECT_TRUE(net.contains(*Address::parse("10.77.0.255")));
  EXPECT_FALSE(net.contains(*Address::parse("10.77.1.0")));
  EXPECT_FALSE(net.contains(*Address::parse("::")));
  EXPECT_TRUE(Prefix::parse("::/0")->contains(*Address::parse("2001:db8::1")));
  EXPECT_FALSE(Prefix::parse("::/0")->contains(*Address::parse("10.0.0.1")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*Address::parse("10.0.0.1")));
}

TEST(Prefix, ASubnetOfSlash30OrShorterHasADirectedBroadcast) {
  const auto broadcast = [](std::string_view prefix) {
    return Prefix::parse(prefix)->directed_broadcast();
  };
  EXPECT_EQ(broadcast("10.77.0.2/24"), Address::parse("10.77.0.255"));
  EXPECT_EQ(broadcast("10.0.0.1/30"), Address::parse("10.0.0.3"));
  EXPECT_EQ(broadcast("10.0.0.0/31"), std::nullopt);
  EXPECT_EQ(broadcast("fd00::/64"), std::nullopt);
}

TEST(Endpoint, Ipv6IsPrintedInBrackets) {
  EXPECT_EQ((Endpoint{*Address::parse("192.0.2.1"), Port{80}}.to_string()), "192.0.2.1:80");
  EXPECT_EQ((Endpoint{*Address::parse("2001:db8::1"), Port{65535}}.to_string()),
            "[2001:db8::1]:65535");
}

}  // namespace
}  // namespace estab
