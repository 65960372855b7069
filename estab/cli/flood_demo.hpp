// SPDX-License-Identifier: Apache-2.0
// `estab demo syn-flood`: a bounded SYN flood from forged sources, and what becomes of real clients
// meanwhile; then a crowd of real clients, which is none.
#pragma once
#include <string_view>

#include "estab/cli/terminal.hpp"

namespace estab::cli::demo {

inline constexpr std::string_view flood_name = "syn-flood";
inline constexpr std::string_view flood_headline =
    "a SYN flood, met without and with a defence, and a crowd that is none";

// Plays all acts on standard output. `with_kernel`: the Linux kernel plays along, in this thread's
// network namespace, in real time; otherwise two stacks of ours in virtual time, and the kernel's
// act is left out. Throws Failure.
void play_syn_flood(const Terminal& terminal, bool with_kernel);

}  // namespace estab::cli::demo
