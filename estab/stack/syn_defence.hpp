// SPDX-License-Identifier: Apache-2.0
// When a listener keeps records of half-open peers, and when it answers by cookie alone
// (threats.md §2.6). It engages on pressure, at once; that is harmless, and says nothing of an
// attack: naming one takes evidence (observe/).
#pragma once
#include "estab/base/random.hpp"
#include "estab/base/time.hpp"
#include "estab/event/snapshot.hpp"
#include "estab/tcp/config.hpp"

namespace estab {

class SynDefence {
 public:
  explicit SynDefence(std::uint64_t seed) : random_(seed) {}

  // A SYN came; too many of them a second, against those that complete, need no queue to fill.
  void syn(const tcp::Config& config, Instant now);
  void completed(Instant now);
  // So many of `limit` records are in use.
  void occupied(std::uint32_t used, std::uint32_t limit, Instant now);
  // A record would have to go before its time.
  void crowded_out(Instant now) { enter(SynMode::stateless, now); }
  // Leaves a mode whose hold has run out.
  void update(Instant now);
  // When update() has something to do; never.
  [[nodiscard]] Instant leaves_at() const { return leaves_at_; }

  [[nodiscard]] SynMode mode() const { return mode_; }
  [[nodiscard]] Instant since() const { return since_; }

 private:
  void enter(SynMode mode, Instant now);
  void next_second(Instant now);
  void hold(Instant now);

  SynMode mode_ = SynMode::normal;
  bool few_ = true;  // Records in use: under a quarter.
  Instant since_{}, left_at_{}, leaves_at_ = never;
  Duration hold_{};   // Of the last STATELESS.
  Instant second_{};  // When the second that is counted began.
  std::uint32_t syns_ = 0, completions_ = 0, last_completions_ = 0;
  double usual_completions_ = 0;  // A second, over the last minute.
  Random random_;
};

}  // namespace estab
