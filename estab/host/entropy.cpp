// SPDX-License-Identifier: Apache-2.0
#include "estab/host/entropy.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace estab::host {

void fill_random(MutableBytes out) {
  while (!out.empty()) {
    const auto n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw std::system_error(errno, std::generic_category(), "cannot draw keys (getrandom)");
    out = out.subspan(std::size_t(n));
  }
}

}  // namespace estab::host
