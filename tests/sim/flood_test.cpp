// SPDX-License-Identifier: Apache-2.0
// A client during a SYN flood of five times what the SYN cache holds (threats.md §2.12): it does
// not notice. Forged SYNs reach the server from nowhere; the client has a real path.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "estab/fault/forged_syns.hpp"
#include "estab/observe/flood_listener.hpp"
#include "estab/sim/network.hpp"

namespace estab::sim {
namespace {

constexpr Duration one_way = 20ms;
constexpr unsigned handshakes = 1000;
constexpr std::size_t octets = 1000;
constexpr Duration flood_time = 10s;

// The octet at this place of the client's n-th stream.
std::byte octet_at(unsigned n, std::size_t at) {
  return std::byte((n * 2654435761u + unsigned(at) * 40503u) >> 16);
}

struct Client {
  unsigned number;
  Instant began;
  std::size_t echoed = 0;
};

class Flood {
 public:
  Flood(const StackConfig& server, double loss)
      : network_({.nodes = {server, impatient()}, .impairment = {.loss = loss, .delay = one_way}}) {
    server_stack().add_route({*Prefix::parse("0.0.0.0/0"), 0});
    listener_ = *server_stack().listen(
        {Network::address(0, false), Port{80}},
        {.backlog = 1024, .half_open_limit = 8192, .rules = {}, .options = {}}, network_.now());
  }

  // `syns` forged ones, evenly over flood_time, and the client's handshakes among them.
  void run(unsigned syns) {
    const Duration per_syn = flood_time / std::max(syns, 1u);
    const Duration per_client = flood_time / handshakes;
    Instant next_syn = syns > 0 ? network_.now() : never, next_client = network_.now();
    const Instant end = network_.now() + flood_time;
    while (network_.now() < end || !open_.empty()) {
      const bool over = network_.now() >= end;
      const Instant next = over ? never : std::min(next_syn, next_client);
      ASSERT_LT(network_.now(), end + 600s) << open_.size() << " connections never ended";
      step(std::min(next, network_.next_deadline()));
      if (over) continue;
      if (network_.now() >= next_syn) attack(), next_syn += per_syn;
      if (network_.now() >= next_client && begun_ < handshakes) begin(), next_client += per_client;
    }
  }
  void rest(Duration time) {
    const Instant end = network_.now() + time;
    while (network_.now() < end) step(std::min(end, network_.next_deadline()));
  }

  [[nodiscard]] ListenerInfo info() { return *server_stack().status(listener_); }
  [[nodiscard]] unsigned done() const { return done_; }
  [[nodiscard]] Duration latency(double quantile) {
    std::ranges::sort(latencies_);
    return latencies_[std::size_t(double(latencies_.size() - 1) * quantile)];
  }
  [[nodiscard]] bool pressed() const { return pressed_; }
  // What the detector said, but for quiet.
  [[nodiscard]] const std::set<observe::Verdict>& verdicts() const { return verdicts_; }

 private:
  static StackConfig impatient() {
    StackConfig config;
    config.tcp.syn_timeout = 5s;
    return config;
  }
  Stack& server_stack() { return network_.stack(0); }
  Stack& client_stack() { return network_.stack(1); }

  void step(Instant to) {
    network_.advance(to);
    for (Notice n; server_stack().next_notice(n);) serve(n);
    for (Notice n; client_stack().next_notice(n);) go_on(n);
    network_.transmit();
    client_stack().log().clear();
    watch(network_.now());
    pressed_ |= info().mode != SynMode::normal;
  }

  // The detector hears what the server's listener hears.
  void watch(Instant now) {
    const auto note = [&](const observe::FloodReport& report) {
      if (report.verdict != observe::Verdict::quiet) verdicts_.insert(report.verdict);
    };
    watch_.advance(now, note);
    server_stack().log().drain([&](const Event& event, Bytes) { observe::observe(watch_, event); });
    if (now < next_gauges_) return;
    next_gauges_ = now + 1s;
    observe::observe(watch_, server_stack().snapshot(now), Milliseconds{15s});
  }

  void attack() {
    Packet syn = forged_.next(network_.pool());
    syn.interface() = 0;
    server_stack().receive({&syn, 1}, network_.now());
  }

  void begin() {
    const auto id = client_stack().connect(
        {.remote = {Network::address(0, false), Port{80}}, .local = {}, .options = {}},
        network_.now());
    ASSERT_TRUE(id);
    open_[id->index] = {begun_++, network_.now()};
  }

