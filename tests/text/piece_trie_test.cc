#include "tome/text/tokenizer/piece_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tome/text/tokenizer/piece_index.h"

namespace tome {
namespace {

using Matches = std::vector<std::pair<size_t, TokenId>>;

Matches PrefixesOf(const PieceTrie& trie, std::string_view text) {
  Matches matches;
  trie.ForEachPrefix(text, [&](size_t bytes, TokenId id) { matches.emplace_back(bytes, id); });
  return matches;
}

TEST(PieceTrieTest, FindsWhatATextBeginsWith) {
  const std::vector<std::string> pieces{"a", "ab", "abcd", "b", "", "\xFF\x00\xFF", "ab"};
  std::vector<std::pair<std::string_view, TokenId>> entries;
  for (size_t i = 0; i < pieces.size(); ++i)
    entries.emplace_back(pieces[i], static_cast<TokenId>(i));
  const PieceTrie trie(entries);
  EXPECT_EQ(PrefixesOf(trie, "abcde"), (Matches{{1, 0}, {2, 1}, {4, 2}}));
  EXPECT_EQ(PrefixesOf(trie, "abc"), (Matches{{1, 0}, {2, 1}}));
  EXPECT_EQ(PrefixesOf(trie, "c"), Matches{});
  EXPECT_EQ(PrefixesOf(trie, ""), Matches{});
  EXPECT_EQ(PrefixesOf(PieceTrie(), "a"), Matches{});
}

// Compares the trie and the hash table with an ordinary map, on random pieces over few and over all
// bytes.
TEST(PieceTrieTest, EqualsAMapOnRandomPieces) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const unsigned alphabet : {2U, 20U, 256U}) {
    std::map<std::string, TokenId> map;
    std::vector<std::string> pieces;
    const auto random_text = [&] {
      std::string text;
      for (size_t n = random() % 12; n-- > 0;) text += static_cast<char>(random() % alphabet);
      return text;
    };
    for (TokenId id = 0; id < 5000; ++id) {
      pieces.push_back(random_text());
      if (!pieces.back().empty()) map.emplace(pieces.back(), id);
    }
    std::vector<std::pair<std::string_view, TokenId>> entries;
    for (size_t i = 0; i < pieces.size(); ++i)
      entries.emplace_back(pieces[i], static_cast<TokenId>(i));
    const PieceTrie trie(entries);
    const PieceIndex index(pieces);
    for (int round = 0; round < 5000; ++round) {
      const std::string text = random_text();
      Matches expected;
      for (size_t n = 1; n <= text.size(); ++n) {
        const auto it = map.find(text.substr(0, n));
        if (it != map.end()) expected.emplace_back(n, it->second);
      }
      ASSERT_EQ(PrefixesOf(trie, text), expected);
      const auto it = map.find(text);
      ASSERT_EQ(index.Find(text), it == map.end() ? std::nullopt : std::optional(it->second));
    }
  }
}

}  // namespace
}  // namespace tome
