// SPDX-License-Identifier: Apache-2.0
// What a flood of SYNs takes, and leaves on the heap when it is over: nothing. ESTAB_LONG=1: ten
// million of them each way.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "estab/fault/forged_syns.hpp"
#include "estab/stack/stack.hpp"
#include "heap.hpp"

namespace estab {
namespace {

const Endpoint target{Address::v4(10, 0, 0, 1), Port{80}};
constexpr std::uint32_t cache = 1024;
constexpr std::uint64_t cap = 1 << 20;  // Bytes of the stack.

std::size_t flood_size() {
  const char* setting = std::getenv("ESTAB_LONG");
  return setting != nullptr && std::string_view(setting) == "1" ? 10'000'000 : 100'000;
}

class Answers final : public PacketSink {
 public:
  [[nodiscard]] bool ready(std::uint8_t) override { return true; }
  void transmit(Packet packet) override { ++count, packet = {}; }
  std::uint64_t count = 0;
};

class Flooded {
 public:
  explicit Flooded(tcp::CookieUse use) : stack_(pool_, config(use), {}) {
    stack_.add_interface({.addresses = {{target.address, 24}}});
    stack_.add_route({Prefix{Address::v4(0, 0, 0, 0), 0}, 0});
    listener_ =
        *stack_.listen(target, {.half_open_limit = cache, .rules = {}, .options = {}}, now_);
  }

  // 10,000 a second.
  void flood(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      Packet syn = syns_.next(pool_);
      syn.interface() = 0;
      now_ += 100us;
      stack_.receive({&syn, 1}, now_);
      stack_.poll_transmit(answers_, now_);
      most_ = std::max(most_, stack_.memory());
    }
  }
  // Until every record's time is up.
  void calm() {
    while (stack_.status(listener_)->half_open > 0) {
      now_ = stack_.next_deadline();
      stack_.poll_transmit(answers_, now_);
    }
    pool_.trim();
  }
  [[nodiscard]] std::uint64_t memory() const { return stack_.memory(); }
  [[nodiscard]] std::uint64_t most() const { return most_; }
  [[nodiscard]] ListenerInfo listener() const { return *stack_.status(listener_); }

 private:
  static StackConfig config(tcp::CookieUse use) {
    StackConfig config;
    config.tcp.syn_cookies = use;
    config.tcp.half_open_limit = cache;
    config.tcp.memory_limit = cap;
    return config;
  }

  PacketPool pool_;
  Stack stack_;
  ListenerId listener_;
  Answers answers_;
  Instant now_{std::chrono::hours{1}};
  fault::ForgedSyns syns_{
      {.target = target, .sources = {Address::v4(64, 0, 0, 0), 3}, .timestamps = 0.5}};
  std::uint64_t most_ = 0;
};

class SynMemory : public testing::TestWithParam<tcp::CookieUse> {};

TEST_P(SynMemory, is_the_same_before_and_after_a_flood_and_bounded_in_it) {
  Flooded server(GetParam());
  server.flood(10 * cache);  // Tables grow to what a flood needs, and keep it.
  server.calm();
  const auto books = server.memory();
  const auto heap = bench::heap_bytes();
  server.flood(flood_size());
  EXPECT_EQ(server.listener().syns, 10 * cache + flood_size());
  EXPECT_LE(server.listener().half_open, cache);
  EXPECT_LE(server.most(), cap) << "while it came";
  server.calm();
  EXPECT_EQ(server.memory(), books);
  EXPECT_EQ(bench::heap_bytes(), heap);
}

INSTANTIATE_TEST_SUITE_P(, SynMemory,
                         testing::Values(tcp::CookieUse::never, tcp::CookieUse::under_pressure,
                                         tcp::CookieUse::always),
                         [](const auto& use) {
                           switch (use.param) {
                             case tcp::CookieUse::never:          return "never_a_cookie";
                             case tcp::CookieUse::under_pressure: return "under_pressure";
                             case tcp::CookieUse::always:         return "always_a_cookie";
                           }
                           return "";
                         });

}  // namespace
}  // namespace estab
