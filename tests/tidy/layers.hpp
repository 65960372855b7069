// SPDX-License-Identifier: Apache-2.0
// The table of layers (ARCHITECTURE.md), as data: what a folder of estab/ may include.
#pragma once
#include <string_view>
#include <vector>

namespace estab::tidy {

struct Layer {
  std::string_view folder;
  std::vector<std::string_view> layers;     // And what their rows name, and so on.
  std::vector<std::string_view> libraries;  // Beside C++'s own; "os": the system's.
  bool core = false;                        // No clock, no entropy, no input or output.
};

inline const std::vector<Layer> layers{
    Layer{"base", {}, {}, true},
    Layer{"event", {"base"}, {}, true},
    // `event` for Reason: what is refused here is refused for a reason of the one table.
    Layer{"wire", {"event"}, {}, true},
    Layer{"tcp", {"event", "wire"}, {}, true},
    Layer{"ip", {"event", "wire"}, {}, true},
    Layer{"stack", {"tcp", "ip"}, {}, true},
    Layer{"fault", {"wire"}, {}},
    Layer{"observe", {"event", "wire"}, {"fmt"}},
    Layer{"sim", {"stack", "fault", "observe"}, {"fmt", "CLI"}},
    // `wire`: a device that cannot send a super-segment cuts it.
    Layer{"link", {"fault", "wire"}, {"os", "fmt"}},
    // `event` for State: the kernel's sockets are told in the same words as ours.
    Layer{"host", {"event"}, {"os", "fmt", "libmnl", "sodium"}},
    Layer{"runtime", {"stack", "link", "host", "observe"}, {"os", "fmt", "boost"}},
    Layer{"net", {"runtime"}, {"os", "boost"}},
    Layer{"admin", {"runtime"}, {"os", "fmt", "boost"}},
    Layer{"cli", {"sim", "net", "admin"}, {"os", "fmt", "boost", "CLI"}},
};

}  // namespace estab::tidy
