// SPDX-License-Identifier: Apache-2.0
// A server on a stack under virtual time, and a crowd of peers that are no stacks but habits: how
// large a window they offer, how fast they read, what they answer. The path takes 10 ms each way
// and loses nothing.
#pragma once
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "estab/stack/stack.hpp"

namespace estab::test {

struct Habits {
  std::uint32_t ask = 8 << 20;   // Bytes that it asks for.
  std::uint32_t window = 65535;  // Bytes of its receive buffer.
  std::uint32_t read_rate = 0;   // Bytes a second; 0: it never reads.
  std::uint8_t scale = 0;        // Of its window field.
  bool vanishes = false;         // After its request it says nothing any more.
  bool answers_probes = true;
  bool server_closes = false;  // When it has written all.
};

struct Peer {
  Habits habits;
  Endpoint self;
  Seq next, received, edge;  // What it sends next; what it has; as far as its window goes.
  std::uint32_t unread = 0, got = 0;
  bool open = false;   // Its SYN was answered.
  bool done = false;   // It has all that it asked for.
  bool ended = false;  // By a reset, at:
  Instant began{}, finished{}, ended_at{}, heard{};
};

class Crowd final : PacketSink {
 public:
  explicit Crowd(const StackConfig& config, Duration write_timeout = 60s);
  // A peer of this network (10.N.0.0/24 and up, 200 a network) connects now.
  std::size_t join(const Habits& habits, unsigned network);
  void run(Duration d);
  // One more newcomer asks for `ask` bytes each `every`, while run() runs.
  void newcomers(Duration every, std::uint32_t ask);

  [[nodiscard]] const Peer& peer(std::size_t n) const { return peers_[n]; }
  [[nodiscard]] const std::vector<std::size_t>& newcomers() const { return newcomers_; }
  [[nodiscard]] std::size_t count_ended() const;
  // The longest that one waited for all that it asked for; of those that still wait too.
  [[nodiscard]] Duration longest_wait() const;
  [[nodiscard]] std::uint64_t most_memory() const { return most_memory_; }
  Stack& stack() { return stack_; }
  PacketPool& pool() { return pool_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::uint64_t count(Reason why) const { return stack_.log().counters()[why]; }

 private:
  struct Session {
    ConnectionId id;
    std::size_t peer = 0;
    std::uint64_t left = 0;
    bool asked = false, waits = false;
  };
  [[nodiscard]] bool ready(std::uint8_t) override { return true; }
  void transmit(Packet packet) override;
  void hear(Peer& peer, const struct Arrived& arrived);
  void say(Peer& peer, bool syn, std::uint32_t text, bool rst = false);
  void tick(Peer& peer);
  void serve();
  void serve(Session& session);
  void forget(std::uint64_t session);
  void time_out();

  PacketPool pool_;
  Stack stack_;
  ListenerId listener_;
  Instant now_{std::chrono::hours{1}};
  Duration write_timeout_;
  std::deque<Peer> peers_;
  std::map<Endpoint, std::size_t> by_address_;
  std::vector<std::size_t> active_;  // Those that do something by themselves.
  std::vector<Packet> inbox_;        // Arrive at the server in the next step.
  std::unordered_map<std::uint64_t, Session> sessions_;
  std::uint64_t next_session_ = 1, most_memory_ = 0;
  std::vector<std::size_t> newcomers_;
  std::map<unsigned, unsigned> in_network_;
  Duration newcomer_every_{};
  std::uint32_t newcomer_ask_ = 0;
  Instant next_newcomer_ = never, next_look_{};
};

}  // namespace estab::test
