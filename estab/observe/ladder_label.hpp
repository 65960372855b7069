// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "estab/observe/tracker.hpp"

namespace estab::observe {

// What stands on an arrow: "SYN,ACK", "seq=K,", "ack=J+1"; and, where there is room, what else the
// header says: "mss=1460", "wscale=7".
struct Label {
  std::vector<std::string> words, details;
};
[[nodiscard]] Label label_of(const Segment& segment, const FlowTracker& flow);

// "retransmit timeout": the reason's name, for people.
[[nodiscard]] std::string short_reason(Reason reason);
// "No ACK came within the RTO: sent again. [RFC 6298 §5.4]"
[[nodiscard]] std::string full_reason(Reason reason);
// Whether a ladder marks it on a packet that was taken or sent: it went out once more, or for
// another cause than the plain ones.
[[nodiscard]] bool remarkable(Reason reason);

}  // namespace estab::observe
