// SPDX-License-Identifier: Apache-2.0
// One flow, followed at both ends. The state of an end whose stack raises events is the truth. The
// other's is inferred, Figure 5 from outside: from what it sends, and from what of ours its ACKs
// prove it received. A segment of ours that takes sequence numbers will be acknowledged, so its
// arrival is not guessed at; a bare ACK or a reset never is, so that is presumed to arrive, until
// the peer's sending the same again says otherwise.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "estab/observe/segment.hpp"

namespace estab::observe {

enum class Witness : std::uint8_t { one_end, both_ends };

class FlowTracker {
 public:
  struct View {
    State state{};
    bool inferred = false;
    friend bool operator==(const View&, const View&) = default;
  };

  // `flow` as seen from the end whose events come; with both_ends, from either.
  FlowTracker(const Flow& flow, Witness witness) : flow_(flow), witness_(witness) {}

  // Takes an event of this flow, and its segment where it has one.
  void event(const Event& event, const Segment* segment);
  // Ends are numbered: 0 is the flow's local one, 1 the remote one. None: nothing is known yet.
  [[nodiscard]] std::optional<View> view(int end) const;
  [[nodiscard]] int end_of(const Endpoint& e) const { return e == flow_.local ? 0 : 1; }
  [[nodiscard]] const Flow& flow() const { return flow_; }

  // A number of `end`'s sequence space as the classic pictures write it: "J" for the opener's first
  // one, "J+1" the next; "K" is the other's. Plain decimal while the space's start is unknown.
  // Where the handshake was not seen, the first number that was seen counts as +1.
  [[nodiscard]] std::string number(int end, Seq seq) const;

 private:
  // What has been seen to happen at the other end.
  struct Inference {
    bool syn = false;           // It sent a SYN.
    bool got_syn = false;       // It received ours.
    bool synchronised = false;  // It left the handshake behind.
    bool fin = false;           // It sent a FIN ...
    bool after_ours = false;    // ... when it had received ours ...
    bool fin_acked = false;     // ... and knows that it arrived.
    bool got_fin = false;       // It received our FIN.
    bool reset = false;
    Seq fin_end;
    std::optional<Seq> our_fin_end;
    std::optional<Seq> ack_rides_to;  // The end of our segment that acknowledged its FIN.
  };
  void number_segment(int sender, const Segment& s);
  void peer_sent(const Segment& s);
  void we_sent(const Segment& s);
  [[nodiscard]] std::optional<State> inferred() const;

  Flow flow_;
  Witness witness_;
  std::array<std::optional<State>, 2> truth_;
  std::array<std::optional<Seq>, 2> first_;
  int opener_ = -1;
  Inference peer_;
};

}  // namespace estab::observe
