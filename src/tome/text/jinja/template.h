// A Jinja template, which is parsed once and rendered many times.
//
//   Template prompt("{{ messages[0].content | trim }}");
//   Heap heap(Limits::ForInput(input_bytes));
//   Variables variables;
//   variables.emplace_back("messages", FromJson(heap, messages, Origin::kContent));
//   MarkedText text = prompt.Render(heap, variables);
//
// docs/chat-templates.md says what is supported. A Template does not change: several threads may
// render it at the same time, each with its own Heap. A Heap serves one rendering.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/text/jinja/ast.h"
#include "tome/text/jinja/date.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

class Template {
 public:
  // Parses a template. Throws Error(kCorrupt) for text that is not UTF-8, and with the line for bad
  // syntax and past the limits of parsing; Error(kUnsupported) for parts of Jinja that chat
  // templates do not need.
  explicit Template(std::string_view source);

  // Renders the template; strftime_now gives `date`. Throws Error(kInvalidArgument) where the
  // template misuses a value or calls raise_exception, Error(kUnsupported) for an unknown filter or
  // test, and Error(kOutOfMemory) past the limits of `heap`; each names the line.
  MarkedText Render(Heap& heap, const Variables& variables, const Date& date = {}) const;

 private:
  Block body_;
};

}  // namespace tome::jinja
