// SPDX-License-Identifier: Apache-2.0
// estab demo: TCP's life, scene by scene, with real packets between estab and the Linux kernel.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "estab/cli/commands.hpp"
#include "estab/cli/demo_process.hpp"
#include "estab/cli/demo_scenes.hpp"
#include "estab/cli/demo_witness.hpp"
#include "estab/host/namespace.hpp"
#include "estab/link/tun.hpp"

namespace estab::cli {
namespace {

using namespace demo;

struct DemoCommand {
  std::vector<std::string> scenes;
  bool list = false, slow = false, check = false, simulated = false;
};

// How a scene went: the states of the left end and of the right one, in order.
struct Record {
  std::string_view name;
  std::vector<Pair> held;
  bool ours_left = true;
};

std::vector<const Scene*> chosen(const std::vector<std::string>& names) {
  std::vector<const Scene*> all;
  for (const auto& scene : scenes()) all.push_back(&scene);
  if (names.empty()) return all;
  std::vector<const Scene*> found;
  for (const auto& name : names) {
    const auto at = std::ranges::find(all, name, &Scene::name);
    if (at == all.end())
      throw UsageError(fmt::format("there is no scene '{}'; estab demo --list names them", name));
    found.push_back(*at);
  }
  return found;
}

void list_scenes() {
  for (const auto& scene : scenes()) fmt::print("{:<20} {}\n", scene.name, scene.headline);
}

// The kernel in a network namespace of the demo's own; where that may not be, `obstacle` says why.
class Theatre {
 public:
  explicit Theatre(bool simulated) {
    if (simulated) {
      obstacle_ = "as asked for";
      return;
    }
    try {
      namespace_.emplace();
      if (const auto usable = link::tun_usable(); !usable) obstacle_ = usable.error();
    } catch (const std::system_error& error) {
      obstacle_ = error.what();
    }
    if (!obstacle_.empty()) namespace_.reset();
  }
  [[nodiscard]] std::unique_ptr<Peer> peer(PacketPool& pool) const {
    return obstacle_.empty() ? kernel_peer() : twin_peer(pool);
  }
  // What the audience should know of the cast.
  [[nodiscard]] std::string programme() const {
    if (obstacle_.empty())
      return "Real packets, over a TUN device in a network namespace of its own: estab at one end, "
             "the Linux kernel at the other. In the margins are the states of both ends, the "
             "kernel's as sock_diag tells them; each segment is held until it has been seen.";
    return fmt::format("Simulated: two estab stacks play, not the Linux kernel ({}). In the margins "
                       "are the states of both ends; each segment is held until it has been seen.",
                       obstacle_);
  }

 private:
  std::string obstacle_;
  std::optional<host::NetworkNamespace> namespace_;
};

// Each time a column's state changes.
std::string states_of(const std::vector<Pair>& held, State Pair::*end) {
  std::string states;
  std::optional<State> last;
  for (const auto& pair : held) {
    if (last != pair.*end) states += fmt::format("{}{}", states.empty() ? "" : " ", name(pair.*end));
    last = pair.*end;
  }
  return states;
}

void print_table(Picture& picture, const std::vector<Record>& records, const std::string& peer) {
  const std::vector<std::size_t> widths{18, 25, 25, 5};
  picture.paragraph("Played and checked: at each change the pair of states was the one drawn.");
  picture.paragraph("");
  picture.row({"scene", "estab", peer, "pairs"}, widths, observe::Tone::strong);
  for (const auto& record : records)
    picture.row({std::string(record.name), states_of(record.held, &Pair::ours),
                 states_of(record.held, &Pair::theirs), std::to_string(record.held.size())},
                widths, observe::Tone::plain);
}

void run_demo(const DemoCommand& command) {
  const auto programme = chosen(command.scenes);
  if (command.list) return list_scenes();
  watch_signals();
  const Theatre theatre(command.simulated);
  std::optional<Witness> witness;
  if (command.check) witness.emplace();
  const auto terminal = terminal_of(STDOUT_FILENO);
  Picture(terminal).paragraph(theatre.programme());
  std::vector<Record> records;
  std::string peer_name;
  for (const auto* scene : programme) {
    PacketPool pool;
    Picture picture(terminal);
    const auto peer = theatre.peer(pool);
    peer_name = peer->name();
    picture.headline(scene->name, scene->headline);
    picture.paragraph(scene->sentences);
    const auto number = std::uint16_t(records.size());
    Stage stage(pool, *peer, picture,
                {.witness = witness ? &*witness : nullptr,
                 .slow = command.slow,
                 .opener = scene->opener,
                 .client = Port(50001 + number),
                 .server = Port(7000 + number)});
    try {
      scene->play(stage);
      stage.end();
    } catch (const Failure& failure) {
      throw_if_interrupted();
      throw Failure(fmt::format("{}: {}", scene->name, failure.what()));
    }
    records.push_back({scene->name, stage.held()});
  }
  Picture picture(terminal);
  print_table(picture, records, peer_name);
}

}  // namespace

void add_demo(CLI::App& app) {
  auto* command = app.add_subcommand(
      "demo", "Play TCP's life, scene by scene, with the Linux kernel at the other end");
  auto options = std::make_shared<DemoCommand>();
  command->add_option("scene", options->scenes, "Scenes to play; all, if none is named")
      ->type_name("SCENE");
  command->add_flag("--list", options->list, "Name the scenes");
  command->add_flag("--slow", options->slow, "Pause after each arrow, to follow along");
  command->add_flag("--check", options->check,
                    "Compare each pair of states with what ss -tan and estab ss --json show");
  command->add_flag("--simulated", options->simulated,
                    "Play between two estab stacks, without the kernel and any privilege");
  command->footer(
      "Examples:\n"
      "  estab demo\n"
      "  estab demo handshake close-client\n"
      "  estab demo --slow simultaneous-open");
  command->callback([options] { run_demo(*options); });
}

}  // namespace estab::cli
