// SPDX-License-Identifier: Apache-2.0
#include "estab/host/owners.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include "estab/host/number.hpp"

namespace estab::host {
namespace {

namespace fs = std::filesystem;

// "socket:[4711]"
std::optional<std::uint32_t> socket_inode(std::string_view target) {
  constexpr std::string_view before = "socket:[", after = "]";
  if (!target.starts_with(before) || !target.ends_with(after)) return std::nullopt;
  target.remove_prefix(before.size());
  target.remove_suffix(after.size());
  return number_in<std::uint32_t>(target);
}

// A program may call itself what it likes, a terminal's commands included.
std::string name_in(const fs::path& folder) {
  std::string name;
  std::ifstream file(folder / "comm");
  std::getline(file, name);
  std::ranges::replace_if(name, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name;
}

void add_owner(const fs::path& folder, int pid, SocketOwners& owners) {
  std::error_code error;
  std::optional<std::string> name;
  fs::directory_iterator at(folder / "fd", error);
  if (error == std::errc::permission_denied) owners.complete = false;
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code gone;
    const auto inode = socket_inode(fs::read_symlink(at->path(), gone).native());
    if (gone == std::errc::permission_denied) owners.complete = false;
    const auto descriptor = number_in<int>(at->path().filename().native());
    if (gone || !inode || !descriptor) continue;
    if (!name) name = name_in(folder);
    owners.by_inode[*inode].push_back({*name, pid, *descriptor});
  }
}

}  // namespace

SocketOwners socket_owners(const fs::path& proc) {
  SocketOwners owners;
  for (const auto& entry : fs::directory_iterator(proc))
    if (const auto pid = number_in<int>(entry.path().filename().native()))
      add_owner(entry.path(), *pid, owners);
  for (auto& [inode, holders] : owners.by_inode)
    std::ranges::sort(holders, {}, [](const SocketOwner& holder) {
      return std::pair(holder.pid, holder.descriptor);
    });
  return owners;
}

}  // namespace estab::host
