// SPDX-License-Identifier: Apache-2.0
#include "estab/admin/handshakes.hpp"

#include <boost/json/object.hpp>
#include <exception>

#include "estab/admin/document.hpp"

namespace estab::admin {
namespace {

namespace json = boost::json;
using observe::ListenerPicture;
using observe::SeenHandshake;

// --- To JSON -------------------------------------------------------------------------------------

template <class T>
json::value number_or_null(const std::optional<T>& number) {
  if (!number) return nullptr;
  if constexpr (requires { number->count(); }) return number->count();
  else return *number;
}

json::value describe(const std::optional<SeenHandshake>& seen) {
  if (!seen) return nullptr;
  json::array moments;
  for (const auto& [step, after] : seen->moments)
    moments.push_back(json::array{observe::to_string(step), after.count()});
  return json::object{{"local", to_json(seen->flow.local)},
                      {"remote", to_json(seen->flow.remote)},
                      {"age_ms", seen->age.count()},
                      {"moments", std::move(moments)}};
}

json::object describe(const ListenerPicture& picture) {
  const auto& gauges = picture.gauges;
  json::array seconds, ages, prefixes;
  for (const auto& s : picture.seconds)
    seconds.push_back(json::array{s.syns, s.answered, s.completed});
  for (const auto count : picture.half_open) ages.push_back(count);
  for (const auto& p : picture.prefixes)
    prefixes.push_back(json::object{
        {"prefix", p.prefix.to_string()}, {"syns", p.syns}, {"completed", p.completed}});
  return {{"listener", to_json(picture.listener)},
          {"verdict", observe::to_string(picture.verdict)},
          {"attack", observe::is_attack(picture.verdict)},
          {"words", picture.words},
          {"under_pressure", picture.lights.under_pressure},
          {"slow_application", picture.lights.slow_application},
          {"mode", picture.mode},
          {"half_open", number_or_null(gauges.half_open)},
          {"half_open_limit", number_or_null(gauges.half_open_limit)},
          {"half_open_timeout_ms", number_or_null(gauges.half_open_timeout)},
          {"accept_queue", number_or_null(gauges.accept_queue)},
          {"accept_limit", number_or_null(gauges.accept_limit)},
          {"accepted", number_or_null(gauges.accepted)},
          {"half_open_by_age", std::move(ages)},
          {"seconds", std::move(seconds)},
          {"prefixes", std::move(prefixes)},
          {"good", describe(picture.good)},
          {"bad", describe(picture.bad)}};
}

// --- And back; whatever is not as above throws ---------------------------------------------------

template <class T>
T number(const json::value& value) {
  return value.to_number<T>();
}
std::string_view text(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

Endpoint read_endpoint(const json::value& value) {
  return {Address::parse(text(value.at("address"))).value(),
          Port{number<std::uint16_t>(value.at("port"))}};
}

template <class T>
std::optional<T> read_optional(const json::value& value) {
  if (value.is_null()) return {};
  if constexpr (requires(T t) { t.count(); }) return T{number<std::int64_t>(value)};
  else return number<T>(value);
}

std::optional<SeenHandshake> read_handshake(const json::value& value) {
  if (value.is_null()) return {};
  SeenHandshake seen{.flow = {read_endpoint(value.at("local")), read_endpoint(value.at("remote"))},
                     .age = Milliseconds{number<std::int64_t>(value.at("age_ms"))},
                     .moments = {}};
  for (const auto& moment : value.at("moments").as_array())
    seen.moments.push_back({observe::parse_handshake_step(text(moment.at(0))).value(),
                            Milliseconds{number<std::int64_t>(moment.at(1))}});
  return seen;
}

observe::Verdict read_verdict(std::string_view name) {
  for (unsigned n = 0; n < observe::verdicts; ++n)
    if (observe::to_string(observe::Verdict(n)) == name) return observe::Verdict(n);
  throw std::invalid_argument("no verdict");
}

ListenerPicture read_picture(const json::value& value) {
  ListenerPicture picture{.listener = read_endpoint(value.at("listener")),
                          .mode = std::string(text(value.at("mode"))),
                          .verdict = read_verdict(text(value.at("verdict"))),
                          .lights = {.under_pressure = value.at("under_pressure").as_bool(),
                                     .slow_application = value.at("slow_application").as_bool()},
                          .words = std::string(text(value.at("words"))),
                          .good = read_handshake(value.at("good")),
                          .bad = read_handshake(value.at("bad"))};
  auto& gauges = picture.gauges;
  gauges.half_open = read_optional<std::uint32_t>(value.at("half_open"));
  gauges.half_open_limit = read_optional<std::uint32_t>(value.at("half_open_limit"));
  gauges.half_open_timeout = read_optional<Milliseconds>(value.at("half_open_timeout_ms"));
  gauges.accept_queue = read_optional<std::uint32_t>(value.at("accept_queue"));
  gauges.accept_limit = read_optional<std::uint32_t>(value.at("accept_limit"));
  gauges.accepted = read_optional<std::uint64_t>(value.at("accepted"));
  for (std::size_t i = 0; i < picture.half_open.size(); ++i)
    picture.half_open[i] = number<std::uint32_t>(value.at("half_open_by_age").at(i));
  for (const auto& second : value.at("seconds").as_array())
    picture.seconds.push_back({.syns = number<std::uint32_t>(second.at(0)),
                               .answered = number<std::uint32_t>(second.at(1)),
                               .completed = number<std::uint32_t>(second.at(2))});
  for (const auto& share : value.at("prefixes").as_array())
    picture.prefixes.push_back({.prefix = Prefix::parse(text(share.at("prefix"))).value(),
                                .syns = number<std::uint64_t>(share.at("syns")),
                                .completed = number<std::uint64_t>(share.at("completed"))});
  return picture;
}

}  // namespace

json::array to_json(std::span<const ListenerPicture> pictures) {
  json::array all;
  for (const auto& picture : pictures) all.emplace_back(describe(picture));
  return all;
}

std::optional<std::vector<ListenerPicture>> read_handshakes(const json::value& handshakes) {
  try {
    std::vector<ListenerPicture> pictures;
    for (const auto& value : handshakes.as_array()) pictures.push_back(read_picture(value));
    return pictures;
  } catch (const std::exception&) { return std::nullopt; }
}

}  // namespace estab::admin
