// SPDX-License-Identifier: Apache-2.0
#include "estab/cli/canvas.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cwchar>
#include <utility>

namespace estab::cli {
namespace {

constexpr std::array<std::string_view, 9> sgr{"",         "\033[1m",    "\033[2m",
                                              "\033[32m", "\033[36m",   "\033[33m",
                                              "\033[31m", "\033[1;31m", "\033[7m"};
constexpr std::string_view plain_again = "\033[0m";

struct Character {
  std::string_view text;
  unsigned columns = 1;
};

// How many octets the character that begins so has; 0: none begins so.
unsigned octets_of(unsigned char first) {
  const auto ones = unsigned(std::countl_one(first));
  if (ones == 0) return 1;
  return 2 <= ones && ones <= 4 ? ones : 0;
}

// Takes the first character away from `text`.
Character take(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const auto size = octets_of(first);
  bool good = size > 0 && size <= text.size() && first >= ' ' && first != 0x7f;
  wchar_t code = wchar_t(size > 1 ? first & (0x7f >> size) : first);
  for (unsigned i = 1; good && i < size; ++i) {
    good = (text[i] & 0xc0) == 0x80;
    code = wchar_t(code << 6 | (text[i] & 0x3f));
  }
  if (!good || (0x80 <= code && code < 0xa0)) return text.remove_prefix(1), Character{"?"};
  const Character taken{text.substr(0, size), ::wcwidth(code) == 2 ? 2u : 1u};
  text.remove_prefix(size);
  return taken;
}

}  // namespace

Canvas::Canvas(unsigned width, unsigned height, bool utf8)
    : width_(width), height_(height), utf8_(utf8), cells_(std::size_t{width} * height) {}

Pane Canvas::pane() { return {*this, 0, 0, width_, height_}; }

std::vector<std::string> Canvas::lines(bool colour) const {
  std::vector<std::string> lines;
  for (unsigned y = 0; y < height_; ++y) {
    const auto* row = &cells_[std::size_t{y} * width_];
    unsigned end = width_;
    while (end > 0 && row[end - 1].text == " " && (!colour || row[end - 1].ink != Ink::reverse))
      --end;
    std::string line;
    auto ink = Ink::plain;
    for (unsigned x = 0; x < end; ++x) {
      if (colour && row[x].ink != ink) {
        if (ink != Ink::plain) line += plain_again;
        line += sgr[std::size_t(ink = row[x].ink)];
      }
      line += row[x].text;
    }
    if (ink != Ink::plain) line += plain_again;
    lines.push_back(std::move(line));
  }
  return lines;
}

Pane Pane::part(unsigned x, unsigned y, unsigned width, unsigned height) const {
  x = std::min(x, width_), y = std::min(y, height_);
  return {*canvas_, x_ + x, y_ + y, std::min(width, width_ - x), std::min(height, height_ - y)};
}

unsigned Pane::put(unsigned x, unsigned y, std::string_view text, Ink ink) const {
  if (y >= height_) return x;
  while (!text.empty()) {
    auto [character, columns] = take(text);
    if (!utf8() && character.size() > 1) character = "?";
    if (x + columns > width_) break;
    auto* cell = &canvas_->cells_[std::size_t{y_ + y} * canvas_->width_ + x_ + x];
    cell[0] = {std::string(character), ink};
    if (columns == 2) cell[1] = {"", ink};
    x += columns;
  }
  return x;
}

void Pane::put_right(unsigned end, unsigned y, std::string_view text, Ink ink) const {
  const auto columns = columns_of(text);
  put(end - std::min(end, columns), y, text, ink);
}

void Pane::put_coloured(unsigned x, unsigned y, std::string_view text) const {
  auto ink = Ink::plain;
  while (!text.empty()) {
    const auto escape = text.find('\033');
    x = put(x, y, text.substr(0, escape), ink);
    if (escape == text.npos) return;
    text.remove_prefix(escape);
    const auto end = std::min(text.find('m'), text.size() - 1) + 1;
    const auto known = std::ranges::find(sgr, text.substr(0, end));
    ink = known == sgr.end() ? Ink::plain : Ink(known - sgr.begin());
    text.remove_prefix(end);
  }
}

void Pane::fill(unsigned y, std::string_view character, Ink ink) const {
  for (unsigned x = 0; x < width_; ++x) put(x, y, character, ink);
}

unsigned columns_of(std::string_view text) {
  unsigned columns = 0;
  while (!text.empty()) columns += take(text).columns;
  return columns;
}

std::string clip_text(std::string_view text, unsigned width, bool utf8) {
  if (columns_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string clipped;
  for (unsigned columns = 1;;) {
    const auto next = take(text);
    if ((columns += next.columns) > width) break;
    clipped += next.text;
  }
  return clipped + (utf8 ? "…" : ".");
}

std::vector<std::string> wrap_text(std::string_view text, unsigned width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto rest = text;
    std::size_t fits = 0, blank = 0;
    for (unsigned columns = 0; !rest.empty();) {
      if (rest.front() == ' ') blank = text.size() - rest.size();
      columns += take(rest).columns;
      if (columns > width) break;
      fits = text.size() - rest.size();
    }
    // At least one character, lest it never end.
    if (fits < text.size() && blank > 0) fits = blank;
    fits = std::max<std::size_t>(fits, 1);
    lines.emplace_back(text.substr(0, fits));
    text.remove_prefix(fits);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

}  // namespace estab::cli
