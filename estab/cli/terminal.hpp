// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace estab::cli {

// What may be shown at a descriptor.
struct Terminal {
  unsigned width = 80;   // Columns: the terminal's; else $COLUMNS; else 80.
  unsigned height = 24;  // Lines: the terminal's; else 24.
  bool utf8 = false;     // The locale's characters are UTF-8.
  bool colour = false;   // A terminal, and NO_COLOR is not set (no-color.org).
  bool screen = false;   // A terminal that can be cleared.
};

[[nodiscard]] Terminal terminal_of(int descriptor);

}  // namespace estab::cli
