// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "estab/base/packet.hpp"

namespace estab::tcp {

// Copies the data of a list's packets together, so that full buffers hold them: each packet that
// would give back more than an eighth of its true size. Packets that are full already stay as they
// are. Where the pool has no buffer, the list stays as long as it was. Returns the list's true
// size.
std::size_t pack(PacketPool& pool, PacketList& list);

}  // namespace estab::tcp
