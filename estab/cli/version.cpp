// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "estab/cli/commands.hpp"

namespace estab::cli {

void add_version(CLI::App& app) {
  app.add_subcommand("version", "Print the version")->callback([] {
    fmt::print("estab {}\n", ESTAB_VERSION);
  });
}

}  // namespace estab::cli
