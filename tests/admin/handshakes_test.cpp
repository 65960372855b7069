// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/handshakes.hpp"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace estab::admin {
namespace {

using observe::HandshakeStep;
using observe::ListenerPicture;

const Endpoint ours{Address::v4(10, 77, 0, 2), Port{80}};
const Endpoint theirs{*Address::parse("fd00::1"), Port{50000}};

ListenerPicture picture() {
  return {.listener = ours,
          .gauges = {.half_open = 5,
                     .half_open_limit = 1024,
                     .accept_queue = 0,
                     .accept_limit = 129,
                     .half_open_timeout = Milliseconds{15000},
                     .accepted = 70},
          .mode = "PRESSURE",
          .seconds = {{.syns = 1, .answered = 2, .completed = 3}, {.syns = 4}},
          .half_open = {1, 2, 0, 0, 0, 0, 1, 1},
          .prefixes = {{.prefix = *Prefix::parse("192.0.2.0/24"), .syns = 9, .completed = 1}},
          .verdict = observe::Verdict::spoofed_flood,
          .lights = {.under_pressure = true, .slow_application = false},
          .words = "143 half-open: spoofed flood",
          .good = {{.flow = {ours, theirs},
                    .age = Milliseconds{1234},
                    .moments = {{HandshakeStep::syn, {}},
                                {HandshakeStep::syn_ack, {}},
                                {HandshakeStep::completed, Milliseconds{31}}}}},
          .bad = {}};
}

std::string text_of(const std::vector<ListenerPicture>& pictures) {
  return boost::json::serialize(to_json(pictures));
}

TEST(Handshakes, AreReadAsTheyWereTold) {
  const ListenerPicture empty{};
  const auto text = text_of({picture(), empty});
  const auto read = read_handshakes(boost::json::parse(text));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(text_of(*read), text);
  const auto& first = read->front();
  EXPECT_EQ(first.listener, ours);
  EXPECT_EQ(first.gauges, picture().gauges);
  EXPECT_EQ(first.seconds, picture().seconds);
  EXPECT_EQ(first.half_open, picture().half_open);
  EXPECT_EQ(first.prefixes, picture().prefixes);
  EXPECT_EQ(first.verdict, observe::Verdict::spoofed_flood);
  EXPECT_EQ(first.lights, picture().lights);
  EXPECT_EQ(first.good, picture().good);
  EXPECT_FALSE(first.bad);
  EXPECT_EQ(read->back().gauges, empty.gauges);
}

TEST(Handshakes, AreNotReadWhereAFieldIsMissingOrOfAnotherKind) {
  const auto whole = to_json(std::vector{picture()});
  ASSERT_TRUE(read_handshakes(whole));
  EXPECT_FALSE(read_handshakes("handshakes"));
  for (const auto& field : whole.at(0).as_object()) {
    if (field.key() == "attack") continue;  // It is told by the verdict.
    auto changed = whole;
    changed.at(0).as_object().erase(field.key());
    EXPECT_FALSE(read_handshakes(changed)) << field.key();
    changed = whole;
    changed.at(0).as_object()[field.key()] = boost::json::object{};
    EXPECT_FALSE(read_handshakes(changed)) << field.key();
  }
}

}  // namespace
}  // namespace estab::admin
