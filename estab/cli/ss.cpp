// SPDX-License-Identifier: Apache-2.0
// estab ss: what the stacks of the running estab programs hold.
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "estab/admin/client.hpp"
#include "estab/admin/place.hpp"
#include "estab/cli/commands.hpp"
#include "estab/cli/ss_table.hpp"

namespace estab::cli {
namespace {

namespace json = boost::json;

struct SsCommand {
  std::vector<std::string> states;
  int pid = 0;  // 0: all.
  bool json = false, listening = false, no_header = false;
  SsChoice choice;
};

std::vector<admin::Process> chosen_processes(const SsCommand& command) {
  const auto folder = admin::default_folder();
  auto processes = admin::running(folder);
  if (processes.empty())
    throw Failure("no estab is running for this user (" + folder.string() +
                  " holds no control socket)\nStart one, as: estab serve --echo");
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

void run_ss(SsCommand& command) {
  for (const auto& name : command.states) {
    const auto state = ss_state(name);
    if (state.empty())
      throw UsageError("--state: '" + name +
                       "' is no state of TCP; such are established, "
                       "syn-recv, fin-wait-1, time-wait, listen");
    command.choice.states.insert(state);
  }
  if (command.listening) command.choice.states.insert("LISTEN");
  command.choice.header = !command.no_header;
  const auto documents = documents_of(chosen_processes(command));
  if (command.json)
    fmt::print("{}\n", json::serialize(json::array(documents.begin(), documents.end())));
  else fmt::print("{}", ss_table(documents, command.choice));
}

}  // namespace

void add_ss(CLI::App& app) {
  auto* command = app.add_subcommand("ss", "Show what the stacks of running estab programs hold");
  auto options = std::make_shared<SsCommand>();
  command->add_flag("-l,--listening", options->listening, "Listeners only");
  command->add_option("--state", options->states, "Only what is in this state (repeatable)")
      ->type_name("STATE")
      ->allow_extra_args(false);
  command->add_flag("-i,--info", options->choice.info,
                    "Each connection's numbers on a second line");
  command->add_flag("-o,--options", options->choice.timers, "The timers of records");
  command->add_flag("-c,--counters", options->choice.counters,
                    "What happened how often, each with its clause of\nthe RFC");
  command->add_option("--pid", options->pid, "Only this program")->type_name("PID");
  command->add_flag("--json", options->json, "All of it, as a JSON array with a document each");
  command->add_flag("-H,--no-header", options->no_header, "No line of headings");
  // What ss's users type out of habit is so anyway.
  command->add_flag("-t,-a,-n,-p,--tcp,--all,--numeric,--processes")->group("");
  command->footer(
      "LISTEN: Recv-Q is the accept queue, Send-Q its limit. The program is shown as "
      "PID/DEVICE.\n\n"
      "Examples:\n"
      "  estab ss -i\n"
      "  estab ss --state established --state time-wait -o\n"
      "  estab ss --json | python3 -m json.tool");
  command->callback([options] { run_ss(*options); });
}

}  // namespace estab::cli
