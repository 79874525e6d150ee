#include "tome/text/tokenizer/normalizer.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <utility>

#include "tome/base/error.h"
#include "tome/text/tokenizer/char_classes.h"
#include "tome/text/tokenizer/charsmap.h"
#include "tome/text/tokenizer/regex.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

const icu::Normalizer2& NormalizerOf(UnicodeForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = nullptr;
  switch (form) {
    case UnicodeForm::kNfc:
      normalizer = icu::Normalizer2::getNFCInstance(status);
      break;
    case UnicodeForm::kNfd:
      normalizer = icu::Normalizer2::getNFDInstance(status);
      break;
    case UnicodeForm::kNfkc:
      normalizer = icu::Normalizer2::getNFKCInstance(status);
      break;
    case UnicodeForm::kNfkd:
      normalizer = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  if (U_FAILURE(status)) {
    throw Error(Code::kIo, fmt::format("ICU's normalization data cannot be loaded: {}; reinstall "
                                       "libicu",
                                       u_errorName(status)));
  }
  return *normalizer;
}

// Calls edit(character, out) for each character. An ill-formed byte is passed as U+FFFD.
template <typename Edit>
void EditChars(std::string& text, Edit&& edit) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const TextChar c = CharAt(text, i);
    edit(c.code_point >= kIllFormed ? char32_t{0xFFFD} : c.code_point, out);
    i += c.bytes;
  }
  text = std::move(out);
}

void AppendLower(char32_t c, std::string& out) {
  // U+0130 is the only character whose full lower case is two characters in every language.
  if (c == 0x130) {
    out += "i\xCC\x87";
    return;
  }
  AppendUtf8(static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))), out);
}

class FormStep : public NormalizerStep {
 public:
  explicit FormStep(UnicodeForm form) : normalizer_(NormalizerOf(form)) {}
  void Apply(std::string& text) const override {
    UErrorCode status = U_ZERO_ERROR;
    if (normalizer_.isNormalizedUTF8({text.data(), static_cast<int32_t>(text.size())}, status) !=
            0 &&
        U_SUCCESS(status)) {
      return;
    }
    status = U_ZERO_ERROR;
    std::string out;
    out.reserve(text.size());
    icu::StringByteSink<std::string> sink(&out);
    normalizer_.normalizeUTF8(0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr,
                              status);
    if (U_FAILURE(status)) {
      throw Error(Code::kOutOfMemory, fmt::format("a text of {} bytes cannot be normalized: {}",
                                                  text.size(), u_errorName(status)));
    }
    text = std::move(out);
  }

 private:
  const icu::Normalizer2& normalizer_;
};

class Lowercase : public NormalizerStep {
 public:
  void Apply(std::string& text) const override { EditChars(text, AppendLower); }
};

class StripAccents : public NormalizerStep {
 public:
  void Apply(std::string& text) const override {
    const CharClasses& classes = CharClasses::Get();
    EditChars(text, [&](char32_t c, std::string& out) {
      if ((classes.Of(c) & kMark) == 0) AppendUtf8(c, out);
    });
  }
};

class Bert : public NormalizerStep {
 public:
  explicit Bert(const BertNormalization& options)
      : options_(options), nfd_(UnicodeFormStep(UnicodeForm::kNfd)) {}
  void Apply(std::string& text) const override {
    const CharClasses& classes = CharClasses::Get();
    if (options_.clean_text || options_.pad_ideographs) {
      EditChars(text, [&](char32_t c, std::string& out) {
        const ClassBits bits = classes.Of(c);
        if (options_.clean_text) {
          if (c == 0 || c == 0xFFFD || (bits & kOther) != 0) return;
          if ((bits & kSpace) != 0) c = ' ';
        }
        const bool pad = options_.pad_ideographs && (bits & kIdeograph) != 0;
        if (pad) out += ' ';
        AppendUtf8(c, out);
        if (pad) out += ' ';
      });
    }
    if (options_.strip_accents) {
      nfd_->Apply(text);
      EditChars(text, [&](char32_t c, std::string& out) {
        if ((classes.Of(c) & kNonSpacing) == 0) AppendUtf8(c, out);
      });
    }
    if (options_.lowercase) EditChars(text, AppendLower);
  }

 private:
  BertNormalization options_;
  std::unique_ptr<NormalizerStep> nfd_;
};

