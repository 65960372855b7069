// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "estab/cli/demo_stage.hpp"

namespace estab::cli::demo {

struct Scene {
  std::string_view name;  // Stable: documents name the command that printed a picture.
  std::string_view headline;
  std::string_view sentences;  // What is to be seen, and where the RFC has it.
  Side opener;                 // Who connects, and so stands on the left.
  void (*play)(Stage&);
};

// In the order of a connection's life.
[[nodiscard]] std::span<const Scene> scenes();

}  // namespace estab::cli::demo
