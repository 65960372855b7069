// SPDX-License-Identifier: Apache-2.0
#include "estab/wire/link_type.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace estab::wire {
namespace {

std::vector<std::byte> octets(std::initializer_list<int> values, std::size_t zeros_before = 0) {
  std::vector<std::byte> out(zeros_before);
  for (const int value : values) out.push_back(std::byte(value));
  return out;
}

void expect_ip(LinkType type, std::vector<std::byte> header, bool is_ip = true) {
  const auto whole = strip_link(type, header);
  EXPECT_EQ(whole.is_ip, is_ip);
  EXPECT_FALSE(whole.cut_short);
  if (is_ip) { EXPECT_EQ(whole.length, header.size()); }
}

TEST(LinkType, WhatStandsBeforeTheDatagramIsPassed) {
  expect_ip(LinkType::ethernet, octets({0x08, 0x00}, 12));
  expect_ip(LinkType::ethernet, octets({0x86, 0xdd}, 12));
  expect_ip(LinkType::ethernet, octets({0x08, 0x06}, 12), false);
  expect_ip(LinkType::ethernet, octets({0x81, 0, 0, 5, 0x08, 0x00}, 12));
  expect_ip(LinkType::ethernet, octets({0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd}, 12));
  expect_ip(LinkType::linux_sll, octets({0x08, 0x00}, 14));
  auto cooked = octets({0x08, 0x00});
  cooked.resize(20);
  expect_ip(LinkType::linux_sll2, cooked);
  expect_ip(LinkType::null, octets({2, 0, 0, 0}));
  expect_ip(LinkType::loop, octets({0, 0, 0, 24}));
  expect_ip(LinkType::null, octets({7, 0, 0, 0}), false);
  expect_ip(LinkType::raw, {});
}

TEST(LinkType, WhatEndsTooSoonIsCutShort) {
  EXPECT_TRUE(strip_link(LinkType::ethernet, octets({8}, 12)).cut_short);
  EXPECT_TRUE(strip_link(LinkType::ethernet, octets({0x81, 0, 0}, 12)).cut_short);
  EXPECT_TRUE(strip_link(LinkType::linux_sll2, octets({8, 0}, 0)).cut_short);
  EXPECT_TRUE(strip_link(LinkType::null, octets({2})).cut_short);
  EXPECT_FALSE(is_known_link_type(105));
  EXPECT_TRUE(is_known_link_type(113));
}

}  // namespace
}  // namespace estab::wire
