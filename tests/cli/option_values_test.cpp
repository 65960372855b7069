// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/option_values.hpp"

#include <gtest/gtest.h>

namespace estab::cli {
namespace {

TEST(OptionValues, an_endpoint_is_an_address_with_a_port) {
  for (const auto* text : {"192.0.2.1:80", "[2001:db8::1]:65535", "[::1]:1"}) {
    const auto end = parse_endpoint(text);
    ASSERT_TRUE(end) << text;
    EXPECT_EQ(end->to_string(), text);
  }
}

TEST(OptionValues, what_is_no_endpoint_is_refused) {
  for (const auto* text :
       {"", ":", "80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:8o",
        "192.0.2.1:-1", "192.0.2.1:+1", "2001:db8::1:80", "[192.0.2.1]:80", "[]:80", "host:80",
        " 192.0.2.1:80", "192.0.2.1:80 ", "[2001:db8::1]80"})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(OptionValues, a_duration_has_a_number_and_a_unit) {
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("5m"), 300s);
  EXPECT_EQ(parse_duration("24000h"), 24000h);
  EXPECT_EQ(parse_duration("86400000s"), 24000h);
}

TEST(OptionValues, what_is_no_duration_is_refused) {
  for (const auto* text :
       {"", "s", "5", "5x", "-5s", "5 s", "5.5s", "24001h", "86400001s", "99999999999999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(OptionValues, memory_is_in_bytes_or_in_binary_units_and_within_its_range) {
  EXPECT_EQ(parse_memory("16777216"), 16ull << 20);
  EXPECT_EQ(parse_memory("16384KiB"), 16ull << 20);
  EXPECT_EQ(parse_memory("128MiB"), 128ull << 20);
  EXPECT_EQ(parse_memory("1024GiB"), 1024ull << 30);
  for (const auto* text :
       {"", "MiB", "16777215", "16383KiB", "15MiB", "0GiB", "1025GiB", "1099511627777", "1MB",
        "128M", "128 MiB", "128mib", "-1MiB", "+64MiB", "1.5GiB", "0x10MiB", "18446744073709551616",
        "18014398509481985KiB", "17179869185GiB"})
    EXPECT_FALSE(parse_memory(text)) << text;
}

TEST(OptionValues, counts_and_rates) {
  EXPECT_EQ(parse_count("0"), 0u);
  EXPECT_EQ(parse_count("1000000000"), 1'000'000'000u);
  EXPECT_EQ(parse_rate("50/s"), 50u);
  for (const auto* text : {"", "1000000001", "-1", "1k", "1.0", "0x1"})
    EXPECT_FALSE(parse_count(text)) << text;
  for (const auto* text : {"", "50", "/s", "50/m", "50 /s", "-1/s"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

}  // namespace
}  // namespace estab::cli
