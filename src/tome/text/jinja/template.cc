#include "tome/text/jinja/template.h"

#include <fmt/format.h>

#include <memory>

#include "tome/base/error.h"
#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/interpreter.h"
#include "tome/text/jinja/parser.h"
#include "tome/text/unicode.h"

namespace tome::jinja {

Template::Template(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    throw Error(Code::kCorrupt, fmt::format("a template of {} bytes; at most {} are accepted",
                                            source.size(), kMaxTemplateBytes));
  }
  if (!IsValidUtf8(source)) throw Error(Code::kCorrupt, "a template that is not UTF-8");
  body_ = ParseTemplate(source);
}

MarkedText Template::Render(Heap& heap, const Variables& variables, const Date& date) const {
  auto globals = std::make_shared<Scope>();
  AddGlobals(heap, *globals, date);
  for (const auto& [name, value] : variables) globals->variables[name] = value;
  return Interpreter(heap).Render(body_, std::move(globals));
}

}  // namespace tome::jinja
