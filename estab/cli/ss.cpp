// SPDX-License-Identifier: Apache-2.0
// estab ss: what the stacks of the running estab programs hold, or the host's kernel.
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "estab/admin/client.hpp"
#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/ss_kernel.hpp"
#include "estab/cli/ss_table.hpp"
#include "estab/cli/ss_watch.hpp"
#include "estab/cli/watch_kernel.hpp"
#include "estab/host/entropy.hpp"

namespace estab::cli {
namespace {

namespace json = boost::json;

struct SsCommand {
  std::vector<std::string> states, ports, source_ports, destination_ports, sources;
  std::string watch;  // Seconds; empty: once.
  int pid = 0;        // 0: all.
  bool kernel = false, json = false, listening = false, processes = false, no_header = false;
  bool verdict = false;
  SsChoice choice;
};

std::vector<admin::Process> chosen_processes(const SsCommand& command) {
  const auto folder = admin::default_folder();
  auto processes = admin::running(folder);
  if (processes.empty())
    throw Failure("no estab is running for this user (" + folder.string() +
                  " holds no control socket)\nStart one, as: estab serve --echo; the host kernel's "
                  "sockets: estab ss --kernel");
  if (command.pid == 0) return processes;
  std::erase_if(processes, [&](const auto& process) { return process.pid != command.pid; });
  if (processes.empty())
    throw Failure(
        fmt::format("no estab with the pid {} is running for this user\n"
                    "estab ss without --pid shows those that are.",
                    command.pid));
  return processes;
}

// One that ends between being found and being asked is no failure.
std::vector<json::value> documents_of(const std::vector<admin::Process>& processes) {
  std::vector<json::value> documents;
  for (const auto& process : processes) {
    const auto text = admin::fetch(process);
    json::error_code error;
    auto document = text ? json::parse(*text, error) : json::value();
    if (text && !text->empty() && !error) {
      documents.push_back(std::move(document));
      continue;
    }
    const auto why = !text ? text.error().message() : "its answer is cut short";
    fmt::print(stderr, "estab: the estab with the pid {} does not answer: {}\n", process.pid, why);
  }
  if (documents.empty()) throw Failure("no estab has answered; is it stopped, or ending?");
  return documents;
}

SsFilter filter_of(const SsCommand& command) {
  SsFilter filter;
  for (const auto& name : command.states) filter.states.insert(ss_state_of("--state", name));
  if (command.listening) filter.states.insert("LISTEN");
  for (const auto& text : command.ports) filter.ports.push_back(ss_port_of("--port", text));
  for (const auto& text : command.source_ports)
    filter.local_ports.push_back(ss_port_of("--sport", text));
  for (const auto& text : command.destination_ports)
    filter.remote_ports.push_back(ss_port_of("--dport", text));
  for (const auto& text : command.sources) filter.peers.push_back(ss_prefix_of("--source", text));
  return filter;
}

Duration interval_of(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (*end == '\0' && seconds >= 0.1 && seconds <= 86400)
    return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
  throw UsageError("--watch: '" + text + "' is no interval; such are 0.1 to 86400 seconds");
}

void check_kernel_options(const SsCommand& command) {
  if (command.pid != 0)
    throw UsageError("--pid chooses a running estab, not of the kernel's sockets; -p shows whose");
  if (command.verdict && command.json)
    throw UsageError("--verdict stands in the lines below the table, not in --json");
  if (command.choice.info)
    throw UsageError("-i shows what the stacks of estab know; for the kernel's it is: ss -ti");
}

// Once is enough, also when watching.
void say_that_owners_are_missing() {
  static bool said = false;
  if (!std::exchange(said, true))
    fmt::print(stderr, "estab: not every program's sockets may be seen by this user; root's may\n");
}

// The flood detector, while something is shown that it has a place in.
class KernelVerdicts {
 public:
  void read() {
    try {
      handshakes_.take(read_kernel_handshakes());
    } catch (const Failure&) {}  // The table says it.
  }
  // For as long as a verdict takes.
  void read_on() {
    const auto enough = std::chrono::seconds{observe::judged_after + 2};
    for (auto gone = 0ms; gone <= enough; gone += between) {
      read();
      std::this_thread::sleep_for(between);
    }
  }
  // Empty, where there is nothing to report.
  [[nodiscard]] std::string of(const KernelListener& listener) const {
    const auto* report = handshakes_.report_of(listener.first().flow.local);
    return report != nullptr && report->verdict != observe::Verdict::quiet ? report->in_words()
                                                                           : "";
  }

