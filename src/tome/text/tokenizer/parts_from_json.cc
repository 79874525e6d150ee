#include <fmt/format.h>

#include <map>
#include <utility>

#include "tome/text/tokenizer.h"
#include "tome/text/tokenizer/json_field.h"
#include "tome/text/tokenizer/json_model.h"
#include "tome/text/tokenizer/json_steps.h"
#include "tome/text/tokenizer/tokenizer_parts.h"

namespace tome::internal {
namespace {

struct DeclaredToken {
  AddedToken token;
  bool special = false;
  bool normalized = false;
};

// Reads an element of added_tokens or a value of added_tokens_decoder.
DeclaredToken ReadAddedToken(const JsonField& field, TokenId id) {
  DeclaredToken declared;
  declared.token.content = field.Require("content").String();
  declared.token.id = id;
  declared.token.single_word = field.BoolOr("single_word", false);
  declared.token.strip_left = field.BoolOr("lstrip", false);
  declared.token.strip_right = field.BoolOr("rstrip", false);
  declared.special = field.BoolOr("special", false);
  declared.normalized = field.BoolOr("normalized", !declared.special);
  if (declared.token.content.size() > AddedTokens::kMaxContentBytes) {
    field.Fail(Code::kUnsupported,
               fmt::format("content of {} bytes, more than {}", declared.token.content.size(),
                           AddedTokens::kMaxContentBytes));
  }
  return declared;
}

TokenId ReadId(const JsonField& field) {
  const int64_t id = field.Int();
  if (id < 0 || static_cast<size_t>(id) >= kMaxVocabularySize) {
    field.Fail(Code::kUnsupported, fmt::format("{} is no id below {}", id, kMaxVocabularySize));
  }
  return static_cast<TokenId>(id);
}

// Returns the added tokens by id. tokenizer_config.json overrides tokenizer.json.
std::map<TokenId, DeclaredToken> ReadAddedTokens(const JsonField& root, const JsonField& config) {
  std::map<TokenId, DeclaredToken> tokens;
  if (const auto added = root.Find("added_tokens")) {
    for (const JsonField& item : added->Items()) {
      const TokenId id = ReadId(item.Require("id"));
      tokens[id] = ReadAddedToken(item, id);
    }
  }
  if (const auto added = config.Find("added_tokens_decoder")) {
    if (!added->value().is_object()) added->Fail(Code::kCorrupt, "is no object");
    for (const auto& [key, value] : added->value().items()) {
      const JsonField item(value, fmt::format("{}.{}", added->path(), key));
      if (key.empty() || key.size() > 9 ||
          key.find_first_not_of("0123456789") != std::string::npos) {
        item.Fail(Code::kCorrupt, "the name is no id");
      }
      const int id = std::stoi(key);
      if (static_cast<size_t>(id) >= kMaxVocabularySize)
        item.Fail(Code::kUnsupported, "the id is too large");
      tokens[id] = ReadAddedToken(item, id);
    }
  }
  return tokens;
}

class JsonBuilder {
 public:
  JsonBuilder(const JsonField& root, const JsonField& config)
      : root_(root), config_(config), parts_(new TokenizerParts) {}

