// SPDX-License-Identifier: Apache-2.0
// A stack under virtual time with the test as its network and its program. The test says what
// arrives and exactly what leaves, and when: one packet too many, too early or too late fails,
// and a failure prints the dialogue. After the first failure a conversation says nothing more. What
// must hold of every stack at any time (estab/sim/invariants.hpp) is checked at each step.
#pragma once
#include <deque>
#include <map>
#include <source_location>
#include <string>

#include "estab/sim/invariants.hpp"
#include "estab/stack/stack.hpp"
#include "estab/wire/icmp.hpp"
#include "notation.hpp"

namespace estab::script {

using Where = std::source_location;

// No options, so that a script shows only what it is about; full() has all of them. The size of the
// send buffer is fixed: a program may write all that it has at once.
[[nodiscard]] tcp::Config plain();
[[nodiscard]] tcp::Config full();

struct Scene {
  tcp::Config tcp = plain();
  bool v6 = false;
  std::uint32_t mtu = 1500;
  std::size_t pool_limit = SIZE_MAX;  // Bytes of packets, those that the test itself holds too.
  bool check_text = true;  // Every octet that leaves or is read must be what its place says.
};

// The octet at a sequence number relative to the ISN, in both directions.
[[nodiscard]] std::byte octet_at(std::uint32_t relative);

// One connection as the script sees it: its sockets and what its numbers count from.
struct Line {
  Flow flow;                                    // Seen from the stack.
  std::uint32_t peer_iss = 0xfffffff8;          // So that every script wraps.
  std::optional<std::uint32_t> iss{}, clock{};  // Ours, once seen.
  ConnectionId id{};
  std::uint32_t written = 0, read = 0;  // Octets, by the program.
  std::uint16_t notices = 0;
  Error error = Error::none;  // As the notices told.
};

class Conversation {
 public:
  explicit Conversation(const Scene& scene = {});
  ~Conversation();  // Fails if a packet left that nobody expected.
  Conversation(const Conversation&) = delete;

  static constexpr std::uint16_t local_port = 80, peer_port = 40000;
  static constexpr Where here(Where w = Where::current()) { return w; }

  // --- The network -------------------------------------------------------------------------
  // What follows belongs to this peer's port, or to these sockets (local, remote).
  Conversation& on(std::uint16_t peer, Where w = Where::current());
  Conversation& on(const Flow& flow, Where w = Where::current());
  // The line is used anew: its numbers count from new ISNs.
  void new_incarnation(std::uint32_t peer_iss);

  // A segment arrives. The text is what octet_at() says.
  void peer(std::string_view spec, Where w = Where::current());
  // These arrive together, in one batch.
  void peer_batch(const std::vector<std::string>& specs, Where w = Where::current());
  // Octets of an IP datagram arrive, as they are.
  void peer_raw(std::vector<std::byte> datagram, Where w = Where::current());
  [[nodiscard]] std::vector<std::byte> build(std::string_view spec);
  // An ICMP error about our segment at `seq` of this line.
  void icmp(wire::IcmpMeaning meaning, std::uint32_t seq, std::uint32_t mtu = 0,
            Where w = Where::current());

  // The next packet that left is this one (and has this reason); it left at this very time.
  void expect(std::string_view spec, Where w = Where::current());
  void expect(std::string_view spec, Reason reason, Where w = Where::current());
  // Time goes on until a packet leaves, which must be this one, that long from now.
  void expect_between(Duration earliest, Duration latest, std::string_view spec,
                      Where w = Where::current());
  // Within the longest delay of an ACK, 200 ms.
  void expect_soon(std::string_view spec, Where w = Where::current());
  void expect_nothing(Where w = Where::current());
  // Takes all that left, unseen; for tests that count.
  std::vector<Segment> take_sent();

  // --- Time ----------------------------------------------------------------------------------
  // Time goes on; a packet that leaves before the end of it was not expected.
  void wait(Duration d, Where w = Where::current());
  // Up to this long after the script's beginning.
  void at(Duration d, Where w = Where::current()) { wait(start_ + d - now_, w); }
  // Time goes on, and what leaves is left for take_sent().
  void run(Duration d);
  [[nodiscard]] Duration elapsed() const { return now_ - start_; }
  [[nodiscard]] Instant now() const { return now_; }

