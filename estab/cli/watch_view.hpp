// SPDX-License-Identifier: Apache-2.0
// A source of handshakes on the terminal, live.
#pragma once
#include <boost/asio/io_context.hpp>
#include <string>

#include "estab/cli/watch_screen.hpp"
#include "estab/cli/watch_source.hpp"

namespace estab::cli {

// Runs `io` and shows the source on the terminal at standard output, until somebody types q, Esc or
// Ctrl-C, or a signal ends it (SIGINT, SIGTERM, SIGHUP, SIGQUIT). Keys are read where standard
// input is the terminal too. Whatever happens, the terminal is left as it was. Throws Failure where
// it takes no more. `speed`: at which a capture plays as it begins. For a program with one thread;
// `io` is stopped when this returns.
void show_watch(boost::asio::io_context& io, WatchSource& source, double speed = 1);

// The page of this moment, a line each with its end; without keys and clock.
[[nodiscard]] std::string watch_page(WatchSource& source, const WatchStyle& style);

}  // namespace estab::cli
