// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "rows.hpp"
#include "work.hpp"

namespace estab::bench {
namespace {

using MakeWork = std::function<std::unique_ptr<Work>()>;

// More connections than the ports of one address of the kernel's could name are not asked for.
constexpr std::size_t kernel_connections_limit = 20'000;

// `figure` makes of units a second what the row is in.
Candidate candidate(std::string who, MakeWork make, std::function<double(double)> figure,
                    std::size_t limit = SIZE_MAX) {
  return {std::move(who), [=](const Effort& effort) {
            const auto work = make();
            const double figure_now = figure(rate(*work, effort, limit));
            return Sample{figure_now, work->note()};
          }};
}

Row bulk_row(bool super_segments) {
  const std::size_t text = super_segments ? super_text : mss_text;
  const auto gbits = [text](double rate) { return rate * double(text) * 8 / 1e9; };
  const std::string common =
      "one thread, both ends, its processor time; estab: checksums made and verified, timestamps, "
      "one copy at each end, batches of at most 32 packets, one cumulative ACK a batch; ";
  return {
      .name = super_segments ? "memory/bulk/super" : "memory/bulk/mss1460",
      .unit = "Gbit/s",
      .settings = common + (super_segments ? "packets of 64 KiB; kernel: MTU 65536, cubic"
                                           : "MTU 1500; kernel: MTU 1500, no TSO, cubic"),
      .candidates = {candidate(
                         "estab", [=] { return bulk(super_segments); }, gbits),
                     candidate("kernel-lo", [=] { return kernel_bulk(super_segments); }, gbits)}};
}

Row round_trip_row(std::size_t octets) {
  const auto same = [](double rate) { return rate; };
  return {.name = fmt::format("memory/roundtrip/{}B", octets),
          .unit = "round trips/s",
          .settings =
              "one connection, one thread, both ends, its processor time; kernel: nodelay, "
              "cubic",
          .candidates = {candidate(
                             "estab", [=] { return round_trips(octets); }, same),
                         candidate("kernel-lo", [=] { return kernel_round_trips(octets); }, same)}};
}

Row connection_row() {
  const auto same = [](double rate) { return rate; };
  return {
      .name = "memory/connect-close",
      .unit = "connections/s",
      .settings =
          "connect, an octet each way, close by the client, one after the other; every "
          "TIME-WAIT is kept; one thread, both ends, its processor time; kernel: cubic",
      .candidates = {candidate("estab", connections, same),
                     candidate("kernel-lo", kernel_connections, same, kernel_connections_limit)}};
}

Row segment_row() {
  const auto nanoseconds = [](double rate) { return 1e9 / rate; };
  return {.name = "memory/segment-ns",
          .unit = "ns/segment",
          .settings = "memory/bulk/mss1460 as the time of a segment: both ends, ACKs included",
          .candidates = {candidate(
                             "estab", [] { return bulk(false); }, nanoseconds),
                         candidate("kernel-lo", [] { return kernel_bulk(false); }, nanoseconds)}};
}

}  // namespace

std::vector<Row> memory_rows() {
  return {bulk_row(false),     bulk_row(true),   round_trip_row(1),
          round_trip_row(100), connection_row(), segment_row()};
}

}  // namespace estab::bench
