// The words that a model is asked with, in the language of the question: plain ones, the text first
// and the question last, without a format to keep or a way to refuse. Small models follow these
// best, and texts in front serve every question that is asked about them once they were read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Chinese questions get Chinese instructions, all others English ones.
enum class PromptLanguage { kEnglish, kChinese };
PromptLanguage LanguageOf(std::string_view question);
std::string_view NameOf(PromptLanguage language);  // "en", "zh"

// The user's message: the texts, one behind the other, `evidence` once more where there is any, the
// question. Without texts and evidence it is the question alone, asked as it is asked with them.
std::string PromptOf(std::string_view question, std::span<const std::string_view> texts,
                     std::string_view evidence = {});

// The message of a further question about texts that an earlier message holds.
std::string FollowUpPromptOf(std::string_view question, std::string_view evidence = {});

// What the model's reply to a question about one sentence begins with: so opened it answers from
// the text and not from what it has learnt.
std::string_view ReplyOpening(PromptLanguage language);

}  // namespace tome
