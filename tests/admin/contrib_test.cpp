// SPDX-License-Identifier: Apache-2.0
// What is written about the metrics, held against what the program prints: the table of
// docs/metrics.md, the alerts and the dashboard of contrib/.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <regex>

#include "exposition.hpp"

namespace estab::admin {
namespace {

namespace json = boost::json;
using Names = std::set<std::string>;

std::string text_of(const std::string& file) {
  std::ifstream in(ESTAB_SOURCE_FOLDER "/" + file);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator(in), {}};
}

const Exposition& printed() {
  static const auto found =
      read(to_metrics({.device = "estab0"}, busy_snapshot(), flooded(), MetricsFormat::prometheus),
           MetricsFormat::prometheus);
  return found;
}
Names printed_names() {
  Names names;
  for (const auto& [name, labels] : printed().label_values) names.insert(name);
  return names;
}

// What the expression finds in the text, by its first group.
Names all(const std::string& text, const std::string& expression) {
  const std::regex form(expression);
  Names found;
  for (std::sregex_iterator it(text.begin(), text.end(), form), end; it != end; ++it)
    found.insert((*it)[1]);
  return found;
}
Names metrics_in(const std::string& text) { return all(text, "\\b(estab_[a-z0-9_]+)"); }

// `mode="NORMAL"` and the like must be what the program prints; what a scrape adds, and which
// listener it is, is the user's.
void expect_selectors_of_what_is_printed(const std::string& expression) {
  static const std::regex selector(R"((estab_[a-z0-9_]+)\{([^}]*)\})");
  static const std::regex matcher(R"re(([a-z_]+)(=~|!~|!=|=)("[^"]*"))re");
  for (std::sregex_iterator it(expression.begin(), expression.end(), selector), end; it != end;
       ++it) {
    const auto found = printed().label_values.find((*it)[1]);
    ASSERT_NE(found, printed().label_values.end()) << expression;
    const auto& values = found->second;
    const std::string inside = (*it)[2];
    for (std::sregex_iterator m(inside.begin(), inside.end(), matcher); m != end; ++m) {
      const std::string label = (*m)[1], how = (*m)[2], value = (*m)[3];
      if (label == "instance") continue;
      const auto has_label = [&](const std::string& v) { return v.starts_with(label + "=\""); };
      EXPECT_TRUE(std::ranges::any_of(values, has_label)) << label << " in " << expression;
      if (how == "=") { EXPECT_TRUE(values.contains(label + "=" + value)) << expression; }
    }
  }
}

// A counter is looked at by its rate alone, and nothing else has one.
void expect_rates_of_counters(const std::string& expression) {
  const auto rated = all(expression, R"(\brate\((estab_[a-z0-9_]+))");
  for (const auto& name : metrics_in(expression))
    EXPECT_EQ(printed().types.at(name) == "counter", rated.contains(name)) << expression;
}

void expect_names(const Names& names) {
  EXPECT_FALSE(names.empty());
  for (const auto& name : names) EXPECT_TRUE(printed_names().contains(name)) << name;
}

TEST(MetricsTable, NamesWhatIsPrintedAndNothingElse) {
  EXPECT_EQ(metrics_in(text_of("docs/metrics.md")), printed_names());
}

TEST(MetricsTable, NamesReasonsThatThereAre) {
  const auto text = text_of("docs/metrics.md");
  const auto start = text.find("| `reason` |");
  ASSERT_NE(start, text.npos);
  const auto named = all(text.substr(start), "`([a-z_]+)`");
  EXPECT_GT(named.size(), 20u);
  for (const auto& name : named)
    if (name != "reason") {
      EXPECT_TRUE(
          printed().label_values.at("estab_reason_total").contains("reason=\"" + name + "\""))
          << name;
    }
}

TEST(AlertRules, LookAtMetricsThatThereAre) {
  const auto text = text_of("contrib/prometheus/estab.rules.yml");
  expect_names(metrics_in(text));
  expect_selectors_of_what_is_printed(text);
  expect_rates_of_counters(text);
  EXPECT_EQ(all(text, "- alert: (\\w+)"),
            (Names{"EstabApplicationTooSlow", "EstabAttack", "EstabStatelessForLong",
                   "EstabSynFloodSuspected"}));
}

class Dashboard : public testing::Test {
 protected:
  const json::value dashboard_ = json::parse(text_of("contrib/grafana/estab.json"));
  const json::array& panels_ = dashboard_.at("panels").as_array();

