// SPDX-License-Identifier: Apache-2.0
// One connection from SYN-SENT, or from ESTABLISHED where a listener's record did the opening, to
// CLOSED or TIME-WAIT. Arriving segments, calls and timers record what is owed; transmit() sends
// it once, after the batch (MUST-58, MUST-59). user_calls.cpp is RFC 9293 §3.10.1 to 6,
// segment_arrives.cpp §3.10.7, acceptance.cpp what its checks ask, acknowledge.cpp what an ACK does
// to the sender, owed_acks.cpp when one is due, timeouts.cpp §3.10.8, transmit.cpp what leaves.
#pragma once
#include <expected>
#include <memory>

#include "estab/base/slab.hpp"
#include "estab/event/snapshot.hpp"
#include "estab/tcp/ack_policy.hpp"
#include "estab/tcp/congestion.hpp"
#include "estab/tcp/env.hpp"
#include "estab/tcp/error.hpp"
#include "estab/tcp/half_open.hpp"
#include "estab/tcp/in_flight.hpp"
#include "estab/tcp/progress.hpp"
#include "estab/tcp/reassembly.hpp"
#include "estab/tcp/receive_queue.hpp"
#include "estab/tcp/rtt.hpp"
#include "estab/tcp/send_queue.hpp"
#include "estab/tcp/time_wait.hpp"
#include "estab/wire/icmp.hpp"

