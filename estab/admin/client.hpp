// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <expected>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace estab::admin {

struct Process {
  int pid = 0;
  std::filesystem::path socket;
};

// The running programs whose control sockets lie in `folder`, by pid; files on which nobody listens
// are removed, and told in `dead`: their programs had no chance to. Empty where there is no such
// folder. Waits for nobody.
[[nodiscard]] std::vector<Process> running(const std::filesystem::path& folder,
                                           std::vector<Process>* dead = nullptr);

// The document of a control socket. Waits a few seconds at the most.
[[nodiscard]] std::expected<std::string, std::error_code> fetch(const Process& process);

}  // namespace estab::admin
