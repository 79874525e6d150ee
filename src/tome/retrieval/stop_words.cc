#include "tome/retrieval/stop_words.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "tome/text/han_folding.h"
#include "tome/text/unicode.h"

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
    "需",     "需要",   "须",   "的",   "得",   "之后", "之前",   "后",   "前",     "没有",
    "没",     "不是",   "不会", "不要", "不可", "他们", "她们",   "咱们", "究竟",   "到底",
    "啥",     "咋",     "有何", "何处", "何种", "难道", "么",     "嘛",   "而",     "并",
    "由",     "过",     "给",   "很",   "才",   "才能", "如果",   "的话", "只",     "只能",
};

constexpr std::string_view kChineseQuestionPhrases[] = {
    "什么时候", "什么时间", "什么时刻", "啥时候",   "何时",     "几时",     "几点钟",   "几点",
    "哪一年",   "哪年",     "哪一天",   "哪天",     "什么地方", "哪里",     "哪儿",     "何地",
    "何处",     "哪边",     "什么东西", "什么事情", "什么事",   "什么样子", "什么样的", "什么样",
    "什么意思", "什么原因", "什么人",   "叫什么",   "干什么",   "做什么",   "什么",     "啥",
    "哪一个",   "哪几个",   "哪个",     "哪一种",   "哪几种",   "哪种",     "哪一位",   "哪位",
    "哪些",     "何种",     "哪国",     "为什么",   "为何",     "为啥",     "怎么回事", "怎么样",
    "怎么办",   "怎么会",   "怎么",     "怎样",     "咋样",     "咋办",     "如何",     "多少钱",
    "多少个",   "多少次",   "多少",     "多长时间", "多久",     "多长",     "多大",     "多远",
    "多高",     "多快",     "多深",     "多宽",     "几个",     "几种",     "几次",     "几岁",
    "第几",     "好几",     "有没有",   "没有",     "是不是",   "能不能",   "会不会",   "要不要",
    "可不可以", "能否",     "是否",     "可否",     "有无",     "好不好",   "行不行",   "对不对",
    "不是",     "到底",     "究竟",     "请问",
};

std::string FoldedWord(std::string_view word) {
  std::string folded;
  for (uint64_t offset = 0; offset < word.size();) {
    AppendUtf8(FoldHan(NextCodePoint(word, offset)), folded);
  }
  return folded;
}

// The words are written as a reader knows them, and compared folded.
std::vector<std::string> Folded(std::span<const std::string_view> words) {
  std::vector<std::string> folded;
  for (const std::string_view word : words) folded.push_back(FoldedWord(word));
  return folded;
}

}  // namespace

bool IsEnglishStopWord(std::string_view word) {
  return std::binary_search(std::begin(kEnglish), std::end(kEnglish), word);
}

bool IsChineseStopWord(std::string_view word) {
  static const std::vector<std::string> words = Folded(kChinese);
  return std::find(words.begin(), words.end(), word) != words.end();
}

size_t ChineseQuestionPhraseAt(std::string_view text) {
  static const std::vector<std::string> phrases = Folded(kChineseQuestionPhrases);
  size_t longest = 0;
  for (const std::string& phrase : phrases) {
    if (phrase.size() > longest && text.starts_with(phrase)) longest = phrase.size();
  }
  return longest;
}

}  // namespace tome
