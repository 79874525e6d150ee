#include "tome/retrieval/stop_words.h"

#include <algorithm>
#include <iterator>

namespace tome {
namespace {

// The words are sorted for binary search (a test checks it).
constexpr std::string_view kEnglish[] = {
    "a",      "about", "all",   "also",   "am",    "an",    "and",   "any",   "are",    "as",
    "at",     "be",    "been",  "being",  "but",   "by",    "can",   "could", "did",    "do",
    "does",   "doing", "done",  "each",   "every", "for",   "from",  "had",   "has",    "have",
    "having", "he",    "her",   "hers",   "him",   "his",   "how",   "i",     "if",     "in",
    "into",   "is",    "it",    "its",    "just",  "let",   "may",   "me",    "might",  "mine",
    "my",     "no",    "not",   "of",     "on",    "or",    "other", "our",   "ours",   "please",
    "s",      "shall", "she",   "should", "so",    "some",  "such",  "t",     "tell",   "than",
    "that",   "the",   "their", "them",   "then",  "there", "these", "they",  "this",   "those",
    "to",     "too",   "us",    "very",   "was",   "we",    "were",  "what",  "what's", "when",
    "where",  "which", "who",   "who's",  "whom",  "whose", "why",   "will",  "with",   "would",
    "you",    "your",  "yours",
};

constexpr std::string_view kChinese[] = {
    "一下",   "一个",   "上",   "下",   "不",   "不能", "与",     "个",   "中",     "为",
    "为什么", "为何",   "之",   "也",   "了",   "于",   "些",     "什么", "从",     "他",
    "以",     "以及",   "们",   "会",   "但",   "何",   "何时",   "你",   "你们",   "使",
    "使得",   "做",     "其",   "其中", "再",   "几",   "几个",   "到",   "及",     "又",
    "可",     "可以",   "各",   "吗",   "吧",   "呢",   "和",     "哪",   "哪个",   "哪些",
    "哪儿",   "哪里",   "啊",   "因为", "在",   "多少", "她",     "如何", "它",     "它们",
    "对",     "对于",   "将",   "就",   "就是", "应",   "应当",   "应该", "当",     "怎么",
    "怎么办", "怎么样", "怎样", "您",   "想",   "我",   "我们",   "或",   "或者",   "所",
    "所以",   "把",     "时",   "时候", "是",   "是否", "是否是", "有",   "有什么", "有没有",
    "有些",   "来",     "某",   "某个", "样",   "请",   "请问",   "着",   "能",     "能否",
    "能够",   "自己",   "若",   "被",   "要",   "该",   "让",     "谁",   "还",     "还是",
    "这",     "这个",   "这些", "这样", "那",   "那个", "那些",   "都",   "里",     "里面",
    "需",     "需要",   "须",   "的",   "得",   "之后", "之前",   "后",   "前",
};

}  // namespace

bool IsEnglishStopWord(std::string_view word) {
  return std::binary_search(std::begin(kEnglish), std::end(kEnglish), word);
}

bool IsChineseStopWord(std::string_view word) {
  return std::find(std::begin(kChinese), std::end(kChinese), word) != std::end(kChinese);
}

}  // namespace tome
