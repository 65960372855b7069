// SPDX-License-Identifier: Apache-2.0
// Reassembly beside an array of bytes.
#include "estab/tcp/reassembly.hpp"

#include <array>
#include <optional>

#include "queue_parts.hpp"

namespace estab::tcp {
namespace {

constexpr std::uint32_t window = 6'000;

struct Run {
  std::uint32_t begin, end;  // Offsets from the first sequence number.
  friend bool operator==(const Run&, const Run&) = default;
};

template <class R>
bool insert(R& reassembly, PacketPool& pool, Seq next, Seq begin, Packet text, std::size_t limit) {
  if constexpr (keeps_books<R>) {
    return reassembly.insert(pool, next, begin, std::move(text), limit);
  } else {
    std::size_t grown = 0;
    return reassembly.insert(pool, next, begin, std::move(text), limit, grown);
  }
}

// The true size is what the pool gave out for linear packets, and the table of ranges at most.
void expect_true_size(const Reassembly& reassembly, const PacketPool& pool, std::size_t most) {
  constexpr std::size_t range = 128;  // Bytes of a range in the table, at the most.
  EXPECT_GE(reassembly.true_size(), pool.live_bytes());
  EXPECT_LE(reassembly.true_size(), pool.live_bytes() + 2 * most * range);
}

// What is held, byte by byte, and which insertion was the last to touch which place.
class Model {
 public:
  void insert(std::uint32_t begin, std::string_view text) {
    if (bytes_.size() < begin + text.size()) bytes_.resize(begin + text.size());
    for (std::uint32_t i = 0; i < text.size(); ++i)
      if (!bytes_[begin + i]) bytes_[begin + i] = text[i];
    touched_.push_back(begin);
  }
  // All below `next` is the reader's; what follows it without a gap is taken out.
  std::string take(std::uint32_t& next) {
    std::string taken;
    for (; next < bytes_.size() && bytes_[next]; ++next) taken += *bytes_[next];
    for (; gone_ < std::min<std::size_t>(next, bytes_.size()); ++gone_) bytes_[gone_].reset();
    return taken;
  }
  [[nodiscard]] std::vector<Run> runs() const {
    std::vector<Run> runs;
    for (auto at = std::uint32_t(gone_); at < bytes_.size(); ++at) {
      if (!bytes_[at]) continue;
      if (runs.empty() || runs.back().end != at) runs.push_back({at, at});
      ++runs.back().end;
    }
    return runs;
  }
  // RFC 2018 §4: the run that the latest segment touched is first, and so on backwards.
  [[nodiscard]] std::vector<Run> newest_first(std::vector<Run> left) const {
    std::vector<Run> ordered;
    for (auto at = touched_.rbegin(); at != touched_.rend() && !left.empty(); ++at) {
      const auto holds = [&](const Run& r) { return r.begin <= *at && *at < r.end; };
      const auto found = std::ranges::find_if(left, holds);
      if (found == left.end()) continue;
      ordered.push_back(*found);
      left.erase(found);
    }
    return ordered;
  }

 private:
  std::vector<std::optional<char>> bytes_;  // By offset; empty: not held.
  std::size_t gone_ = 0;                    // Below it nothing is held.
  std::vector<std::uint32_t> touched_;      // Where each insertion began, in order.
};

// Whether a segment would join a run, as a neighbour or by its bytes.
bool joins(const std::vector<Run>& runs, std::uint32_t begin, std::uint32_t end) {
  return std::ranges::any_of(runs, [&](const Run& r) { return begin <= r.end && r.begin <= end; });
}

struct Setting {
  bool linear = false;
  std::size_t range_limit = 1000;
  std::size_t pool_limit = SIZE_MAX;
};

class Comparison {
 public:
  Comparison(Random& random, const Setting& setting)
      : random_(random),
        setting_(setting),
        pool_(setting.pool_limit),
        first_(std::uint32_t(random())) {}

  void run(int steps) {
    for (int n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
      if (random_.chance(0.9)) arrive();
      else advance();
      check();
    }
    next_ += window;  // The reader has it all by another way.
    take();
    EXPECT_TRUE(reassembly_.empty());
    EXPECT_EQ(pool_.live_bytes(), 0u);
    expect_true_size(reassembly_, pool_, most_ranges_);
  }

