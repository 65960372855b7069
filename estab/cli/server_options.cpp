// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/server_options.hpp"

#include <CLI/Option.hpp>
#include <algorithm>

#include "estab/cli/option_values.hpp"

namespace estab::cli {

void add_server_options(CLI::App& command, ServerOptions& options, const ServerOptionsHelp& help) {
  const auto group = "Time and memory (a time of 0s: no limit)";
  const auto add_time = [&](const char* name, Duration& into, const std::string& what) {
    command
        .add_option_function<std::string>(
            name, [&into](const std::string& text) { into = *parse_duration(text); }, what)
        ->type_name("TIME")
        ->check(is_duration)
        ->group(group);
  };
  add_time("--idle", options.idle, help.idle);
  add_time("--request-timeout", options.request, help.request);
  add_time("--write-timeout", options.write,
           "Reset a connection whose peer acknowledges no\nbyte of what waits for it for so long\n"
           "(default 60s); slow readers do not meet it");
  command
      .add_option_function<std::string>(
          "--memory-limit",
          [&options](const std::string& text) { options.memory_limit = *parse_memory(text); },
          "Of estab's TCP, 16MiB to 1024GiB; KiB, MiB and\nGiB may follow the number (default "
          "1GiB)")
      ->type_name("BYTES")
      ->check(is_memory)
      ->group(group);
}

void apply(const ServerOptions& options, StackConfig& stack) {
  stack.tcp.memory_limit = options.memory_limit;
  const auto longest = std::chrono::duration_cast<Duration>(Milliseconds::max());
  stack.tcp.defaults.user_timeout =
      std::chrono::ceil<Milliseconds>(std::min(options.write, longest));
}

}  // namespace estab::cli
