// SPDX-License-Identifier: Apache-2.0
// Verdicts as lines of text: one where a listener's verdict or its lights change, with the numbers
// that it stands on, as key=value (docs/watch.md), so that it can be argued with.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "estab/base/siphash.hpp"
#include "estab/observe/flood_detector.hpp"

namespace estab::cli {

// The line, without its end; `Instant{}` is 1970, UTC.
[[nodiscard]] std::string watch_log_line(const observe::FloodReport& report);

class WatchLog {
 public:
  using Sink = std::function<void(std::string_view line)>;
  explicit WatchLog(Sink sink) : sink_(std::move(sink)) {}

  // As judgements come; those that say the same as the listener's last say nothing.
  void report(const observe::FloodReport& report);
  [[nodiscard]] std::uint64_t lines() const { return lines_; }
  // The worst that was said of any listener, in the order of Verdict.
  [[nodiscard]] observe::Verdict worst() const { return worst_; }

 private:
  struct Said {
    observe::Verdict verdict{};
    observe::Lights lights;
    friend bool operator==(const Said&, const Said&) = default;
  };
  Sink sink_;
  std::map<Endpoint, Said> said_;  // Of those that are not quiet.
  std::uint64_t lines_ = 0;
  observe::Verdict worst_{};
};

// The key of a replay: 32 hexadecimal digits.
[[nodiscard]] std::string to_hex(const HashKey& key);
[[nodiscard]] std::optional<HashKey> parse_key(std::string_view text);

}  // namespace estab::cli
