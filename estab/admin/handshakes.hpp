// SPDX-License-Identifier: Apache-2.0
// What a running program tells of its listeners' handshakes, as JSON, and read again by a viewer.
// docs/control-socket.md lists the fields.
#pragma once
#include <boost/json/array.hpp>
#include <optional>
#include <span>
#include <vector>

#include "estab/observe/handshake_board.hpp"

namespace estab::admin {

[[nodiscard]] boost::json::array to_json(std::span<const observe::ListenerPicture> pictures);
// Nothing: it is not what to_json() makes, or lacks a field.
[[nodiscard]] std::optional<std::vector<observe::ListenerPicture>> read_handshakes(
    const boost::json::value& handshakes);

}  // namespace estab::admin
