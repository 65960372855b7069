// SPDX-License-Identifier: Apache-2.0
// When the ACK of data is due (RFC 9293 §3.8.6.3, RFC 5681 §4.2), as Linux decides it: at once for
// the first segments of a connection and for every second full segment, else a moment later, so
// that an answer of the program can carry it. Plain values: no connection is needed to try them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "estab/base/time.hpp"

namespace estab::tcp {

// The size of the peer's full segments, learned from single segments: never from the data that
// became contiguous when a hole was filled. It reads as bytes.
class SegmentSize {
 public:
  // `largest`: the MSS that we announced.
  void start(std::uint16_t largest) { size_ = std::min<std::uint16_t>(536, largest); }
  // A segment of this many bytes came. `whole`: no PSH, URG or FIN says that the sender had no more
  // to fill it with. A smaller size is believed once two segments in a row have it.
  void measure(std::uint32_t bytes, bool whole, std::uint16_t largest) {
    const auto last = std::exchange(candidate_, std::uint16_t{0});
    const auto size = std::uint16_t(std::min<std::uint32_t>(bytes, largest));
    if (size >= size_) {
      size_ = size;
    } else if (size >= 536 || (whole && size >= 88)) {  // 88: the smallest that Linux believes.
      candidate_ = size;
      if (size == last) size_ = size;
    }
  }
  operator std::uint16_t() const { return size_; }  // NOLINT: it is a number.

 private:
  std::uint16_t size_ = 536, candidate_ = 0;
};

class AckPolicy {
 public:
  struct Limits {
    Duration least, most;  // Of the delay.
    Duration srtt, rto;    // As they are now.
    std::uint8_t quick;    // ACKs that go at once at the beginning.
  };

  // `bytes` of data became contiguous.
  void data_arrived(Instant now, std::uint32_t bytes, const Limits& limits) {
    const Duration gap = now - data_at_;
    Duration delay = delay_ms_ > 0 ? current() : limits.least;
    if (delay_ms_ == 0) quick_ = limits.quick;  // The first data of the connection.
    else if (gap < delay) delay = std::max(limits.least, delay / 2 + gap);
    else if (gap > limits.rto) quick_ = std::max(quick_, limits.quick);
    set_delay(std::min({delay, limits.most, std::max(limits.srtt, limits.least)}));
    data_at_ = now;
    unacknowledged_ += bytes;
  }
  // Data left. What leaves soon after data came is an answer: the next ACK may wait for the next
  // answer ("ping-pong" in Linux). What a program says first, or much later, is none.
  void data_sent(Instant now) {
    if (now - data_at_ < current()) answers_ = true;
  }
  // The program will answer the peer's FIN with its own: the ACK can ride on that.
  void fin_arrived() { answers_ = true; }
  // The delay is over and nothing has carried the ACK: the program does not answer, or is slow.
  void timed_out(const Limits& limits) {
    if (answers_) set_delay(limits.least);
    else set_delay(std::min(2 * current(), limits.most));
    answers_ = false;
  }
  // An ACK left.
  void acknowledged() {
    if (unacknowledged_ > 0 && quick_ > 0) --quick_;
    unacknowledged_ = 0;
  }
  // More than one full segment waits for its ACK, or ACKs are quick.
  [[nodiscard]] bool at_once(std::uint16_t full_segment) const {
    return unacknowledged_ > full_segment || (quick_ > 0 && !answers_);
  }
  // How long an ACK may wait: a tick before the first data came.
  [[nodiscard]] Duration delay() const { return std::max<Duration>(current(), 1ms); }

 private:
  [[nodiscard]] Duration current() const { return Milliseconds{delay_ms_}; }
  void set_delay(Duration delay) { delay_ms_ = std::uint16_t(delay / 1ms); }

  Instant data_at_{};
  std::uint32_t unacknowledged_ = 0;  // Bytes since our last ACK.
  std::uint16_t delay_ms_ = 0;        // 0: no data have come.
  std::uint8_t quick_ = 0;
  bool answers_ = false;
};

}  // namespace estab::tcp
