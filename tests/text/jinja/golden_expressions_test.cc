// Compares Tome's Jinja with Jinja2, expression by expression.
#include <gtest/gtest.h>

#include <map>

#include "tests/text/jinja/golden.h"
#include "tome/base/error.h"
#include "tome/text/jinja/json_values.h"
#include "tome/text/jinja/template.h"

namespace tome::jinja {
namespace {

TEST(GoldenExpressionsTest, RenderAsJinja2Does) {
  const nlohmann::ordered_json golden = ReadGolden("expressions.json");
  const std::tm now = GoldenTime();
  std::map<std::string, int> counts;
  for (const auto& item : golden.at("cases")) {
    const auto source = item.at("template").get<std::string>();
    ++counts[item.at("group")];
    Heap heap((Limits()));
    Variables variables;
    for (const auto& [name, value] : golden.at("context").items()) {
      variables.emplace_back(name, FromJson(heap, value, Origin::kContent));
    }
    std::string result;
    bool failed = false;
    try {
      result = Template(source).Render(heap, variables, {.now = now}).text();
    } catch (const Error& error) {
      failed = true;
      result = error.what();
      EXPECT_NE(result.find("template line "), std::string::npos) << result;
    }
    if (item.contains("error")) {
      EXPECT_TRUE(failed) << source << "\nJinja2: " << item.at("error") << "\nTome: " << result;
    } else {
      EXPECT_FALSE(failed) << source << "\n" << result;
      EXPECT_EQ(result, item.at("text").get<std::string>()) << source;
    }
  }
  EXPECT_EQ(counts.size(), 11U);
  for (const auto& [group, count] : counts) EXPECT_GT(count, 1) << group;
}

}  // namespace
}  // namespace tome::jinja
