// SPDX-License-Identifier: Apache-2.0
// What estab ss --kernel prints of a KernelView.
#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "estab/cli/kernel_view.hpp"
#include "estab/cli/ss_table.hpp"

namespace estab::cli {

// The sockets that the filter matches, in the columns and words of ss; with the counters, if they
// are chosen, below.
[[nodiscard]] std::string ss_kernel_table(const KernelView& view, const SsChoice& choice);

// What the flood detector says of a listener, in words; empty: nothing (yet).
using ListenerVerdict = std::function<std::string(const KernelListener&)>;
// A line a listener that the filter's ports match, then what the kernel counts for all together.
[[nodiscard]] std::string ss_kernel_closing(const KernelView& view, const SsFilter& filter,
                                            const ListenerVerdict& verdict = {});
// One of these lines, without its end; the listener's name takes at least `width` columns. At its
// end stands the verdict; without one, from where the half-open records are.
[[nodiscard]] std::string ss_listener_line(const KernelListener& listener, std::size_t width,
                                           const std::string& verdict = {});

// The same as a document; docs/control-socket.md lists the fields.
[[nodiscard]] boost::json::object ss_kernel_json(const KernelView& view, const SsFilter& filter);

}  // namespace estab::cli
