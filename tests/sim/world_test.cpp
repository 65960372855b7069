// SPDX-License-Identifier: Apache-2.0
// A short run of the virtual network; the long one is
//   estab_sim --seeds 1000 --connections 100 --quiet
#include <gtest/gtest.h>

#include "estab/sim/world.hpp"

namespace estab::sim {
namespace {

void all_hold(const WorldConfig& base, unsigned seeds) {
  std::uint64_t complete = 0, ends = 0;
  for (unsigned i = 0; i < seeds; ++i) {
    auto config = base;
    config.seed = base.seed + i;
    const auto result = run_world(config);
    ASSERT_EQ(result.violation, "") << "seed " << config.seed;
    complete += result.complete;
    ends += 2 * config.connections;
  }
  EXPECT_GT(complete * 2, ends);  // Most of them do what they set out to do.
}

TEST(World, On_good_paths_whatever_programs_do_every_octet_arrives_and_nothing_is_left) {
  all_hold({.seed = 1000, .connections = 100, .worst = {}, .most_octets = 100000}, 10);
}

TEST(World,
     With_a_fifth_lost_doubled_overtaken_and_changed_every_octet_arrives_or_the_end_is_told) {
  all_hold({.seed = 2000, .connections = 100, .most_octets = 50000}, 12);
}

TEST(World, On_paths_that_only_reorder_and_duplicate_nothing_fails) {
  all_hold({.seed = 3000,
            .connections = 100,
            .worst = {.duplicate = 0.5, .reorder = 0.5},
            .most_octets = 50000},
           8);
}

TEST(World, Many_connections_at_once_between_two_stacks) {
  all_hold({.seed = 4000, .connections = 1000, .nodes = 2, .most_octets = 5000}, 1);
}

TEST(World, The_same_seed_is_the_same_world) {
  const WorldConfig config{.seed = 5, .connections = 30, .most_octets = 20000};
  const auto one = run_world(config), two = run_world(config);
  EXPECT_EQ(one.violation, two.violation);
  EXPECT_EQ(one.events, two.events);
  EXPECT_EQ(one.octets, two.octets);
  EXPECT_EQ(one.took, two.took);
  EXPECT_EQ(one.faults, two.faults);
}

}  // namespace
}  // namespace estab::sim