  // Echoes, and closes after the client.
  void serve(const Notice& n) {
    if (n.bits & notice::acceptable)
      while (server_stack().accept(listener_)) {}
    if (n.connection == ConnectionId{}) return;
    std::array<std::byte, octets> text;
    while (const auto size = server_stack().receive(n.connection, text, network_.now()).value_or(0))
      ASSERT_EQ(server_stack().send(n.connection, Bytes{text}.first(size), {}, network_.now()),
                size);
    if (!(n.bits & notice::peer_closed)) return;
    ASSERT_TRUE(server_stack().close(n.connection, network_.now()));
  }

  void go_on(const Notice& n) {
    Client& client = open_.at(n.connection.index);
    if (n.bits & notice::connected) {
      latencies_.push_back(network_.now() - client.began);
      std::array<std::byte, octets> text;
      for (std::size_t at = 0; at < octets; ++at) text[at] = octet_at(client.number, at);
      ASSERT_EQ(client_stack().send(n.connection, text, {}, network_.now()), octets);
      ASSERT_TRUE(client_stack().shutdown(n.connection, network_.now()));
    }
    std::array<std::byte, octets> text;
    while (const auto size = client_stack().receive(n.connection, text, network_.now()).value_or(0))
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(text[i], octet_at(client.number, client.echoed++));
    if (!(n.bits & (notice::peer_closed | notice::closed))) return;
    done_ += client.echoed == octets;
    ASSERT_TRUE(client_stack().close(n.connection, network_.now()));
    open_.erase(n.connection.index);
  }

  Network network_;
  ListenerId listener_;
  fault::ForgedSyns forged_{{.target = {Network::address(0, false), Port{80}},
                             .sources = *Prefix::parse("20.0.0.0/6"),
                             .seed = 7}};
  observe::FloodWatch watch_{{8, 9}, observe::HandshakeSource::listener()};
  std::set<observe::Verdict> verdicts_;
  Instant next_gauges_{};
  std::map<std::uint32_t, Client> open_;
  std::vector<Duration> latencies_;
  unsigned begun_ = 0, done_ = 0;
  bool pressed_ = false;
};

void stands(const StackConfig& server, double loss) {
  constexpr unsigned syns = 5 * 8192;
  Flood quiet(server, loss), flooded(server, loss);
  quiet.run(0);
  flooded.run(syns);
  EXPECT_EQ(quiet.done(), handshakes);
  EXPECT_EQ(flooded.done(), handshakes);
  EXPECT_GE(flooded.info().syns, syns);
  EXPECT_FALSE(quiet.pressed());
  EXPECT_EQ(flooded.pressed(), server.tcp.syn_cookies == tcp::CookieUse::under_pressure);
  EXPECT_LE(flooded.latency(0.99) - quiet.latency(0.99), 10ms);
  EXPECT_EQ(quiet.verdicts(), std::set<observe::Verdict>{});
  flooded.rest(75s);
  EXPECT_TRUE(flooded.verdicts().contains(observe::Verdict::spoofed_flood));
  EXPECT_EQ(flooded.info().mode, SynMode::normal);
  EXPECT_EQ(flooded.info().half_open, 0u);
}

TEST(SynFlood, A_client_does_not_notice_it_and_the_listener_is_normal_again_after_75_seconds) {
  stands({}, 0);
}

TEST(SynFlood, A_client_does_not_notice_it_with_the_SYN_cache_off) {
  StackConfig config;
  config.tcp.syn_cookies = tcp::CookieUse::always;
  stands(config, 0);
}

TEST(SynFlood, On_a_path_that_loses_a_fiftieth_every_connection_comes_about_all_the_same) {
  for (const auto use : {tcp::CookieUse::under_pressure, tcp::CookieUse::always}) {
    StackConfig config;
    config.tcp.syn_cookies = use;
    Flood flood(config, 0.02);
    flood.run(5 * 8192);
    EXPECT_EQ(flood.done(), handshakes);
  }
}

TEST(SynFlood, Without_the_defence_most_clients_find_no_room) {
  StackConfig config;
  config.tcp.syn_cookies = tcp::CookieUse::never;
  Flood flood(config, 0);
  flood.run(5 * 8192);
  EXPECT_LT(flood.done(), handshakes / 2);
}

}  // namespace
}  // namespace estab::sim
