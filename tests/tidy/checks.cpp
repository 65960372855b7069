// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "layers.hpp"

namespace estab::tidy {
namespace {

namespace fs = std::filesystem;

bool is_one_of(std::string_view what, const std::vector<std::string_view>& these) {
  return std::ranges::find(these, what) != these.end();
}

std::string extension(const File& file) { return fs::path(file.path).extension().string(); }
bool is_cxx(const File& file) { return is_one_of(extension(file), {".cpp", ".hpp", ".inc"}); }
bool is_code(const File& file) {
  return is_cxx(file) || is_one_of(extension(file), {".cmake", ".sh", ".ts", ".css"}) ||
         file.path.ends_with("CMakeLists.txt") || is_one_of(file.path, {"run", ".ci/run"});
}

// Calls f(line, number) for each line.
template <class F>
void for_each_line(const File& file, F&& f) {
  std::string_view rest = file.text;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    f(rest.substr(0, end), number);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string at(const File& file, int line, std::string_view sentence) {
  return file.path + ':' + std::to_string(line) + ": " + std::string(sentence);
}

Findings find_lines(const File& file, const std::regex& wrong, std::string_view sentence) {
  Findings findings;
  for_each_line(file, [&](std::string_view line, int number) {
    if (std::regex_search(line.begin(), line.end(), wrong))
      findings.push_back(at(file, number, sentence));
  });
  return findings;
}

// The row of a file under estab/, or null.
const Layer* layer_of(std::string_view path) {
  const auto found = std::ranges::find_if(layers, [&](const Layer& layer) {
    return path.starts_with("estab/" + std::string(layer.folder) + '/');
  });
  return found == layers.end() ? nullptr : &*found;
}

// All that a row reaches, itself included.
void reach(std::string_view folder, std::set<std::string_view>& reached) {
  const auto row = std::ranges::find(layers, folder, &Layer::folder);
  if (row == layers.end() || !reached.insert(folder).second) return;
  for (const auto below : row->layers) reach(below, reached);
}

// Whose header this is: "" for C++'s own, the library's name, or "os".
std::string_view library_of(std::string_view header) {
  for (const std::string_view library : {"boost", "fmt", "CLI", "libmnl", "gtest", "benchmark"})
    if (header.starts_with(std::string(library) + '/')) return library;
  if (header == "sodium.h") return "sodium";
  if (header == "immintrin.h") return "";  // The compiler's, like C++'s own.
  return header.find_first_of("./") == header.npos ? "" : "os";
}

}  // namespace

std::vector<File> files_of_tree(const std::string& top) {
  std::vector<File> files;
  for (auto it = fs::recursive_directory_iterator(top); it != fs::recursive_directory_iterator();
       ++it) {
    const auto name = it->path().filename().string();
    if (it->is_directory() && is_one_of(name, {".git", "build", ".cache", "node_modules"}))
      it.disable_recursion_pending();
    if (!it->is_regular_file() || is_one_of(name, {".git", "LICENSE"}))
      continue;  // .git: of a worktree.
    std::ifstream in(it->path(), std::ios::binary);
    File file{fs::relative(it->path(), top).string(), {std::istreambuf_iterator(in), {}}};
    if (file.text.find('\0') == file.text.npos) files.push_back(std::move(file));
  }
  return files;
}

Findings check_includes(const File& file) {
  const Layer* layer = layer_of(file.path);
  if (layer == nullptr || !is_cxx(file)) return {};
  static const std::regex include(R"re(^\s*#\s*include\s*(["<])([^">]+))re");
  std::set<std::string_view> reached;
  reach(layer->folder, reached);
  Findings findings;
  for_each_line(file, [&](std::string_view line, int number) {
    std::cmatch match;
    if (!std::regex_search(line.data(), line.data() + line.size(), match, include)) return;
    const std::string header = match[2];
    if (const Layer* other = layer_of(header)) {
      if (!reached.contains(other->folder))
        findings.push_back(at(file, number, "its row does not name " + std::string(other->folder)));
    } else if (match[1] == "\"") {
      findings.push_back(at(file, number, "an include in quotes begins with estab/ and a layer"));
    } else if (const auto library = library_of(header);
               !library.empty() && !is_one_of(library, layer->libraries)) {
      findings.push_back(at(file, number, "its row does not name the library of " + header));
    }
  });
  return findings;
}

Findings check_core_is_pure(const File& file) {
  const Layer* layer = layer_of(file.path);
  if (layer == nullptr || !layer->core) return {};
  static const std::regex impure(
      R"(#include <(iostream|fstream|cstdio|ctime|random|thread|mutex|future|filesystem)>)"
      R"(|\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b)"
      R"(|\b(std::time|random_device|getrandom|__rdtsc|getenv|printf)\b)");
  return find_lines(file, impure, "the core knows no clock, entropy, thread, input or output");
}

Findings check_licence(const File& file) {
  if (!is_code(file)) return {};
  const auto second_line_end = file.text.find('\n', file.text.find('\n') + 1);
  if (file.text.substr(0, second_line_end).find("SPDX-License-Identifier: Apache-2.0") !=
      std::string::npos)
    return {};
  return {at(file, 1, "it begins with a line SPDX-License-Identifier: Apache-2.0")};
}

Findings check_columns(const File& file) {
  // A table has a row a line, however long.
  if (!is_code(file) || extension(file) == ".inc") return {};
  Findings findings;
  for_each_line(file, [&](std::string_view line, int number) {
    const auto columns = std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; });
    if (columns > 100) findings.push_back(at(file, number, "the line has over 100 columns"));
  });
  return findings;
}

Findings check_length(const File& file) {
  const auto lines = std::ranges::count(file.text, '\n');
  if (!is_code(file) || lines <= 500) return {};
  return {at(file, int(lines), "a file fits a sitting: 500 lines at the most")};
}

Findings check_machine_paths(const File& file) {
  static const std::regex home(R"((^|[^\w.$}])/(home|root|work|Users)/\w)");
  return find_lines(file, home, "a path of one machine");
}

Findings check_left_to_do(const File& file) {
  if (!is_code(file)) return {};
  static const std::regex left(
      "\\b(TO"
      "DO|FIX"
      "ME|X"
      "XX)\\b");
  return find_lines(file, left, "do it, or write it down as a limit");
}

}  // namespace estab::tidy
