#include <fmt/format.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/text/jinja/lexer.h"
#include "tome/text/jinja/limits.h"
#include "tome/text/jinja/parser.h"

namespace tome::jinja {
namespace {

std::string Described(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the template";
    case TokenKind::kVariableEnd:
      return "'}}'";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return "a number";
    case TokenKind::kString:
      return "a text";
    default:
      return "'" + token.text + "'";
  }
}

bool IsReserved(const std::string& name) {
  return name == "true" || name == "True" || name == "false" || name == "False" || name == "none" ||
         name == "None";
}

}  // namespace

Block ParseTemplate(std::string_view source) { return Parser(Tokenize(source)).Template(); }

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (parser_.depth_ >= kMaxParseDepth) {
    parser_.Fail(fmt::format("nested deeper than {} levels", kMaxParseDepth));
  }
  ++parser_.depth_;
}

void Parser::Fail(const std::string& message) const {
  throw Error(Code::kCorrupt, fmt::format("template line {}: {}", Current().line, message));
}

Token Parser::Take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }

bool Parser::SkipName(const char* name) {
  if (!Current().IsName(name)) return false;
  Take();
  return true;
}

bool Parser::SkipOperator(const char* name) {
  if (!Current().IsOperator(name)) return false;
  Take();
  return true;
}

void Parser::ExpectName(const char* name) {
  if (!SkipName(name)) Fail(fmt::format("expected '{}', got {}", name, Described(Current())));
}

void Parser::ExpectOperator(const char* name) {
  if (!SkipOperator(name)) Fail(fmt::format("expected '{}', got {}", name, Described(Current())));
}

std::string Parser::ExpectIdentifier() {
  if (Current().kind != TokenKind::kName) {
    Fail(fmt::format("expected a name, got {}", Described(Current())));
  }
  return Take().text;
}

Block Parser::Template() { return Body({}); }

bool Parser::AtEnd(const Ends& ends) const {
  return std::any_of(ends.begin(), ends.end(),
                     [this](const char* end) { return Current().IsName(end); });
}

Block Parser::Body(const Ends& ends) {
  const Nesting nesting(*this);
  // This reads the rest of the tag that opens the body, where a colon may stand as in Python.
  if (!ends.empty()) {
    SkipOperator(":");
    if (Current().kind != TokenKind::kBlockEnd) {
      Fail(fmt::format("expected '%}}', got {}", Described(Current())));
    }
    Take();
  }
  Block body;
  while (Current().kind != TokenKind::kEnd) {
    const Token token = Take();
    if (token.kind == TokenKind::kData) {
      body.push_back(
          {DataStatement{std::make_shared<const MarkedText>(token.text, Origin::kTemplate)},
           token.line});
    } else if (token.kind == TokenKind::kVariableBegin) {
      OutputStatement output{ParseTuple(Conditional::kAllowed)};
      if (Current().kind != TokenKind::kVariableEnd) {
        Fail(fmt::format("expected '}}}}', got {}", Described(Current())));
      }
      Take();
      body.push_back({std::move(output), token.line});
    } else {
      if (AtEnd(ends)) return body;
      Statement statement = ParseStatement();
      statement.line = token.line;
      body.push_back(std::move(statement));
      if (Current().kind != TokenKind::kBlockEnd) {
        Fail(fmt::format("expected '%}}', got {}", Described(Current())));
      }
      Take();
    }
  }
  if (!ends.empty()) Fail(fmt::format("the template ends before '{}'", ends.back()));
  return body;
}

Block Parser::BodyUntil(const char* end) {
  Block body = Body({end});
  Take();
  return body;
}

Statement Parser::ParseStatement() {
  const std::string name = Current().kind == TokenKind::kName ? Current().text : "";
  if (name == "if") return ParseIf();
  if (name == "for") return ParseFor();
  if (name == "set") return ParseSet();
  if (name == "with") return ParseWith();
  if (name == "macro") return ParseMacro();
  if (name == "call") return ParseCallBlock();
  if (name == "break" || name == "continue") {
    Take();
    if (name == "break") return {BreakStatement{}};
    return {ContinueStatement{}};
  }
  if (name == "print") {
    Take();
    return {OutputStatement{ParseExpression()}};
  }
  if (name == "filter") {
    Take();
    ExpressionPtr filter = ParseFilters(ParseFilter(nullptr));
    return {FilterBlockStatement{std::move(filter), BodyUntil("endfilter")}};
  }
  if (name == "generation") {
    Take();
    return {GenerationStatement{BodyUntil("endgeneration")}};
  }
  for (const char* other :
       {"block", "extends", "include", "import", "from", "autoescape", "trans", "do"}) {
    if (name == other) {
      throw Error(Code::kUnsupported,
                  fmt::format("template line {}: '{}' is not supported in chat templates",
                              Current().line, name));
    }
  }
  Fail(fmt::format("unknown tag {}", Described(Current())));
}

