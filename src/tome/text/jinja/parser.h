// Parses the tokens of a template by recursive descent, with the precedence of Jinja, which is not
// Python's. From weak to strong: or; and; not; comparisons and in; + and -; ~; *, /, // and %; **;
// unary + and -; then calls, subscripts, filters and tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/text/jinja/ast.h"
#include "tome/text/jinja/token.h"

namespace tome::jinja {

// Parses a template into its tree. Throws Error(kCorrupt) with the line for bad syntax and past
// kMaxParseDepth, Error(kUnsupported) for statements that need other templates.
Block ParseTemplate(std::string_view source);

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Block Template();

 private:
  class Nesting;

  // The stream of tokens.
  const Token& Current() const { return tokens_[at_]; }
  const Token& Following() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token Take();
  bool SkipName(const char* name);
  bool SkipOperator(const char* name);
  void ExpectName(const char* name);
  void ExpectOperator(const char* name);
  std::string ExpectIdentifier();
  [[noreturn]] void Fail(const std::string& message) const;

  // Statements (statement_parser.cc). A body ends before a tag that begins with one of `ends`.
  using Ends = std::vector<const char*>;
  Block Body(const Ends& ends);
  Block BodyUntil(const char* end);  // also takes the end tag's name
  bool AtEnd(const Ends& ends) const;
  Statement ParseStatement();
  Statement ParseIf();
  Statement ParseFor();
  Statement ParseSet();
  Statement ParseWith();
  Statement ParseMacro();
  Statement ParseCallBlock();
  void ParseParameters(MacroDefinition& macro);
  // Says whether a target may be an attribute of a namespace (ns.name), as only `set` allows.
  enum class AttributeTarget { kAllowed, kNot };
  Target ParseTarget(AttributeTarget attribute);
  Target ParseSingleTarget(AttributeTarget attribute);

  // Expressions (expression_parser.cc).
  enum class Conditional { kAllowed, kNot };
  enum class EmptyTuple { kAllowed, kNot };
  ExpressionPtr ParseTuple(Conditional conditional, EmptyTuple empty = EmptyTuple::kNot);
  bool AtTupleEnd() const;
  ExpressionPtr ParseExpression(Conditional conditional = Conditional::kAllowed);
  ExpressionPtr ParseConditional();
  enum class Junction { kAnd, kOr };
  ExpressionPtr ParseLogical(Junction junction);
  ExpressionPtr ParseNot();
  ExpressionPtr ParseCompare();
  ExpressionPtr ParseSum();
  ExpressionPtr ParseConcat();
  ExpressionPtr ParseProduct();
  ExpressionPtr ParsePower();
  ExpressionPtr ParseUnary();
  ExpressionPtr ParseSigned();  // as ParseUnary, without the filters and tests after it
  ExpressionPtr ParsePrimary();
  ExpressionPtr ParseName();
  ExpressionPtr ParseList();
  ExpressionPtr ParseDict();
  ExpressionPtr ParsePostfix(ExpressionPtr expression);
  ExpressionPtr ParseFilterOrTest(ExpressionPtr expression);
  ExpressionPtr ParseSubscript(ExpressionPtr object);
  ExpressionPtr ParseFilters(ExpressionPtr input);  // any number of them, each after a '|'
  ExpressionPtr ParseFilter(ExpressionPtr input);   // a name and its arguments
  ExpressionPtr ParseTest(ExpressionPtr input);
  std::string ParseDottedName();
  CallArguments ParseArguments();

  // Makes a node with its height. Throws Error(kCorrupt) where the height exceeds kMaxParseDepth.
  template <typename Node>
  ExpressionPtr Make(Node node, int line) const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<MacroDefinition*> macros_;  // the macros around the current token
};

// Counts one level of nesting for as long as the object lives.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser);
  ~Nesting() { --parser_.depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Parser& parser_;
};

}  // namespace tome::jinja
