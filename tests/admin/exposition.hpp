// SPDX-License-Identifier: Apache-2.0
// A strict reader of what the metrics print: anything that OpenMetrics 1.0 (or Prometheus's text
// format) does not allow, or that stands there twice, is a fault.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "estab/admin/metrics.hpp"

namespace estab::admin {

struct Exposition {
  std::map<std::string, double> series;  // `name{label="value"}` and its value.
  std::map<std::string, std::set<std::string>> label_values;  // By `name`: `label="value"`, …
  std::map<std::string, std::string> types;                   // Of families, as "counter".
  std::vector<std::string> faults;                            // With their lines.

  [[nodiscard]] double at(const std::string& name) const {
    const auto found = series.find(name);
    return found == series.end() ? -1 : found->second;
  }
};

[[nodiscard]] Exposition read(const std::string& text, MetricsFormat format);

// For EXPECT_PRED2, which shows both.
inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}
inline bool starts_with(const std::string& text, const std::string& start) {
  return text.starts_with(start);
}
inline bool ends_with(const std::string& text, const std::string& end) {
  return text.ends_with(end);
}

// A snapshot that has one of each thing, no two numbers of it the same.
[[nodiscard]] Snapshot busy_snapshot();
// The picture of its first listener under an attack.
[[nodiscard]] std::vector<observe::ListenerPicture> flooded();

}  // namespace estab::admin