  // --- The program -----------------------------------------------------------------------------
  void user_listen(const ListenOptions& options = {}, Where w = Where::current());
  void user_accept(Where w = Where::current());
  void user_connect(Where w = Where::current());           // From the line's own local socket.
  void user_connect_listener(Where w = Where::current());  // LISTEN -> SYN-SENT.
  void user_send(std::uint32_t octets, SendFlags flags = {}, Where w = Where::current());
  // Reads exactly so many, and checks each.
  void user_receive(std::uint32_t octets, Where w = Where::current());
  void user_receive_end(Where w = Where::current());  // The peer's FIN is next.
  void user_receive_error(Error error, Where w = Where::current());
  void user_shutdown(Where w = Where::current());
  void user_close(Where w = Where::current());
  void user_abort(Where w = Where::current());
  void user_options(const tcp::Options& options, Where w = Where::current());
  [[nodiscard]] tcp::Options options();

  // --- Shorthands ------------------------------------------------------------------------------
  // The three-way handshake, from LISTEN or with our SYN; with the peer's window and options.
  void open_passive(std::string_view window_and_options = "win 65535", Where w = Where::current());
  void open_active(std::string_view window_and_options = "win 65535", Where w = Where::current());

  // --- What is the case --------------------------------------------------------------------------
  // Of the line, whatever holds it: connection, half-open or TIME-WAIT record, listener.
  void state(State expected, Where w = Where::current());
  [[nodiscard]] State state_of_line();
  // The program was told all of this since it was asked last.
  void notified(std::uint16_t bits, Where w = Where::current());
  void not_notified(std::uint16_t bits, Where w = Where::current());
  void ended_with(Error error, Where w = Where::current());
  [[nodiscard]] std::uint64_t count(Reason reason) const { return stack_.log().counters()[reason]; }
  [[nodiscard]] ConnectionInfo status(Where w = Where::current());
  void check(bool holds, const std::string& what, Where w = Where::current());

  Stack& stack() { return stack_; }
  PacketPool& pool() { return pool_; }
  Line& line() { return *line_; }
  [[nodiscard]] ListenerId listener() const { return listener_; }
  [[nodiscard]] std::string transcript() const;
  [[nodiscard]] bool failed() const { return failed_; }
  // Of the packet that left last.
  [[nodiscard]] const wire::IpHeader& last_ip() const { return last_ip_; }

 private:
  class Wire : public PacketSink {
   public:
    bool ready(std::uint8_t) override { return true; }
    void transmit(Packet packet) override { packets.push_back(std::move(packet)); }
    std::deque<Packet> packets;
  };
  struct Sent {
    Instant at;
    Flow flow;
    Reason reason;
    wire::IpHeader ip;
    std::vector<std::byte> tcp;  // Empty: not TCP.
  };
  struct Entry {
    Event event;
    std::vector<std::byte> packet;
    std::string words;  // Of the program, where it is no event.
  };

  void deliver(std::vector<std::vector<std::byte>> datagrams);
  void poll();
  void collect();
  void collect_notices();
  void break_by(const std::string& wrong);  // Nothing, if it is empty.
  void take_packet(Packet packet, Reason reason);
  void check_text(const Segment& segment, Bytes text, const Line& line);
  bool advance(Instant to, bool stop_at_packet);
  void settle(Where w);
  void compare_next(std::string_view spec, std::optional<Reason> reason, Where w);
  void said(std::string words);
  void fail(const std::string& what, Where w);
  Line& line_of(const Flow& flow);
  [[nodiscard]] Numbering outgoing(const Line& line) const;
  [[nodiscard]] Numbering incoming(const Line& line) const;
  [[nodiscard]] std::string describe(const Entry& entry) const;
  [[nodiscard]] std::vector<std::byte> wrap(wire::Protocol protocol, const Flow& flow,
                                            std::vector<std::byte> payload) const;

  Scene scene_;
  PacketPool pool_;
  Stack stack_;
  Wire wire_;
  Instant start_, now_;
  std::map<std::pair<Endpoint, Endpoint>, Line> lines_;
  Line* line_ = nullptr;
  ListenerId listener_;
  std::deque<Sent> sent_;
  std::deque<Reason> sent_reasons_;
  std::deque<Entry> dialogue_;
  wire::IpHeader last_ip_;
  sim::OfferedWindows windows_;
  struct PathMtu {
    std::uint32_t mtu;
    Instant until;
  };
  std::map<Address, PathMtu> path_mtu_;  // As ICMP told, where the stack has taken it.
  bool taken_ = false;                   // A packet was taken since this was reset.
  std::string broken_;                   // What the harness itself saw go wrong.
  bool failed_ = false;
};

}  // namespace estab::script
