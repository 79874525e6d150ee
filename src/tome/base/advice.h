// What a user can do about an error or a note, as data: each door of the program (the command line,
// HTTP) has its own name for a setting, and words the advice itself. What names no setting is said
// in the message.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tome {

// What a user may set, whichever door he comes through.
enum class Setting {
  kAttention,      // exact or sparse
  kBudget,         // seconds that reading whole documents may take
  kCacheSize,      // disk space for what models have read
  kEncoding,       // of a text file
  kKv,             // type of keys and values
  kLonger,         // how texts are read that are longer than the model was made for
  kMaxTokens,      // of an answer
  kMemory,         // keys and values that stay in RAM
  kOcr,            // of scanned pages
  kPassageTokens,  // of the passages that a model reads
  kSinks,          // tokens of the beginning that a window keeps
  kType,           // of the weights that are written
  kWay,            // in which documents are read
  kWindow,         // tokens that are seen of late
};
inline constexpr Setting kLastSetting = Setting::kWindow;

struct Advice {
  enum class Kind {
    kUse,       // set it, to `value` where there is one
    kName,      // name another than what was found out
    kLower,     // set it to less
    kRaise,     // set it to more
    kLeaveOut,  // do not set it
    kMeasure,   // measure what `value` of it costs the model `subject`, a path
  };
  static constexpr Kind kLastKind = Kind::kMeasure;

  Kind kind = Kind::kUse;
  Setting setting = Setting::kWay;
  std::string value = {};
  std::string effect = {};  // what that does, as a clause: "which reads on as it is"; may be empty
  std::string subject = {};

  static Advice Use(Setting setting, std::string value = {}, std::string effect = {}) {
    return {Kind::kUse, setting, std::move(value), std::move(effect), {}};
  }
  static Advice Name(Setting setting) { return {Kind::kName, setting, {}, {}, {}}; }
  static Advice Lower(Setting setting) { return {Kind::kLower, setting, {}, {}, {}}; }
  static Advice Raise(Setting setting) { return {Kind::kRaise, setting, {}, {}, {}}; }
  static Advice LeaveOut(Setting setting) { return {Kind::kLeaveOut, setting, {}, {}, {}}; }
  static Advice Measure(Setting setting, std::string value, std::string subject) {
    return {Kind::kMeasure, setting, std::move(value), {}, std::move(subject)};
  }

  friend bool operator==(const Advice&, const Advice&) = default;
};

// What a user should know, and what he can do about it: any one of `advice`.
struct Note {
  std::string text;
  std::vector<Advice> advice;

  Note() = default;
  // Implicit, since most notes are words alone.
  Note(std::string words, std::vector<Advice> ways = {})
      : text(std::move(words)), advice(std::move(ways)) {}
  Note(const char* words) : text(words) {}

  friend bool operator==(const Note&, const Note&) = default;
};

}  // namespace tome
