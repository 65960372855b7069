// SPDX-License-Identifier: Apache-2.0
// The scoreboard against a model that knows each octet by itself.
#include "estab/tcp/scoreboard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "estab/base/random.hpp"

namespace estab::tcp {
namespace {

constexpr std::uint32_t mss = 100;
constexpr unsigned threshold = 3;

struct Octet {
  bool sacked = false, lost = false, resent = false, ever_resent = false;
  [[nodiscard]] bool waits() const { return lost && !resent && !sacked; }
};

// RFC 6675 by the letter, octet by octet.
struct Model {
  std::deque<Octet> octets;  // From SND.UNA on.
  Seq una;

  [[nodiscard]] Octet& at(Seq seq) { return octets[distance(una, seq)]; }
  [[nodiscard]] Seq end() const { return una + std::uint32_t(octets.size()); }
  [[nodiscard]] std::uint32_t count(auto&& holds) const {
    return std::uint32_t(std::ranges::count_if(octets, holds));
  }
  bool mark_lost() {
    bool marked = false, in_range = false;
    std::uint32_t above = 0, ranges = 0;
    for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
      if (octet->sacked) ++above, ranges += !in_range;
      in_range = octet->sacked;
      const bool lost = above > (threshold - 1) * mss || ranges >= threshold;
      if (octet->sacked || octet->lost || !lost) continue;
      octet->lost = marked = true;
    }
    return marked;
  }
};

class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) { model_.una = Seq(std::uint32_t(random_())); }

  void step() {
    now_ += 1ms;
    switch (random_.below(8)) {
      case 0:
      case 1: send(); break;
      case 2: acknowledge(); break;
      case 3:
      case 4:
      case 5: sack(); break;
      case 6: retransmit(); break;
      case 7: random_.below(12) == 0 ? time_out() : mark(); break;
    }
    compare();
  }

 private:
  std::uint32_t below(std::size_t n) { return std::uint32_t(random_.below(n)); }

  void send() {
    if (model_.octets.size() > 60 * mss) return;
    const std::uint32_t length = 1 + below(5 * mss);
    board_.sent(model_.end(), model_.end() + length, mss, now_);
    model_.octets.resize(model_.octets.size() + length);
  }
  void acknowledge() {
    if (model_.octets.empty()) return;
    std::uint32_t length = 1 + below(model_.octets.size() / 4 + 1);
    std::uint32_t fresh = 0;
    bool resent = false;
    for (std::uint32_t i = 0; i < length; ++i)
      fresh += !model_.octets[i].sacked,
          resent |= !model_.octets[i].sacked && model_.octets[i].ever_resent;
    const auto told = board_.acknowledge(model_.una + length);
    ASSERT_EQ(told.delivered, fresh);
    ASSERT_GE(told.retransmitted, resent);  // A record was sent again if a part of it was.
    model_.octets.erase(model_.octets.begin(), model_.octets.begin() + length);
    model_.una += length;
  }
  void sack() {
    if (model_.octets.size() < 2) return;
    const std::uint32_t from = 1 + below(model_.octets.size() - 1);
    const std::uint32_t length = 1 + below(std::min<std::size_t>(model_.octets.size() - from, 400));
    const wire::SackBlock block{model_.una + from, model_.una + from + length};
    std::uint32_t fresh = 0;
    for (Seq s = block.begin; s != block.end; s += 1) {
      Octet& octet = model_.at(s);
      fresh += !octet.sacked;
      octet.sacked = true;
      octet.lost = octet.resent = false;
    }
    Scoreboard::Acked told;
    board_.sack(block, told);
    ASSERT_EQ(told.delivered, fresh);
    mark();
  }
  void mark() { ASSERT_EQ(board_.mark_lost(mss, threshold), model_.mark_lost()); }
  void time_out() {
    board_.mark_all_lost();
    for (auto& octet : model_.octets) octet.lost = true, octet.sacked = octet.resent = false;
  }
  void retransmit() {
    auto stretch = board_.next_lost(3 * mss);
    const auto first = std::ranges::find_if(model_.octets, &Octet::waits);
    ASSERT_EQ(stretch.has_value(), first != model_.octets.end());
    if (stretch) {
      ASSERT_EQ(distance(model_.una, stretch->begin), first - model_.octets.begin());
      for (Seq s = stretch->begin; s != stretch->end; s += 1) ASSERT_TRUE(model_.at(s).waits());
    } else {
      stretch = board_.next_unsacked();
      compare_next_unsacked(stretch);
    }
    if (!stretch) return;
    const Seq end = stretch->begin + 1 + below(distance(stretch->begin, stretch->end));
    board_.retransmitted(stretch->begin, end, now_);
    for (Seq s = stretch->begin; s != end; s += 1) {
      Octet& octet = model_.at(s);
      octet.lost = octet.resent = octet.ever_resent = true;
    }
  }
  void compare_next_unsacked(const std::optional<Scoreboard::Stretch>& stretch) {
    const auto sacked = [](const Octet& o) { return o.sacked; };
    const auto last = std::find_if(model_.octets.rbegin(), model_.octets.rend(), sacked).base();
    const auto first = std::find_if(model_.octets.begin(), last,
                                    [](const Octet& o) { return !o.sacked && !o.lost; });
    ASSERT_EQ(stretch.has_value(), first != last);
    if (stretch) { ASSERT_EQ(distance(model_.una, stretch->begin), first - model_.octets.begin()); }
  }
  void compare() {
    ASSERT_EQ(board_.octets(), model_.octets.size());
    ASSERT_EQ(board_.sacked(), model_.count([](const Octet& o) { return o.sacked; }));
    ASSERT_EQ(board_.lost(), model_.count([](const Octet& o) { return o.waits(); }));
    ASSERT_EQ(board_.pipe() + board_.sacked() + board_.lost(), board_.octets());
  }

  Random random_;
  Instant now_{};
  Model model_;
  Scoreboard board_;
};

