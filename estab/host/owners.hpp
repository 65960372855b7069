// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace estab::host {

// A program that holds a socket.
struct SocketOwner {
  std::string name;  // As in /proc/PID/comm; what is not printable ASCII is a '?'.
  int pid = 0, descriptor = 0;
  friend auto operator<=>(const SocketOwner&, const SocketOwner&) = default;
};

struct SocketOwners {
  std::map<std::uint32_t, std::vector<SocketOwner>> by_inode;  // Each by pid and descriptor.
  bool complete = true;  // False: some program's descriptors may not be read; root may read all.
};

// Who holds which socket, by the programs' open descriptors: those of this pid namespace, which a
// user other than root sees of his own programs only. A program that begins or ends meanwhile may
// be missing. `proc` is the proc file system. Throws std::filesystem::filesystem_error where there
// is none. Any thread.
[[nodiscard]] SocketOwners socket_owners(const std::filesystem::path& proc = "/proc");

}  // namespace estab::host