 private:
  void arrive() {
    const auto longest = random_.chance(0.1) ? 2'000u : random_.chance(0.3) ? 400u : 30u;
    const auto begin = next_ + 1 + std::uint32_t(random_.below(window - longest - 1));
    const auto text = random_string(random_, between(random_, 1, longest));
    const bool expected = runs_.size() < setting_.range_limit ||
                          joins(runs_, begin, begin + std::uint32_t(text.size()));
    Packet packet = setting_.linear ? linear_packet(pool_, text) : any_packet(pool_, random_, text);
    const auto before = reassembly_.true_size();
    const bool taken = insert(reassembly_, pool_, first_ + next_, first_ + begin, std::move(packet),
                              setting_.range_limit);
    ASSERT_EQ(taken, expected);
    if (taken) model_.insert(begin, text);
    else ASSERT_EQ(reassembly_.true_size(), before);
  }
  // A segment fills the gap, and perhaps reaches over what is held.
  void advance() {
    if (runs_.empty()) return;
    next_ = runs_.front().begin;
    if (random_.chance(0.5)) next_ += std::uint32_t(random_.below(window / 10));
    if (random_.chance(0.2)) next_ -= std::min(next_ - last_next_, 1u);  // One byte is missing.
    take();
  }
  void take() {
    Seq seq = first_ + next_;
    std::string taken;
    reassembly_.take(seq, [&](Packet packet) { taken += string_of(packet); });
    const auto expected = model_.take(next_);
    ASSERT_EQ(taken.size(), expected.size());
    ASSERT_TRUE(taken == expected) << "the first copy of a byte must win";
    ASSERT_EQ(seq, first_ + next_);
    last_next_ = next_;
  }
  void check() {
    runs_ = model_.runs();
    const auto expected = model_.newest_first(runs_);
    ASSERT_EQ(reassembly_.ranges(), expected.size());
    ASSERT_EQ(reassembly_.empty(), expected.empty());
    most_ranges_ = std::max(most_ranges_, runs_.size());
    if (setting_.linear) expect_true_size(reassembly_, pool_, most_ranges_);
    std::array<wire::SackBlock, 4> blocks;
    const auto most = random_.below(5);
    const auto count = reassembly_.blocks(std::span{blocks}.first(most));
    ASSERT_EQ(count, std::min<std::size_t>(most, expected.size()));
    for (std::size_t i = 0; i < count; ++i) {
      const Run told{distance(first_, blocks[i].begin), distance(first_, blocks[i].end)};
      ASSERT_EQ(told, expected[i]) << "block " << i << ": " << told.begin << " to " << told.end
                                   << ", not " << expected[i].begin << " to " << expected[i].end;
    }
    const auto at = std::uint32_t(next_ + random_.below(window));
    ASSERT_EQ(reassembly_.begins_before(first_ + at), !runs_.empty() && runs_.front().begin < at);
  }

  Random& random_;
  Setting setting_;
  PacketPool pool_;
  Seq first_;
  Reassembly reassembly_;
  Model model_;
  std::vector<Run> runs_;                   // Of the model, after the last step.
  std::uint32_t next_ = 0, last_next_ = 0;  // Offset of RCV.NXT; below it all was taken.
  std::size_t most_ranges_ = 1;             // At any time.
};

TEST(Reassembly, Gives_back_the_first_copy_of_each_byte_and_reports_true_blocks_newest_first) {
  for_each_seed(30, [](Random& random) { Comparison(random, {}).run(300); });
}

TEST(Reassembly, Its_true_size_is_what_the_pool_gave_out) {
  for_each_seed(30, [](Random& random) { Comparison(random, {.linear = true}).run(300); });
}

TEST(Reassembly, At_its_limit_of_ranges_it_takes_only_what_joins_one) {
  for_each_seed(30, [](Random& random) {
    Comparison(random, {.range_limit = 1 + random.below(8)}).run(300);
  });
}

// All bytes of a place are the same each time, since which copy is held depends on the pool.
char byte_at(std::uint32_t offset) { return char((offset * 2654435761u) >> 24); }

TEST(Reassembly, A_pool_that_is_dry_costs_bytes_but_never_changes_them) {
  for_each_seed(30, [](Random& random) {
    PacketPool pool(10'000);
    Reassembly reassembly;
    const Seq first{std::uint32_t(random())};
    std::uint32_t next = 0;
    std::size_t refused = 0, most = 1;
    for (int n = 0; n < 500 && !testing::Test::HasFailure(); ++n) {
      const auto begin = next + 1 + std::uint32_t(random.below(window));
      std::string text(between(random, 1, 300), '\0');
      for (std::uint32_t i = 0; i < text.size(); ++i) text[i] = byte_at(begin + i);
      if (Packet packet = linear_packet(pool, text)) {
        refused += !insert(reassembly, pool, first + next, first + begin, std::move(packet), 1000);
      } else {
        ++refused;
        next += std::uint32_t(random.below(window / 10));
        Seq seq = first + next;
        reassembly.take(seq, [&](Packet part) {
          for (const char c : string_of(part)) ASSERT_EQ(c, byte_at(next++));
        });
        ASSERT_EQ(seq, first + next);
      }
      most = std::max(most, reassembly.ranges());
      expect_true_size(reassembly, pool, most);
    }
    EXPECT_GT(refused, 0u);
  });
}

}  // namespace
}  // namespace estab::tcp
