#include "tome/documents/readers/front_matter.h"

#include <gtest/gtest.h>

namespace tome {
namespace {

TEST(FrontMatterTest, GivesSizeAndTitle) {
  const std::string yaml = "---\ntitle: \"A \\\"B\\\"\"\ntags:\n- x\n  - y\n# c\n\n---\n";
  const FrontMatter found = ReadFrontMatter(yaml + "text");
  EXPECT_EQ(found.size, yaml.size());
  EXPECT_EQ(found.title, "A \"B\"");
  EXPECT_EQ(ReadFrontMatter("---\r\ntitle: Plain words # why\r\n...\r\n").title, "Plain words");
  EXPECT_EQ(ReadFrontMatter("---\ntitle: 'it''s'\n---").title, "it's");
  EXPECT_EQ(ReadFrontMatter("\xEF\xBB\xBF---\nkey: v\n---\nx").size, 18U);
  EXPECT_EQ(ReadFrontMatter("---\ntitle: >\n  folded\n---\n").title, "");
}

TEST(FrontMatterTest, AThematicBreakIsNone) {
  for (const char* text : {"---\ntext\n---\n", "---\n\n---\n", "text\n---\n", "---\nkey: v\n",
                           "---", "", "--- \nNote that: this\n---\n", "---\n**a**: b\n---\n"}) {
    EXPECT_EQ(ReadFrontMatter(text).size, 0U) << text;
  }
  EXPECT_EQ(ReadFrontMatter("---\n" + std::string(100'000, ' ') + "\na: b\n---\n").size, 0U);
}

}  // namespace
}  // namespace tome