 private:
  static constexpr auto between = 500ms;
  KernelHandshakes handshakes_{host::draw_random<HashKey>(), [](const observe::FloodReport&) {}};
};

SsFrame kernel_frame(const SsCommand& command, const KernelVerdicts* verdicts) {
  const auto view = read_kernel(command.processes);
  if (view.owners && !view.owners->complete) say_that_owners_are_missing();
  const auto& choice = command.choice;
  if (command.json)
    return {json::serialize(json::array{ss_kernel_json(view, choice.filter)}) + "\n", {}};
  return {ss_kernel_table(view, choice),
          choice.header ? ss_kernel_closing(view, choice.filter,
                                            [verdicts](const KernelListener& listener) {
                                              return verdicts ? verdicts->of(listener) : "";
                                            })
                        : ""};
}

SsFrame estab_frame(const SsCommand& command) {
  const auto documents = documents_of(chosen_processes(command));
  const auto& choice = command.choice;
  if (!command.json)
    return {ss_table(documents, choice), choice.header ? ss_closing(documents, choice.filter) : ""};
  json::array filtered;
  for (const auto& document : documents) filtered.push_back(ss_filtered(document, choice.filter));
  return {json::serialize(filtered) + "\n", {}};
}

void run_ss(SsCommand& command) {
  command.choice.filter = filter_of(command);
  command.choice.header = !command.no_header;
  if (command.verdict && !command.kernel)
    throw UsageError(
        "--verdict is for the kernel: estab ss --kernel --verdict; estab watch tells "
        "a running estab's");
  if (command.kernel) check_kernel_options(command);
  std::optional<KernelVerdicts> verdicts;
  if (command.kernel && !command.json && (command.verdict || !command.watch.empty()))
    verdicts.emplace();
  const auto frame = [&] {
    return command.kernel ? kernel_frame(command, verdicts ? &*verdicts : nullptr)
                          : estab_frame(command);
  };
  if (!command.watch.empty()) {
    const auto read = verdicts ? std::function<void()>([&] { verdicts->read(); }) : nullptr;
    return watch_frames(interval_of(command.watch), !command.json, frame, read);
  }
  if (verdicts) {
    fmt::print(stderr, "estab: a verdict takes {} s ...\n", observe::judged_after + 2);
    verdicts->read_on();
  }
  const auto [table, closing] = frame();
  fmt::print("{}{}", table, closing);
}

void add_filters(CLI::App& command, SsCommand& options) {
  const auto add = [&](const char* name, std::vector<std::string>& to, const char* text,
                       const char* type) {
    command.add_option(name, to, text)->type_name(type)->allow_extra_args(false);
  };
  add("--state", options.states, "Only what is in this state (each repeatable)", "STATE");
  add("--port", options.ports, "Only with this port at either end", "PORT");
  add("--sport", options.source_ports, "Only with this local port", "PORT");
  add("--dport", options.destination_ports, "Only with this remote port", "PORT");
  add("--source", options.sources, "Only with a peer in this prefix", "PREFIX");
}

}  // namespace

void add_ss(CLI::App& app) {
  auto* command = app.add_subcommand(
      "ss", "Show what the stacks of running estab programs, or the host's kernel, hold");
  auto options = std::make_shared<SsCommand>();
  command->add_flag("-k,--kernel", options->kernel, "The host kernel's sockets, as ss -tan");
  command->add_flag("-l,--listening", options->listening, "Listeners only");
  add_filters(*command, *options);
  command->add_flag("-p,--process,--processes", options->processes,
                    "Which programs hold a socket of the kernel's;\nof estab it is always shown");
  command->add_flag("-i,--info", options->choice.info,
                    "Each connection's numbers on a second line (estab)");
  command->add_flag("-o,--options", options->choice.timers,
                    "The timers of records, and the estimated age of\nthe kernel's half-open ones");
  command->add_flag("-c,--counters", options->choice.counters,
                    "What happened how often; of estab with its clause\nof the RFC");
  command->add_option("--pid", options->pid, "Only this running estab")->type_name("PID");
  command->add_flag("--json", options->json, "As a JSON array with a document each");
  command->add_option("--watch", options->watch, "Again and again, until Ctrl-C")
      ->type_name("[SECONDS]")
      ->expected(0, 1)
      ->default_str("2");
  command->add_flag("--verdict", options->verdict,
                    "What the flood detector says of the kernel's\nlisteners, after 6 s; --watch "
                    "has it anyway");
  command->add_flag("-H,--no-header", options->no_header,
                    "No headings, and nothing below the sockets");
  // What ss's users type out of habit is so anyway.
  command->add_flag("-t,-a,-n,--tcp,--all,--numeric")->group("");
  command->footer(
      "LISTEN: Recv-Q is the accept queue, Send-Q its limit. The program is shown as "
      "PID/DEVICE.\n"
      "--kernel closes with a line a listener: both its queues and their limits, the age of\n"
      "the oldest half-open record, and what was dropped. \"~\" marks an age that is an\n"
      "estimate, from the kernel's timer and retransmissions. Then from how many sources what is\n"
      "half-open came; with --watch or --verdict, what the flood detector makes of it.\n\n"
      "Examples:\n"
      "  estab ss -i\n"
      "  estab ss --state established --state time-wait -o\n"
      "  estab ss --json | python3 -m json.tool\n"
      "  estab ss --kernel -tlnp\n"
      "  estab ss --kernel --state syn-recv -o --port 80 --watch");
  command->callback([options] { run_ss(*options); });
}

}  // namespace estab::cli
