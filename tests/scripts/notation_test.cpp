// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>

#include "notation.hpp"

namespace estab::script {
namespace {

TEST(Notation, What_is_left_out_is_not_compared_and_what_is_said_is) {
  const Segment s{.flags = 0x10,
                  .seq = 1,
                  .ack = 5,
                  .window = 100,
                  .urgent = 0,
                  .length = 7,
                  .options = {"nop", "nop", "TS 10 20"}};
  for (const auto* same : {".", ". 1:8", ". 1:8(7) ack 5", ". win 100", ". <nop,nop,TS . 20>"})
    EXPECT_EQ(difference(parse_spec(same), s), "") << same;
  for (const auto* other : {"P.", ". 2:9", ". 1:7", ". ack 6", ". win 99", ". <>", ". urg 1",
                            ". <nop,nop,TS 9 20>", ". <nop,TS 10 20>"})
    EXPECT_NE(difference(parse_spec(other), s), "") << other;
}

TEST(Notation, A_mistake_in_a_script_is_said) {
  for (const auto* wrong : {"X 0:0", "S 0:0 wnd 5", "S 0:x", ". 1:1 ack"})
    EXPECT_ANY_THROW((void)parse_spec(wrong)) << wrong;
  EXPECT_THROW((void)encode_options({"mms 5"}, {}), std::invalid_argument);
}

TEST(Notation, A_segment_is_spelled_as_it_is_written) {
  const Segment s{.flags = 0x38,
                  .seq = 1,
                  .ack = 5,
                  .window = 100,
                  .urgent = 3,
                  .length = 7,
                  .options = {"nop", "nop", "sack 1:2"}};
  EXPECT_EQ(spell(s), "PU. 1:8(7) ack 5 win 100 urg 3 <nop,nop,sack 1:2>");
  EXPECT_EQ(difference(parse_spec(spell(s)), s), "");
}

}  // namespace
}  // namespace estab::script