  // Calls f(panel, expression) for each query.
  template <class F>
  void for_each_query(F&& f) {
    for (const auto& panel : panels_)
      for (const auto& target : panel.at("targets").as_array())
        f(panel, std::string(target.at("expr").as_string()));
  }
};

TEST_F(Dashboard, HasWhatGrafanaAsksFor) {
  EXPECT_FALSE(dashboard_.at("title").as_string().empty());
  EXPECT_FALSE(dashboard_.at("uid").as_string().empty());
  EXPECT_GE(dashboard_.at("schemaVersion").as_int64(), 38);
  EXPECT_TRUE(dashboard_.at("time").at("from").is_string());
  EXPECT_TRUE(dashboard_.at("annotations").at("list").is_array());
  EXPECT_GE(panels_.size(), 8u);
  for (const auto& variable : dashboard_.at("templating").at("list").as_array()) {
    EXPECT_FALSE(variable.at("name").as_string().empty());
    EXPECT_FALSE(variable.at("type").as_string().empty());
  }
}

TEST_F(Dashboard, PanelsHaveIdsTypesTitlesAndQueries) {
  const Names types{"timeseries", "state-timeline", "stat"};
  std::set<std::int64_t> ids;
  for (const auto& panel : panels_) {
    const std::string title(panel.at("title").as_string());
    EXPECT_FALSE(title.empty());
    EXPECT_TRUE(ids.insert(panel.at("id").as_int64()).second) << title;
    EXPECT_TRUE(types.contains(std::string(panel.at("type").as_string()))) << title;
    EXPECT_EQ(panel.at("datasource").at("type"), "prometheus") << title;
    EXPECT_TRUE(panel.at("fieldConfig").at("defaults").is_object()) << title;
    EXPECT_TRUE(panel.at("options").is_object()) << title;
    Names queries;
    for (const auto& target : panel.at("targets").as_array())
      EXPECT_TRUE(queries.insert(std::string(target.at("refId").as_string())).second) << title;
    EXPECT_FALSE(queries.empty()) << title;
  }
}

TEST_F(Dashboard, PanelsLieSideBySideIn24Columns) {
  std::set<std::pair<std::int64_t, std::int64_t>> taken;
  for (const auto& panel : panels_) {
    const auto& place = panel.at("gridPos");
    const auto x = place.at("x").as_int64(), y = place.at("y").as_int64();
    const auto w = place.at("w").as_int64(), h = place.at("h").as_int64();
    EXPECT_TRUE(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24);
    for (auto column = x; column < x + w; ++column)
      for (auto row = y; row < y + h; ++row)
        EXPECT_TRUE(taken.emplace(column, row).second) << panel.at("title");
  }
}

TEST_F(Dashboard, QueriesNameOnlyMetricsThatThereAre) {
  for_each_query([](const json::value&, const std::string& expression) {
    expect_names(metrics_in(expression));
    expect_selectors_of_what_is_printed(expression);
    expect_rates_of_counters(expression);
  });
  expect_names(metrics_in(json::serialize(dashboard_.at("templating"))));
}

TEST_F(Dashboard, QueriesUseOnlyVariablesThatThereAre) {
  Names variables{"__rate_interval"};
  for (const auto& variable : dashboard_.at("templating").at("list").as_array())
    variables.emplace(variable.at("name").as_string());
  for_each_query([&](const json::value& panel, const std::string& expression) {
    for (const auto& name : all(expression, "\\$(\\w+)"))
      EXPECT_TRUE(variables.contains(name)) << expression;
    EXPECT_EQ(std::ranges::count(expression, '('), std::ranges::count(expression, ')'))
        << panel.at("title");
  });
}

}  // namespace
}  // namespace estab::admin
