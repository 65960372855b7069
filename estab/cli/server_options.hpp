// SPDX-License-Identifier: Apache-2.0
// What every command that accepts connections takes: how long it waits for a peer, and how much
// memory its stack may use.
#pragma once
#include <CLI/App.hpp>
#include <string>

#include "estab/base/time.hpp"
#include "estab/stack/stack.hpp"

namespace estab::cli {

// Each time may be 0: no limit.
struct ServerOptions {
  Duration idle{};         // While a connection moves nothing, or waits for its next request.
  Duration request = 60s;  // Until a request has arrived completely (nginx: 60 s).
  Duration write = 60s;  // While the peer acknowledges no byte of what waits for it (nginx: 60 s).
  std::uint64_t memory_limit = tcp::Config{}.memory_limit;  // Bytes of the stack.
};

// The help of a command's own meaning of `idle` and `request`.
struct ServerOptionsHelp {
  std::string idle, request;
};

// The options must live until the command line has been parsed and its callbacks have run.
void add_server_options(CLI::App& command, ServerOptions& options, const ServerOptionsHelp& help);

// The memory limit; and the write timeout as the user timeout of every connection (RFC 9293
// §3.9.1): it counts while the peer acknowledges no byte, also while its window is shut, so that a
// slow reader does not meet it.
void apply(const ServerOptions& options, StackConfig& stack);

}  // namespace estab::cli