  std::unique_ptr<TokenizerParts> Build() {
    const JsonField model = root_.Require("model");
    const JsonModelType type = ReadModelType(model);
    JsonVocabulary vocabulary = ReadVocabulary(model, type);
    const auto added = ReadAddedTokens(root_, config_);
    for (const auto& [id, declared] : added) {
      const auto at = static_cast<size_t>(id);
      if (at >= vocabulary.pieces.size()) vocabulary.pieces.resize(at + 1);
      std::string& piece = vocabulary.pieces[at];
      if (!piece.empty() && piece != declared.token.content) {
        throw Error(Code::kCorrupt,
                    fmt::format("added_tokens: id {} is \"{}\" in the vocabulary and "
                                "\"{}\" here",
                                id, piece, declared.token.content));
      }
      piece = declared.token.content;
    }
    CheckPieceLimits(vocabulary.pieces, "model.vocab");
    parts_->pieces = PieceIndex(std::move(vocabulary.pieces));

    bool byte_level = false;
    if (const auto field = root_.Find("normalizer")) AddNormalizer(*field, parts_->normalizer);
    if (const auto field = root_.Find("pre_tokenizer")) {
      AddPreTokenizer(*field, parts_->pre_tokenizer, byte_level);
    }
    MarkSpecials(added);
    NameTokens();
    std::vector<bool> is_control(parts_->pieces.size());
    for (const auto& [id, declared] : added) is_control[static_cast<size_t>(id)] = true;
    FindEndTokens(*parts_, is_control);
    parts_->never_from_text = parts_->special;
    for (const auto& [id, declared] : added) {
      if (OnlyParsed(declared)) parts_->never_from_text[static_cast<size_t>(id)] = true;
    }
    SortAddedTokens(added);
    parts_->model = ReadModel(model, type, std::move(vocabulary.scores), byte_level, *parts_);
    ReadDecoder(added);
    if (const auto field = root_.Find("post_processor")) ReadPostProcessor(*field);
    AddConfiguredEnds();
    return std::move(parts_);
  }

 private:
  void MarkSpecials(const std::map<TokenId, DeclaredToken>& added) {
    parts_->special.resize(parts_->pieces.size());
    for (const auto& [id, declared] : added) {
      parts_->special[static_cast<size_t>(id)] = declared.special;
    }
  }

  // Returns true for tokens that are read only where special tokens may be. Needs the ends of
  // generation.
  bool OnlyParsed(const DeclaredToken& declared) const {
    return parts_->special[static_cast<size_t>(declared.token.id)] ||
           LooksLikeControl(declared.token.content);
  }

  void SortAddedTokens(const std::map<TokenId, DeclaredToken>& added) {
    std::vector<AddedToken> raw;
    std::vector<AddedToken> normalized;
    for (const auto& [id, declared] : added) {
      AddedToken token = declared.token;
      token.only_parsed = OnlyParsed(declared);
      // Special tokens are always looked for in the text before normalization, because the caller
      // says by positions in that text where they may be read.
      if (declared.normalized && !token.only_parsed && !parts_->normalizer.empty()) {
        token.content = Normalized(parts_->normalizer, token.content);
        normalized.push_back(std::move(token));
      } else {
        raw.push_back(std::move(token));
      }
    }
    parts_->added = AddedTokens(std::move(raw));
    parts_->added_normalized = AddedTokens(std::move(normalized));
  }

  void ReadDecoder(const std::map<TokenId, DeclaredToken>& added) {
    std::vector<DecoderStep> steps;
    if (const auto field = root_.Find("decoder")) {
      AddDecoder(*field, steps);
    } else {
      steps.push_back({DecoderStep::Kind::kSpaceBefore, "", "", 0});
    }
    std::vector<bool> literal(parts_->pieces.size());
    for (const auto& [id, declared] : added) literal[static_cast<size_t>(id)] = true;
    parts_->bytes = TokenBytesTable(parts_->pieces.pieces(), literal, steps);
  }

  // Returns the token that tokenizer_config.json names in `field`: "<s>" or {"content": "<s>"}.
  // Without that field, returns the special token with one of the `usual` names.
  std::optional<TokenId> Named(std::string_view field,
                               std::initializer_list<std::string_view> usual) {
    if (const auto value = config_.Find(field)) {
      const JsonField content = value->value().is_object() ? value->Require("content") : *value;
      return parts_->pieces.Find(content.String());
    }
    for (const std::string_view name : usual) {
      const auto id = parts_->pieces.Find(name);
      if (id && parts_->special[static_cast<size_t>(*id)]) return id;
    }
    return std::nullopt;
  }

