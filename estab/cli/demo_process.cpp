// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/demo_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "estab/cli/commands.hpp"

namespace estab::cli::demo {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// In the child: standard output goes to the pipe, and the command takes over.
[[noreturn]] void become(const std::vector<std::string>& command, int out) {
  ::dup2(out, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

std::string read_all(int descriptor, const std::function<void()>& meanwhile) {
  std::string text;
  for (;;) {
    if (meanwhile) meanwhile();
    pollfd readable{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 2) <= 0) continue;
    char part[4096];
    const auto size = ::read(descriptor, part, sizeof part);
    if (size <= 0) return text;
    text.append(part, std::size_t(size));
  }
}

}  // namespace

std::string output_of(const std::vector<std::string>& command,
                      const std::function<void()>& meanwhile) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
  const auto child = ::fork();
  if (child == 0) become(command, ends[1]);
  ::close(ends[1]);
  auto text = read_all(ends[0], meanwhile);
  ::close(ends[0]);
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  throw_if_interrupted();
  if (status != 0)
    throw Failure(fmt::format("cannot run {}{}", fmt::join(command, " "),
                              command[0] == "ss" ? "; install the package iproute2" : ""));
  return text;
}

void watch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, [](int) { interrupted = 1; });
}

void throw_if_interrupted() {
  if (interrupted) throw Failure("interrupted; nothing is left behind");
}

}  // namespace estab::cli::demo
