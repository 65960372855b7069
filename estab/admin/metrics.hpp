// SPDX-License-Identifier: Apache-2.0
// What a running program tells a monitor about its stack. docs/metrics.md lists the metrics and the
// kernel's counters that mean the same; they are stable: new ones come, none changes its meaning.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "estab/admin/document.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::admin {

enum class MetricsFormat : std::uint8_t {
  open_metrics,  // OpenMetrics 1.0.
  prometheus,    // Prometheus's text format 0.0.4, for those who know no other.
};
// As in an HTTP header: "application/openmetrics-text; version=1.0.0; charset=utf-8".
[[nodiscard]] std::string_view content_type(MetricsFormat format);

// One exposition, complete. Its size grows with the number of listeners alone.
[[nodiscard]] std::string to_metrics(const ProcessInfo& process, const Snapshot& snapshot,
                                     std::span<const observe::ListenerPicture> pictures,
                                     MetricsFormat format);

}  // namespace estab::admin
