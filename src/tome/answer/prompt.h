// The words of prompts, in the language of the question. They are plain, with the texts first and
// the question last. They demand no format and offer no way to refuse. Small models follow such
// prompts best. Texts in front are read once and serve all questions about them.
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

// Returns the user's message: the texts one after the other, then `evidence` once more where there
// is any, then the question. Without texts and evidence it is the question in the same words.
std::string PromptOf(std::string_view question, std::span<const std::string_view> texts,
                     std::string_view evidence = {});

// Returns the message of a further question about texts that an earlier message holds.
std::string FollowUpPromptOf(std::string_view question, std::string_view evidence = {});

// Returns the words that the model's reply to a question about one sentence begins with. They make
// it answer from the text and not from what it has learnt.
std::string_view ReplyOpening(PromptLanguage language);

}  // namespace tome
