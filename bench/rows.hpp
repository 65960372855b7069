// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "measure.hpp"

namespace estab::bench {

// Two stacks in memory, beside the kernel over lo.
[[nodiscard]] std::vector<Row> memory_rows();
// A flood's SYNs, in memory and over TUN, beside the kernel over TUN.
[[nodiscard]] std::vector<Row> syn_rows();
// What a connection, a half-open and a TIME-WAIT record cost.
[[nodiscard]] std::vector<Row> bytes_rows();
// Machine instructions of the in-memory work, counted by valgrind running this program anew.
[[nodiscard]] std::vector<Row> instruction_rows();
// A stack behind a TUN device, beside the kernel over veth and a fake stack on a TUN device.
[[nodiscard]] std::vector<Row> tun_rows();

// Does `count` units of the named in-memory work and nothing else, for instruction_rows().
void do_work(std::string_view name, std::size_t count);

}  // namespace estab::bench
