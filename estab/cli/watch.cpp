// SPDX-License-Identifier: Apache-2.0
// estab watch: who tries to connect, how many do, and whether it is an attack.
#include <fmt/core.h>
#include <unistd.h>

#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/terminal.hpp"
#include "estab/cli/watch_running.hpp"
#include "estab/cli/watch_view.hpp"

namespace estab::cli {
namespace {

struct WatchCommand {
  int pid = 0;  // 0: all.
  bool once = false;
};

WatchStyle page_style() {
  const auto terminal = terminal_of(STDOUT_FILENO);
  return {.width = terminal.width,
          .height = terminal.height,
          .utf8 = terminal.utf8,
          .colour = terminal.colour};
}

void run_watch(const WatchCommand& command) {
  boost::asio::io_context io{1};
  RunningSource source(io, admin::default_folder(), command.pid);
  if (command.once || ::isatty(STDOUT_FILENO) == 0)
    fmt::print("{}", watch_page(source, page_style()));
  else show_watch(io, source);
}

}  // namespace

void add_watch(CLI::App& app) {
  auto* command = app.add_subcommand("watch", "Watch handshakes live, and what is wrong with them");
  auto options = std::make_shared<WatchCommand>();
  command->add_option("--pid", options->pid, "Only this running estab")->type_name("PID");
  command->add_flag("--once", options->once, "Print the page of this moment, and end");
  command->footer(
      "The page shows each listener with its queues, the half-open connections by age, SYNs,\n"
      "SYN-ACKs and completed handshakes a second, the busiest networks, a good and a bad\n"
      "handshake, and the flood detector's verdict. Keys: ? shows them, q quits.\n\n"
      "Examples:\n"
      "  estab watch\n"
      "  estab watch --once | less");
  command->callback([options] { run_watch(*options); });
}

}  // namespace estab::cli
