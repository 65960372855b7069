// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "estab/base/address.hpp"

namespace estab::cli {

// Which sockets ss shows: those that each list with something in it has a match for.
struct SsFilter {
  std::set<std::string> states;  // As ss names them, "ESTAB".
  std::vector<Port> ports;       // Of either end.
  std::vector<Port> local_ports, remote_ports;
  std::vector<Prefix> peers;  // Of the remote address; a listener has none.

  [[nodiscard]] bool matches(std::string_view state, const Endpoint& local,
                             const Endpoint& remote) const;
  // By its port alone: for the lines about listeners, whatever sockets are shown.
  [[nodiscard]] bool matches_listener(const Endpoint& local) const;
};

// "ESTAB" for "established", "estab" or "ESTABLISHED"; "": there is no such state. These are the
// names that ss shows.
[[nodiscard]] std::string ss_state(std::string_view name);

// What the words after `option` mean; UsageError says what is valid. A prefix is "10.0.0.0/8", or
// an address alone.
[[nodiscard]] std::string ss_state_of(std::string_view option, std::string_view text);
[[nodiscard]] Port ss_port_of(std::string_view option, std::string_view text);
[[nodiscard]] Prefix ss_prefix_of(std::string_view option, std::string_view text);

}  // namespace estab::cli
