// A token of a template.
#pragma once

#include <cstdint>
#include <string>

namespace tome::jinja {

enum class TokenKind {
  kData,           // text outside tags
  kVariableBegin,  // {{
  kVariableEnd,    // }}
  kBlockBegin,     // {%
  kBlockEnd,       // %}
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,  // text is the operator
  kEnd,       // the end of the template
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  int line = 1;
  std::string text;  // data, name, operator, or a string with its escapes resolved
  int64_t integer = 0;
  double number = 0;

  bool IsName(const char* name) const { return kind == TokenKind::kName && text == name; }
  bool IsOperator(const char* name) const { return kind == TokenKind::kOperator && text == name; }
};

}  // namespace tome::jinja