namespace estab::tcp {

class Connection : public TimerNode {
 public:
  // An active open: CLOSED until open() is called.
  Connection(Env& env, const Flow& flow, const Options& options);
  // A listener's record whose handshake is done: ESTABLISHED.
  Connection(Env& env, const HalfOpen& record, const Options& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- The user calls (§3.10.1 to 6) ---
  void open(Env& env, State from);  // From CLOSED or LISTEN to SYN-SENT.
  std::expected<std::size_t, Error> send(Env& env, Bytes text, bool push, bool urgent, bool more);
  std::expected<std::size_t, Error> receive(Env& env, MutableBytes out);
  std::expected<void, Error> shutdown(Env& env);
  void close(Env& env);
  void abort(Env& env, Reason why);
  void status(const Env& env, ConnectionInfo& info) const;
  void set_options(Env& env, const Options& options);
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::size_t available() const { return receive_queue_.size(); }
  [[nodiscard]] std::size_t urgent_remaining() const;
  [[nodiscard]] bool at_mark() const;
  [[nodiscard]] Error error() const { return error_; }

  // --- Arrivals (§3.10.7), errors from below (§3.9.2.2), time (§3.10.8), output ---
  // The reason why the segment was not taken; `none` when it was.
  [[nodiscard]] Reason segment_arrives(Env& env, Segment& segment);
  [[nodiscard]] Reason icmp_arrives(Env& env, const wire::IcmpError& error);
  void timeout(Env& env);
  // Sends what is owed; false: the layer below was not ready, and more is owed.
  bool transmit(Env& env);

  // --- For the stack that holds it ---
  [[nodiscard]] const Flow& flow() const { return flow_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool orphan() const { return orphan_; }
  // Its index in its slab, once it has one.
  void set_index(std::uint32_t index) { index_ = index; }
  // What it holds at its true size, with its place in the slab; the same counted from scratch.
  [[nodiscard]] std::size_t true_size() const;
  [[nodiscard]] std::size_t count_true_size() const;
  [[nodiscard]] std::size_t charged() const { return account_.used(); }
  // It holds data that wait for the peer or for the program.
  [[nodiscard]] bool holds_data() const {
    return send_queue_.size() > 0 || receive_queue_.size() > 0 || reassembly_ != nullptr;
  }
  [[nodiscard]] bool holds_out_of_order() const { return reassembly_ != nullptr; }
  [[nodiscard]] const Progress& progress() const { return progress_; }
  // Memory runs short. It drops what came out of order; or it ends at once, with a reset to the
  // peer, and frees all data (RFC 9293 §3.8.6.1).
  void prune_out_of_order(Env& env);
  void give_way(Env& env, Reason why);
  // Frees queues and records; it must be called before destruction.
  void release(Env& env);
  [[nodiscard]] std::uint16_t take_notices() { return std::exchange(notices_, 0); }
  [[nodiscard]] bool has_notices() const { return notices_ != 0; }
  void renote(Env& env);  // Queues it again if there is something to say.
  // It is to be looked at when the packet or call is done with: CLOSED, or TIME-WAIT.
  void tell_end(Env& env);
  [[nodiscard]] bool owes() const { return ack_owed_; }
  [[nodiscard]] bool in_flight(Seq seq) const { return snd_.una <= seq && seq < snd_.nxt; }
  // TIME-WAIT follows the record's rule while the program holds the handle: what the rule must
  // know, what it learnt, and what it does. What the program has not read stays readable.
  [[nodiscard]] TimeWait remains() const;
  void set_ts_recent(std::uint32_t value) { ts_recent_ = value; }
  void restart_time_wait(Env& env) { enter_time_wait(env, Reason::time_wait_restart); }
  void leave_time_wait(Env& env, Reason why) { end(env, Error::none, why); }
  std::uint64_t user = 0;
  bool accepted : 1 = true;   // False: still in its listener's accept queue.
  bool unproven : 1 = false;  // Opened by the peer, whose text has yet to come.
  bool queued_owing : 1 = false, queued_noting : 1 = false, queued_ended : 1 = false;

 private:
  enum class Recovery : std::uint8_t { none, fast, timeout };
  enum class Step : bool { done, next };
  // What the sender's one deadline is for (§3.8.1, §3.8.6.1, §3.8.6.2.1).
  enum class SendTimer : std::uint8_t {
    none,
    syn,           // Our SYN, or SYN-ACK, was not acknowledged.
    retransmit,    // Data or a FIN were not (RFC 6298).
    persist,       // The window is shut and nothing is out: a probe is due.
    override_sws,  // What is small may leave all the same (SHLD-28).
    more,          // What was to be followed by more at once was not (MSG_MORE).
    retry,         // There was no memory for a packet, or for what the program writes.
  };
  struct Outcome {  // A step's answer: on, or done and why.
    Step step;
    Reason reason;
  };
  static constexpr std::size_t most_sack_blocks = 4;
  static constexpr Outcome next{Step::next, Reason::none};
  static constexpr Outcome done(Reason r) { return {Step::done, r}; }

  [[nodiscard]] bool is(StateSet s) const { return s.contains(state_); }
  void enter(Env& env, State to, Reason why);
  void owe(Env& env);
  void note(Env& env, std::uint16_t bits);
  void schedule(Env& env);
  void settle(Env& env) { account_.settle(env.memory, true_size()); }  // The books.
  void end(Env& env, Error error, Reason why);  // To CLOSED, without a word to the peer.
  void reset_peer(Env& env, Reason why);

  // segment_arrives.cpp, in the RFC's order.
  Reason arrives_in_syn_sent(Env& env, Segment& seg);
  Reason arrives_otherwise(Env& env, Segment& seg);
  void take_syn(Env& env, const Segment& seg);
  Outcome first_check_sequence(Env& env, Segment& seg);
  Outcome second_check_rst(Env& env, const Segment& seg);
  Outcome fourth_check_syn(Env& env, Segment& seg);
  Outcome fifth_check_ack(Env& env, const Segment& seg);
  Outcome finish_opening(Env& env, const Segment& seg);
  void sixth_check_urg(Env& env, const Segment& seg);
  Outcome seventh_process_text(Env& env, Segment& seg);
  void eighth_check_fin(Env& env, const Segment& seg);
  Reason take_in_order(Env& env, Segment& seg);
  Reason take_out_of_order(Env& env, Segment& seg);
  void owe_ack_of_text(Env& env, const Segment& seg, std::uint32_t text, bool at_once);
  void owe_ack_now(Env& env, Reason why);
  void owe_delayed_ack(Env& env);
  [[nodiscard]] AckPolicy::Limits ack_limits(const Env& env) const;
  Reason challenge(Env& env, Reason why);
  Reason answer_unacceptable(Env& env, Reason why);
  void enter_time_wait(Env& env, Reason why);
  void watch_orphan(Env& env);

  // acceptance.cpp
  Outcome check_paws(Env& env, const Segment& seg);
  void update_timestamp(Env& env, const Segment& seg);
  [[nodiscard]] bool acceptable(const Segment& seg) const;
  void trim_to_window(Segment& seg) const;
  [[nodiscard]] bool resets(const Segment& seg) const;
  [[nodiscard]] Reason refusal_of_ack(const Segment& seg) const;
  void note_duplicate(const Segment& seg);
  void note_duplicate(Seq begin, Seq end);

  // acknowledge.cpp
  void accept_ack(Env& env, const Segment& seg);
  void apply_sacks(const Segment& seg, Scoreboard::Acked& told);
  void sample_rtt(Env& env, const Segment& seg, const Scoreboard::Acked& told, bool advanced);
  void detect_loss(Env& env, std::uint32_t acked, bool duplicate);
  void enter_recovery(Env& env);
  void update_send_window(const Segment& seg);
  void restart_retransmission_timer(Env& env);
  [[nodiscard]] bool is_duplicate_ack(const Segment& seg, const Scoreboard::Acked& told) const;
  void settle_flight();  // Gives it back when it is empty.
  InFlight& flight();

  // timeouts.cpp
  void retransmission_timeout(Env& env);
  void syn_timeout(Env& env);
  void tell_r1(Env& env);
  void persist_timeout(Env& env);
  void idle_timeout(Env& env);
  void arm(SendTimer purpose, Instant at) { send_timer_ = purpose, send_at_ = at; }
  void disarm_send_timer() { arm(SendTimer::none, never); }
  bool given_up(Env& env, bool persisting);
  void send_timeout(Env& env, SendTimer due);
  void wait_twice_as_long(Env& env, SendTimer purpose);

  // transmit.cpp
  bool refresh_path(Env& env);  // True: something has changed.
  bool retransmit_one(Env& env);
  bool send_new(Env& env);
  void send_syn(Env& env);
  void send_probe(Env& env);
  void send_acks(Env& env);
  void wait_for_window(Env& env);
  // How text is cut into segments: options take their room from the text, always (RFC 6691 §2).
  struct Cut {
    std::uint32_t segment;  // Octets of text in a full segment.
    std::size_t blocks;     // SACK blocks beside it.
  };
  [[nodiscard]] Cut usual_cut() const;
  [[nodiscard]] Cut cut_for(std::uint32_t text) const;
  bool send_text(Env& env, Seq seq, std::uint32_t text, bool fin, Cut cut, Reason why);
  // False: no memory.
  bool send_bare(Env& env, Seq seq, wire::Flags flags, Reason why, std::uint32_t garbage = 0);
  void emit(Env& env, Packet packet, wire::TcpHeader header, std::uint16_t segment_size,
            Reason why);
  [[nodiscard]] wire::TcpHeader header(Env& env, Seq seq, wire::Flags flags,
                                       std::size_t blocks = most_sack_blocks);
  [[nodiscard]] std::size_t sack_blocks(std::size_t most) const;
  void add_sack(wire::Options& options, std::size_t blocks);
  [[nodiscard]] std::uint32_t new_text_allowed(std::uint32_t segment);
  [[nodiscard]] std::uint32_t usable_window() const;
  [[nodiscard]] std::uint32_t cwnd_room() const;
  void after_ack_sent();
  [[nodiscard]] Seq seq_without_text() const;
  [[nodiscard]] std::uint16_t advertised_mss() const;
  void update_mss(Env& env);
  [[nodiscard]] std::uint32_t pipe() const;

  // buffers.cpp
  [[nodiscard]] std::uint32_t send_limit(const Env& env) const;
  [[nodiscard]] std::uint32_t send_room(const Env& env) const;
  void tell_writable(Env& env);
  void tune_receive_limit(Env& env, const Segment& seg);
  [[nodiscard]] bool make_room_for(Env& env, const Segment& seg);
  void bound_overhead(Env& env);
  void open_window(Env& env);
  [[nodiscard]] std::uint32_t receive_limit(const Env& env) const;
  [[nodiscard]] std::uint32_t receive_space(const Env& env) const;
  std::uint16_t advertise(Env& env);

  // Queue offset 0 stands at this sequence number, and the FIN behind the last octet.
  [[nodiscard]] Seq text_begin() const { return syn_acked_ ? snd_.una : snd_.una + 1; }
  [[nodiscard]] Seq text_end() const { return text_begin() + send_queue_.size(); }
  [[nodiscard]] bool fin_acked() const { return fin_sent_ && snd_.una == snd_.nxt; }
  [[nodiscard]] bool something_unacked() const { return snd_.una != snd_.nxt; }
  [[nodiscard]] bool something_unsent() const {
    return !fin_acked() && snd_.nxt != text_end() + (fin_queued_ ? 1 : 0);
  }
  [[nodiscard]] Seq read_seq() const {
    return rcv_.nxt - (peer_fin_ ? 1 : 0) - receive_queue_.size();
  }
  [[nodiscard]] Duration rto(const Env& env) const { return rtt_.rto(env.config.rto_max); }

  // Send and receive variables, with the RFC's own names (§3.3.1).
  struct Send {
    Seq una, nxt, wl1, wl2, iss, up;
    std::uint32_t wnd = 0, max_wnd = 0;
  } snd_;
  struct Receive {
    Seq nxt, irs, up;
    Seq edge;   // RCV.NXT + RCV.WND: it never moves left (SHLD-14).
    Seq right;  // As far as the buffer goes; the window field's unit may have offered a unit more.
    Seq acked;  // Last.ACK.sent (RFC 7323 §4.3).
    [[nodiscard]] std::uint32_t wnd() const { return distance(nxt, edge); }
    [[nodiscard]] std::uint32_t open() const { return nxt < right ? distance(nxt, right) : 0; }
  } rcv_;
  Flow flow_;
  State state_ = State::closed;
  Error error_ = Error::none;
  Recovery recovery_ = Recovery::none;
  std::uint8_t send_scale_ = 0, receive_scale_ = 0;
  bool use_timestamps_ : 1 = false, use_sack_ : 1 = false, use_scale_ : 1 = false;
  bool orphan_ : 1 = false, syn_acked_ : 1 = false, syn_retransmitted_ : 1 = false;
  bool fin_queued_ : 1 = false, fin_sent_ : 1 = false, peer_fin_ : 1 = false;
  bool send_urgent_ : 1 = false, receive_urgent_ : 1 = false;
  bool syn_owed_ : 1 = false, probe_owed_ : 1 = false, keep_alive_owed_ : 1 = false;
  bool ack_owed_ : 1 = false, dsack_owed_ : 1 = false;
  bool more_ : 1 = false, override_sws_ : 1 = false;
  bool cwnd_limited_ : 1 = false;  // In the transmit that is under way.
  bool want_readable_ : 1 = false, want_writable_ : 1 = false;
  bool retransmit_at_once_ : 1 = false;  // Whatever the pipe holds.
  SendTimer send_timer_ = SendTimer::none;
  std::uint8_t duplicate_acks_owed_ = 0;
  std::uint8_t keep_alive_sent_ = 0, retransmissions_ = 0;
  Reason ack_reason_ = Reason::send_ack, retransmit_reason_ = Reason::retransmit_timeout;
  std::uint16_t notices_ = 0;
  // mss_: octets of a segment's text beside the options that each has; SACK blocks take from it.
  std::uint16_t mss_ = 536, peer_mss_ = 536;
  SegmentSize receive_mss_;
  std::uint32_t index_ = 0;
  std::uint32_t ts_recent_ = 0, ts_offset_ = 0;
  std::uint32_t ts_recent_s_ = 0;    // When TS.Recent was taken: the stack's clock in seconds.
  std::uint32_t receive_limit_ = 0;  // What the window may offer; it grows (right-sizing).
  std::uint32_t tuned_ms_ = 0;       // When this round trip of right-sizing began,
  Seq tuned_seq_;                    // and as far as the program had read then.
  Progress progress_;
  // These three never lie below SND.UNA: what is a window old says nothing, and would wrap.
  Seq push_;               // Behind the last octet of a write.
  Seq small_;              // Behind the last partial segment (Nagle, Minshall).
  Seq recover_;            // SND.NXT when recovery began (RFC 6582, RFC 6675).
  wire::SackBlock dsack_;  // The duplicate to report, where dsack_owed_.
  AckPolicy ack_policy_;
  Instant next_challenge_{};  // The earliest time of the next challenge ACK.
  Instant unacceptable_at_{};  // When the bucket for ACKs of unacceptable segments is full.
  Account account_;
  RttEstimator rtt_;
  Congestion congestion_;
  Path path_;
  Instant send_at_ = never;  // What for: send_timer_.
  Instant ack_at_ = never, idle_at_ = never;
  Instant opened_at_{}, last_received_at_{}, last_sent_at_{};
  Instant stalled_since_ = never;  // When the first retransmission of what is unacked was due.
  std::uint64_t octets_sent_ = 0, octets_received_ = 0, octets_retransmitted_ = 0;
  SendQueue send_queue_;
  ReceiveQueue receive_queue_;
  std::unique_ptr<InFlight> flight_;
  std::unique_ptr<Reassembly> reassembly_;
  Options options_;
};

}  // namespace estab::tcp
