// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/watch_running.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "estab/admin/client.hpp"
#include "estab/admin/handshakes.hpp"
#include "estab/cli/commands.hpp"
#include "estab/runtime/shard.hpp"

namespace estab::cli {
namespace {

namespace json = boost::json;

constexpr Duration between_questions = 500ms;

struct Answer {
  std::string service;
  std::vector<observe::ListenerPicture> pictures;
};

// Nothing, and why in `note`.
std::optional<Answer> answer_of(const admin::Process& process, std::string& note) {
  const auto text = admin::fetch(process);
  if (!text) {
    note = fmt::format("The estab with the pid {} does not answer: {}.", process.pid,
                       text.error().message());
    return std::nullopt;
  }
  json::error_code error;
  const auto document = json::parse(*text, error);
  const auto* fields = error ? nullptr : document.if_object();
  const auto* handshakes = fields == nullptr ? nullptr : fields->if_contains("handshakes");
  auto pictures = handshakes == nullptr ? std::nullopt : admin::read_handshakes(*handshakes);
  if (!pictures) {
    note = fmt::format(
        "The estab with the pid {} tells nothing of handshakes: it is of another "
        "version.",
        process.pid);
    return std::nullopt;
  }
  const auto& service = document.at("process").at("service").as_string();
  return Answer{fmt::format("estab {} (pid {})", service.c_str(), process.pid),
                std::move(*pictures)};
}

}  // namespace

RunningSource::RunningSource(boost::asio::io_context& io, std::filesystem::path folder, int pid)
    : folder_(std::move(folder)), pid_(pid), timer_(io) {
  if (ask() == 0)
    throw Failure(notes_.empty()
                      ? "no estab is running for this user that could be watched\nStart one, as: "
                        "estab serve --echo; or watch a capture, an interface, or the kernel: "
                        "estab watch --help"
                      : notes_.front());
  ask_again();
}

Instant RunningSource::now() const { return runtime::Shard::now(); }

std::size_t RunningSource::ask() {
  auto processes = admin::running(folder_);
  if (pid_ != 0) std::erase_if(processes, [&](const auto& p) { return p.pid != pid_; });
  std::vector<Answer> answers;
  notes_.clear();
  for (const auto& process : processes) {
    std::string note;
    if (auto answer = answer_of(process, note)) answers.push_back(std::move(*answer));
    else notes_.push_back(note);
  }
  if (answers.empty()) {  // What was seen last stays on the screen.
    if (notes_.empty() && !name_.empty())
      notes_.push_back("It has ended; what is shown was its last word.");
    return 0;
  }
  pictures_.clear();
  for (auto& answer : answers) {
    // The sum of one program's listeners says little beside another program's.
    if (answers.size() > 1)
      std::erase_if(answer.pictures, [](const auto& p) { return p.listener == Endpoint{}; });
    std::ranges::move(answer.pictures, std::back_inserter(pictures_));
  }
  name_ = answers.size() == 1 ? answers.front().service
                              : fmt::format("{} estab programs", answers.size());
  return answers.size();
}

void RunningSource::ask_again() {
  timer_.expires_after(between_questions);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    ask();
    ask_again();
  });
}

}  // namespace estab::cli
