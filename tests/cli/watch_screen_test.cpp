// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_screen.hpp"

#include <gtest/gtest.h>

#include "estab/cli/canvas.hpp"
#include "tests/cli/scenario_source.hpp"

namespace estab::cli {
namespace {

TEST(WatchScreen, Empty) { EXPECT_TRUE(watch_screen({}, {.width = 0}).empty()); }

}  // namespace
}  // namespace estab::cli
