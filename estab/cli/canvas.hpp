// SPDX-License-Identifier: Apache-2.0
// A page of a terminal as cells, so that nothing written on it can be wider than it is.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estab::cli {

enum class Ink : std::uint8_t { plain, strong, faint, green, cyan, yellow, red, alarm, reverse };

class Pane;

class Canvas {
 public:
  Canvas(unsigned width, unsigned height, bool utf8);
  [[nodiscard]] Pane pane();
  // A string a line, without trailing blanks. With colour, inks are SGR sequences.
  [[nodiscard]] std::vector<std::string> lines(bool colour) const;

 private:
  friend class Pane;
  struct Cell {
    std::string text = " ";  // Empty: the right half of the cell before.
    Ink ink = Ink::plain;
  };
  unsigned width_, height_;
  bool utf8_;
  std::vector<Cell> cells_;
};

// A rectangle of a canvas; what is put beyond its edges is cut. The canvas must outlive it.
class Pane {
 public:
  Pane(Canvas& canvas, unsigned x, unsigned y, unsigned width, unsigned height)
      : canvas_(&canvas), x_(x), y_(y), width_(width), height_(height) {}
  [[nodiscard]] unsigned width() const { return width_; }
  [[nodiscard]] unsigned height() const { return height_; }
  [[nodiscard]] bool utf8() const { return canvas_->utf8_; }

  // Parts of it, cut at its edges.
  [[nodiscard]] Pane part(unsigned x, unsigned y, unsigned width, unsigned height) const;
  [[nodiscard]] Pane rows(unsigned y, unsigned height) const { return part(0, y, width_, height); }
  [[nodiscard]] Pane columns(unsigned x, unsigned width) const {
    return part(x, 0, width, height_);
  }

  // Returns the column behind it. Control characters become '?', as do all but ASCII where the
  // terminal has no UTF-8.
  unsigned put(unsigned x, unsigned y, std::string_view text, Ink ink = Ink::plain) const;
  // So that it ends in front of column `end`.
  void put_right(unsigned end, unsigned y, std::string_view text, Ink ink = Ink::plain) const;
  // Text with SGR sequences in it, of which the inks are known.
  void put_coloured(unsigned x, unsigned y, std::string_view text) const;
  void fill(unsigned y, std::string_view character, Ink ink) const;

 private:
  Canvas* canvas_;
  unsigned x_, y_, width_, height_;
};

// Columns that put() takes for it.
[[nodiscard]] unsigned columns_of(std::string_view text);
// Lines of at most `width` columns, broken at blanks where it can be.
[[nodiscard]] std::vector<std::string> wrap_text(std::string_view text, unsigned width);
// At most `width` columns; what was cut is marked by a dot, or an ellipsis.
[[nodiscard]] std::string clip_text(std::string_view text, unsigned width, bool utf8);

}  // namespace estab::cli
