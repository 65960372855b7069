// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <algorithm>
#include <system_error>

namespace estab::bench {
namespace {

// What the system does not let this user do, or does not have, is no failure of ours.
bool forbidden(const std::error_code& code) {
  using enum std::errc;
  return code == operation_not_permitted || code == permission_denied ||
         code == no_such_file_or_directory || code == no_such_device ||
         code == no_such_device_or_address;
}

}  // namespace

double median(std::vector<double> samples) {
  std::ranges::sort(samples);
  const auto middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

std::vector<Result> measure(const Row& row, const Effort& effort, unsigned rounds) {
  std::vector<Result> results;
  for (const auto& candidate : row.candidates) results.push_back({.who = candidate.who});
  for (unsigned round = 0; round < (row.counted ? 1 : rounds); ++round) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i].skipped.empty()) continue;
      try {
        auto sample = row.candidates[i].run(effort);
        results[i].samples.push_back(sample.value);
        results[i].note = std::move(sample.note);
      } catch (const Skipped& reason) {
        results[i].skipped = reason.what();
      } catch (const std::system_error& error) {
        if (!forbidden(error.code())) throw;
        results[i].skipped = error.what();
      }
    }
  }
  auto& subject = results.front();
  for (auto peer = results.begin() + 1; peer != results.end(); ++peer) {
    if (!subject.skipped.empty() || !peer->skipped.empty()) continue;
    std::vector<double> ratios;
    std::ranges::transform(subject.samples, peer->samples, std::back_inserter(ratios),
                           std::divides{});
    subject.ratios[peer->who] = median(std::move(ratios));
  }
  return results;
}

}  // namespace estab::bench
