// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "estab/cli/commands.hpp"
#include "estab/cli/demo_scenes.hpp"

namespace estab::cli::demo {
namespace {

using enum State;

// A stage between two stacks.
class DemoStage : public testing::Test {
 protected:
  PacketPool pool_;
  std::unique_ptr<Peer> peer_ = twin_peer(pool_);
  Picture picture_{Terminal{}};
  Stage stage_{pool_, *peer_, picture_, {.client = Port{50000}, .server = Port{7}}};
};

TEST_F(DemoStage, ASceneThatNamesAStateInWhichAnEndIsNotFails) {
  EXPECT_THROW(stage_.begin({closed, listen}), Failure);
  stage_.listen(Side::peer);
  EXPECT_NO_THROW(stage_.begin({closed, listen}));
}

TEST_F(DemoStage, ASceneThatNamesFlagsThatAreNotSentFails) {
  stage_.listen(Side::peer);
  stage_.begin({closed, listen});
  stage_.connect(Side::us);
  EXPECT_THROW(stage_.deliver(Side::us, "ACK", {syn_sent, syn_received}), Failure);
}

TEST_F(DemoStage, ASegmentWaitsUntilTheSceneLetsItGo) {
  stage_.listen(Side::peer);
  stage_.begin({closed, listen});
  stage_.connect(Side::us);
  EXPECT_NO_THROW(stage_.holds({syn_sent, listen}));
  EXPECT_NO_THROW(stage_.deliver(Side::us, "SYN", {syn_sent, syn_received}));
}

TEST_F(DemoStage, ASegmentThatTheSceneForgetsFailsIt) {
  stage_.establish();
  stage_.begin({established, established});
  EXPECT_NO_THROW(stage_.end());
  stage_.send(Side::us, "text");
  EXPECT_THROW(stage_.end(), Failure);
}

TEST_F(DemoStage, ADivertedSegmentIsOvertaken) {
  stage_.listen(Side::peer);
  stage_.begin({closed, listen});
  stage_.divert_next(Side::us);
  stage_.connect(Side::us);
  stage_.departs(Side::us, "SYN", {syn_sent, listen});
  stage_.old_duplicate(1000, {syn_sent, syn_received});
  stage_.deliver(Side::peer, "SYN,ACK", {syn_sent, syn_received});
  stage_.deliver(Side::us, "RST", {syn_sent, listen});
  stage_.arrives(Side::us, {syn_sent, syn_received});
}

TEST_F(DemoStage, TextThatIsNotWhatWasSentFailsTheScene) {
  stage_.establish();
  stage_.begin({established, established});
  stage_.send(Side::us, "true");
  stage_.deliver(Side::us, "PSH,ACK", {established, established});
  EXPECT_THROW(stage_.receive(Side::peer, "false"), Failure);
}

TEST(DemoScenes, HaveNamesOfTheirOwnAndNameTheirClause) {
  std::set<std::string_view> names;
  for (const auto& scene : scenes()) {
    EXPECT_TRUE(names.insert(scene.name).second) << scene.name;
    EXPECT_TRUE(scene.sentences.contains("[RFC 9293 §")) << scene.name;
    EXPECT_TRUE(scene.sentences.ends_with(']')) << scene.name;
  }
}

}  // namespace
}  // namespace estab::cli::demo
