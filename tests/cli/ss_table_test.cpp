// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_table.hpp"

#include <gtest/gtest.h>

#include "estab/admin/document.hpp"

namespace estab::cli {
namespace {

using namespace std::chrono_literals;

const Endpoint ours{Address::v4(10, 77, 0, 2), Port{80}};
const Endpoint theirs{Address::v4(10, 77, 0, 1), Port{50000}};
const Endpoint ours6{*Address::parse("fd00::2"), Port{80}},
    theirs6{*Address::parse("fd00::1"), Port{5}};

std::vector<boost::json::value> documents() {
  Snapshot snapshot;
  snapshot.listeners.push_back(
      {.local = {{}, Port{80}}, .half_open_limit = 1024, .accept_limit = 129});
  snapshot.connections.push_back({.flow = {ours, theirs},
                                  .state = State::established,
                                  .receive_queue = 3,
                                  .send_queue = 14600,
                                  .cwnd = 14600,
                                  .ssthresh = 7300,
                                  .send_mss = 1460,
                                  .srtt = 1500us,
                                  .rto = 201ms});
  snapshot.half_open.push_back({.flow = {ours6, theirs6}});
  snapshot.time_wait.push_back({.flow = {ours, theirs}, .left = 58500ms});
  snapshot.counters.count(Reason::tcp_checksum);
  return {admin::to_json({.pid = 7, .service = "serve --echo", .device = "estab0"}, snapshot)};
}

TEST(SsTable, LaysOutWhatThereIsAsSsDoes) {
  EXPECT_EQ(ss_table(documents(), {}),
            "State     Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
            "LISTEN    0      129                  *:80               *:* 7/estab0\n"
            "SYN-RECV  0      0            [fd00::2]:80       [fd00::1]:5 7/estab0\n"
            "ESTAB     3      14600        10.77.0.2:80   10.77.0.1:50000 7/estab0\n"
            "TIME-WAIT 0      0            10.77.0.2:80   10.77.0.1:50000 7/estab0\n");
}

TEST(SsTable, ShowsTheStatesThatWereChosen) {
  EXPECT_EQ(ss_table(documents(), {.filter = {.states = {"LISTEN"}}, .header = false}),
            "LISTEN 0      129                  *:80               *:* 7/estab0\n");
}

TEST(SsTable, TellsTheWindowsInSegmentsAndTimesInMilliseconds) {
  const auto text = ss_table(documents(), {.filter = {.states = {"ESTAB"}}, .info = true});
  EXPECT_NE(text.find(" rto:201 rtt:1.5 mss:1460 cwnd:10 ssthresh:5 "), std::string::npos) << text;
}

TEST(SsTable, TellsHowLongTimeWaitLasts) {
  const auto text = ss_table(documents(), {.filter = {.states = {"TIME-WAIT"}}, .timers = true});
  EXPECT_NE(text.find("timer:(timewait,59sec,0)"), std::string::npos) << text;
}

TEST(SsTable, TellsReasonsWithTheirClause) {
  const auto text = ss_table(documents(), {.counters = true});
  EXPECT_NE(text.find("1  tcp_checksum               The TCP checksum does not match. [MUST-3]\n"),
            std::string::npos)
      << text;
}

TEST(SsFiltered, KeepsInEachListWhatMatches) {
  const auto count = [](const SsFilter& filter) {
    const auto document = ss_filtered(documents().front(), filter);
    std::vector<std::size_t> sizes;
    for (const auto* list : {"listeners", "half_open", "connections", "time_wait"})
      sizes.push_back(document.at(list).as_array().size());
    return sizes;
  };
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(count({}), (Sizes{1, 1, 1, 1}));
  EXPECT_EQ(count({.states = {"SYN-RECV"}}), (Sizes{0, 1, 0, 0}));
  EXPECT_EQ(count({.local_ports = {Port{80}}}), (Sizes{1, 1, 1, 1}));
  EXPECT_EQ(count({.remote_ports = {Port{5}}}), (Sizes{0, 1, 0, 0}));
  EXPECT_EQ(count({.peers = {*Prefix::parse("10.77.0.0/16")}}), (Sizes{0, 0, 1, 1}));
}

}  // namespace
}  // namespace estab::cli
