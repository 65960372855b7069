// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/place.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace estab::admin {
namespace {

[[noreturn]] void fail(int error, const std::filesystem::path& folder, const std::string& advice) {
  throw std::system_error(error, std::generic_category(),
                          "cannot keep control sockets in " + folder.string() + advice);
}

}  // namespace

std::filesystem::path default_folder() {
  if (const char* own = std::getenv("XDG_RUNTIME_DIR"); own != nullptr && *own == '/')
    return std::filesystem::path(own) / "estab";
  const auto uid = ::geteuid();
  return uid == 0 ? "/run/estab" : std::filesystem::path("/tmp/estab-" + std::to_string(uid));
}

void ensure_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    fail(errno, folder, "; let XDG_RUNTIME_DIR name a folder that you may write");
  struct stat found{};
  if (::lstat(folder.c_str(), &found) != 0) fail(errno, folder, "");
  if (!S_ISDIR(found.st_mode)) fail(ENOTDIR, folder, "; move what stands there");
  if (found.st_uid != ::geteuid() || (found.st_mode & 022) != 0)
    fail(EPERM, folder, "; others may write there: it must be yours alone");
}

}  // namespace estab::admin