class Replace : public NormalizerStep {
 public:
  Replace(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void Apply(std::string& text) const override {
    size_t at = from_.empty() ? std::string::npos : text.find(from_);
    if (at == std::string::npos) return;
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    size_t done = 0;
    for (; at != std::string::npos; at = text.find(from_, done)) {
      out.append(text, done, at - done);
      out += to_;
      done = at + from_.size();
    }
    out.append(text, done);
    text = std::move(out);
  }

 private:
  std::string from_;
  std::string to_;
};

class ReplaceRegex : public NormalizerStep {
 public:
  ReplaceRegex(std::string_view pattern, std::string to, std::string field)
      : regex_(pattern, std::move(field)), to_(std::move(to)) {}
  void Apply(std::string& text) const override {
    const std::vector<Span> matches = regex_.FindAll(text, {0, static_cast<uint32_t>(text.size())});
    if (matches.empty()) return;
    std::string out;
    size_t done = 0;
    for (const Span& match : matches) {
      out.append(text, done, match.begin - done);
      out += to_;
      done = match.end;
    }
    out.append(text, done);
    text = std::move(out);
  }

 private:
  Regex regex_;
  std::string to_;
};

class Prepend : public NormalizerStep {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void Apply(std::string& text) const override {
    if (!text.empty()) text.insert(0, prefix_);
  }

 private:
  std::string prefix_;
};

class Strip : public NormalizerStep {
 public:
  explicit Strip(StrippedEnds ends) : ends_(ends) {}
  void Apply(std::string& text) const override {
    const CharClasses& classes = CharClasses::Get();
    const auto is_space = [&](size_t i) {
      return (classes.Of(CharAt(text, i).code_point) & kSpace) != 0;
    };
    size_t begin = 0;
    size_t end = text.size();
    while (ends_.left && begin < end && is_space(begin)) begin += CharAt(text, begin).bytes;
    while (ends_.right && begin < end) {
      const size_t last = PreviousChar(text, begin, end);
      if (!is_space(last)) break;
      end = last;
    }
    text = text.substr(begin, end - begin);
  }

 private:
  StrippedEnds ends_;
};

class ApplyCharsmap : public NormalizerStep {
 public:
  ApplyCharsmap(std::string_view bytes, std::string_view field) : charsmap_(bytes, field) {}
  void Apply(std::string& text) const override { text = charsmap_.Normalize(text); }

 private:
  Charsmap charsmap_;
};

class CollapseSpaces : public NormalizerStep {
 public:
  void Apply(std::string& text) const override {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
      if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    text = std::move(out);
  }
};

}  // namespace

std::string Normalized(const Normalizer& normalizer, std::string_view text) {
  std::string out(text);
  for (const auto& step : normalizer) step->Apply(out);
  return out;
}

std::unique_ptr<NormalizerStep> UnicodeFormStep(UnicodeForm form) {
  return std::make_unique<FormStep>(form);
}
std::unique_ptr<NormalizerStep> LowercaseStep() { return std::make_unique<Lowercase>(); }
std::unique_ptr<NormalizerStep> StripAccentsStep() { return std::make_unique<StripAccents>(); }
std::unique_ptr<NormalizerStep> BertStep(const BertNormalization& options) {
  return std::make_unique<Bert>(options);
}
std::unique_ptr<NormalizerStep> ReplaceStep(std::string from, std::string to) {
  return std::make_unique<Replace>(std::move(from), std::move(to));
}
std::unique_ptr<NormalizerStep> ReplaceRegexStep(std::string_view pattern, std::string to,
                                                 std::string field) {
  return std::make_unique<ReplaceRegex>(pattern, std::move(to), std::move(field));
}
std::unique_ptr<NormalizerStep> PrependStep(std::string prefix) {
  return std::make_unique<Prepend>(std::move(prefix));
}
std::unique_ptr<NormalizerStep> StripStep(StrippedEnds ends) {
  return std::make_unique<Strip>(ends);
}
std::unique_ptr<NormalizerStep> CharsmapStep(std::string_view bytes, std::string_view field) {
  return std::make_unique<ApplyCharsmap>(bytes, field);
}
std::unique_ptr<NormalizerStep> CollapseSpacesStep() { return std::make_unique<CollapseSpaces>(); }

}  // namespace tome
