// SPDX-License-Identifier: Apache-2.0
// Packets that pass by, judged: a board of what they tell. Whether both directions pass is found
// out on the way. Until a SYN-ACK has come two boards are filled, of which one takes completions
// for what they seem; it has the word if none came by the time of the first judgement, and until
// one comes. Same packets and key in, same reports out. Not thread-safe.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "estab/observe/handshake_board.hpp"
#include "estab/observe/passive_handshakes.hpp"

namespace estab::observe {

struct PassiveWatchConfig {
  PassiveHandshakesConfig handshakes;
  HandshakeBoardConfig board;
  std::vector<Endpoint> listeners;  // Only theirs; empty: all. An unspecified address is any.
};

class PassiveWatch {
 public:
  using OnReport = std::function<void(const FloodReport&)>;
  PassiveWatch(const HashKey& key, OnReport on_report, const PassiveWatchConfig& config = {});
  PassiveWatch(PassiveWatch&&) = delete;

  // As PassiveHandshakes::packet; judges before that what is due.
  void packet(Instant at, Bytes kept, std::size_t size);
  void pass_over(PassedOver why) { handshakes_.pass_over(why); }
  // Judges what is due, where no packet comes.
  void advance(Instant now);

  [[nodiscard]] std::vector<ListenerPicture> pictures() const { return speaking().pictures(); }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] bool both_directions() const { return handshakes_.both_directions(); }
  [[nodiscard]] const PassiveCounts& counts() const { return handshakes_.counts(); }
  // What cannot be known, and what was passed over, a sentence each.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  void observe(const HandshakeObservation& observation);
  [[nodiscard]] bool is_wanted(const Endpoint& local) const;
  [[nodiscard]] const HandshakeBoard& speaking() const { return one_way_ ? *one_way_ : *two_way_; }

  std::vector<Endpoint> listeners_;
  OnReport on_report_;
  std::unique_ptr<HandshakeBoard> two_way_, one_way_;  // The latter: until a SYN-ACK has come.
  PassiveHandshakes handshakes_;
  Instant now_{};
};

}  // namespace estab::observe
