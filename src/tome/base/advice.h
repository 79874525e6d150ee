// Advice says as data what a user can do about an error or a note. Each door of the program (the
// command line, HTTP) has its own names for settings, and words the advice with them. A remedy that
// is no setting is said in the message.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tome {

// A Setting is something that a user may set, through any of the doors.
enum class Setting {
  kAttention,      // exact or sparse
  kBudget,         // seconds that reading whole documents may take
  kCacheSize,      // disk space for what models have read
  kEncoding,       // of a text file
  kKv,             // type of keys and values
  kLonger,         // how texts beyond the trained length are read
  kMaxTokens,      // longest answer
  kMemory,         // keys and values that stay in RAM
  kOcr,            // of scanned pages
  kPassageTokens,  // of the passages that a model reads
  kSinks,          // tokens of the beginning that a window keeps
  kType,           // of the weights that are written
  kWay,            // in which a question is answered
  kWindow,         // last tokens that a window keeps
};
inline constexpr Setting kLastSetting = Setting::kWindow;

struct Advice {
  enum class Kind {
    kUse,       // set it, to `value` where one is given
    kName,      // name another one than was detected
    kLower,     // set it to less
    kRaise,     // set it to more
    kLeaveOut,  // do not set it
    kMeasure,   // measure the cost of `value` for the model at the path `subject`
  };
  static constexpr Kind kLastKind = Kind::kMeasure;

  Kind kind = Kind::kUse;
  Setting setting = Setting::kWay;
  std::string value = {};
  // `effect` says as a clause what the advice does: "which reads on as it is". It may be empty.
  std::string effect = {};
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

// A note says what a user should know. Any one of `advice` would help.
struct Note {
  std::string text;
  std::vector<Advice> advice;

  Note() = default;
  // The conversion is implicit, since most notes are words alone.
  Note(std::string words, std::vector<Advice> ways = {})
      : text(std::move(words)), advice(std::move(ways)) {}
  Note(const char* words) : text(words) {}

  friend bool operator==(const Note&, const Note&) = default;
};

}  // namespace tome
