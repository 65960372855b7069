// SPDX-License-Identifier: Apache-2.0
// The inside of a Stack: what stands where, and who is told. calls.cpp holds the user calls,
// arrivals.cpp the way in, passive_open.cpp what becomes of a SYN, deferrals.cpp of one that waits
// for the program, output.cpp the way out and time.
#pragma once
#include <map>
#include <string>

#include "estab/base/fifo.hpp"
#include "estab/base/known_prefixes.hpp"
#include "estab/base/work.hpp"
#include "estab/ip/layer.hpp"
#include "estab/stack/answer_limits.hpp"
#include "estab/stack/demux.hpp"
#include "estab/stack/prefix_meter.hpp"
#include "estab/stack/reclaimer.hpp"
#include "estab/stack/stack.hpp"
#include "estab/stack/syn_cache.hpp"
#include "estab/stack/syn_defence.hpp"
#include "estab/stack/token_bucket.hpp"
#include "estab/tcp/connection.hpp"
#include "estab/tcp/isn.hpp"
#include "estab/tcp/time_wait.hpp"

namespace estab {

struct Listener {
  Listener(std::uint64_t seed, std::uint32_t cookie_check_rate)
      : defence(seed), unstamped_checks(cookie_check_rate, seed ^ 1) {}

  std::uint32_t index = 0;
  Endpoint local;
  ListenOptions rules;
  tcp::Options options;
  Fifo<std::uint32_t, 128> accept_queue;  // Connections, by index.
  Fifo<HalfOpenId, 128> deferred;         // May name records that are gone.
  Fifo<Stack::DeferralGone, 512> deferrals_gone;
  std::size_t charged = 0;                     // Bytes in the stack's books for it, see settle().
  std::uint32_t half_open = 0, deferrals = 0;  // Records, and those that wait for the program.
  bool closed = false;   // No name finds it; what it held is let go step by step.
  bool calming = false;  // Among those that may leave STATELESS.
  SynDefence defence;
  TokenBucket unstamped_checks;            // Of cookies without timestamps.
  Instant cookies_until = Instant::min();  // A cookie of ours may come back until then.
  std::uint64_t accepted = 0, half_open_overflows = 0, accept_overflows = 0;
  std::uint64_t syns = 0, evicted = 0, syn_acks_limited = 0, syn_acks_retransmitted = 0;
  std::uint64_t cookies_sent = 0, cookies_valid = 0, cookies_bad = 0, cookies_limited = 0;
  std::uint64_t user = 0;
  std::uint16_t notices = 0;

  [[nodiscard]] ListenerInfo info(Instant now) const {
    return {.local = local,
            .half_open = half_open,
            .half_open_limit = rules.half_open_limit,
            .accept_queue = std::uint32_t(accept_queue.size()),
            .accept_limit = rules.backlog + 1,
            .accepted = accepted,
            .half_open_overflows = half_open_overflows,
            .accept_overflows = accept_overflows,
            .mode = defence.mode(),
            .in_mode = defence.since() == Instant{} ? Duration{} : now - defence.since(),
            .syns = syns,
            .evicted = evicted,
            .cookies_sent = cookies_sent,
            .cookies_valid = cookies_valid,
            .cookies_bad = cookies_bad,
            .cookies_limited = cookies_limited,
            .syn_acks_limited = syn_acks_limited,
            .syn_acks_retransmitted = syn_acks_retransmitted};
  }
  // Records that a peer may find; the last quarter is kept for networks that are known.
  [[nodiscard]] std::uint32_t share(bool known) const {
    return rules.half_open_limit - (known ? 0 : rules.half_open_limit / 4);
  }
  // Bytes that it takes, its queues, its rules and its entry in the map of ports included.
  [[nodiscard]] std::size_t true_size() const {
    constexpr std::size_t map_node = 48;
    return Slab<Listener>::bytes_each + map_node + accept_queue.true_size() + deferred.true_size() +
           deferrals_gone.true_size() + rules.rules.capacity() * sizeof(ListenRule);
  }
  [[nodiscard]] bool accept_queue_full() const { return accept_queue.size() > rules.backlog; }
};

class Stack::Impl final : public tcp::Below {
 public:
  Impl(PacketPool& pool, const StackConfig& config, const Secrets& secrets);
  ~Impl() override;

