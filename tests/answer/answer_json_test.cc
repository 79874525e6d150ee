#include "tome/answer/answer_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace tome {
namespace {

// Words a note as a door of the program does.
std::string WordsOf(const Note& note) {
  return note.text + (note.advice.empty() ? "" : " (with advice)");
}

TEST(AnswerJsonTest, HasTheFieldsOfTheDesignInTheirOrder) {
  const Answer answer{.question = "Where?",
                      .way = "quotes",
                      .why = "no model",
                      .text = "Here. [1]",
                      .citations = {{.document_id = 3,
                                     .document = "a.pdf",
                                     .page = 12,
                                     .page_label = "xii",
                                     .section = "Part > Chapter",
                                     .span = {.begin = 5, .end = 10},
                                     .quote = "Here.",
                                     .score = 1.5,
                                     .ranks = {.lexical = ListRank{.rank = 2, .score = 7.5},
                                               .fused = ListRank{.rank = 1, .score = 1.5}}}},
                      .support = Support::kPartly,
                      .confidence = -0.5,
                      .gain = 1.25,
                      .question_gain = 0.75,
                      .sentences = {{.span = {.begin = 0, .end = 5},
                                     .support = Support::kSupported,
                                     .citations = {0}}},
                      .missing = {"1912", "Edison"},
                      .notes = {"a note", {"the end", {Advice::Raise(Setting::kMaxTokens)}}},
                      .kv_loss = {},
                      .search_seconds = 0.25,
                      .read_seconds = 1.5,
                      .generate_seconds = 0.5,
                      .document_tokens = 1000,
                      .quoted_tokens = 2,
                      .prompt_tokens = 60,
                      .generated_tokens = 7,
                      .computed_tokens = 90,
                      .document_characters = 4000,
                      .read_characters = 400};
  EXPECT_EQ(AnswerToJson(answer, WordsOf), nlohmann::ordered_json::parse(R"json({
    "question": "Where?", "way": "quotes", "why": "no model", "answer": "Here. [1]",
    "support": "partly", "confidence": -0.5, "gain": 1.25, "question_gain": 0.75, "not_said": false, "missing": ["1912", "Edison"],
    "sentences": [{"begin": 0, "end": 5, "support": "supported", "citations": [1]}],
    "citations": [{"document": "a.pdf", "page": 12, "section": "Part > Chapter",
                   "begin": 5, "end": 10, "quote": "Here.", "score": 1.5,
                   "ranks": {"lexical": {"rank": 2, "score": 7.5}, "dense": null,
                             "fused": {"rank": 1, "score": 1.5}, "reranked": null}}],
    "notes": ["a note", "the end (with advice)"],
    "read": {"characters": 400, "document_characters": 4000},
    "timing": {"search_seconds": 0.25, "read_seconds": 1.5, "generate_seconds": 0.5},
    "tokens": {"documents": 1000, "quoted": 2, "prompt": 60, "restored": 0, "generated": 7,
               "computed": 90},
    "kv_loss": null})json"));
  const nlohmann::ordered_json json = AnswerToJson(answer, WordsOf);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"question", "way", "why", "answer", "support",
                                            "confidence", "gain", "question_gain", "not_said",
                                            "missing", "sentences", "citations", "notes", "read",
                                            "timing", "tokens", "kv_loss"}));
}

TEST(AnswerJsonTest, WhatNothingMeasuredIsNull) {
  const auto json = AnswerToJson(Answer(), WordsOf);
  for (const char* name : {"support", "confidence", "gain"}) EXPECT_TRUE(json.at(name).is_null());
  for (const char* name : {"missing", "sentences"}) EXPECT_TRUE(json.at(name).is_array());
}

TEST(AnswerJsonTest, PageAndSectionAreNullWhereThereIsNone) {
  Answer answer;
  answer.citations.emplace_back();
  const auto citation = AnswerToJson(answer, WordsOf)["citations"][0];
  EXPECT_TRUE(citation.at("page").is_null());
  EXPECT_TRUE(citation.at("section").is_null());
  EXPECT_TRUE(AnswerToJson(Answer(), WordsOf)["citations"].is_array());
  EXPECT_TRUE(AnswerToJson(Answer(), WordsOf)["notes"].is_array());
}

TEST(AnswerJsonTest, TheLossOfTheMemoryIsShown) {
  Answer answer;
  answer.kv_loss = KvLoss{.kv = KvType::kQ4, .tokens = 100, .mean_kl = 0.5, .perplexity = 8};
  const auto loss = AnswerToJson(answer, WordsOf).at("kv_loss");
  EXPECT_EQ(loss.at("kv"), "q4");
  EXPECT_EQ(loss.at("mean_kl"), 0.5);
  EXPECT_EQ(loss.at("perplexity"), 8);
}

}  // namespace
}  // namespace tome
