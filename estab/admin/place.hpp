// SPDX-License-Identifier: Apache-2.0
// Where the control sockets lie: one folder a user, one file PID.sock in it a running program.
#pragma once
#include <filesystem>

namespace estab::admin {

// $XDG_RUNTIME_DIR/estab; else /run/estab for root; else /tmp/estab-UID. It need not exist.
[[nodiscard]] std::filesystem::path default_folder();

// Makes the folder for this user alone if it is missing. Throws std::system_error, also where
// somebody else owns it and so could put a socket of his own there.
void ensure_folder(const std::filesystem::path& folder);

}  // namespace estab::admin
