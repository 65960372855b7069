// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "estab/cli/ss_filter.hpp"

namespace estab::cli {

// What of the documents is shown, and how.
struct SsChoice {
  SsFilter filter;
  bool info = false;      // A second line: cwnd, rtt, rto, mss …
  bool timers = false;    // What runs until a record is gone.
  bool counters = false;  // How often each reason was given, with its clause.
  bool header = true;
};

// A running program's document (admin/document.hpp) without the sockets that the filter does not
// match. Throws std::exception where it is no such document.
[[nodiscard]] boost::json::value ss_filtered(boost::json::value document, const SsFilter& filter);

// The documents as ss lays out its sockets, but for those that the filter does not match. Throws
// the same.
[[nodiscard]] std::string ss_table(const std::vector<boost::json::value>& documents,
                                   const SsChoice& choice);

// A line a listener that the filter's ports match: both its queues, what was dropped, its mode, and
// the flood detector's verdict in words. Throws the same.
[[nodiscard]] std::string ss_closing(const std::vector<boost::json::value>& documents,
                                     const SsFilter& filter);

}  // namespace estab::cli
