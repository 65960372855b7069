// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/metrics.hpp"

#include <gtest/gtest.h>

#include "exposition.hpp"

namespace estab::admin {
namespace {

const std::vector<std::string> none;

using enum MetricsFormat;

std::string print(const Snapshot& snapshot, MetricsFormat format = open_metrics) {
  return to_metrics({.device = "estab0"}, snapshot, {}, format);
}
Exposition busy(MetricsFormat format = open_metrics) {
  return read(print(busy_snapshot(), format), format);
}
std::string of_http(const std::string& name) { return name + R"({local="10.77.0.2:80"})"; }

TEST(Metrics, AreWhatEitherFormatAllowsAndNothingStandsTwice) {
  for (const auto format : {open_metrics, prometheus}) {
    EXPECT_EQ(busy(format).faults, none);
    EXPECT_EQ(read(print({}, format), format).faults, none);
  }
}

TEST(Metrics, TheReaderOfTheseTestsFindsFaults) {
  const std::string head = "# HELP a_b B.\n# TYPE a_b gauge\n";
  for (const std::string wrong : {
           "",                                      // No end.
           "a_b 1\n# EOF\na_b 2\n",                 // Text after it.
           "a_b 1\na_b 2\n# EOF\n",                 // Twice.
           "a_b{c=\"d\"e\"} 1\n# EOF\n",            // A quote.
           "a_c 1\n# EOF\n",                        // Another family's.
           "a_b x\n# EOF\n",                        // No number.
           "a_b 1\n# TYPE a_b gauge\n# EOF\n",      // Metadata behind, twice.
           "# UNIT a_b seconds\na_b 1\n# EOF\n",    // Not in the name.
           "# TYPE c counter\nc_total 1\n# EOF\n",  // No HELP.
           "# HELP c C\n# TYPE c counter\nc 1\n# EOF\n",
       })
    EXPECT_FALSE(read(head + wrong, open_metrics).faults.empty()) << wrong;
  EXPECT_EQ(read(head + "a_b{c=\"d\\\"e\"} 1\n# EOF\n", open_metrics).faults, none);
}

TEST(Metrics, OfOpenMetricsEndInEOFAndNameTheirUnits) {
  const auto text = print(busy_snapshot());
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
  EXPECT_PRED2(contains, text,
               "# TYPE estab_listen_overflows counter\n"
               "estab_listen_overflows_total{local=\"10.77.0.2:80\"} 107\n"
               "estab_listen_overflows_total{local=\"[fd00:77::2]:443\"} 0\n");
  EXPECT_PRED2(contains, text, "# TYPE estab_stack info\nestab_stack_info{device=\"estab0\"} 1\n");
  EXPECT_PRED2(contains, text, "# UNIT estab_memory_bytes bytes\n");
  EXPECT_PRED2(contains, text, "# UNIT estab_listener_mode_seconds seconds\n");
}

TEST(Metrics, TellTheVerdictOnEachListenerAndItsLights) {
  const auto found =
      read(to_metrics({.device = "estab0"}, busy_snapshot(), flooded(), prometheus), prometheus);
  EXPECT_EQ(found.faults, none);
  const auto verdict = [&](std::string_view name) {
    return found.at("estab_listener_verdict{local=\"10.77.0.2:80\",verdict=\"" + std::string(name) +
                    "\"}");
  };
  EXPECT_EQ(verdict("spoofed flood"), 1);
  EXPECT_EQ(verdict("quiet"), 0);
  EXPECT_EQ(found.at(of_http("estab_listener_attack")), 1);
  EXPECT_EQ(found.at(of_http("estab_listener_under_pressure")), 1);
  EXPECT_EQ(found.at(of_http("estab_listener_slow_application")), 0);
  EXPECT_EQ(found.at("estab_listener_attack{local=\"[::]:0\"}"), -1) << "of all together";
}

TEST(Metrics, OfPrometheusNameFamiliesAsTheirSamples) {
  const auto text = print(busy_snapshot(), prometheus);
  EXPECT_PRED2(contains, text,
               "# TYPE estab_listen_overflows_total counter\n"
               "estab_listen_overflows_total{local=\"10.77.0.2:80\"} 107\n");
  EXPECT_PRED2(contains, text, "# TYPE estab_stack_info gauge\n");
}

TEST(Metrics, OfBothFormatsAreTheSame) {
  EXPECT_EQ(busy(open_metrics).series, busy(prometheus).series);
}

TEST(Metrics, TellEachFieldOfAListener) {
  const auto found = busy();
  const std::pair<const char*, double> expected[] = {
      {"estab_listener_half_open", 101},
      {"estab_listener_half_open_limit", 102},
      {"estab_listener_accept_queue", 103},
      {"estab_listener_accept_queue_limit", 104},
      {"estab_passive_opens_total", 105},
      {"estab_tcp_req_q_full_total", 106},
      {"estab_listen_overflows_total", 107},
      {"estab_listener_syns_total", 108},
      {"estab_listener_evicted_total", 109},
      {"estab_syncookies_sent_total", 110},
      {"estab_syncookies_recv_total", 111},
      {"estab_syncookies_failed_total", 112},
      {"estab_syncookies_limited_total", 113},
      {"estab_listener_syn_acks_limited_total", 114},
      {"estab_listener_syn_acks_retransmitted_total", 115},
      {"estab_listener_mode_seconds", 1.25},
  };
  for (const auto& [name, value] : expected) EXPECT_EQ(found.at(of_http(name)), value) << name;
}

TEST(Metrics, GiveOneModeOfAListenerAndDenyTheOthers) {
  const auto found = busy();
  const auto mode = [&](const char* local, const char* name) {
    return found.at(std::string("estab_listener_mode{local=\"") + local + "\",mode=\"" + name +
                    "\"}");
  };
  EXPECT_EQ(mode("10.77.0.2:80", "NORMAL"), 0);
  EXPECT_EQ(mode("10.77.0.2:80", "PRESSURE"), 0);
  EXPECT_EQ(mode("10.77.0.2:80", "STATELESS"), 1);
  EXPECT_EQ(mode("[fd00:77::2]:443", "NORMAL"), 1);
  EXPECT_EQ(mode("[fd00:77::2]:443", "STATELESS"), 0);
}

TEST(Metrics, CountConnectionsAndRecordsByState) {
  const auto found = busy();
  const auto count = [&](const char* state) {
    return found.at(std::string("estab_connections{state=\"") + state + "\"}");
  };
  EXPECT_EQ(count("ESTABLISHED"), 2);
  EXPECT_EQ(count("CLOSE-WAIT"), 1);
  EXPECT_EQ(count("SYN-RECEIVED"), 1 + 2);
  EXPECT_EQ(count("TIME-WAIT"), 1 + 3);
  EXPECT_EQ(count("LAST-ACK"), 0);
  EXPECT_EQ(found.label_values.at("estab_connections").size(), 9u);
}

TEST(Metrics, TellMemoryAndEachReason) {
  const auto found = busy();
  EXPECT_EQ(found.at("estab_memory_bytes"), 116);
  EXPECT_EQ(found.at("estab_memory_limit_bytes"), 117);
  for (std::size_t i = 1; i < reason_count; ++i) {
    const auto name = std::string(text(Reason(i)).name);
    EXPECT_EQ(found.at("estab_reason_total{reason=\"" + name + "\"}"), double(200 + i)) << name;
  }
  EXPECT_EQ(found.label_values.at("estab_reason_total").size(), reason_count - 1);
}

TEST(Metrics, OfAnswersAreThoseOfTheirReasons) {
  const auto found = busy();
  const std::pair<const char*, Reason> expected[] = {
      {"estab_out_rsts_total", Reason::send_rst},
      {"estab_out_rsts_limited_total", Reason::reset_limit},
      {"estab_tcp_challenge_ack_total", Reason::send_challenge_ack},
      {"estab_tcp_ack_skipped_challenge_total", Reason::challenge_limit},
      {"estab_tcp_req_q_full_drop_total", Reason::half_open_full},
  };
  for (const auto& [name, reason] : expected)
    EXPECT_EQ(found.at(name), double(200 + std::size_t(reason))) << name;
}

TEST(Metrics, EscapeWhatALabelHolds) {
  const auto text = to_metrics({.device = "a\\b\"c\nd"}, {}, {}, open_metrics);
  EXPECT_PRED2(contains, text, "estab_stack_info{device=\"a\\\\b\\\"c\\nd\"} 1\n");
  EXPECT_EQ(read(text, open_metrics).faults, none);
}

TEST(Metrics, TellSixtyFourBitsExactly) {
  Snapshot snapshot;
  snapshot.memory_limit = ~std::uint64_t{0};
  EXPECT_PRED2(contains, print(snapshot), "estab_memory_limit_bytes 18446744073709551615\n");
}

TEST(Metrics, TellTheTypeOfTheirText) {
  EXPECT_EQ(content_type(open_metrics),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(content_type(prometheus), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace estab::admin
