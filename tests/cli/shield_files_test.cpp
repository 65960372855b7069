// SPDX-License-Identifier: Apache-2.0
// The files of estab shield: keys and limits.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "estab/cli/commands.hpp"
#include "estab/cli/shield_keys.hpp"
#include "estab/cli/shield_limits.hpp"

namespace estab::cli {
namespace {

const std::string hex_64 = "00112233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210";
const std::string zeros = std::string(64, '0');

class ShieldFiles : public testing::Test {
 protected:
  ShieldFiles() : path(testing::TempDir() + "/estab_shield_files_test") {}
  ~ShieldFiles() override { std::filesystem::remove(path); }
  void write(const std::string& text) { std::ofstream(path) << text; }
  // What reading the text as keys, or as limits, is refused with.
  std::string refusal_of_keys(const std::string& text) {
    return refusal(text, [&] { (void)read_keys(path); });
  }
  std::string refusal_of_limits(const std::string& text) {
    return refusal(text, [&] { (void)read_limits(path, {}); });
  }
  std::string path;

 private:
  template <class Read>
  std::string refusal(const std::string& text, Read read) {
    write(text);
    try {
      read();
    } catch (const Failure& why) {
      std::string words = why.what();
      if (words.starts_with(path)) words.erase(0, path.size());
      return words;
    }
    return "none";
  }
};

TEST_F(ShieldFiles, a_key_is_256_bits_most_significant_first) {
  write("# Shared.\n\ncurrent " + hex_64 + " # Since Monday.\nprevious\t" + zeros + "\n");
  const auto keys = read_keys(path);
  const tcp::CookieMaster expected{{HashKey{0x0011223344556677, 0x8899aabbccddeeff},
                                    HashKey{0x0123456789abcdef, 0xfedcba9876543210}}};
  EXPECT_EQ(keys.current, expected);
  EXPECT_EQ(keys.previous, tcp::CookieMaster{});
  write("current " + hex_64);
  EXPECT_FALSE(read_keys(path).previous);
}

TEST_F(ShieldFiles, the_keys_that_are_made_are_read_and_differ) {
  const auto one = make_keys(), two = make_keys();
  write(one);
  const auto first = read_keys(path);
  write(two);
  EXPECT_NE(first.current, read_keys(path).current);
}

TEST_F(ShieldFiles, malformed_keys_are_refused_with_the_line_and_never_quoted) {
  EXPECT_EQ(refusal_of_keys("current " + hex_64.substr(1)),
            ", line 1: a key is 64 hexadecimal digits; this is none, of 63 characters");
  EXPECT_EQ(refusal_of_keys("\ncurrent " + hex_64 + "\nprevious " + hex_64.substr(1) + "g"),
            ", line 3: a key is 64 hexadecimal digits; this is none, of 64 characters");
  EXPECT_EQ(refusal_of_keys("next " + hex_64),
            ", line 1: 'next' is not known; valid are: current HEX64, previous HEX64");
  EXPECT_EQ(refusal_of_keys("current " + hex_64 + "\ncurrent " + hex_64),
            ", line 2: 'current' was given before");
  EXPECT_EQ(refusal_of_keys("current " + hex_64 + " " + hex_64),
            ", line 1: a line is a word and its value, such as: word value");
  EXPECT_EQ(refusal_of_keys("# Nothing.\ncurrent"),
            ", line 2: a line is a word and its value, such as: word value");
  EXPECT_EQ(refusal_of_keys("previous " + hex_64),
            " has no line: current HEX64\nestab shield --make-keys prints one.");
  EXPECT_EQ(refusal_of_keys(""),
            " has no line: current HEX64\nestab shield --make-keys prints one.");
}

TEST_F(ShieldFiles, a_file_that_is_not_there_or_far_too_large_is_refused) {
  EXPECT_EQ(refusal_of_keys(std::string(65 << 10, '#')),
            " is larger than 64 KiB, which no file of settings is");
  std::filesystem::remove(path);
  EXPECT_THROW((void)read_keys(path), Failure);
  EXPECT_THROW((void)read_limits(testing::TempDir(), {}), Failure);  // A folder.
}

TEST_F(ShieldFiles, limits_that_are_not_named_are_as_before) {
  const ShieldLimits before{.max_connections = 7, .per_prefix = 8, .rate_per_prefix = 9};
  write("per-prefix 100\n");
  EXPECT_EQ(read_limits(path, before), (ShieldLimits{7, 100, 9}));
  write("max-connections 1\nper-prefix 0\nrate-per-prefix 50/s\n");
  EXPECT_EQ(read_limits(path, before), (ShieldLimits{1, 0, 50}));
}

TEST_F(ShieldFiles, malformed_limits_are_refused_with_the_line_and_what_is_valid) {
  const std::string valid =
      " is no limit; such are: max-connections 10000, per-prefix 100, rate-per-prefix 50/s";
  EXPECT_EQ(refusal_of_limits("max-connections 0"), ", line 1: 'max-connections 0'" + valid);
  EXPECT_EQ(refusal_of_limits("\nper-prefix many"), ", line 2: 'per-prefix many'" + valid);
  EXPECT_EQ(refusal_of_limits("rate-per-prefix 50"), ", line 1: 'rate-per-prefix 50'" + valid);
  EXPECT_EQ(refusal_of_limits("per-host 5"), ", line 1: 'per-host 5'" + valid);
}

class ShieldGateTest : public testing::Test {
 protected:
  Admission enter(ShieldGate& gate, const char* client) {
    return gate.enter(*Address::parse(client), now);
  }
  Instant now{1000s};
};

TEST_F(ShieldGateTest, no_more_than_the_limit_are_inside_at_once) {
  ShieldGate gate({.max_connections = 2}, {1, 2});
  EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::admitted);
  EXPECT_EQ(enter(gate, "198.51.100.1"), Admission::admitted);
  EXPECT_EQ(enter(gate, "203.0.113.1"), Admission::too_many);
  gate.leave(*Address::parse("192.0.2.1"));
  EXPECT_EQ(enter(gate, "203.0.113.1"), Admission::admitted);
}

TEST_F(ShieldGateTest, a_network_is_a_24_or_a_56) {
  ShieldGate gate({.per_prefix = 1}, {1, 2});
  EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::admitted);
  EXPECT_EQ(enter(gate, "192.0.2.254"), Admission::prefix_full);
  EXPECT_EQ(enter(gate, "192.0.3.1"), Admission::admitted);
  EXPECT_EQ(enter(gate, "2001:db8:0:100::1"), Admission::admitted);
  EXPECT_EQ(enter(gate, "2001:db8:0:1ff::1"), Admission::prefix_full);
  EXPECT_EQ(enter(gate, "2001:db8:0:200::1"), Admission::admitted);
}

