// SPDX-License-Identifier: Apache-2.0
// The stack: IP packets in, IP packets out, the next deadline; and the user calls of RFC 9293
// §3.10 on handles. It makes no system call, reads no clock and calls nobody back: what there is
// to say is collected as notices (for the program) and events (for views). One thread at a time.
#pragma once
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "estab/base/packet.hpp"
#include "estab/event/event.hpp"
#include "estab/event/snapshot.hpp"
#include "estab/ip/layer.hpp"
#include "estab/tcp/config.hpp"
#include "estab/tcp/error.hpp"
#include "estab/tcp/notice_bits.hpp"
#include "estab/tcp/secrets.hpp"

namespace estab {

// Names of things inside a stack; they may outlive them safely, and never name another.
struct ConnectionId {
  std::uint32_t index = ~0u, generation = 0;
  friend bool operator==(ConnectionId, ConnectionId) = default;
};
struct ListenerId {
  std::uint32_t index = ~0u, generation = 0;
  friend bool operator==(ListenerId, ListenerId) = default;
};
struct HalfOpenId {
  std::uint32_t index = ~0u, generation = 0;
  friend bool operator==(HalfOpenId, HalfOpenId) = default;
};

using ip::InterfaceConfig;
using ip::Route;

struct StackConfig {
  tcp::Config tcp;
  std::uint16_t first_ephemeral = 32768, last_ephemeral = 60999;  // Linux; RFC 6056.
  std::uint32_t echo_reply_rate = 1000;                           // ICMP echo replies a second.
};

// Where the stack's packets go. `ready` is asked before a packet is built: back-pressure.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  [[nodiscard]] virtual bool ready(std::uint8_t interface) = 0;
  virtual void transmit(Packet packet) = 0;  // packet.interface() says where.
};

// What a listener does with a SYN. The first rule whose prefix holds the source decides.
enum class Verdict : std::uint8_t { accept, reject, drop, defer };
struct ListenRule {
  Prefix source;
  Verdict verdict = Verdict::accept;
};

struct ListenOptions {
  std::uint32_t backlog = 128;           // The accept queue holds backlog + 1 (Linux).
  std::uint32_t half_open_limit = 1024;  // Half-open records of this listener.
  std::vector<ListenRule> rules;
  Verdict otherwise = Verdict::accept;
  std::optional<tcp::Options> options;  // Of the connections; else the stack's defaults.
};

struct ConnectOptions {
  Endpoint remote;
  Endpoint local;  // Unspecified address or port 0: the stack chooses.
  std::optional<tcp::Options> options;
};

struct SendFlags {
  bool push = true;     // PSH on the last segment of this call (MAY-15).
  bool urgent = false;  // The last octet of this call is the last urgent one (RFC 9293 §3.8.5).
  bool more = false;    // More follows at once: a partial segment may wait (MSG_MORE).
};

// What is new about a connection or a listener since its last notice; the bits are those of
// notice_bits.hpp: notice::connected, notice::readable …
struct Notice {
  ConnectionId connection;  // Or:
  ListenerId listener;
  std::uint64_t user = 0;  // As set by set_user().
  std::uint16_t bits = 0;
  Error error = Error::none;
};

class Stack {
 public:
  // The pool must outlive the stack; several stacks of one thread may share it.
  Stack(PacketPool& pool, const StackConfig& config, const Secrets& secrets);
  ~Stack();
  Stack(Stack&&) = delete;

  // --- Below: interfaces and packets -------------------------------------------------------
  // Interfaces are numbered from 0 in the order they are added, 255 at the most. Networks of its
  // addresses are routed to it; further routes by add_route (longest prefix first).
  std::uint8_t add_interface(const InterfaceConfig& config);
  void add_route(const Route& route);
  // Takes packets that arrived at `now`; each one's interface() is set, its linear part holds all
  // headers. A packet that is not taken is counted under its reason.
  void receive(std::span<Packet> batch, Instant now);
  // Runs timers that are due and sends what is owed, while the sink is ready. False: the sink
  // had enough and more is owed; call again when it is ready. No call does more than a bounded
  // amount of work (Work::limit); where there is more, next_deadline() is in the past.
  bool poll_transmit(PacketSink& sink, Instant now);
  // When poll_transmit is to be called at the latest; a time in the past: now. `never`: nothing
  // is under way.
  [[nodiscard]] Instant next_deadline() const;

