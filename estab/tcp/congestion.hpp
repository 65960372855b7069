// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "estab/base/time.hpp"

namespace estab::tcp {

// What a controller may know: numbers, not the connection.
struct CongestionInput {
  std::uint32_t acked = 0;   // Octets newly acknowledged.
  std::uint32_t flight = 0;  // Octets in flight before that.
  std::uint32_t mss = 0;
  Duration srtt{};
  Instant now{};
};

// Slow start and congestion avoidance of RFC 5681 with byte counting (RFC 3465), as NewReno.
// Another algorithm takes its place with the same calls. The window is never less than a segment.
class Congestion {
 public:
  void open(std::uint32_t initial_window) { cwnd_ = initial_window; }
  [[nodiscard]] std::uint32_t cwnd() const { return cwnd_; }
  [[nodiscard]] std::uint32_t ssthresh() const { return ssthresh_; }
  [[nodiscard]] bool in_slow_start() const { return cwnd_ < ssthresh_; }

  // New octets were acknowledged while the window limited the sender (RFC 7661's concern). An ACK
  // opens it by L segments at the most: two, and one in the slow start after a timeout (RFC 3465
  // §2.2, §2.3).
  void on_ack(const CongestionInput& in) {
    if (in_slow_start()) {
      cwnd_ += std::min({in.acked, (after_timeout_ ? 1 : 2) * in.mss, ssthresh_ - cwnd_});
      return;
    }
    after_timeout_ = false;
    counted_ += in.acked;
    if (counted_ < cwnd_) return;
    counted_ -= cwnd_;
    cwnd_ += in.mss;
  }
  // Loss seen by duplicate ACKs or SACK: RFC 5681 (4); the window falls to ssthresh at once.
  void on_loss(const CongestionInput& in) {
    ssthresh_ = std::max(in.flight / 2, 2 * in.mss);
    cwnd_ = ssthresh_;
    counted_ = 0;
    after_timeout_ = false;
  }
  // The retransmission timer ran out; the threshold falls on the first of a row only.
  void on_timeout(const CongestionInput& in, bool first) {
    if (first) ssthresh_ = std::max(in.flight / 2, 2 * in.mss);
    cwnd_ = in.mss;
    counted_ = 0;
    after_timeout_ = true;
  }
  // Nothing was sent for an RTO or longer (RFC 5681 §4.1): back to the initial window.
  void on_idle(std::uint32_t initial_window) {
    ssthresh_ = std::max(ssthresh_, cwnd_ / 4 * 3);
    cwnd_ = std::min(cwnd_, initial_window);
  }
  // A segment may be larger than before.
  void set_segment(std::uint32_t mss) { cwnd_ = std::max(cwnd_, mss); }

 private:
  std::uint32_t cwnd_ = 0;
  std::uint32_t ssthresh_ = 0x7fffffff;
  std::uint32_t counted_ : 31 = 0;           // Octets acknowledged towards the next mss.
  std::uint32_t after_timeout_ : 1 = false;  // The last cut was a timeout's.
};

}  // namespace estab::tcp
