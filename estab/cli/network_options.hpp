// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "estab/fault/impairment.hpp"

namespace estab::cli {

// What every command that makes a stack takes: the device, its addresses, harm and views.
struct NetworkOptions {
  std::vector<std::string> addresses{"10.77.0.2/24", "fd00:77::2/64"};  // Ours.
  std::vector<std::string> peer_addresses;  // The kernel's; empty: the first of each network.
  std::vector<std::string> routed;          // Ours as well, routed to the device one by one.
  std::string device = "estab0";
  std::uint32_t mtu = 1500;
  fault::Impairment impairment;
  std::string capture;  // A file; empty: none.
  bool ladder = false;
  std::string metrics;  // Where the kernel listens for who asks for them; empty: nowhere.
};

// The options must live until the command line has been parsed and its callbacks have run.
void add_network_options(CLI::App& command, NetworkOptions& options);
// Throws UsageError where the two ends' addresses cannot be.
void check_addresses(const NetworkOptions& options);

}  // namespace estab::cli
