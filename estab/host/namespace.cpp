// SPDX-License-Identifier: Apache-2.0
#include "estab/host/namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "estab/host/interface.hpp"

namespace estab::host {
namespace {

constexpr const char* cannot = "cannot make a network namespace";

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

void write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const auto written = fd < 0 ? -1 : ::write(fd, text.data(), text.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (written != ssize_t(text.size())) fail(error, std::string(cannot) + ": cannot write " + path);
}

// In the new user namespace this user is root, and nobody else exists.
void enter_user_namespace() {
  const auto uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    const int error = errno;
    const std::string advice =
        error == EINVAL ? "; without root it must be made before the program starts a second thread"
                        : "; run as root (in a container: with the capability CAP_SYS_ADMIN), or "
                          "let users make namespaces (sysctl kernel.unprivileged_userns_clone=1)";
    fail(error, cannot + advice);
  }
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 " + uid + " 1");
  write_file("/proc/self/gid_map", "0 " + gid + " 1");
}

}  // namespace

NetworkNamespace::NetworkNamespace() {
  old_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (old_ < 0) fail(errno, std::string(cannot) + ": cannot open /proc/thread-self/ns/net");
  if (::unshare(CLONE_NEWNET) != 0) {
    const int error = errno;
    ::close(std::exchange(old_, -1));
    if (error != EPERM) fail(error, cannot);
    enter_user_namespace();
  }
  try {
    bring_up("lo");
  } catch (...) {
    leave();
    throw;
  }
}

NetworkNamespace::~NetworkNamespace() { leave(); }

void NetworkNamespace::leave() {
  if (old_ < 0) return;
  // It cannot fail: we have the right, since we came from there with it.
  [[maybe_unused]] const int result = ::setns(old_, CLONE_NEWNET);
  ::close(old_);
}

}  // namespace estab::host
