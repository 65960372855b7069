// SPDX-License-Identifier: Apache-2.0
#include "estab/observe/flood_verdict.hpp"

#include <gtest/gtest.h>

namespace estab::observe {
namespace {

// A flood as it looks when nothing else is the matter.
Evidence flood() {
  Evidence e;
  e.listener = {{}, Port{80}};
  e.recent = {.syns = 1870, .completed = 2, .failed = 143};
  e.usual_completed = 10;
  e.alarm_a = e.bad = true;
  e.spread = {.samples = 143, .sources = 141, .prefixes = 139, .prefix_entropy = 0.99};
  e.gauges.half_open = 143;
  return e;
}

TEST(VerdictInWords, IsOneLineWithTheNumbersItStandsOn) {
  EXPECT_EQ(in_words(Verdict::spoofed_flood, flood()),
            "143 half-open on :80 from 141 sources in 139 prefixes, 2 of 1,870 completed in 4 s: "
            "spoofed flood");
}

TEST(Verdict, OfAnAlarmWithoutPatternIsASpoofedFlood) {
  EXPECT_EQ(decide(flood()), Verdict::spoofed_flood);
  EXPECT_TRUE(is_attack(decide(flood())));
}

TEST(Verdict, NeedsTwentyFailuresAndABadCohort) {
  auto e = flood();
  e.spread.samples = 19;
  EXPECT_EQ(decide(e), Verdict::failing);
  e = flood();
  e.bad = false;
  EXPECT_EQ(decide(e), Verdict::failing);
  EXPECT_FALSE(is_attack(Verdict::failing));
}

TEST(Verdict, IsFewHostsBeforeReflectorBeforeSpoofed) {
  auto e = flood();
  e.spread.top_prefix = *Prefix::parse("198.51.100.0/22"), e.spread.top_prefix_share = 0.97;
  EXPECT_EQ(decide(e), Verdict::reflector);
  EXPECT_TRUE(in_words(decide(e), e).ends_with(": reflector against 198.51.100.0/22 (97 %)"))
      << in_words(decide(e), e);
  e.spread.top_hosts = 5, e.spread.top_hosts_share = 0.6;
  e.spread.top_host = Address::v4(192, 0, 2, 9), e.spread.top_host_share = 0.31;
  EXPECT_EQ(decide(e), Verdict::few_hosts);
  EXPECT_TRUE(in_words(decide(e), e)
                  .ends_with(": few hosts, 192.0.2.9 alone 31 %, the busiest 5 together 60 %"))
      << in_words(decide(e), e);
}

TEST(Verdict, IsPathBrokenWherePeopleWeKnowAskAgain) {
  auto e = flood();
  e.spread.repeated = 0.6;
  EXPECT_EQ(decide(e), Verdict::spoofed_flood) << "forgers can repeat SYNs too";
  e.spread.known = 0.5;
  EXPECT_EQ(decide(e), Verdict::path_broken);
  e.alarm_a = e.bad = false;
  EXPECT_EQ(decide(e), Verdict::quiet);
  e.warning = true;
  EXPECT_EQ(decide(e), Verdict::path_broken);
}

TEST(Verdict, IsPathBrokenWhereAsManyAsUsualComeAndNoneCompletes) {
  auto e = flood();
  e.spread.repeated = 0.6;
  e.usual_completed = 100, e.recent = {.syns = 510, .completed = 4, .failed = 506};
  EXPECT_EQ(decide(e), Verdict::path_broken);
  e.recent.syns = 2000;
  EXPECT_EQ(decide(e), Verdict::spoofed_flood);
}

TEST(Verdict, IsAScanWhereClientsReset) {
  Evidence e;
  e.recent = {.syns = 36, .completed = 5, .reset = 30, .failed = 1};
  EXPECT_EQ(decide(e), Verdict::half_open_scan);
  EXPECT_EQ(in_words(decide(e), e),
            "30 of 36 on all listeners were reset by the client: half-open scan");
  e.recent.completed = 300;
  EXPECT_EQ(decide(e), Verdict::quiet) << "busy servers see thirty resets";
}

TEST(Verdict, IsAConnectFloodWhereMostThatCompleteStaySilent) {
  Evidence e;
  e.usual_rate = 100, e.usual_silent_share = 0.04, e.usual_talks = true;
  e.recent = {.syns = 5100, .completed = 5000, .failed = 100, .silent = 4500};
  e.lights.slow_application = true;
  EXPECT_EQ(decide(e), Verdict::connect_flood);
  e.recent.silent = 200;
  EXPECT_EQ(decide(e), Verdict::overload) << "a crowd that talks";
  e.gauges.accept_queue = 500, e.gauges.accept_limit = 512;
  EXPECT_EQ(in_words(decide(e), e),
            "accept queue 500 of 512 on all listeners, 5,000 of 5,100 completed in 4 s, 10.0 times "
            "as many as usual: flash crowd, overload");
}

TEST(Verdict, SaysWhatItsSourceCannotKnow) {
  auto e = flood();
  EXPECT_EQ(doubts(decide(e), e), 0);
  e.source = HandshakeSource::kernel();
  e.recent.syns = 90;
  EXPECT_EQ(decide(e), Verdict::failing) << "fewer complete than usual: that may be our own path";
  e.recent.completed = 48;
  ASSERT_EQ(decide(e), Verdict::spoofed_flood);
  EXPECT_EQ(doubts(decide(e), e), doubt::path | doubt::scan | doubt::counted);
  EXPECT_TRUE(in_words(decide(e), e).ends_with("completions are counted, not matched)"));
  e.source = HandshakeSource::towards_server();
  EXPECT_EQ(doubts(decide(e), e), doubt::unproven);
}

TEST(Verdict, DoubtsAFloodWhoseSourcesRepeat) {
  auto e = flood();
  e.spread.samples = 300;
  EXPECT_EQ(doubts(decide(e), e), doubt::repeating);
}

TEST(Verdict, OfPressureAloneIsQuietAndThePressureIsSaid) {
  Evidence e;
  e.recent = {.syns = 500, .completed = 480, .failed = 20};
  e.lights.under_pressure = true;
  EXPECT_EQ(decide(e), Verdict::quiet);
  EXPECT_EQ(in_words(decide(e), e),
            "480 of 500 completed in 4 s on all listeners: quiet; under pressure");
}

}  // namespace
}  // namespace estab::observe
