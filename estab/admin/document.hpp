// SPDX-License-Identifier: Apache-2.0
// What a running program tells about its stack, as one JSON document. docs/control-socket.md lists
// the fields; they are stable: new ones come, none changes its meaning or goes.
#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "estab/event/snapshot.hpp"

namespace estab::admin {

// Of the program, beside its stack.
struct ProcessInfo {
  int pid = 0;
  std::string service;                 // What it does, as "serve --echo".
  std::string device;                  // "estab0".
  std::vector<std::string> addresses;  // Ours, as "10.77.0.2/24".
};

// {"address": "10.77.0.2", "port": 80}
[[nodiscard]] boost::json::object to_json(const Endpoint& end);
[[nodiscard]] boost::json::object to_json(const ProcessInfo& process, const Snapshot& snapshot);

}  // namespace estab::admin
