// SPDX-License-Identifier: Apache-2.0
// The demultiplexer beside a std::unordered_multimap.
#include "estab/stack/demux.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "tests/seeds.hpp"

namespace estab {
namespace {

struct Thing {
  Kind kind;
  std::uint32_t index;
  friend bool operator==(const Thing&, const Thing&) = default;
};

class Comparison {
 public:
  // `clustered`: hashes whose places lie beside each other and wrap around the end of the table, so
  // that nearly all collide; few values, so that whole hashes are equal too.
  Comparison(Random& random, bool clustered) : random_(random), clustered_(clustered) {}

  void run(int steps) {
    for (int n = 0; n < steps && !testing::Test::HasFailure(); ++n) {
      // The population swings, so that the table grows and shrinks.
      const bool grows = n / 1000 % 2 == 0;
      if (model_.empty() || random_.chance(grows ? 0.7 : 0.3)) insert();
      else erase();
      look_up();
      ASSERT_EQ(demux_.size(), model_.size());
    }
    for (const auto& [hash, thing] : model_) expect_found(hash, thing);
    while (!model_.empty() && !testing::Test::HasFailure()) erase();
    ASSERT_EQ(demux_.size(), 0u);
  }

 private:
  std::uint32_t draw_hash() {
    if (!clustered_) return std::uint32_t(random_());
    const auto place = std::uint32_t(random_.below(12)) - 6;  // Around 0, whatever the size.
    return place + std::uint32_t(random_.below(3) << 28);
  }
  void insert() {
    const auto hash = draw_hash();
    const Thing thing{random_.chance(0.5) ? Kind::connection : Kind::time_wait, next_index_++};
    demux_.insert(hash, thing.kind, thing.index);
    model_.emplace(hash, thing);
    hashes_.push_back(hash);
    expect_found(hash, thing);
  }
  void erase() {
    // A hash that was inserted; its entry may be any of those that share it.
    const auto at = random_.below(hashes_.size());
    const auto hash = hashes_[at];
    hashes_[at] = hashes_.back();
    hashes_.pop_back();
    auto [begin, end] = model_.equal_range(hash);
    std::advance(begin, std::ptrdiff_t(random_.below(model_.count(hash))));
    const Thing gone = begin->second;
    demux_.erase(hash, gone.kind, gone.index);
    model_.erase(begin);
    EXPECT_EQ(find(hash, gone), nullptr);
  }
  // Any hash, there or not: what find() offers is all that stands under it, each once.
  void look_up() {
    const auto hash = hashes_.empty() || random_.chance(0.3)
                          ? draw_hash()
                          : hashes_[random_.below(hashes_.size())];
    std::vector<Thing> offered;
    EXPECT_EQ(demux_.find(hash,
                          [&](Demux::Ref ref) {
                            offered.push_back({ref.what(), ref.index});
                            return false;
                          }),
              nullptr);
    EXPECT_EQ(offered.size(), model_.count(hash));
    const auto [begin, end] = model_.equal_range(hash);
    for (auto at = begin; at != end; ++at)
      EXPECT_EQ(std::ranges::count(offered, at->second), 1) << "hash " << hash;
  }
  Demux::Ref* find(std::uint32_t hash, const Thing& thing) {
    return demux_.find(hash, [&](Demux::Ref ref) { return Thing{ref.what(), ref.index} == thing; });
  }
  void expect_found(std::uint32_t hash, const Thing& thing) {
    const auto* ref = find(hash, thing);
    ASSERT_NE(ref, nullptr) << "hash " << hash << ", index " << thing.index;
    EXPECT_EQ((Thing{ref->what(), ref->index}), thing);
  }

  Random& random_;
  bool clustered_;
  Demux demux_;
  std::unordered_multimap<std::uint32_t, Thing> model_;
  std::vector<std::uint32_t> hashes_;
  std::uint32_t next_index_ = 0;
};

TEST(Demux, Finds_what_a_multimap_finds_whatever_comes_and_goes) {
  for_each_seed(20, [](Random& random) { Comparison(random, false).run(4000); });
}

TEST(Demux, Hashes_that_collide_are_all_found_after_each_deletion) {
  for_each_seed(20, [](Random& random) { Comparison(random, true).run(2000); });
}

TEST(Demux, Its_memory_follows_the_number_of_its_entries) {
  Demux demux;
  const auto empty = demux.bytes();
  constexpr std::uint32_t count = 100'000;
  for (std::uint32_t n = 0; n < count; ++n) demux.insert(n * 2654435761u, Kind::connection, n);
  EXPECT_GE(demux.bytes(), count * 8u);
  EXPECT_LE(demux.bytes(), count * 8u * 5);  // Two tables may stand while one grows.
  for (std::uint32_t n = 0; n < count; ++n) demux.erase(n * 2654435761u, Kind::connection, n);
  for (std::uint32_t n = 0; n < 10'000; ++n) {  // Shrinking may go step by step.
    demux.insert(n, Kind::connection, n);
    demux.erase(n, Kind::connection, n);
  }
  EXPECT_LE(demux.bytes(), 16 * empty);
}

}  // namespace
}  // namespace estab
