// SPDX-License-Identifier: Apache-2.0
#include "estab/sim/syn_scenarios.hpp"

namespace estab::sim {
namespace {

using observe::Verdict;
using Pool = SourcePool::Kind;

constexpr Milliseconds from = 90s, until = 150s;

// A site of a hundred clients a second, whose event is still to be said.
SynScenario site(std::string name, double rate = 100) {
  return {.name = std::move(name), .streams = {{.rate = rate}}};
}

// From forged addresses nobody answers.
ClientStream flood(double rate, SourcePool sources = {.kind = Pool::anywhere}) {
  return {.rate = rate,
          .from = from,
          .until = until,
          .model = {.loss = 0, .abandon = 1, .attempts = 1},
          .sources = sources};
}

// Clients beside the usual ones, so that there are `times` as many.
ClientStream crowd(double times, double strangers = 0.5) {
  return {.rate = 100 * (times - 1),
          .from = from,
          .until = until,
          .ramp = 5s,
          .sources = {.strangers = strangers}};
}

SynScenario under(std::string name, ClientStream attack, Verdict expected = Verdict::spoofed_flood,
                  double rate = 100) {
  auto scenario = site(std::move(name), rate);
  scenario.streams.push_back(std::move(attack));
  scenario.expected = expected;
  return scenario;
}

// The usual clients change for the time of the event.
SynScenario changed(std::string name, const ClientModel& model) {
  auto scenario = site(std::move(name));
  scenario.streams[0].until = from;
  scenario.streams.push_back({.from = from, .until = until, .model = model});
  scenario.streams.push_back({.from = until});
  return scenario;
}

void add_everyday(std::vector<SynScenario>& list) {
  list.push_back(site("normal"));
  list.push_back(changed("10 % loss", {.loss = 0.1}));
  list.push_back(changed("40 % SYN-ACK loss", {.syn_ack_loss = 0.4}));
  list.push_back(changed("15 % abandonment", {.abandon = 0.15}));
  for (const double times : {10, 50}) {
    list.push_back(site("crowd x" + std::to_string(int(times))));
    list.back().streams.push_back(crowd(times));
  }
  list.push_back(site("crowd x20, all strangers"));
  list.back().streams.push_back(crowd(20, 1));
  list.push_back(site("crowd x10, 15 % abandonment"));
  list.back().streams.push_back(crowd(10));
  list.back().streams.back().model.abandon = 0.15;
  list.push_back(site("busy 1000/s", 1000));
}

void add_troubles(std::vector<SynScenario>& list) {
  auto scan = flood(6, {.kind = Pool::hosts, .count = 1});
  scan.model = {.abandon = 0, .reset = 1};
  list.push_back(under("idle + scan 6/s", scan, Verdict::half_open_scan, 1));
  auto connect = flood(1000, {.kind = Pool::hosts, .count = 500});
  connect.model = {.abandon = 0, .silent = 1};
  list.push_back(under("connect flood 1000/s", connect, Verdict::connect_flood));
  list.push_back(site("our egress dead"));
  list.back().outages = {{.from = from, .until = until}};
  list.back().expected = Verdict::path_broken;
  for (const double share : {0.25, 0.5}) {
    list.push_back(site("answers to " + std::to_string(int(share * 100)) + " % of prefixes lost"));
    list.back().outages = {{.from = from, .until = until, .share = share}};
    list.back().expected = Verdict::path_broken;
  }
  list.push_back(site("application stops"));
  list.back().server.slow_rate = 5;
  list.back().server.slow_from = from, list.back().server.slow_until = until;
  list.back().expected = Verdict::overload;
  list.push_back(site("crowd x10, slow application"));
  list.back().streams.push_back(crowd(10));
  list.back().server.accept_rate = 400;
  list.back().expected = Verdict::overload;
}

void add_floods(std::vector<SynScenario>& list) {
  for (const double rate : {2000, 300, 100, 50, 15, 12})
    list.push_back(under("flood " + std::to_string(int(rate)) + "/s", flood(rate)));
  list.push_back(under("flood 1500/s in crowd x10", flood(1500)));
  list.back().streams.push_back(crowd(10));
  list.push_back(under("idle + flood 20/s", flood(20), Verdict::spoofed_flood, 1));
  list.push_back(under("idle + flood 200/s", flood(200), Verdict::spoofed_flood, 1));
  list.push_back(under("5 hosts 500/s", flood(500, {.kind = Pool::hosts, .salt = 9, .count = 5}),
                       Verdict::few_hosts));
  const Prefix victim{Address::v4(198, 51, 100, 0), 22};
  list.push_back(under("reflector /22 80/s", flood(80, {.kind = Pool::inside, .prefix = victim}),
                       Verdict::reflector));
  auto pulses = flood(1000);
  pulses.period = 10s, pulses.pulse = 2s;
  list.push_back(under("pulses 2 s in 10", pulses));
  auto repeated = flood(300);
  repeated.model.attempts = 4, repeated.model.persistent = true;
  list.push_back(under("flood 300/s, SYNs repeated", repeated));
  list.push_back(under("busy 1000/s + flood 250/s", flood(250), Verdict::spoofed_flood, 1000));
  list.push_back(under("busy 1000/s + flood 120/s", flood(120), Verdict::spoofed_flood, 1000));
  // The server has just started: it knows nobody.
  list.push_back(under("just started + flood 60/s", flood(60)));
  list.back().streams[1].from = 10s, list.back().streams[1].until = 70s;
  list.back().event_from = 10s, list.back().event_until = 70s, list.back().length = 120s;
  // Not above a tenth: what is reached is printed, and bounds nothing.
  list.push_back(under("busy 1000/s + flood 100/s", flood(100), Verdict::spoofed_flood, 1000));
  list.back().bounded = false;
}

}  // namespace

std::vector<SynScenario> syn_scenarios() {
  std::vector<SynScenario> list;
  add_everyday(list);
  add_troubles(list);
  add_floods(list);
  return list;
}

}  // namespace estab::sim
