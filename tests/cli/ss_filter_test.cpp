// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/ss_filter.hpp"

#include <gtest/gtest.h>

#include "estab/cli/commands.hpp"

namespace estab::cli {
namespace {

Endpoint end(const char* address, std::uint16_t port) {
  return {*Address::parse(address), Port{port}};
}
const Endpoint ours = end("192.0.2.1", 80), theirs = end("10.1.2.3", 50000);

bool matches(const SsFilter& filter) { return filter.matches("ESTAB", ours, theirs); }

TEST(SsFilter, AnEmptyOneMatchesAll) { EXPECT_TRUE(matches({})); }

TEST(SsFilter, AStateIsOneOfThose) {
  EXPECT_TRUE(matches({.states = {"LISTEN", "ESTAB"}}));
  EXPECT_FALSE(matches({.states = {"LISTEN"}}));
}

TEST(SsFilter, APortIsAtEitherEndOrAtOne) {
  EXPECT_TRUE(matches({.ports = {Port{80}}}));
  EXPECT_TRUE(matches({.ports = {Port{50000}}}));
  EXPECT_FALSE(matches({.ports = {Port{81}}}));
  EXPECT_TRUE(matches({.ports = {Port{81}, Port{80}}}));
  EXPECT_TRUE(matches({.local_ports = {Port{80}}}));
  EXPECT_FALSE(matches({.local_ports = {Port{50000}}}));
  EXPECT_TRUE(matches({.remote_ports = {Port{50000}}}));
  EXPECT_FALSE(matches({.remote_ports = {Port{80}}}));
  EXPECT_FALSE(matches({.ports = {Port{80}}, .remote_ports = {Port{1}}}));
}

TEST(SsFilter, APeerIsInThePrefix) {
  EXPECT_TRUE(matches({.peers = {*Prefix::parse("10.0.0.0/8")}}));
  EXPECT_FALSE(matches({.peers = {*Prefix::parse("192.0.2.0/24")}}));
  EXPECT_FALSE(matches({.peers = {*Prefix::parse("::/0")}}));
}

TEST(SsFilter, AListenerHasNoPeer) {
  const SsFilter all{.peers = {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")}};
  EXPECT_FALSE(all.matches("LISTEN", ours, end("0.0.0.0", 0)));
  EXPECT_FALSE(all.matches("LISTEN", ours, end("::", 0)));
}

TEST(SsFilter, TheLinesAboutListenersGoByThePortAlone) {
  EXPECT_TRUE((SsFilter{.states = {"ESTAB"}, .ports = {Port{80}}}).matches_listener(ours));
  EXPECT_FALSE((SsFilter{.local_ports = {Port{81}}}).matches_listener(ours));
}

TEST(SsState, TakesTheNamesOfTheRfcAndOfSs) {
  EXPECT_EQ(ss_state("established"), "ESTAB");
  EXPECT_EQ(ss_state("SYN-RECEIVED"), "SYN-RECV");
  EXPECT_EQ(ss_state("fin_wait_1"), "FIN-WAIT-1");
  EXPECT_EQ(ss_state("listen"), "LISTEN");
  EXPECT_EQ(ss_state("open"), "");
}

TEST(SsWords, AreReadOrRefused) {
  EXPECT_EQ(ss_port_of("--port", "65535"), Port{65535});
  EXPECT_EQ(ss_prefix_of("--source", "10.0.0.0/8"), *Prefix::parse("10.0.0.0/8"));
  EXPECT_EQ(ss_prefix_of("--source", "192.0.2.1"), *Prefix::parse("192.0.2.1/32"));
  EXPECT_EQ(ss_prefix_of("--source", "2001:db8::1"), *Prefix::parse("2001:db8::1/128"));
  for (const auto* port : {"", "0", "65536", "-1", "80x", " 80", "http"})
    EXPECT_THROW((void)ss_port_of("--port", port), UsageError) << port;
  for (const auto* prefix : {"", "10/8", "10.0.0.0/33", "10.0.0.0/", "::/129", "here"})
    EXPECT_THROW((void)ss_prefix_of("--source", prefix), UsageError) << prefix;
  EXPECT_THROW((void)ss_state_of("--state", "open"), UsageError);
}

}  // namespace
}  // namespace estab::cli
