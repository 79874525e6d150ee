// Tests errors and their lines, refusals, and differences from Jinja, which goldens cannot show.
#include "tome/text/jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/expect_error.h"

namespace tome::jinja {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Render(const std::string& source) {
  Heap heap((Limits()));
  return Template(source).Render(heap, {}).text();
}

std::string ErrorIn(const std::string& source) {
  return ErrorText([&] { Render(source); });
}

TEST(TemplateTest, ErrorsNameTheLine) {
  EXPECT_THAT(ErrorIn("a\n{{ b }}\n{{ c.d }}"),
              StartsWith("invalid_argument: template line 3: 'c' is undefined"));
  EXPECT_THAT(ErrorIn("{%- if 1 -%}\n\n\n  {{ 1 / 0 }}{% endif %}"), HasSubstr("line 4: division"));
  EXPECT_THAT(ErrorIn("{{ 1\n+\n'a' }}"), HasSubstr("line 1: '+' does not work on int and str"));
  EXPECT_THAT(ErrorIn("\n{% macro m() %}\n{{ x.y }}\n{% endmacro %}\n\n{{ m() }}"),
              HasSubstr("line 3:"));
  EXPECT_THAT(ErrorIn("\n\n{{ 'x' | nothing }}"),
              StartsWith("unsupported: template line 3: the filter 'nothing' is not known"));
  EXPECT_THAT(ErrorIn("{{ 'x' is nothing }}"), StartsWith("unsupported"));
  EXPECT_THAT(ErrorIn("\n{# two\nlines #}{{ 1 }"), HasSubstr("corrupt: template line 3"));
  EXPECT_THAT(ErrorIn("x\n\n{% raw %}\n{% endraw %}\n{% nothing %}"), HasSubstr("line 5"));
  EXPECT_THAT(ErrorIn("\r\n\r{{ ( }}"), HasSubstr("line 3"));
  EXPECT_THAT(ErrorIn("{{ [1, 2}} }}"), HasSubstr("expected ']'"));
  EXPECT_THAT(ErrorIn("{% for x in y %}\n"), HasSubstr("ends before 'else'"));
}

TEST(TemplateTest, RefusesWhatNeedsOtherTemplates) {
  for (const char* source : {"{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}",
                             "{% from 'x' import y %}", "{% block b %}{% endblock %}",
                             "{% for x in y recursive %}{% endfor %}"}) {
    EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Template{source}; })) << source;
  }
}

// No expression leads out of the values: Python's ways to its internals are undefined names here.
TEST(TemplateTest, HasNoInternals) {
  for (const char* source :
       {"{{ ''.__class__ }}", "{{ [].__class__.__base__ }}", "{{ {}['__class__'] }}",
        "{{ range.__globals__ }}", "{{ self }}", "{{ loop }}", "{{ cycler }}", "{{ lipsum }}",
        "{{ (namespace() | attr('__init__')) is defined }}", "{{ ''['__class__'] }}"}) {
    const std::string result = ErrorIn(source) == "no error" ? Render(source) : "";
    EXPECT_TRUE(result.empty() || result == "False") << source << ": " << result;
  }
  EXPECT_THAT(ErrorIn("{{ '{0.__class__}'.format(1) }}"), StartsWith("unsupported"));
  EXPECT_THAT(ErrorIn("{{ '{0[x]}'.format(1) }}"), StartsWith("unsupported"));
}

// docs/chat-templates.md lists these differences.
TEST(TemplateTest, DiffersFromJinjaWhereItSaysSo) {
  EXPECT_EQ(Render("{{ [1, 2] | map('string') }}"), "['1', '2']");  // a generator in Jinja
  EXPECT_EQ(Render("{{ {'a': 1}.keys() }}"), "['a']");              // dict_keys(['a']) in Jinja
  EXPECT_EQ(Render("{{ range(2) }}"), "[0, 1]");                    // range(0, 2) in Jinja
  EXPECT_EQ(Render("{% set l = [] %}{{ l.append(1) }}{{ l }}"), "None[1]");
  EXPECT_EQ(Render("{{ ('<' | safe) + '<' }}"), "<<");  // Markup escapes in Jinja
}

TEST(TemplateTest, RefusesWhatIsNotUtf8) {
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Template{"\xff"}; }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Template{"{{ '\\ud800' }}"}; }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Template{"{{ '\\x4' }}"}; }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Template{"{{ '\\N{DIGIT ONE}' }}"}; }));
}

TEST(TemplateTest, LoopItemsEndWithTheLoop) {
  EXPECT_EQ(Render("{% set ns = namespace(l=none) %}{% for x in [1, 2] %}{% set ns.l = loop %}"
                   "{% endfor %}{{ ns.l.index }}{{ ns.l.previtem }}{{ ns.l.nextitem }}"),
            "3");
}

TEST(TemplateTest, MayBeRenderedByThreadsAtOnce) {
  const Template shared(
      "{% macro m(n) %}{% for i in range(n) %}{{ i }}{% endfor %}{% endmacro %}"
      "{{ m(50) | length }}");
  std::vector<std::string> results(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& result : results) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          Heap heap((Limits()));
          result = shared.Render(heap, {}).text();
        }
      });
    }
  }
  EXPECT_THAT(results, testing::Each("90"));
}

}  // namespace
}  // namespace tome::jinja