TEST_F(ShieldGateTest, a_network_has_so_many_a_second) {
  ShieldGate gate({.rate_per_prefix = 2}, {1, 2});
  for (int second = 0; second < 3; ++second, now += 1s) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::admitted);
      gate.leave(*Address::parse("192.0.2.1"));
    }
    EXPECT_EQ(enter(gate, "192.0.2.2"), Admission::prefix_too_fast);
    EXPECT_EQ(enter(gate, "192.0.3.1"), Admission::admitted);
  }
}

TEST_F(ShieldGateTest, new_limits_hold_for_those_who_come) {
  ShieldGate gate({}, {1, 2});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::admitted);
  gate.set_limits({.per_prefix = 3});
  EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::prefix_full);
  for (int i = 0; i < 3; ++i) gate.leave(*Address::parse("192.0.2.1"));
  EXPECT_EQ(enter(gate, "192.0.2.1"), Admission::admitted);
}

TEST_F(ShieldGateTest, nothing_is_kept_of_those_who_have_left) {
  ShieldGate gate({.max_connections = 100'000, .per_prefix = 5}, {1, 2});
  for (std::uint32_t i = 0; i < 20'000; ++i)
    ASSERT_EQ(gate.enter(Address::v4(i << 8), now), Admission::admitted);
  EXPECT_EQ(gate.networks(), 20'000u);
  for (std::uint32_t i = 0; i < 20'000; ++i) gate.leave(Address::v4(i << 8));
  EXPECT_EQ(gate.inside(), 0u);
  EXPECT_EQ(gate.networks(), 0u);
}

}  // namespace
}  // namespace estab::cli