  // arrivals.cpp
  void receive(Packet packet);
  void set_cookie_keys(const tcp::CookieKeys& keys) { cookies_.set_keys(keys); }
  // A call from above begins.
  void begin(Instant now) {
    env.now = now;
    work.begin();
    work.allow(call_share);
  }
  // output.cpp
  bool poll_transmit(PacketSink& sink);
  [[nodiscard]] Instant next_deadline() const;
  void output(Packet packet, const tcp::Outgoing& how) override;
  bool refresh(tcp::Path& path, const Address& remote) override;
  [[nodiscard]] bool ready(const tcp::Path& path) override;
  void negative_advice(const Address& remote) override;
  [[nodiscard]] bool may_answer(const Flow& flow, tcp::Answer kind) override;
  // calls.cpp
  std::expected<ListenerId, Error> listen(Endpoint local, const ListenOptions& options);
  std::expected<ConnectionId, Error> connect(const ConnectOptions& options, State from);
  void close_listener(std::uint32_t index, bool tell_peers);
  [[nodiscard]] tcp::Connection* usable(ConnectionId id) const;
  [[nodiscard]] Listener* usable(ListenerId id) const;
  bool next_notice(Notice& notice);
  [[nodiscard]] Snapshot snapshot() const;
  // As far as the call's work allows.
  void process_ended();
  void settle(Listener& listener);          // Brings the books up to its true size.
  [[nodiscard]] std::string audit() const;  // audit.cpp
  // Whether there is room for a newcomer, for whom others may have to go.
  [[nodiscard]] bool make_room_for(std::size_t bytes);
  // deferrals.cpp
  std::expected<void, Error> decide(HalfOpenId id, Verdict verdict);

  // What a call, or a part of poll_transmit, may handle; together they stay under Work::limit.
  static constexpr std::uint32_t call_share = 1024, timer_share = 640, half_open_share = 128,
                                 calm_share = 64, time_wait_share = 1024, closing_share = 128,
                                 send_share = 640, ended_share = 448, notice_share = 256;

  PacketPool& pool;
  const StackConfig config;
  const Secrets secrets;
  EventLog log;
  tcp::Memory memory;
  TimerWheel connection_timers;
  tcp::Env env;
  ip::Layer ip;
  Slab<Listener> listeners;
  Slab<tcp::Connection> connections;
  SynCache half_open;
  std::size_t orphans = 0;
  Reclaimer reclaimer;
  Work work;

 private:
  // What became of an arriving packet.
  struct Fate {
    Reason reason = Reason::none;
    State before = State::closed, after = State::closed;
  };

  // arrivals.cpp
  // `flow` becomes the packet's, if one could be read.
  Fate take(Packet packet, Flow& flow);
  Fate icmp_arrives(const wire::IpHeader& header, Packet packet, Flow& flow);
  Fate error_arrives(const wire::IcmpError& error, Flow& flow);
  Fate error_at_half_open(SynCache::Index at, const wire::IcmpError& error);
  Fate tcp_arrives(const wire::IpHeader& header, Packet packet, Flow& flow);
  Fate arrives_at_connection(std::uint32_t index, tcp::Segment& seg);
  Fate arrives_at_time_wait(Kind kind, std::uint32_t index, tcp::Segment& seg);
  void acknowledge_time_wait(const tcp::TimeWait& record, tcp::Answer kind,
                             const tcp::Options& options);
  void end_time_wait(Kind kind, std::uint32_t index, Reason why);
  void remove_time_wait(std::uint32_t index, Reason why);

  // passive_open.cpp; `hash` is the flow's, `above`: our number must lie past this one.
  Fate arrives_at_no_connection(tcp::Segment& seg, std::uint64_t hash, std::optional<Seq> above);
  Fate arrives_at_listener(std::uint32_t index, tcp::Segment& seg, std::uint64_t hash,
                           std::optional<Seq> above);
  [[nodiscard]] Verdict judge(const Listener& listener, const Address& source) const;
  struct Asked;
  Fate syn_arrives(Listener& listener, Asked& asked);
  void renew_number(tcp::HalfOpen& record);
  [[nodiscard]] bool answers_by_cookie(const Listener& listener, const Asked& asked) const;
  void await_cookies(Listener& listener);
  Reason answer_by_cookie(Listener& listener, tcp::HalfOpen& asked);
  Fate cookie_arrives(std::uint32_t index, Listener& listener, tcp::Segment& seg,
                      std::uint64_t hash);
  [[nodiscard]] SynCache::Index make_room(Listener& listener, const tcp::HalfOpen& asked,
                                          std::uint64_t hash);
  bool evict(SynCache::Index at);
  SynCache::Index keep_half_open(Listener& listener, const tcp::HalfOpen& record,
                                 SynCache::Index place, std::uint64_t hash);
  void wait_for_answer(SynCache::Index at);
  void count_half_open(Listener& listener, int change);
  Fate arrives_at_half_open(std::uint32_t index, tcp::Segment& seg);
  [[nodiscard]] Reason establish(const tcp::HalfOpen& record, Listener& listener, tcp::Segment& seg,
                                 State& after);
  void prove(tcp::Connection& connection);
  void forget_half_open(SynCache::Index at);
  void remove_half_open(SynCache::Index at, State to, Reason why);
  void half_open_timeout(SynCache::Index at);
  void owe_syn_ack(SynCache::Index at);
  void await_calm(Listener& listener);
  void update_defences();

