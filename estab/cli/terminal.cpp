// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace estab::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

unsigned width_of(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const auto columns = std::strtoul(environment("COLUMNS").data(), nullptr, 10);
  return columns > 0 && columns < 1000 ? unsigned(columns) : 80;
}

unsigned height_of(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

}  // namespace

Terminal terminal_of(int descriptor) {
  const bool screen = ::isatty(descriptor) == 1 && environment("TERM") != "dumb";
  return {.width = width_of(descriptor),
          .height = height_of(descriptor),
          .utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8",
          .colour = screen && environment("NO_COLOR").empty(),
          .screen = screen};
}

}  // namespace estab::cli
