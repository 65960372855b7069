// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/document.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace estab::admin {
namespace {

using namespace std::chrono_literals;

const Endpoint ours{Address::v4(10, 77, 0, 2), Port{80}};
const Endpoint theirs{*Address::parse("fd00::1"), Port{50000}};

TEST(Document, NamesTheProcess) {
  const auto document = to_json(
      {.pid = 7, .service = "serve --echo", .device = "estab0", .addresses = {"10.77.0.2/24"}}, {});
  EXPECT_EQ(boost::json::serialize(document.at("process")),
            R"({"pid":7,"service":"serve --echo","device":"estab0","addresses":["10.77.0.2/24"]})");
}

TEST(Document, TellsAListenersTwoQueues) {
  Snapshot snapshot;
  snapshot.listeners.push_back({.local = ours,
                                .half_open = 1,
                                .half_open_limit = 2,
                                .accept_queue = 3,
                                .accept_limit = 4,
                                .accepted = 5,
                                .half_open_overflows = 6,
                                .accept_overflows = 7,
                                .mode = SynMode::stateless,
                                .in_mode = 1500ms,
                                .syns = 8,
                                .evicted = 9,
                                .cookies_sent = 10,
                                .cookies_valid = 11,
                                .cookies_bad = 12,
                                .cookies_limited = 13,
                                .syn_acks_limited = 14});
  EXPECT_EQ(boost::json::serialize(to_json({}, snapshot).at("listeners")),
            R"([{"local":{"address":"10.77.0.2","port":80},"half_open":1,"half_open_limit":2,)"
            R"("syn_acks_retransmitted":0,)"
            R"("accept_queue":3,"accept_limit":4,"accepted":5,"half_open_overflows":6,)"
            R"("accept_overflows":7,"mode":"STATELESS","in_mode_ms":1500,"syns":8,"evicted":9,)"
            R"("cookies_sent":10,"cookies_valid":11,"cookies_bad":12,"cookies_limited":13,)"
            R"("syn_acks_limited":14}])");
}

TEST(Document, TellsHowOftenAListenerSentItsSynAcksAgain) {
  Snapshot snapshot;
  snapshot.listeners.push_back({.local = ours, .syn_acks_retransmitted = 9});
  EXPECT_EQ(to_json({}, snapshot).at("listeners").at(0).at("syn_acks_retransmitted"), 9);
}

TEST(Document, TellsAConnectionInUnitsThatItsFieldsName) {
  Snapshot snapshot;
  snapshot.connections.push_back({.flow = {ours, theirs},
                                  .state = State::fin_wait_1,
                                  .send_queue = 9,
                                  .srtt = 1500us,
                                  .rto = 201ms,
                                  .age = 3s});
  const auto document = to_json({}, snapshot);
  const auto& c = document.at("connections").at(0);
  EXPECT_EQ(c.at("state"), "FIN-WAIT-1");
  EXPECT_EQ(c.at("remote").at("address"), "fd00::1");
  EXPECT_EQ(c.at("send_queue"), 9);
  EXPECT_EQ(c.at("srtt_us"), 1500);
  EXPECT_EQ(c.at("rto_us"), 201000);
  EXPECT_EQ(c.at("age_ms"), 3000);
}

TEST(Document, TellsHalfOpenAndTimeWaitRecords) {
  Snapshot snapshot;
  snapshot.half_open.push_back(
      {.flow = {ours, theirs}, .age = 2s, .retransmissions = 1, .deferred = true});
  snapshot.time_wait.push_back({.flow = {ours, theirs}, .left = 59s});
  const auto document = to_json({}, snapshot);
  EXPECT_EQ(document.at("half_open").at(0).at("deferred"), true);
  EXPECT_EQ(document.at("half_open").at(0).at("retransmissions"), 1);
  EXPECT_EQ(document.at("time_wait").at(0).at("left_ms"), 59000);
}

TEST(Document, CountsOnlyReasonsThatWereGivenEachWithItsClause) {
  Snapshot snapshot;
  snapshot.counters.count(Reason::tcp_checksum);
  snapshot.counters.count(Reason::tcp_checksum);
  EXPECT_EQ(boost::json::serialize(to_json({}, snapshot).at("counters")),
            R"([{"reason":"tcp_checksum","clause":"MUST-3",)"
            R"("sentence":"The TCP checksum does not match.","count":2}])");
}

}  // namespace
}  // namespace estab::admin
