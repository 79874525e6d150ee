// Hostile templates reach each limit without crashing, hanging or using up memory.
#include "tome/text/jinja/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/expect_error.h"
#include "tome/text/jinja/template.h"

namespace tome::jinja {
namespace {

using testing::HasSubstr;

std::string Repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string Render(const std::string& source, const Limits& limits = {}) {
  Heap heap(limits);
  return Template(source).Render(heap, {}).text();
}

std::string RenderError(const std::string& source, const Limits& limits = {}) {
  return ErrorText([&] { Render(source, limits); });
}

TEST(LimitsTest, SourceSize) {
  EXPECT_EQ(Render(std::string(kMaxTemplateBytes, 'x')).size(), kMaxTemplateBytes);
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Template{std::string(kMaxTemplateBytes + 1, 'x')}; }));
}

TEST(LimitsTest, NestingOfSyntax) {
  for (const auto& [open, close] :
       std::vector<std::pair<std::string, std::string>>{{"(", ")"},
                                                        {"[", "]"},
                                                        {"{1:", "}"},
                                                        {"x(", ")"},
                                                        {"x[", "]"},
                                                        {"not ", ""},
                                                        {"- ", ""},
                                                        {"x|default(", ")"},
                                                        {"1 if ", ""},
                                                        {"x is in(", ")"}}) {
    for (const int depth : {kMaxParseDepth + 1, 20'000}) {
      const std::string source =
          "{{ " + Repeated(open, depth) + "1" + Repeated(close, depth) + " }}";
      EXPECT_THAT(ErrorText([&] { Template{source}; }), HasSubstr("nested deeper")) << open;
    }
  }
  for (const std::string chain : {".a", "[0]", "()", "|trim", " is none"}) {
    const std::string source = "{{ x" + Repeated(chain, 20'000) + " }}";
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Template{source}; })) << chain;
  }
  const std::string blocks = Repeated("{% if 1 %}", 20'000);
  EXPECT_THAT(ErrorText([&] { Template{blocks}; }), HasSubstr("nested deeper"));
  EXPECT_THAT(
      ErrorText([] {
        Template{"{% set " + Repeated("(", 20'000) + "x" + Repeated(")", 20'000) + " = 1 %}"};
      }),
      HasSubstr("nested deeper"));
}

