// SPDX-License-Identifier: Apache-2.0
// The header of the PROXY protocol, octet by octet.
#include "estab/cli/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>

namespace estab::cli {
namespace {

Flow flow(const char* local, std::uint16_t local_port, const char* remote,
          std::uint16_t remote_port) {
  return {{*Address::parse(local), Port{local_port}}, {*Address::parse(remote), Port{remote_port}}};
}

std::string hex(const std::vector<std::byte>& octets) {
  std::string text;
  for (const auto octet : octets) {
    text += "0123456789abcdef"[std::to_integer<int>(octet) >> 4];
    text += "0123456789abcdef"[std::to_integer<int>(octet) & 15];
  }
  return text;
}

constexpr auto signature = "0d0a0d0a000d0a515549540a";

TEST(ProxyHeader, names_a_client_over_ipv4) {
  EXPECT_EQ(hex(proxy_header(flow("192.0.2.10", 443, "203.0.113.7", 54321))),
            std::string(signature) +
                "21"
                "11"
                "000c"
                "cb007107"
                "c000020a"
                "d431"
                "01bb");
}

TEST(ProxyHeader, names_a_client_over_ipv6) {
  EXPECT_EQ(hex(proxy_header(flow("2001:db8::a", 80, "2001:db8:1::ff", 1025))),
            std::string(signature) +
                "21"
                "21"
                "0024"
                "20010db80001000000000000000000ff"
                "20010db800000000000000000000000a"
                "0401"
                "0050");
}

}  // namespace
}  // namespace estab::cli
