#include "tome/text/tokenizer/json_steps.h"

#include <fmt/format.h>

#include <algorithm>

namespace tome {
namespace {

using Kind = DecoderStep::Kind;

[[noreturn]] void UnknownType(const JsonField& field, std::string_view type) {
  field.Require("type").Fail(Code::kUnsupported, fmt::format("\"{}\" is not supported", type));
}

// The value of "pattern": {"String": "x"}, {"Regex": "x"} or a plain string.
struct PatternText {
  std::string text;
  bool is_regex;
  std::string path;
};
PatternText ReadPattern(const JsonField& field) {
  const JsonField pattern = field.Require("pattern");
  if (pattern.value().is_string()) {
    return {.text = pattern.String(), .is_regex = false, .path = pattern.path()};
  }
  if (const auto literal = pattern.Find("String")) {
    return {.text = literal->String(), .is_regex = false, .path = literal->path()};
  }
  const JsonField regex = pattern.Require("Regex");
  return {.text = regex.String(), .is_regex = true, .path = regex.path()};
}

SplitBehavior ReadBehavior(const JsonField& field, std::string_view otherwise) {
  const std::string name = field.StringOr("behavior", otherwise);
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  field.Require("behavior").Fail(Code::kUnsupported, fmt::format("\"{}\" is not supported", name));
}

PrependScheme ReadPrependScheme(const JsonField& field) {
  const bool old_style = field.BoolOr("add_prefix_space", true);
  const std::string scheme = field.StringOr("prepend_scheme", old_style ? "always" : "never");
  if (scheme == "always") return PrependScheme::kAlways;
  if (scheme == "first") return PrependScheme::kFirst;
  if (scheme == "never") return PrependScheme::kNever;
  field.Require("prepend_scheme")
      .Fail(Code::kUnsupported, fmt::format("\"{}\" is not supported", scheme));
}

std::string ReadReplacement(const JsonField& field) {
  const std::string replacement = field.StringOr("replacement", "\xE2\x96\x81");
  if (replacement.empty()) field.Require("replacement").Fail(Code::kCorrupt, "is empty");
  return replacement;
}

void AddBertNormalizer(const JsonField& field, Normalizer& normalizer) {
  BertNormalization options;
  options.clean_text = field.BoolOr("clean_text", true);
  options.pad_ideographs = field.BoolOr("handle_chinese_chars", true);
  options.lowercase = field.BoolOr("lowercase", true);
  options.strip_accents = field.BoolOr("strip_accents", options.lowercase);
  normalizer.push_back(BertStep(options));
}

}  // namespace

void AddNormalizer(const JsonField& field, Normalizer& normalizer) {
  const std::string& type = field.Require("type").String();
  if (type == "Sequence") {
    for (const JsonField& item : field.Require("normalizers").Items())
      AddNormalizer(item, normalizer);
  } else if (type == "NFC") {
    normalizer.push_back(UnicodeFormStep(UnicodeForm::kNfc));
  } else if (type == "NFD") {
    normalizer.push_back(UnicodeFormStep(UnicodeForm::kNfd));
  } else if (type == "NFKC") {
    normalizer.push_back(UnicodeFormStep(UnicodeForm::kNfkc));
  } else if (type == "NFKD") {
    normalizer.push_back(UnicodeFormStep(UnicodeForm::kNfkd));
  } else if (type == "Lowercase") {
    normalizer.push_back(LowercaseStep());
  } else if (type == "StripAccents") {
    normalizer.push_back(StripAccentsStep());
  } else if (type == "BertNormalizer") {
    AddBertNormalizer(field, normalizer);
  } else if (type == "Replace") {
    const PatternText pattern = ReadPattern(field);
    std::string content = field.Require("content").String();
    normalizer.push_back(pattern.is_regex
                             ? ReplaceRegexStep(pattern.text, std::move(content), pattern.path)
                             : ReplaceStep(pattern.text, std::move(content)));
  } else if (type == "Prepend") {
    normalizer.push_back(PrependStep(field.Require("prepend").String()));
  } else if (type == "Strip") {
    normalizer.push_back(StripStep(
        {.left = field.BoolOr("strip_left", true), .right = field.BoolOr("strip_right", true)}));
  } else if (type == "Precompiled") {
    const JsonField map = field.Require("precompiled_charsmap");
    const std::optional<std::string> bytes = DecodeBase64(map.String());
    if (!bytes) map.Fail(Code::kCorrupt, "is no base64");
    if (!bytes->empty()) normalizer.push_back(CharsmapStep(*bytes, map.path()));
  } else {
    UnknownType(field, type);
  }
}

void AddPreTokenizer(const JsonField& field, PreTokenizer& pre_tokenizer, bool& byte_level) {
  const std::string& type = field.Require("type").String();
  if (byte_level) field.Fail(Code::kUnsupported, "a component behind ByteLevel is not supported");
  const auto add = [&](std::unique_ptr<PreTokenizerStep> step) {
    pre_tokenizer.push_back(std::move(step));
  };
  if (type == "Sequence") {
    for (const JsonField& item : field.Require("pretokenizers").Items()) {
      AddPreTokenizer(item, pre_tokenizer, byte_level);
    }
  } else if (type == "ByteLevel") {
    if (field.BoolOr("add_prefix_space", true)) add(PrefixSpaceStep());
    if (field.BoolOr("use_regex", true)) add(PatternStep(WordPattern::kGpt2));
    byte_level = true;
  } else if (type == "Split") {
    const PatternText pattern = ReadPattern(field);
    const SplitBehavior behavior = ReadBehavior(field, "Isolated");
    const SplitMatch match =
        field.BoolOr("invert", false) ? SplitMatch::kBetween : SplitMatch::kPattern;
    const auto known = pattern.is_regex ? KnownPattern(pattern.text) : std::nullopt;
    // Every known pattern except kDeepSeek3 matches every character. So keeping only the matches is
    // the same as isolating them.
    const bool isolates = (behavior == SplitBehavior::kIsolated) ||
                          (behavior == SplitBehavior::kRemoved && match == SplitMatch::kBetween &&
                           known != WordPattern::kDeepSeek3);
    if (known && isolates) {
      add(PatternStep(*known));
    } else if (pattern.is_regex) {
      add(RegexStep(pattern.text, behavior, match, pattern.path));
    } else {
      add(LiteralStep(pattern.text, behavior, match));
    }
  } else if (type == "Metaspace") {
    add(MetaspaceStep(ReadReplacement(field), ReadPrependScheme(field),
                      field.BoolOr("split", true)));
  } else if (type == "BertPreTokenizer") {
    add(CharStep(CharKind::kWhiteSpace, SplitBehavior::kRemoved));
    add(CharStep(CharKind::kSign, SplitBehavior::kIsolated));
  } else if (type == "Whitespace") {
    add(WordStep());
  } else if (type == "WhitespaceSplit") {
    add(CharStep(CharKind::kWhiteSpace, SplitBehavior::kRemoved));
  } else if (type == "Digits") {
    add(CharStep(CharKind::kDigit, field.BoolOr("individual_digits", false)
                                       ? SplitBehavior::kIsolated
                                       : SplitBehavior::kContiguous));
  } else if (type == "Punctuation") {
    add(CharStep(CharKind::kSign, ReadBehavior(field, "Isolated")));
  } else {
    UnknownType(field, type);
  }
}

void AddDecoder(const JsonField& field, std::vector<DecoderStep>& steps) {
  const std::string& type = field.Require("type").String();
  if (type == "Sequence") {
    for (const JsonField& item : field.Require("decoders").Items()) AddDecoder(item, steps);
  } else if (type == "ByteLevel") {
    steps.push_back({Kind::kByteLevel, "", "", 0});
  } else if (type == "ByteFallback") {
    steps.push_back({Kind::kByteFallback, "", "", 0});
  } else if (type == "Fuse") {
    steps.push_back({Kind::kFuse, "", "", 0});
  } else if (type == "Metaspace") {
    steps.push_back({Kind::kReplace, ReadReplacement(field), " ", 0});
    if (ReadPrependScheme(field) != PrependScheme::kNever)
      steps.push_back({Kind::kStrip, " ", "", 1});
  } else if (type == "WordPiece") {
    steps.push_back({Kind::kWordPiece, field.StringOr("prefix", "##"), "", 0});
    if (field.BoolOr("cleanup", true)) steps.push_back({Kind::kCleanUp, "", "", 0});
  } else if (type == "BPEDecoder") {
    steps.push_back({Kind::kWordSuffix, field.StringOr("suffix", "</w>"), "", 0});
  } else if (type == "Replace") {
    const PatternText pattern = ReadPattern(field);
    if (pattern.is_regex)
      field.Fail(Code::kUnsupported, "a regular expression is not supported here");
    steps.push_back({Kind::kReplace, pattern.text, field.Require("content").String(), 0});
  } else if (type == "Strip") {
    const bool fused = std::any_of(steps.begin(), steps.end(), [](const DecoderStep& step) {
      return step.kind == Kind::kFuse;
    });
    const std::string content = field.StringOr("content", " ");
    const auto stop = field.Find("stop");
    const auto start = field.Find("start");
    const int64_t count = start ? start->Int() : 0;
    if (!fused || content.empty() || (stop && stop->Int() != 0) || count < 0 ||
        count > UINT16_MAX) {
      field.Fail(Code::kUnsupported,
                 "only Strip behind Fuse, of one character at the beginning, is supported");
    }
    steps.push_back({Kind::kStrip, content, "", static_cast<uint32_t>(count)});
  } else {
    UnknownType(field, type);
  }
}

}  // namespace tome