// A template that is long without being nested is no error.
TEST(LimitsTest, LongChainsAreFlat) {
  EXPECT_EQ(Render("{{ 0" + Repeated(" + 1", 20'000) + " }}"), "20000");
  EXPECT_EQ(Render("{{ 1" + Repeated(" and 1", 20'000) + " }}"), "1");
  EXPECT_EQ(Render("{{ 1" + Repeated(" < 2 > 1", 10'000) + " }}"), "True");
  EXPECT_EQ(Render("{{ ''" + Repeated(" ~ 'a'", 20'000) + " }}").size(), 20'000U);
  EXPECT_EQ(Render("{% if 0 %}" + Repeated("{% elif 0 %}", 20'000) + "{% else %}x{% endif %}"),
            "x");
  EXPECT_EQ(Render(Repeated("{% if 1 %}a{% endif %}", 10'000)).size(), 10'000U);
}

TEST(LimitsTest, CallDepth) {
  EXPECT_THAT(RenderError("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
              HasSubstr("out_of_memory: template line 1: macros call one another deeper"));
  EXPECT_THAT(
      RenderError("{% macro a() %}{{ b() ~ caller }}{% endmacro %}{% macro b() %}{% call a() %}"
                  "{% endcall %}{% endmacro %}{{ a() }}"),
      HasSubstr("deeper"));
  EXPECT_EQ(Render("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% else %}x{% endif %}{% endmacro %}"
                   "{{ m(60) }}"),
            "x");
}

TEST(LimitsTest, EvaluationDepth) {
  // A call stands inside a deep expression, recursively, so that the levels multiply.
  const std::string nested = Repeated("[", 40) + "m()" + Repeated("]", 40);
  EXPECT_THAT(RenderError("{% macro m() %}{{ " + nested + " }}{% endmacro %}{{ m() }}"),
              HasSubstr("statements nested deeper"));
}

TEST(LimitsTest, ValueDepth) {
  const std::string deep =
      "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}";
  EXPECT_EQ(Render(deep + "ok"), "ok");
  EXPECT_THAT(RenderError(deep + "{{ ns.x }}"), HasSubstr("nested deeper"));
  EXPECT_THAT(RenderError(deep + "{{ ns.x | tojson }}"), HasSubstr("nested deeper"));
  EXPECT_THAT(RenderError(deep + "{% set a = ns.x %}{% set ns.x = [] %}"
                                 "{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}"
                                 "{{ a == ns.x }}"),
              HasSubstr("nested deeper"));
  EXPECT_THAT(RenderError("{% set ns = namespace(x=()) %}{% for i in range(5000) %}"
                          "{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}"),
              HasSubstr("nested deeper"));
  EXPECT_THAT(RenderError("{% set x = [] %}{{ x.append(x) }}{{ x }}"), HasSubstr("nested deeper"));
  EXPECT_THAT(RenderError("{% set x = {} %}{{ x.update(a=x) }}{{ x | tojson }}"),
              HasSubstr("nested deeper"));
}

// A value occurs twice in another, which occurs twice in another, and so on. The printed form
// doubles each time.
TEST(LimitsTest, SharedValues) {
  const std::string doubled =
      "{% set ns = namespace(x=(1, 2)) %}{% for i in range(60) %}"
      "{% set ns.x = (ns.x, ns.x) %}{% endfor %}";
  EXPECT_TRUE(Fails(Code::kOutOfMemory, [&] { Render(doubled + "{{ ns.x }}"); }));
  EXPECT_TRUE(Fails(Code::kOutOfMemory, [&] { Render(doubled + "{{ ns.x | tojson }}"); }));
  EXPECT_THAT(RenderError(doubled + "{{ {ns.x: 1} }}"), HasSubstr("as key"));
  EXPECT_TRUE(Fails(Code::kOutOfMemory, [&] {
    Render(doubled +
           "{% set a = ns.x %}{% set ns.x = (1, 2) %}{% for i in range(60) %}"
           "{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ a == ns.x }}");
  }));
}

TEST(LimitsTest, Steps) {
  const Limits limits{.steps = 1000};
  EXPECT_EQ(Render("{% for i in range(90) %}{{ 1 }}{% endfor %}", limits).size(), 90U);
  EXPECT_THAT(RenderError("{% for i in range(900) %}{{ i }}{% endfor %}", limits),
              HasSubstr("out_of_memory: template line 1: the template takes more than 1000 steps"));
  EXPECT_THAT(RenderError("{% for a in range(99999) %}{% for b in range(99999) %}{% if 1 %}"
                          "{% endif %}{% endfor %}{% endfor %}"),
              HasSubstr("more than"));
  // A search counts steps by the bytes that it searches.
  EXPECT_THAT(RenderError("{% set t = 'ab' * 1000000 %}{{ 'c' in t }}", limits),
              HasSubstr("steps"));
}

TEST(LimitsTest, Bytes) {
  for (const char* source : {
           "{{ 'x' * 300000000 }}",
           "{{ 'x' * 9223372036854775807 }}",
           "{{ [1] * 9223372036854775807 }}",
           "{{ [1, 2] * 100000000 }}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = ns.t ~ ns.t %}{% "
           "endfor %}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = ns.t + ns.t %}{% "
           "endfor %}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = ns.t | "
           "replace('x', 'xx') %}{% endfor %}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = "
           "'{0}{0}'.format(ns.t) %}{% endfor %}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = '%s%s' % (ns.t, "
           "ns.t) %}{% endfor %}",
           "{% set ns = namespace(t='xx') %}{% for i in range(64) %}{% set ns.t = ns.t.join([ns.t, "
           "ns.t]) %}{% endfor %}",
           "{% set ns = namespace(t='\"') %}{% for i in range(64) %}{% set ns.t = ns.t | tojson "
           "%}{% endfor %}",
           "{% set ns = namespace(t='&') %}{% for i in range(64) %}{% set ns.t = (ns.t | e) * 2 "
           "%}{% endfor %}",
           "{% set ns = namespace(t=[1]) %}{% for i in range(64) %}{% set ns.t = ns.t + ns.t %}{% "
           "endfor %}",
           "{% set l = [1] %}{% for i in range(64) %}{{ l.extend(l) }}{% endfor %}",
           "{% set t = 'x\n' * 100000 %}{% for i in range(1000) %}{{ t | indent(1000) | length "
           "}}{% endfor %}",
           "{% set t = 'x' * 1000000 %}{% for i in range(1000) %}{% set u = t | list %}{% endfor "
           "%}",
           "{% set t = 'x ' * 1000000 %}{% for i in range(1000) %}{% set u = t.split() %}{% endfor "
           "%}",
           "{% set d = {} %}{% for i in range(99999) %}{% for j in range(99) %}{{ d.update({i * "
           "100 + j: i}) or '' }}{% endfor %}{% endfor %}",
           "{% set t = 'x' * 1000000 %}{% for i in range(1000) %}{% set u = t | upper | reverse "
           "%}{% endfor %}",
       }) {
    EXPECT_TRUE(Fails(Code::kOutOfMemory, [&] { Render(source); })) << source;
  }
  EXPECT_THAT(RenderError("{{ 'x' * 2000 }}", Limits{.bytes = 1500}),
              HasSubstr("makes more than 1500 bytes"));
}

TEST(LimitsTest, OutputBytes) {
  const Limits limits{.output_bytes = 100};
  EXPECT_EQ(Render("{{ 'x' * 100 }}", limits).size(), 100U);
  EXPECT_THAT(RenderError("{{ 'x' * 100 }}y", limits),
              HasSubstr("out_of_memory: template line 1: the template writes more than 100 bytes"));
  EXPECT_THAT(RenderError("{% set x %}{{ 'x' * 101 }}{% endset %}", limits), HasSubstr("writes"));
}

TEST(LimitsTest, Ranges) {
  EXPECT_EQ(Render("{{ range(100000) | length }}"), std::to_string(kMaxRange));
  EXPECT_THAT(RenderError("{{ range(100001) }}"), HasSubstr("range()"));
  EXPECT_THAT(RenderError("{{ range(-9223372036854775807, 9223372036854775807) }}"),
              HasSubstr("range()"));
  EXPECT_EQ(Render("{{ range(9223372036854775800, 9223372036854775807, 5) | length }}"), "2");
}

TEST(LimitsTest, Formats) {
  EXPECT_THAT(RenderError("{{ '%1001d' % 1 }}"), HasSubstr("out_of_memory"));
  EXPECT_THAT(RenderError("{{ '%.99999999999f' % 1 }}"), HasSubstr("out_of_memory"));
  EXPECT_THAT(RenderError("{{ '{:>1001}'.format(1) }}"), HasSubstr("out_of_memory"));
  EXPECT_THAT(RenderError("{{ 1.5 | round(1001) }}"), HasSubstr("out_of_memory"));
  EXPECT_EQ(Render("{{ '%1000d' % 1 }}").size(), 1000U);
  const std::tm now{};
  Heap heap((Limits()));
  EXPECT_THAT(
      ErrorText([&] { Template("{{ strftime_now('%5000d') }}").Render(heap, {}, {.now = now}); }),
      HasSubstr("strftime_now"));
}

TEST(LimitsTest, GrowWithTheInput) {
  const Limits limits = Limits::ForInput(1000);
  EXPECT_EQ(limits.bytes, kMaxBytes + 1000 * kMaxBytesPerInputByte);
  EXPECT_EQ(limits.output_bytes, kMaxOutputBytes + 1000 * kMaxOutputBytesPerInputByte);
}

TEST(LimitsTest, IntegersOf64Bits) {
  for (const char* source :
       {"{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}",
        "{{ 3037000500 * 3037000500 }}", "{{ 2 ** 63 }}", "{{ 10 ** 99999999999 }}",
        "{{ (-9223372036854775807 - 1) // -1 }}", "{{ -(-9223372036854775807 - 1) }}",
        "{{ (-9223372036854775807 - 1) | abs }}", "{{ '9223372036854775808' | int }}"}) {
    EXPECT_THAT(RenderError(source), HasSubstr("64 bits")) << source;
  }
  EXPECT_THAT(ErrorText([] { Template{"{{ 9223372036854775808 }}"}; }), HasSubstr("64 bits"));
  EXPECT_EQ(Render("{{ (-9223372036854775807 - 1) % -1 }}{{ 1 ** 9223372036854775807 }}"), "01");
  EXPECT_EQ(Render("{{ 'abc'[::-9223372036854775807 - 1] }}"), "c");
  EXPECT_EQ(Render("{{ 'abc'[9223372036854775807:] }}{{ [1, 2][::9223372036854775807] }}"), "[1]");
}

}  // namespace
}  // namespace tome::jinja
