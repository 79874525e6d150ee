#include "advice.h"

#include <fmt/format.h>

namespace tome {
namespace {

std::string_view VerbOf(Advice::Kind kind) {
  switch (kind) {
    case Advice::Kind::kUse:
      return "use ";
    case Advice::Kind::kName:
      return "name another with ";
    case Advice::Kind::kLower:
      return "lower ";
    case Advice::Kind::kRaise:
      return "raise ";
    case Advice::Kind::kLeaveOut:
      return "leave out ";
    case Advice::Kind::kMeasure:
      return "measure what that costs";
  }
  return "";
}

// Quotes a word so that a shell takes it for one word.
std::string QuotedWord(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// Returns the words after the verb.
std::string ObjectOf(const Advice& advice) {
  if (advice.kind == Advice::Kind::kMeasure) {
    return advice.subject.empty()
               ? std::string(": tome bench kv")
               : fmt::format(": tome bench kv --model {} --text FILE {} {}",
                             QuotedWord(advice.subject), OptionOf(advice.setting), advice.value);
  }
  std::string object(OptionOf(advice.setting));
  if (!advice.value.empty()) object += " " + advice.value;
  if (!advice.effect.empty()) object += ", " + advice.effect;
  return object;
}

}  // namespace

std::string_view OptionOf(Setting setting) {
  switch (setting) {
    case Setting::kAttention:
      return "--attention";
    case Setting::kBudget:
      return "--budget";
    case Setting::kCacheSize:
      return "--cache-size";
    case Setting::kEncoding:
      return "--encoding";
    case Setting::kKv:
      return "--kv";
    case Setting::kLonger:
      return "--longer";
    case Setting::kMaxTokens:
      return "--max-tokens";
    case Setting::kMemory:
      return "--memory";
    case Setting::kOcr:
      return "--ocr";
    case Setting::kPassageTokens:
      return "--passage-tokens";
    case Setting::kSinks:
      return "--sinks";
    case Setting::kType:
      return "--type";
    case Setting::kWay:
      return "--way";
    case Setting::kWindow:
      return "--window";
  }
  return "";
}

std::string Worded(std::string_view words, std::span<const Advice> advice) {
  std::string line(words);
  for (size_t i = 0; i < advice.size(); ++i) {
    const Advice& one = advice[i];
    const Advice* before = i > 0 ? &advice[i - 1] : nullptr;
    const bool same_verb = before != nullptr && before->kind == one.kind;
    // Advice is joined as "a or b". It is "a, or b" where another setting is to be used, and after
    // a clause.
    const bool close = same_verb && before->effect.empty() &&
                       (one.kind != Advice::Kind::kUse || before->setting == one.setting);
    line += before == nullptr ? "; " : close ? " or " : ", or ";
    if (!same_verb) line += VerbOf(one.kind);
    line += ObjectOf(one);
  }
  return line;
}

std::string Worded(const Note& note) { return Worded(note.text, note.advice); }

std::string Worded(const Error& error) { return Worded(error.what(), error.advice()); }

}  // namespace tome
