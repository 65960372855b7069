// SPDX-License-Identifier: Apache-2.0
// The table of connections grows and shrinks by small steps, whatever its size.
#include <gtest/gtest.h>

#include <vector>

#include "estab/base/random.hpp"
#include "estab/stack/demux.hpp"

namespace estab {
namespace {

// Looks an entry up by hash, kind and index.
bool holds(Demux& demux, std::uint32_t hash, Kind kind, std::uint32_t index) {
  return demux.find(hash, [&](Demux::Ref ref) {
    return ref.what() == kind && ref.index == index;
  }) != nullptr;
}

struct Entry {
  std::uint32_t hash;
  Kind kind;
  std::uint32_t index;
};

// The most entries that an insert or erase has moved.
class Steps {
 public:
  explicit Steps(const Demux& demux) : demux_(demux) {}
  void step() {
    most = std::max(most, demux_.moved() - moved_);
    moved_ = demux_.moved();
  }
  std::uint64_t most = 0;

 private:
  const Demux& demux_;
  std::uint64_t moved_ = 0;
};

TEST(DemuxGrowth, No_operation_moves_more_entries_than_two_full_leaves_hold) {
  Random random{3};
  Demux demux;
  Steps steps{demux};
  std::vector<Entry> entries;
  for (std::uint32_t n = 0; n < 100'000; ++n) {
    const Entry e{std::uint32_t(random()), n % 3 ? Kind::connection : Kind::time_wait, n};
    entries.push_back(e);
    demux.insert(e.hash, e.kind, e.index);
    steps.step();
  }
  EXPECT_LE(steps.most, 768u);
  EXPECT_LE(demux.bytes(), 100'000u * 30)
      << "three quarters full at the most, a third at the least";
  for (const auto& e : entries) ASSERT_TRUE(holds(demux, e.hash, e.kind, e.index));
  // Out again in another order; those that are left are found at every stage.
  for (std::size_t left = entries.size(); left > 0; --left) {
    std::swap(entries[random.below(left)], entries[left - 1]);
    const Entry e = entries.back();
    entries.pop_back();
    demux.erase(e.hash, e.kind, e.index);
    steps.step();
    ASSERT_EQ(demux.size(), entries.size());
    ASSERT_FALSE(holds(demux, e.hash, e.kind, e.index));
    if (left % 5000 != 0 && left >= 300) continue;
    for (const auto& there : entries)
      ASSERT_TRUE(holds(demux, there.hash, there.kind, there.index));
  }
  EXPECT_LE(steps.most, 768u);
  EXPECT_EQ(demux.bytes(), 0u);
}

TEST(DemuxGrowth, Entries_of_one_hash_or_of_one_branch_are_all_found) {
  for (const std::uint32_t spread : {0u, 0xffu, 0x3fffu, 0xfffff000u}) {
    Random random{4};
    Demux demux;
    std::vector<Entry> entries;
    for (std::uint32_t n = 0; n < 3000; ++n) {
      entries.push_back({0xabcd1234 ^ (std::uint32_t(random()) & spread), Kind::connection, n});
      demux.insert(entries.back().hash, Kind::connection, n);
    }
    for (const auto& e : entries) ASSERT_TRUE(holds(demux, e.hash, e.kind, e.index)) << spread;
    for (const auto& e : entries) demux.erase(e.hash, e.kind, e.index);
    EXPECT_EQ(demux.bytes(), 0u);
  }
}

TEST(DemuxGrowth, A_size_that_swings_about_a_limit_does_not_move_entries_each_time) {
  Random random{5};
  Demux demux;
  std::vector<Entry> entries;
  const auto insert = [&] {
    entries.push_back({std::uint32_t(random()), Kind::connection, std::uint32_t(entries.size())});
    demux.insert(entries.back().hash, entries.back().kind, entries.back().index);
  };
  const auto erase = [&] {
    demux.erase(entries.back().hash, entries.back().kind, entries.back().index);
    entries.pop_back();
  };
  while (entries.size() < 2000) {
    insert();
    const auto before = demux.moved();
    for (int i = 0; i < 20; ++i) erase(), insert();
    ASSERT_LE(demux.moved() - before, 1000u) << entries.size();
  }
}

}  // namespace
}  // namespace estab
