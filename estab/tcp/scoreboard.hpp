// SPDX-License-Identifier: Apache-2.0
// What is in flight: one record a segment (range, time, state), and on the records the scoreboard
// of RFC 6675. A connection has one only while data are unacknowledged.
// No work grows with the flight: records stand in a ring, SACKed neighbours become one record, and
// cursors remember how far the marking of losses and the filling of holes have come.
#pragma once
#include <optional>

#include "estab/base/ring.hpp"
#include "estab/base/seq.hpp"
#include "estab/base/time.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::tcp {

class Scoreboard {
 public:
  struct Record {
    Seq begin, end;
    Instant sent_at;
    bool sacked = false;             // A SACK block covers it.
    bool lost = false;               // Taken for lost; waits to be sent again, or was sent again.
    bool in_retransmission = false;  // Sent again, and that copy counts as in flight.
    bool retransmitted = false;      // Ever: Karn's algorithm takes no sample from it.
    [[nodiscard]] std::uint32_t length() const { return distance(begin, end); }
    [[nodiscard]] bool waits() const { return lost && !in_retransmission && !sacked; }
  };
  // What an acknowledgment told.
  struct Acked {
    std::uint32_t delivered = 0;         // Octets newly acknowledged or SACKed.
    std::optional<Instant> sample_from;  // When the newest that was sent once was sent.
    bool retransmitted = false;          // Some of these had been retransmitted.
  };

  [[nodiscard]] bool empty() const { return records_.empty(); }
  [[nodiscard]] std::size_t records() const { return records_.size(); }
  // From SND.UNA to SND.NXT: pipe() + sacked() + lost().
  [[nodiscard]] std::uint32_t octets() const {
    return empty() ? 0 : distance(records_.front().begin, records_.back().end);
  }
  // Octets believed to be in the network (RFC 6675 §4, "pipe").
  [[nodiscard]] std::uint32_t pipe() const { return pipe_; }
  [[nodiscard]] std::uint32_t sacked() const { return sacked_; }
  // Octets taken for lost that were not sent again yet.
  [[nodiscard]] std::uint32_t lost() const { return lost_; }

  // [begin, end) was sent for the first time, in segments of `segment` octets.
  void sent(Seq begin, Seq end, std::uint32_t segment, Instant now);
  // [begin, end) was sent again; it lies within what is in flight.
  void retransmitted(Seq begin, Seq end, Instant now);
  Acked acknowledge(Seq una);
  // Applies one block, which lies within what is in flight; adds to `told`. A record that the block
  // covers in part is split, unless the records take more than an eighth of the data: then it
  // counts as not covered.
  void sack(const wire::SackBlock& block, Acked& told);

  // RFC 6675 §4, IsLost: marks every record with more than (threshold - 1) * mss SACKed octets,
  // or `threshold` separate SACKed ranges, above it. True: some were marked.
  bool mark_lost(std::uint32_t mss, unsigned threshold);
  // Marks the first `octets` lost (fast retransmit without SACK, partial ACK).
  void mark_first_lost(std::uint32_t octets);
  // An RTO: all is lost, and SACKs may have been taken back (RFC 2018 §8).
  void mark_all_lost();
  // Records longer than `octets` are too big for the path: lost. True: there were some.
  bool mark_larger_lost(std::uint32_t octets);

  struct Stretch {
    Seq begin, end;
  };
  // The first stretch that is lost and not sent again yet; at most about `most` octets of it.
  [[nodiscard]] std::optional<Stretch> next_lost(std::uint32_t most);
  // RFC 6675 §4, NextSeg (3): the first record below the highest SACKed one that was not sent
  // again, though it is not taken for lost.
  [[nodiscard]] std::optional<Stretch> next_unsacked();
  [[nodiscard]] std::size_t true_size() const {
    return sizeof(*this) + records_.capacity() * sizeof(Record);
  }

 private:
  // The record that holds `at`, or the first behind it.
  [[nodiscard]] std::size_t find(Seq at) const;
  [[nodiscard]] std::size_t record_limit() const;
  void split(std::size_t index, Seq at);
  void join_sacked(std::size_t index);
  std::size_t join_with_next(std::size_t index);
  // Keeps the sums true around f(record).
  template <class F> void change(Record& record, F&& f);
  void count(const Record& record, int sign);
  void mark(Record& record);

  Ring<Record> records_;  // Adjacent, in order, from SND.UNA to SND.NXT.
  std::uint32_t pipe_ = 0, sacked_ = 0, lost_ = 0;
  Seq judged_;  // All below it that is not SACKed was marked lost by mark_lost(), or by a timeout.
  std::uint32_t sacked_above_ = 0;  // SACKed octets and ranges that begin at `judged_` or behind.
  std::uint32_t ranges_above_ = 0;
  Seq hole_;  // Nothing below it waits to be sent again.
};

}  // namespace estab::tcp
