// SPDX-License-Identifier: Apache-2.0
// estab demo: TCP's life, scene by scene, with real packets between estab and the Linux kernel.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "estab/cli/commands.hpp"
#include "estab/cli/demo_process.hpp"
#include "estab/cli/demo_scenes.hpp"
#include "estab/cli/demo_witness.hpp"
#include "estab/cli/views.hpp"
#include "estab/host/namespace.hpp"
#include "estab/host/sockets.hpp"
#include "estab/link/tun.hpp"
#include "estab/observe/capture.hpp"

namespace estab::cli {
namespace {

using namespace demo;

struct DemoCommand {
  std::vector<std::string> scenes;
  std::string capture;
  bool list = false, slow = false, check = false, simulated = false, ladder = false;
};

// How a scene went.
struct Record {
  std::string_view name;
  std::vector<Pair> pairs;
  std::size_t checks;
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
    if (std::ranges::find(found, *at) == found.end()) found.push_back(*at);
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
      (void)host::kernel_tcp_sockets();  // It throws where the kernel does not tell its states.
    } catch (const std::system_error& error) {
      obstacle_ = error.what();
    }
    if (!obstacle_.empty()) namespace_.reset();
  }
  [[nodiscard]] std::unique_ptr<Peer> peer(PacketPool& pool) const {
    return obstacle_.empty() ? kernel_peer() : twin_peer(pool);
  }
  [[nodiscard]] std::string peer_name() const { return obstacle_.empty() ? "Linux" : "estab (2)"; }
  // What the audience should know of the cast.
  [[nodiscard]] std::string programme() const {
    if (obstacle_.empty())
      return "Real packets, over a TUN device in a network namespace of its own: estab at one end, "
             "the Linux kernel at the other. In the margins are the states of both ends, the "
             "kernel's as sock_diag tells them; each segment is held until it has been seen.";
    return fmt::format(
        "Simulated: two estab stacks play, not the Linux kernel ({}). In the margins are the "
        "states of both ends; each segment is held until it has been seen.",
        obstacle_);
  }

 private:
  std::string obstacle_;
  std::optional<host::NetworkNamespace> namespace_;
};

// The file of --capture: scene after scene, at the times when they were played.
class Capture {
 public:
  Capture(std::string path, const std::string& device)
      : path_(std::move(path)),
        file_(path_, observe::CaptureConfig{.start = std::chrono::system_clock::now(),
                                            .interfaces = {device}}) {
    if (file_.error()) throw Failure(cannot_make_capture(path_, file_.error()));
  }
  void event(Event event, Bytes packet) {
    event.at = Instant{} + (Clock::now() - start_);
    if (!file_.event(event, packet)) throw Failure(cannot_write_capture(path_, file_.error()));
  }
  void finish() {
    if (!file_.finish()) throw Failure(cannot_write_capture(path_, file_.error()));
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string path_;
  observe::CaptureFile file_;
  Clock::time_point start_ = Clock::now();
};

// Each time a column's state changes.
std::string states_of(const std::vector<Pair>& pairs, State Pair::*end) {
  std::string states;
  std::optional<State> last;
  for (const auto& pair : pairs) {
    if (last == pair.*end) continue;
    last = pair.*end;
    states += fmt::format("{}{}", states.empty() ? "" : " ", name(*last));
  }
  return states;
}

void print_table(Picture& picture, const std::vector<Record>& records, const std::string& peer,
                 bool with_tools) {
  const std::vector<std::size_t> widths{18, 25, 25, 6};
  picture.paragraph(fmt::format(
      "After each arrow both ends were asked for their states{}, and were in those drawn:",
      with_tools ? ", by ss -tan and estab ss --json too" : ""));
  picture.paragraph({});
  picture.row({"scene", "estab", peer, "checks"}, widths, observe::Tone::strong);
  for (const auto& record : records)
    picture.row({std::string(record.name), states_of(record.pairs, &Pair::ours),
                 states_of(record.pairs, &Pair::theirs), std::to_string(record.checks)},
                widths, observe::Tone::plain);
}

Record play(const Scene& scene, const Theatre& theatre, Picture& picture, Witness* witness,
            Capture* capture, const DemoCommand& command) {
  picture.headline(scene.name, scene.headline);
  if (!command.ladder) picture.paragraph(scene.sentences);
  PacketPool pool;
  const auto peer = theatre.peer(pool);
  // Each has ports of its own, for the kernel keeps those of a scene before it in TIME-WAIT.
  const auto number = std::uint16_t(&scene - scenes().data() + 1);
  Stage stage(pool, *peer, picture,
              {.witness = witness,
               .slow = command.slow,
               .view = capture ? [capture](const Event& event, Bytes packet) {
                 capture->event(event, packet);
               } : End::View{},
               .opener = scene.opener,
               .client = Port(50000 + number),
               .server = Port(7000 + number)});
  try {
    scene.play(stage);
    stage.end();
  } catch (const Failure& failure) {
    throw_if_interrupted();
    throw Failure(fmt::format("{}: {}", scene.name, failure.what()));
  }
  return {scene.name, stage.pairs(), stage.checks()};
}

void run_demo(const DemoCommand& command) {
  const auto programme = chosen(command.scenes);
  if (command.list) return list_scenes();
  watch_signals();
  const Theatre theatre(command.simulated);
  std::optional<Witness> witness;
  if (command.check) witness.emplace();
  std::optional<Capture> capture;
  if (!command.capture.empty()) capture.emplace(command.capture, "estab0");
  const auto terminal = terminal_of(STDOUT_FILENO);
  if (!command.ladder) Picture(terminal).paragraph(theatre.programme());
  std::vector<Record> records;
  for (const auto* scene : programme) {
    Picture picture(terminal);
    records.push_back(
        play(*scene, theatre, picture, witness ? &*witness : nullptr,
             capture ? &*capture : nullptr, command));
  }
  if (capture) capture->finish();
  if (command.ladder) return;
  Picture picture(terminal);
  print_table(picture, records, theatre.peer_name(), command.check);
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
  command
      ->add_option("--capture", options->capture,
                   "Write the packets of estab's end to a pcapng file, each with its states and "
                   "reason")
      ->type_name("FILE");
  command->add_flag("--ladder", options->ladder, "The ladders alone, without the narration");
  command->footer(
      "Examples:\n"
      "  estab demo\n"
      "  estab demo handshake close-client\n"
      "  estab demo --slow simultaneous-open");
  command->callback([options] { run_demo(*options); });
}

}  // namespace estab::cli