  void NameTokens() {
    NamedTokens& named = parts_->named;
    named.bos = Named("bos_token", {"<s>", "<|begin_of_text|>", "[BOS]", "<bos>"});
    named.eos = Named("eos_token", {"</s>", "<|end_of_text|>", "<|endoftext|>", "[EOS]", "<eos>"});
    named.padding = Named("pad_token", {"<pad>", "[PAD]"});
    named.separator = Named("sep_token", {"[SEP]"});
    named.cls = Named("cls_token", {"[CLS]"});
    named.mask = Named("mask_token", {"[MASK]", "<mask>"});
    named.unknown = Named("unk_token", {"<unk>", "[UNK]"});
  }

  TokenId CheckedId(const JsonField& field) const {
    const TokenId id = ReadId(field);
    if (static_cast<size_t>(id) >= parts_->pieces.size()) {
      field.Fail(Code::kCorrupt, fmt::format("{} is not in the vocabulary", id));
    }
    return id;
  }

  void ReadPostProcessor(const JsonField& field) {
    const std::string& type = field.Require("type").String();
    if (type == "Sequence") {
      for (const JsonField& item : field.Require("processors").Items()) ReadPostProcessor(item);
    } else if (type == "TemplateProcessing") {
      ReadTemplate(field);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      const auto id_of = [&](std::string_view name) {
        const std::vector<JsonField> pair = field.Require(name).Items();
        if (pair.size() != 2)
          field.Require(name).Fail(Code::kCorrupt, "is no pair of token and id");
        return CheckedId(pair[1]);
      };
      parts_->prefix = {id_of("cls")};
      parts_->suffix = {id_of("sep")};
    } else if (type != "ByteLevel") {
      field.Require("type").Fail(Code::kUnsupported, fmt::format("\"{}\" is not supported", type));
    }
  }

  void ReadTemplate(const JsonField& field) {
    parts_->prefix.clear();
    parts_->suffix.clear();
    bool seen_text = false;
    for (const JsonField& item : field.Require("single").Items()) {
      if (item.Find("Sequence")) {
        if (seen_text) item.Fail(Code::kUnsupported, "the text comes twice");
        seen_text = true;
        continue;
      }
      const std::string& name = item.Require("SpecialToken").Require("id").String();
      const JsonField token = field.Require("special_tokens").Require(name);
      for (const JsonField& id : token.Require("ids").Items()) {
        (seen_text ? parts_->suffix : parts_->prefix).push_back(CheckedId(id));
      }
    }
    if (!seen_text) field.Require("single").Fail(Code::kCorrupt, "holds no text");
  }

  // Adds the tokens of add_bos_token and add_eos_token in tokenizer_config.json, where the
  // post-processor adds none.
  void AddConfiguredEnds() {
    const NamedTokens& named = parts_->named;
    if (parts_->prefix.empty() && config_.BoolOr("add_bos_token", false) && named.bos) {
      parts_->prefix.push_back(*named.bos);
    }
    if (parts_->suffix.empty() && config_.BoolOr("add_eos_token", false) && named.eos) {
      parts_->suffix.push_back(*named.eos);
    }
  }

  JsonField root_;
  JsonField config_;
  std::unique_ptr<TokenizerParts> parts_;
};

}  // namespace

std::unique_ptr<TokenizerParts> PartsFromJson(std::string_view tokenizer_json,
                                              std::string_view tokenizer_config_json) {
  const nlohmann::json tokenizer = ParseJson(tokenizer_json, "tokenizer.json");
  const nlohmann::json config = tokenizer_config_json.empty()
                                    ? nlohmann::json::object()
                                    : ParseJson(tokenizer_config_json, "tokenizer_config.json");
  if (!tokenizer.is_object()) throw Error(Code::kCorrupt, "tokenizer.json: is no object");
  if (!config.is_object()) throw Error(Code::kCorrupt, "tokenizer_config.json: is no object");
  return JsonBuilder(JsonField(tokenizer, ""), JsonField(config, "")).Build();
}

}  // namespace tome::internal
