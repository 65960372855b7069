// SPDX-License-Identifier: Apache-2.0
// Where the handshakes come from that estab watch shows.
#pragma once
#include <string>
#include <vector>

#include "estab/base/time.hpp"
#include "estab/observe/handshake_board.hpp"

namespace estab::cli {

// Works on an io_context that its maker was given, in one thread.
class WatchSource {
 public:
  virtual ~WatchSource() = default;
  // For a title: "flood.pcapng", "interface eth0", "this machine's kernel", "estab serve, pid 7".
  [[nodiscard]] virtual std::string name() const = 0;
  // All listeners as they stand, that of all together left out where there is but one. The busiest
  // first.
  [[nodiscard]] virtual std::vector<observe::ListenerPicture> pictures() = 0;
  // The source's clock: of a capture, the time of the packets; it stands still at the end.
  [[nodiscard]] virtual Instant now() const = 0;
  // What the viewer must know, a sentence each: what this source cannot tell, packets that were
  // lost or passed over, the end of a capture.
  [[nodiscard]] virtual std::vector<std::string> notes() const = 0;
  // Nothing more will come.
  [[nodiscard]] virtual bool finished() const = 0;
  // Of a capture: to go on from where it stands so many times as fast as it happened; 0: to halt.
  // Others do nothing.
  virtual void play(double speed) { (void)speed; }
  // Whether play() does something: a capture.
  [[nodiscard]] virtual bool plays() const { return false; }
};

}  // namespace estab::cli
