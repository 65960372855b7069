// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/base/siphash.hpp"
#include "estab/tcp/syn_cookie.hpp"

namespace estab {

// Keys that no peer may know; the caller draws them from the system's entropy at each start
// (a simulation: from its seed).
struct Secrets {
  HashKey initial_sequence{}, ports{}, timestamps{}, table{};
  tcp::CookieMaster cookies{};
};

}  // namespace estab
