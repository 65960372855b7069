// SPDX-License-Identifier: Apache-2.0
// The scenarios that the flood detector is measured by. The parameters of the detector may be
// chosen by the first list; the second is kept apart, was written before any of them was, and only
// says whether what was chosen holds elsewhere.
#pragma once
#include <vector>

#include "estab/sim/syn_traffic.hpp"

namespace estab::sim {

[[nodiscard]] std::vector<SynScenario> syn_scenarios();
[[nodiscard]] std::vector<SynScenario> held_out_syn_scenarios();

}  // namespace estab::sim