  // --- The user calls (RFC 9293 §3.9.1, §3.10.1 to 6) --------------------------------------
  // OPEN, passive. The address may be unspecified; ":: port 80" serves both families. Port 0: one
  // of the ephemeral ones, which the listener's ListenerInfo tells.
  std::expected<ListenerId, Error> listen(const Endpoint& local, const ListenOptions& options,
                                          Instant now);
  // OPEN, active. A notice `connected` or `closed` tells the outcome.
  std::expected<ConnectionId, Error> connect(const ConnectOptions& options, Instant now);
  // OPEN, active, on a listening socket: LISTEN -> SYN-SENT; the listener is gone.
  std::expected<ConnectionId, Error> connect(ListenerId listener, const Endpoint& remote,
                                             Instant now);
  std::expected<ConnectionId, Error> accept(ListenerId listener);
  // A SYN that waits for the program's word, oldest first; it stays until decided or expired.
  struct Deferred {
    HalfOpenId id;
    Flow flow;
  };
  std::optional<Deferred> next_deferred(ListenerId listener);
  // not_connected: it is gone, as next_deferral_gone() tells.
  std::expected<void, Error> decide(HalfOpenId id, Verdict verdict, Instant now);
  // A SYN that next_deferred() gave out and that is gone undecided, oldest first: its time was up
  // (half_open_expired), or its client reset it or began anew (back_to_listen, syn_again). The
  // notice deferral_gone tells of it. A program that does not take them loses the oldest: a
  // listener keeps as many as its half_open_limit.
  struct DeferralGone {
    HalfOpenId id;
    Flow flow;
    Reason why{};
  };
  std::optional<DeferralGone> next_deferral_gone(ListenerId listener);
  // The keys of SYN cookies from now on, instead of Secrets': those of the hosts that share an
  // address (threats.md §2.4). Cookies that are out are known still if their master is `previous`.
  void set_cookie_keys(const tcp::CookieKeys& keys);
  // CLOSE of a listener: its half-open peers and those not accepted are reset, the first of them at
  // once, the others by the next calls of poll_transmit().
  std::expected<void, Error> close(ListenerId listener, Instant now);

  // SEND: copies as much as the send buffer takes now and returns how much; would_block when
  // that is nothing, with `writable` to follow.
  std::expected<std::size_t, Error> send(ConnectionId id, Bytes text, SendFlags flags, Instant now);
  // RECEIVE: copies what is there; 0 at the peer's FIN (for out.size() > 0); would_block, with
  // `readable` to follow. It stops before the octet that the urgent pointer names as the last
  // urgent one, so that at_mark() can be seen.
  std::expected<std::size_t, Error> receive(ConnectionId id, MutableBytes out, Instant now);
  [[nodiscard]] std::expected<std::size_t, Error> available(ConnectionId id) const;
  // CLOSE in two meanings. shutdown: our FIN follows what was sent; reading goes on as long as
  // the peer writes (half-close). close: the program lets go of the handle as well; text unread
  // or still arriving is answered with a reset (SHLD-3); the stack finishes in the background.
  std::expected<void, Error> shutdown(ConnectionId id, Instant now);
  std::expected<void, Error> close(ConnectionId id, Instant now);
  // ABORT: a reset, and the handle is gone.
  std::expected<void, Error> abort(ConnectionId id, Instant now);
  // STATUS.
  [[nodiscard]] std::expected<ConnectionInfo, Error> status(ConnectionId id, Instant now) const;
  [[nodiscard]] std::expected<ListenerInfo, Error> status(ListenerId id) const;
  // What ended it, while the handle lives.
  [[nodiscard]] Error error(ConnectionId id) const;

  // Urgent data (RFC 9293 §3.8.5, RFC 6093): octets until the end of what is urgent, 0: none.
  [[nodiscard]] std::expected<std::size_t, Error> urgent_remaining(ConnectionId id) const;
  [[nodiscard]] std::expected<bool, Error> at_mark(ConnectionId id) const;

  [[nodiscard]] std::expected<tcp::Options, Error> options(ConnectionId id) const;
  std::expected<void, Error> set_options(ConnectionId id, const tcp::Options& options, Instant now);
  // A word of the caller's, returned with each notice.
  std::expected<void, Error> set_user(ConnectionId id, std::uint64_t user);
  std::expected<void, Error> set_user(ListenerId id, std::uint64_t user);

  // --- What there is to say -----------------------------------------------------------------
  // Takes the next notice; false: none, or none was found within the call's work: then
  // next_deadline() is in the past, and poll_transmit() looks on.
  bool next_notice(Notice& notice);
  EventLog& log();
  [[nodiscard]] const EventLog& log() const;
  [[nodiscard]] Snapshot snapshot(Instant now) const;
  // Connections that the program has let go of and that are not finished yet.
  // The listeners alone, without the cost of all connections.
  [[nodiscard]] std::vector<ListenerInfo> listeners(Instant now) const;
  [[nodiscard]] std::size_t finishing() const;
  // Bytes in use on account of this stack, tables included.
  [[nodiscard]] std::uint64_t memory() const;
  // Counts again what the stack holds, from the things themselves, and compares that with memory()
  // and with each connection's own books. Empty: they agree; else what differs. It walks all that
  // there is: for tests.
  [[nodiscard]] std::string audit() const;
  // The most entries (timers, records, connections, places in tables) that a call has handled so
  // far; never more than Work::limit.
  [[nodiscard]] std::uint32_t most_work() const;
  [[nodiscard]] const StackConfig& config() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estab