TEST(Scoreboard, It_agrees_with_a_model_of_single_octets_under_random_operations) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Pair pair(seed);
    for (int i = 0; i < 600 && !testing::Test::HasFatalFailure(); ++i) pair.step();
    if (testing::Test::HasFatalFailure()) return;
  }
}

// A flight of so many segments, each second of which is SACKed.
Scoreboard comb(std::uint32_t segments, std::uint32_t size) {
  Scoreboard board;
  board.sent(Seq{}, Seq{segments * size}, size, Instant{});
  Scoreboard::Acked told;
  for (std::uint32_t i = 1; i < segments; i += 2)
    board.sack({Seq(i * size), Seq((i + 1) * size)}, told);
  return board;
}

TEST(Scoreboard, RFC_2018_a_flight_of_64_MiB_never_goes_blind) {
  const std::uint32_t segments = (64 << 20) / 1448;
  const Scoreboard board = comb(segments, 1448);
  EXPECT_EQ(board.sacked(), segments / 2 * 1448);
}

TEST(Scoreboard, SACKs_of_every_second_octet_take_no_more_than_an_eighth_of_the_data) {
  for (const std::uint32_t size : {1u, 2u, 100u, 1448u}) {
    Scoreboard board;
    const std::uint32_t octets = 2 << 20;
    board.sent(Seq{}, Seq{octets}, size, Instant{});
    Scoreboard::Acked told;
    for (std::uint32_t at = 1; at < 100'000; at += 2) board.sack({Seq(at), Seq(at + 1)}, told);
    EXPECT_LE(board.true_size(), octets / 8 + 8192) << size;
    EXPECT_EQ(board.pipe() + board.sacked() + board.lost(), octets);
  }
}

TEST(Scoreboard, SACKed_neighbours_become_one_record) {
  Scoreboard board;
  board.sent(Seq{}, Seq{100'000}, 1000, Instant{});
  Scoreboard::Acked told;
  for (std::uint32_t i = 99; i >= 1; --i) board.sack({Seq(i * 1000), Seq((i + 1) * 1000)}, told);
  EXPECT_EQ(board.records(), 2u);
  EXPECT_EQ(board.sacked(), 99'000u);
}

}  // namespace
}  // namespace estab::tcp
