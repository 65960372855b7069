// SPDX-License-Identifier: Apache-2.0
// Segments as scripts spell them, close to tcpdump and packetdrill:
//   "P. 1:1001(1000) ack 1 win 500 urg 3 <nop,nop,TS 10 20>"
// Flags are S F R P U E W and `.` for ACK. Sequence numbers count from the sender's ISN, the
// acknowledgment from the receiver's; SYN and FIN take no part in first:last, "7" is "7:7".
// Options are named in their order on the wire: mss N, nop, eol, sackOK, wscale N, TS value echo,
// sack a:b c:d, kind N hex. Our own timestamps count from the first that we sent; a `.` for a
// number of an option matches any.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "estab/base/bytes.hpp"

namespace estab::script {

// What the numbers of one direction count from.
struct Numbering {
  std::uint32_t sender_iss = 0, receiver_iss = 0, sender_clock = 0, receiver_clock = 0;
};

// What a script says of a segment; what is left out is not compared.
struct Spec {
  std::uint8_t flags = 0;
  std::optional<std::uint32_t> seq, ack, window, urgent;
  std::optional<std::uint32_t> length;  // Octets of text.
  std::optional<std::vector<std::string>> options;
};
// A mistake in the notation throws std::invalid_argument.
[[nodiscard]] Spec parse_spec(std::string_view text);

// A segment on the wire, in relative numbers.
struct Segment {
  std::uint8_t flags = 0;
  std::uint32_t seq = 0, ack = 0, window = 0, urgent = 0, length = 0;
  std::vector<std::string> options;
};
// Reads a TCP header (whose options have sound lengths) with its text.
[[nodiscard]] Segment read_segment(Bytes tcp, const Numbering& numbering);
[[nodiscard]] std::string spell(const Segment& segment);
// Empty, or what differs.
[[nodiscard]] std::string difference(const Spec& expected, const Segment& actual);

// The options' octets, padded with End-of-List.
[[nodiscard]] std::vector<std::byte> encode_options(const std::vector<std::string>& options,
                                                    const Numbering& numbering);

}  // namespace estab::script
