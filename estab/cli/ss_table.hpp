// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

namespace estab::cli {

// What of the documents is shown, and how.
struct SsChoice {
  std::set<std::string> states;  // As ss names them, "ESTAB"; empty: all.
  bool info = false;             // A second line: cwnd, rtt, rto, mss …
  bool timers = false;           // What runs until a record is gone.
  bool counters = false;         // How often each reason was given, with its clause.
  bool header = true;
};

// "ESTAB" for "established", "estab" or "ESTABLISHED"; "": there is no such state. These are the
// names that ss shows.
[[nodiscard]] std::string ss_state(std::string_view name);

// The documents of running programs (admin/document.hpp), as ss lays out its sockets. Throws
// std::exception where one is no such document.
[[nodiscard]] std::string ss_table(const std::vector<boost::json::value>& documents,
                                   const SsChoice& choice);

}  // namespace estab::cli
