// SPDX-License-Identifier: Apache-2.0
// The sub-commands: one file each, with one function here that adds it to the command line. What
// it throws becomes the exit code: nothing 0, Failure 1, UsageError 2.
#pragma once
#include <CLI/App.hpp>
#include <stdexcept>

namespace estab::cli {

// What went wrong, in one or two lines that say what would be right.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void add_serve(CLI::App& app);
void add_connect(CLI::App& app);
void add_shield(CLI::App& app);
void add_ss(CLI::App& app);
void add_watch(CLI::App& app);
void add_demo(CLI::App& app);
void add_version(CLI::App& app);

}  // namespace estab::cli
