// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace estab::cli::demo {

// Runs a command and returns what it prints; `meanwhile` is called again and again until it ends.
// Throws Failure where it cannot be run, or fails.
[[nodiscard]] std::string output_of(const std::vector<std::string>& command,
                                    const std::function<void()>& meanwhile = {});

// From now on SIGINT, SIGTERM and SIGHUP make throw_if_interrupted() throw Failure, where before
// they ended the program.
void watch_signals();
void throw_if_interrupted();

}  // namespace estab::cli::demo
