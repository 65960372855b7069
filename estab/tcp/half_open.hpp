// SPDX-License-Identifier: Apache-2.0
// A half-open peer: SYN-RECEIVED after a passive open is a record, not a connection
// (design: decision 6).
#pragma once
#include "estab/tcp/env.hpp"
#include "estab/tcp/syn_cookie.hpp"

namespace estab::tcp {

struct HalfOpen {
  Instant opened{};
  Flow flow;
  Seq irs, iss;
  std::uint32_t listener = 0;   // Its index.
  std::uint32_t ts_recent = 0;  // The peer's TSval.
  std::uint32_t ts_value = 0;   // Of our SYN-ACK.
  std::uint16_t mss = 536;      // The peer's.
  std::uint8_t scale = 0;       // The peer's, as shifted by.
  std::uint8_t retransmissions = 0;
  bool has_scale : 1 = false, has_timestamps : 1 = false, has_sack : 1 = false;
  bool deferred : 1 = false, owed : 1 = false;
  bool known : 1 = false;          // A peer of its network has proved itself before.
  bool by_cookie : 1 = false;      // Made from an ACK that brought our cookie back.
  bool irreplaceable : 1 = false;  // Its number is no cookie: without the record, the peer is lost.
  bool handed_out : 1 = false;     // Deferred, and the program knows of it.
};

// The receive window that a SYN or SYN-ACK offers, unscaled: whole segments, as Linux.
[[nodiscard]] std::uint16_t first_window(std::uint32_t receive_buffer, std::uint32_t mss);
// The scale that it offers: for a buffer that grows, that of the largest that there may be. Without
// timestamps a cookie does not tell whether scaling was agreed, and the window field must mean
// enough when it is read unscaled: the scale is then that of the buffer.
[[nodiscard]] std::uint8_t scale_for(const Config& config, const Options& options, bool timestamps);
// What a connection's buffer offers at first.
[[nodiscard]] std::uint32_t first_receive_limit(const Config& config, const Options& options);
// The MSS to advertise to, or to assume of, a peer (MUST-15, MUST-67).
[[nodiscard]] std::uint16_t mss_for_mtu(std::uint32_t mtu, const Address& peer);
[[nodiscard]] std::uint16_t default_mss(const Address& peer);

// Notes what the SYN said; the options that we do not want are left out.
void take_syn(HalfOpen& record, const Config& config, const Segment& syn);
// The record that a SYN would have left, from the ACK that brings the SYN-ACK's cookie back.
void take_cookie(HalfOpen& record, const CookieOptions& agreed, const Segment& ack);
// What the record would have a cookie carry.
[[nodiscard]] CookieOptions cookie_options(const HalfOpen& record);
// What our SYN-ACK offers: its window is unscaled, later ones are shifted by the scale.
struct Offer {
  std::uint16_t mss = 0, window = 0;
  std::uint8_t scale = 0;
};
[[nodiscard]] Offer offer_to(Env& env, const HalfOpen& record, const Options& options);
// TSval of what the record sends at `now`. Its low six bits stay those of the first SYN-ACK, for a
// cookie carries options there: the clock of a half-open record ticks every 64 ms, and no value is
// later than the clock of the connection that may follow (RFC 7323 §3.2, §5.4).
[[nodiscard]] std::uint32_t half_open_clock(const HalfOpen& record, Instant now);
// A plain ACK of the record: where we are, the window that was offered, and timestamps if they were
// agreed (RFC 7323 §3.2). The ports are left to the caller.
[[nodiscard]] wire::TcpHeader half_open_ack(Env& env, const HalfOpen& record,
                                            const Options& options);
// Sends the SYN-ACK.
void send_syn_ack(Env& env, const HalfOpen& record, const Options& options, Reason why);
// When the SYN-ACK is to go out again, or the record to be dropped: 1, 3, 7, 15 s.
[[nodiscard]] Duration syn_ack_interval(const Config& config, unsigned retransmissions);
// How long a record waits for its ACK in all.
[[nodiscard]] Duration half_open_life(const Config& config);

// What to do with a segment for the record (RFC 9293 §3.10.7.4, SYN-RECEIVED).
enum class HalfOpenVerdict : std::uint8_t {
  drop,            // Nothing, but count the reason.
  answer,          // The SYN-ACK again: the peer's SYN came again.
  acknowledge,     // A plain ACK: not acceptable, or a challenge.
  reset,           // A reset for this segment: its ACK is wrong.
  back_to_listen,  // The record goes.
  established,     // The handshake is done.
};
struct HalfOpenOutcome {
  HalfOpenVerdict verdict;
  Reason reason;
};
[[nodiscard]] HalfOpenOutcome segment_arrives(const Config& config, const HalfOpen& record,
                                              const Segment& seg, std::uint32_t window);

}  // namespace estab::tcp
