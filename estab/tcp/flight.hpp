// SPDX-License-Identifier: Apache-2.0
// What is in flight: one record a transmission (range, time, what became of it), and on them the
// scoreboard of RFC 6675. There only while text is unacknowledged (design: decision 5).
#pragma once
#include <optional>
#include <vector>

#include "estab/base/seq.hpp"
#include "estab/base/time.hpp"
#include "estab/wire/tcp.hpp"

namespace estab::tcp {

class Flight {
 public:
  struct Record {
    Seq begin, end;
    Instant sent_at;
    bool sacked = false;             // A SACK block covers it.
    bool lost = false;               // Taken for lost; waits to be sent again, or was.
    bool in_retransmission = false;  // Sent again, and that copy counts as in flight.
    bool retransmitted = false;      // Ever: Karn's algorithm takes no sample from it.
    [[nodiscard]] std::uint32_t length() const { return distance(begin, end); }
  };
  // What an acknowledgment told.
  struct Acked {
    std::uint32_t delivered = 0;         // Octets newly acknowledged or SACKed.
    std::optional<Instant> sample_from;  // When the newest that was sent once was sent.
    bool retransmitted = false;          // Some of it had been retransmitted.
  };

  [[nodiscard]] bool empty() const { return records_.empty(); }
  // Octets believed to be in the network (RFC 6675 §4, "pipe").
  [[nodiscard]] std::uint32_t pipe() const { return pipe_; }
  [[nodiscard]] std::uint32_t sacked() const { return sacked_; }
  [[nodiscard]] bool any_lost() const { return lost_waiting_ > 0; }

  void sent(Seq begin, Seq end, Instant now);
  // [begin, end) was sent again; it lies within records taken for lost, or about to be.
  void sent_again(Seq begin, Seq end, Instant now);
  Acked acknowledge(Seq una);
  // Applies one valid block; adds to `told`. Splits stop at `record_limit` (threats 10).
  void sack(const wire::SackBlock& block, std::size_t record_limit, Acked& told);

  // RFC 6675 §4, IsLost: marks every record with more than (threshold - 1) * mss SACKed octets,
  // or `threshold` separate SACKed ranges, above it. True: some were marked.
  bool mark_lost(std::uint32_t mss, unsigned threshold);
  // Marks the first `octets` lost (fast retransmit without SACK, partial ACK).
  void mark_first_lost(std::uint32_t octets);
  // An RTO: all is lost, and SACKs may have been taken back (RFC 2018 §8).
  void mark_all_lost();
  // Records longer than `octets` are too big for the path: lost.
  void mark_larger_lost(std::uint32_t octets);

  // The first stretch that is lost and not sent again yet.
  struct Stretch {
    Seq begin, end;
  };
  [[nodiscard]] std::optional<Stretch> next_lost() const;
  // RFC 6675 §4, NextSeg (3): the first below the highest SACKed that was not sent again.
  [[nodiscard]] std::optional<Stretch> next_unsacked() const;
  [[nodiscard]] Instant oldest() const { return records_.front().sent_at; }
  [[nodiscard]] std::size_t true_size() const { return records_.capacity() * sizeof(Record); }

 private:
  std::size_t find(Seq at) const;  // The record that holds `at`, or the first behind it.
  bool split(std::size_t index, Seq at, std::size_t limit);
  template <class F> void change(Record& record, F&& f);  // Keeps the sums true around f.
  void count(const Record& record, int sign);

  std::vector<Record> records_;  // Adjacent, in order, from SND.UNA to SND.NXT.
  std::uint32_t pipe_ = 0, sacked_ = 0, lost_waiting_ = 0;  // Octets.
};

}  // namespace estab::tcp