Statement Parser::ParseIf() {
  ExpectName("if");
  IfStatement result;
  while (true) {
    ExpressionPtr condition = ParseTuple(Conditional::kNot);
    Block body = Body({"elif", "else", "endif"});
    result.branches.emplace_back(std::move(condition), std::move(body));
    if (SkipName("elif")) continue;
    if (SkipName("else")) {
      result.otherwise = BodyUntil("endif");
    } else {
      ExpectName("endif");
    }
    return {std::move(result)};
  }
}

Statement Parser::ParseFor() {
  ExpectName("for");
  ForStatement result;
  result.target = ParseTarget(AttributeTarget::kNot);
  ExpectName("in");
  result.iterable = ParseTuple(Conditional::kNot);
  if (SkipName("if")) result.condition = ParseExpression();
  if (Current().IsName("recursive")) {
    throw Error(Code::kUnsupported,
                fmt::format("template line {}: recursive loops are not supported; use a macro",
                            Current().line));
  }
  result.body = Body({"endfor", "else"});
  if (SkipName("else")) {
    result.otherwise = BodyUntil("endfor");
  } else {
    ExpectName("endfor");
  }
  return {std::move(result)};
}

Statement Parser::ParseSet() {
  ExpectName("set");
  Target target = ParseTarget(AttributeTarget::kAllowed);
  if (SkipOperator("=")) {
    return {SetStatement{std::move(target), ParseTuple(Conditional::kAllowed)}};
  }
  ExpressionPtr filter = ParseFilters(nullptr);
  return {SetBlockStatement{std::move(target), std::move(filter), BodyUntil("endset")}};
}

Statement Parser::ParseWith() {
  ExpectName("with");
  WithStatement result;
  while (Current().kind != TokenKind::kBlockEnd) {
    if (!result.variables.empty()) ExpectOperator(",");
    Target target = ParseSingleTarget(AttributeTarget::kNot);
    ExpectOperator("=");
    result.variables.emplace_back(std::move(target), ParseExpression());
  }
  result.body = BodyUntil("endwith");
  return {std::move(result)};
}

Statement Parser::ParseMacro() {
  ExpectName("macro");
  auto macro = std::make_unique<MacroDefinition>();
  macro->name = ExpectIdentifier();
  macros_.push_back(macro.get());
  ParseParameters(*macro);
  macro->body = BodyUntil("endmacro");
  macros_.pop_back();
  return {MacroStatement{std::move(macro)}};
}

Statement Parser::ParseCallBlock() {
  ExpectName("call");
  auto caller = std::make_unique<MacroDefinition>();
  caller->name = "caller";
  if (Current().IsOperator("(")) ParseParameters(*caller);
  ExpressionPtr call = ParseExpression();
  if (!std::holds_alternative<CallExpression>(call->node)) Fail("expected a call after 'call'");
  macros_.push_back(caller.get());
  caller->body = BodyUntil("endcall");
  macros_.pop_back();
  return {CallBlockStatement{std::move(call), std::move(caller)}};
}

void Parser::ParseParameters(MacroDefinition& macro) {
  ExpectOperator("(");
  while (!Current().IsOperator(")")) {
    if (!macro.parameters.empty()) ExpectOperator(",");
    MacroDefinition::Parameter parameter{ExpectIdentifier(), nullptr};
    if (SkipOperator("=")) {
      parameter.fallback = ParseExpression();
    } else if (!macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
      Fail("a parameter without default after one with a default");
    }
    macro.parameters.push_back(std::move(parameter));
  }
  ExpectOperator(")");
}

Target Parser::ParseSingleTarget(AttributeTarget attribute) {
  const Nesting nesting(*this);
  Target target;
  target.line = Current().line;
  if (SkipOperator("(")) {
    target = ParseTarget(AttributeTarget::kNot);
    ExpectOperator(")");
    return target;
  }
  if (Current().kind != TokenKind::kName || IsReserved(Current().text)) {
    Fail(fmt::format("cannot assign to {}", Described(Current())));
  }
  target.name = Take().text;
  if (attribute == AttributeTarget::kAllowed && SkipOperator(".")) {
    target.attribute = ExpectIdentifier();
  }
  return target;
}

Target Parser::ParseTarget(AttributeTarget attribute) {
  Target first = ParseSingleTarget(attribute);
  if (!Current().IsOperator(",")) return first;
  Target tuple;
  tuple.is_tuple = true;
  tuple.line = first.line;
  tuple.items.push_back(std::move(first));
  while (SkipOperator(",")) {
    if (Current().kind != TokenKind::kName && !Current().IsOperator("(")) break;
    if (Current().IsName("in")) break;
    tuple.items.push_back(ParseSingleTarget(attribute));
  }
  return tuple;
}

}  // namespace tome::jinja
