// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <csignal>
#include <iostream>

#include "estab/cli/commands.hpp"

namespace {

constexpr int failure = 1, usage_error = 2;

// Says what there is, which CLI11 does not.
void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc > 1 && *argv[1] == '-') return;
  std::string commands;
  for (const auto* command : app.get_subcommands({})) {
    if (argc > 1 && command->check_name(argv[1])) return;
    commands += (commands.empty() ? "" : ", ") + command->get_name();
  }
  const auto wrong = argc > 1 ? fmt::format("'{}' is no command", argv[1]) : "no command is given";
  throw estab::cli::UsageError(wrong + "; there are " + commands);
}

// Runs the chosen command, or prints the help that was asked for.
void parse(CLI::App& app, int argc, char** argv) {
  check_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) { app.exit(wish); }
}

int run(CLI::App& app, int argc, char** argv) {
  using namespace estab::cli;
  try {
    parse(app, argc, argv);
    // What a full disk or a broken pipe has swallowed must not look like success.
    if (!std::cout.flush() || std::fflush(stdout) != 0)
      throw Failure("cannot write to standard output: its disk is full, or its reader has gone");
    return 0;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const auto command = chosen.empty() ? std::string() : " " + chosen.front()->get_name();
    fmt::print(stderr, "estab{0}: {1}\nestab{0} --help shows what may be given.\n", command,
               error.what());
    return usage_error;
  } catch (const UsageError& error) {
    fmt::print(stderr, "estab: {}\n", error.what());
    return usage_error;
  } catch (const std::exception& error) {
    fmt::print(stderr, "estab: {}\n", error.what());
    return failure;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Characters only: numbers stay as programs expect them.
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // A write tells.
  CLI::App app{"estab: a TCP of its own, that serves, connects, and shows what it does.", "estab"};
  app.require_subcommand(1);
  app.footer("estab COMMAND --help tells more, with examples.");
  estab::cli::add_serve(app);
  estab::cli::add_connect(app);
  estab::cli::add_shield(app);
  estab::cli::add_ss(app);
  estab::cli::add_watch(app);
  estab::cli::add_demo(app);
  estab::cli::add_version(app);
  return run(app, argc, argv);
}
