#include <fmt/format.h>

#include <utility>

#include "tome/text/jinja/builtins.h"
#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/interpreter.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/jinja/printing.h"

namespace tome::jinja {
namespace {

Value BindMethod(Heap& heap, const std::string& name, Function method, const Value& object) {
  return heap.NewCallable(name, [method, object](Interpreter& interpreter, Arguments& arguments) {
    return method(interpreter, object, arguments);
  });
}

Value LoopAttribute(const Loop& loop, const std::string& name) {
  if (name == "index") return Value(loop.index0 + 1);
  if (name == "index0") return Value(loop.index0);
  if (name == "revindex") return Value(loop.length - loop.index0);
  if (name == "revindex0") return Value(loop.length - loop.index0 - 1);
  if (name == "first") return Value(loop.index0 == 0);
  if (name == "last") return Value(loop.index0 + 1 == loop.length);
  if (name == "length") return Value(loop.length);
  if (name == "depth") return Value(int64_t{1});  // depth of recursion, which is not supported
  if (name == "depth0") return Value(int64_t{0});
  const auto item = [&](int64_t index) {
    return index < 0 || index >= loop.length ? Value(Undefined{"loop." + name})
                                             : (*loop.items)[static_cast<size_t>(index)];
  };
  // A variable may keep `loop` after the loop has ended. Its items are gone then.
  if (loop.items != nullptr && name == "previtem") return item(loop.index0 - 1);
  if (loop.items != nullptr && name == "nextitem") return item(loop.index0 + 1);
  return Undefined{"loop." + name};
}

}  // namespace

Interpreter::Depth::Depth(Interpreter& interpreter) : interpreter_(interpreter) {
  if (interpreter_.depth_ >= kMaxEvaluationDepth) {
    FailLimit(fmt::format("expressions and statements nested deeper than {} levels",
                          kMaxEvaluationDepth));
  }
  ++interpreter_.depth_;
}

Value Interpreter::Evaluate(const Expression& expression) {
  const Depth depth(*this);
  heap_.Step();
  line_ = expression.line;
  return std::visit([this](const auto& node) { return EvaluateNode(node); }, expression.node);
}

Value Interpreter::EvaluateNode(const NameExpression& node) {
  const Value* value = Find(node.name);
  return value == nullptr ? Value(Undefined{node.name}) : *value;
}

Value Interpreter::EvaluateNode(const ListExpression& node) {
  List* list = node.is_tuple ? heap_.NewTuple(Origin::kTemplate) : heap_.NewList(Origin::kTemplate);
  for (const ExpressionPtr& item : node.items) heap_.Append(*list, Evaluate(*item));
  return Value(list);
}

Value Interpreter::EvaluateNode(const DictExpression& node) {
  Dict* dict = heap_.NewDict(Origin::kTemplate);
  for (const auto& [key, value] : node.entries) {
    const Value name = Evaluate(*key);
    heap_.Set(*dict, name, Evaluate(*value));
  }
  return Value(dict);
}

Value Interpreter::EvaluateNode(const AttributeExpression& node) {
  const int line = line_;
  const Value object = Evaluate(*node.object);
  line_ = line;
  return GetAttribute(object, node.name);
}

Value Interpreter::EvaluateNode(const ItemExpression& node) {
  const int line = line_;
  const Value object = Evaluate(*node.object);
  const Value index = Evaluate(*node.index);
  line_ = line;
  return GetItem(object, index);
}

Value Interpreter::EvaluateNode(const SliceExpression& node) {
  const int line = line_;
  const Value object = Evaluate(*node.object);
  Value bounds[3];
  const ExpressionPtr* parts[3] = {&node.begin, &node.end, &node.step};
  const Value* given[3] = {};
  for (size_t i = 0; i < 3; ++i) {
    if (*parts[i] == nullptr) continue;
    bounds[i] = Evaluate(**parts[i]);
    given[i] = &bounds[i];
  }
  line_ = line;
  return Slice(heap_, object, given[0], given[1], given[2]);
}

Arguments Interpreter::EvaluateArguments(const CallArguments& arguments) {
  Arguments values;
  for (const ExpressionPtr& value : arguments.positional) {
    values.positional.push_back(Evaluate(*value));
  }
  for (const auto& [name, value] : arguments.keyword) {
    values.keyword.emplace_back(name, Evaluate(*value));
  }
  if (arguments.more_positional != nullptr) {
    const Value more = Evaluate(*arguments.more_positional);
    RequireDefined(more);
    for (Value& value : Iterate(heap_, more)) values.positional.push_back(std::move(value));
  }
  if (arguments.more_keyword != nullptr) {
    const Value more = Evaluate(*arguments.more_keyword);
    const Dict* dict = more.dict();
    if (dict == nullptr) Fail("what follows ** must be a dict");
    for (const auto& [key, value] : dict->entries()) {
      if (key.text() == nullptr) Fail("names of arguments must be texts");
      heap_.ChargeItems(2);
      values.keyword.emplace_back(key.text()->text(), value);
    }
  }
  return values;
}

Value Interpreter::CallNode(const CallExpression& node, const Value* caller) {
  const int line = line_;
  const Value callee = Evaluate(*node.callee);
  Arguments arguments = EvaluateArguments(node.arguments);
  if (caller != nullptr) arguments.keyword.emplace_back("caller", *caller);
  line_ = line;
  return Call(callee, arguments);
}

Value Interpreter::EvaluateNode(const CallExpression& node) { return CallNode(node, nullptr); }

Value Interpreter::EvaluateNode(const FilterExpression& node) {
  const int line = line_;
  const Value input = node.input == nullptr ? *filtered_ : Evaluate(*node.input);
  const Arguments arguments = EvaluateArguments(node.arguments);
  line_ = line;
  return ApplyFilter(node.name, input, arguments);
}

Value Interpreter::EvaluateNode(const TestExpression& node) {
  const int line = line_;
  const Value input = Evaluate(*node.input);
  const Arguments arguments = EvaluateArguments(node.arguments);
  line_ = line;
  return Value(ApplyTest(node.name, input, arguments));
}

Value Interpreter::EvaluateNode(const NegateExpression& node) {
  const Value operand = Evaluate(*node.operand);
  if (node.negative) return Negate(operand);
  RequireDefined(operand);
  if (!operand.IsNumber()) Fail(fmt::format("'+' does not work on {}", TypeName(operand)));
  return operand;
}

Value Interpreter::EvaluateNode(const NotExpression& node) {
  return Value(!Truthy(Evaluate(*node.operand)));
}

Value Interpreter::EvaluateNode(const ArithmeticExpression& node) {
  const int line = line_;
  Value result = Evaluate(*node.first);
  for (const auto& [op, operand] : node.rest) {
    const Value right = Evaluate(*operand);
    line_ = line;
    result = Arithmetic(heap_, op, result, right);
  }
  return result;
}

Value Interpreter::EvaluateNode(const ConcatExpression& node) {
  MarkedText joined;
  for (const ExpressionPtr& part : node.parts) {
    const Text text = ToText(heap_, Evaluate(*part));
    heap_.Charge(text->size());
    joined.Append(*text);
  }
  return heap_.NewText(std::move(joined));
}

Value Interpreter::EvaluateNode(const LogicalExpression& node) {
  Value result;
  for (const ExpressionPtr& operand : node.operands) {
    result = Evaluate(*operand);
    if (Truthy(result) != node.is_and) break;
  }
  return result;
}

Value Interpreter::EvaluateNode(const CompareExpression& node) {
  const int line = line_;
  Value left = Evaluate(*node.first);
  for (const auto& [comparison, operand] : node.rest) {
    Value right = Evaluate(*operand);
    line_ = line;
    if (!Compare(heap_, comparison, left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Interpreter::EvaluateNode(const ConditionalExpression& node) {
  if (Truthy(Evaluate(*node.condition))) return Evaluate(*node.then);
  if (node.otherwise != nullptr) return Evaluate(*node.otherwise);
  return Undefined{"the else of an inline if"};
}

Value Interpreter::Call(const Value& callee, Arguments& arguments) {
  RequireDefined(callee);
  if (callee.Is<Loop*>()) FailUnsupported("recursive loops; use a macro");
  if (!callee.Is<Callable*>()) Fail(fmt::format("a {} cannot be called", TypeName(callee)));
  return callee.As<Callable*>()->call(*this, arguments);
}

Value Interpreter::ApplyFilter(const std::string& name, const Value& input,
                               const Arguments& arguments) {
  const Function filter = FindFilter(name);
  if (filter == nullptr) FailUnsupported(fmt::format("the filter '{}' is not known", name));
  heap_.Step();
  return filter(*this, input, arguments);
}

bool Interpreter::ApplyTest(const std::string& name, const Value& input,
                            const Arguments& arguments) {
  const Test test = FindTest(name);
  if (test == nullptr) FailUnsupported(fmt::format("the test '{}' is not known", name));
  heap_.Step();
  return test(*this, input, arguments);
}

Value Interpreter::GetAttribute(const Value& object, const std::string& name) {
  RequireDefined(object);
  Function method = nullptr;
  if (object.text() != nullptr) method = FindTextMethod(name);
  if (object.list() != nullptr) method = FindListMethod(name);
  if (object.dict() != nullptr) method = FindDictMethod(name);
  if (object.Is<Loop*>()) method = FindLoopMethod(name);
  if (method != nullptr) return BindMethod(heap_, name, method, object);
  const Value* found = nullptr;
  if (const Dict* dict = object.dict()) found = dict->Find(name);
  if (object.Is<Namespace*>()) found = object.As<Namespace*>()->attributes.Find(name);
  if (found != nullptr) return *found;
  if (object.Is<Loop*>()) return LoopAttribute(*object.As<Loop*>(), name);
  return Undefined{name};
}

Value Interpreter::GetItem(const Value& object, const Value& index) {
  RequireDefined(object);
  if (const Dict* dict = object.dict(); dict != nullptr && index.list() == nullptr) {
    heap_.Scan(index.text() == nullptr ? 0 : index.text()->size());
    if (const Value* found = dict->Find(index)) return *found;
  }
  if (index.Is<int64_t>()) return ItemAt(heap_, object, index.As<int64_t>());
  if (index.Is<bool>()) return ItemAt(heap_, object, index.As<bool>() ? 1 : 0);
  if (index.text() != nullptr) return GetAttribute(object, index.text()->text());
  return Undefined{fmt::format("an item of a {}", TypeName(object))};
}

}  // namespace tome::jinja