  // deferrals.cpp
  [[nodiscard]] bool may_defer(Listener& listener, const tcp::HalfOpen& asked);
  // What there is to do for a record that is no longer deferred, however that came.
  void end_deferral(tcp::HalfOpen& record);
  void tell_deferral_gone(SynCache::Index at, Reason why);

  // output.cpp
  [[nodiscard]] std::uint16_t identification(const Flow& flow);
  void run_timers();
  bool send_owed();
  bool send_owed_syn_acks();
  void retire(std::uint32_t index);
  void queue(Packet packet);
  bool flush_outbox();
  // A segment that no connection sends: a reset, or an ACK from a record.
  void reply(const Flow& flow, wire::TcpHeader header, State state, Reason why,
             const tcp::Options& options);
  void reset_for(const tcp::Segment& seg, State state, Reason why, const tcp::Options& options);
  void to_time_wait(std::uint32_t index, tcp::Connection& connection);

  // calls.cpp
  std::expected<Port, Error> choose_port(Flow flow);
  template <class Usable>
  std::expected<Port, Error> ephemeral_port(const Flow& flow, Usable&& usable);
  void destroy(std::uint32_t index, tcp::Connection& connection);
  void note_listener(std::uint32_t index, std::uint16_t bits);
  void pass_over_silent();
  void close_more();
  [[nodiscard]] std::optional<std::uint32_t> find_listener(const Endpoint& local) const;
  [[nodiscard]] std::uint64_t hash_of(const Flow& flow) const {
    return tcp::hash_flow(secrets.table, flow);
  }
  [[nodiscard]] const Flow& flow_of(Demux::Ref ref) const;
  [[nodiscard]] Demux::Ref* find(std::uint64_t hash, const Flow& flow);
  [[nodiscard]] bool taken(const Flow& flow);
  void put(const Flow& flow, Kind kind, std::uint32_t index);
  void drop(const Flow& flow, Kind kind, std::uint32_t index);
  void settle_table(std::uint64_t moved_before);

  Demux demux_;
  std::uint64_t demux_bytes_ = demux_.bytes();  // Charged for the table.
  tcp::TimeWaitList time_wait_;
  std::multimap<Port, std::uint32_t> listening_;
  PacketSink* sink_ = nullptr;  // While poll_transmit runs.
  PacketList outbox_;           // What was to leave while no sink was at hand.
  std::uint32_t outbox_size_ = 0;
  // Those that find no room in it go out with their first retransmission.
  static constexpr std::size_t owed_limit = 1024;
  Fifo<HalfOpenId> owed_syn_acks_;
  std::uint32_t deferrals_ = 0;           // Half-open records that wait for the program.
  Fifo<std::uint32_t> closing_;           // Listeners that were closed and still hold something.
  SynCache::Index closing_at_ = 0;        // So far the records of the first of them were looked at.
  Instant defence_due_ = never;           // No listener leaves STATELESS before.
  Fifo<std::uint32_t> calming_;           // Listeners in STATELESS.
  std::size_t calming_left_ = 0;          // Of those, how many are to be looked at in this round,
  Instant calmed_due_ = never;            // and when the first of the others is due.
  Fifo<std::uint32_t> noting_listeners_;  // With something to tell the program.
  bool notices_cut_ = false;  // A call found no notice within its work, and there may be some.
  tcp::SynCookies cookies_;
  std::optional<KnownPrefixes> known_;  // From the first listener on.
  PrefixMeter unanswered_;              // SYN-ACKs.
  AnswerLimits answers_;
  std::uint32_t next_port_ = 0;
};

}  // namespace estab
