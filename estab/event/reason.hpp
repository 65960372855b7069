// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace estab {

// Why something happened. Counters, traces, captures, ladders and pages all read this one table,
// reasons.inc: name, the clause it stands on, one plain sentence.
enum class Reason : std::uint8_t {
#define ESTAB_REASON(name, clause, sentence) name,
#include "estab/event/reasons.inc"
#undef ESTAB_REASON
};

struct ReasonText {
  std::string_view name;      // As in the enumeration.
  std::string_view clause;    // "RFC 9293 §3.10.7.4".
  std::string_view sentence;  // One plain sentence, with its full stop.
};
inline constexpr ReasonText reason_texts[] = {
#define ESTAB_REASON(name, clause, sentence) {#name, clause, sentence},
#include "estab/event/reasons.inc"
#undef ESTAB_REASON
};
inline constexpr std::size_t reason_count = std::size(reason_texts);

[[nodiscard]] constexpr const ReasonText& text(Reason r) { return reason_texts[std::size_t(r)]; }

// How often each reason was given.
class ReasonCounters {
 public:
  void count(Reason r) { ++counts_[std::size_t(r)]; }
  [[nodiscard]] std::uint64_t operator[](Reason r) const { return counts_[std::size_t(r)]; }

 private:
  std::array<std::uint64_t, reason_count> counts_{};
};

}  // namespace estab
