// Writes the table of han_folding.cc from OpenCC's dictionaries, while Tome is built:
//
//   make_han_folding TSCharacters.txt DICTIONARY.txt… > han_folding_table.inc
//
// A dictionary is what `opencc_dict` prints: a line for each character or phrase, a tab, and what
// is written for it, separated by spaces. Each character and each single character written for it
// are put into one class; classes that share a character are joined. A class folds to the one of
// its characters that the first dictionary, from traditional to simplified, most often names first.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr char32_t kFirst = 0x3400;  // CJK Extension A and the unified ideographs
constexpr char32_t kLast = 0x9FFF;

// Returns the only character of `utf8`, and 0 where it holds another number of them.
char32_t OnlyCharacter(const std::string& utf8) {
  if (utf8.empty()) return 0;
  const auto lead = static_cast<unsigned char>(utf8[0]);
  const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (utf8.size() != size) return 0;
  char32_t c = size == 1 ? lead : lead & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) c = (c << 6) | (static_cast<unsigned char>(utf8[i]) & 0x3F);
  return c;
}

class Classes {
 public:
  void Join(char32_t a, char32_t b) { parents_[RootOf(a)] = RootOf(b); }
  // Notes that `to` is the first choice for some character.
  void Prefer(char32_t to) { ++preferred_[to]; }

  // Returns what each character folds to, without those that fold to themselves.
  std::map<char32_t, char32_t> Foldings() {
    std::map<char32_t, std::vector<char32_t>> members;
    const std::map<char32_t, char32_t> parents = parents_;  // RootOf writes into parents_
    for (const auto& [c, parent] : parents) members[RootOf(c)].push_back(c);
    std::map<char32_t, char32_t> foldings;
    for (const auto& [root, all] : members) {
      const char32_t chosen =
          *std::min_element(all.begin(), all.end(), [&](char32_t a, char32_t b) {
            if ((a > 0xFFFF) != (b > 0xFFFF)) return b > 0xFFFF;
            return preferred_[a] != preferred_[b] ? preferred_[a] > preferred_[b] : a < b;
          });
      for (const char32_t c : all) {
        if (c != chosen) foldings[c] = chosen;
      }
    }
    return foldings;
  }

 private:
  char32_t RootOf(char32_t c) {
    parents_.try_emplace(c, c);
    while (parents_[c] != c) c = parents_[c];
    return c;
  }

  std::map<char32_t, char32_t> parents_;
  std::map<char32_t, int> preferred_;
};

bool Read(const char* path, bool to_simplified, Classes& classes) {
  std::ifstream file(path);
  size_t characters = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const char32_t from = OnlyCharacter(line.substr(0, tab));
    if (from == 0) continue;
    std::istringstream written(line.substr(tab + 1));
    bool first = true;
    for (std::string one; written >> one; first = false) {
      const char32_t to = OnlyCharacter(one);
      if (to == 0) continue;
      classes.Join(from, to);
      if (first && to_simplified) classes.Prefer(to);
      ++characters;
    }
  }
  if (characters == 0) std::fprintf(stderr, "%s: holds no characters\n", path);
  return characters > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Classes classes;
  if (argc < 2) {
    std::fprintf(stderr, "usage: make_han_folding TSCharacters.txt DICTIONARY.txt...\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    if (!Read(argv[i], i == 1, classes)) return 1;
  }
  const std::map<char32_t, char32_t> foldings = classes.Foldings();
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  std::ostringstream rare;
  for (const auto& [from, to] : foldings) {
    for (const char32_t c : {from, to}) hash = (hash ^ c) * 0x100000001B3;
    if (from > 0xFFFF) {
      rare << "    {" << static_cast<uint32_t>(from) << ", " << static_cast<uint32_t>(to) << "},\n";
    } else if (from < kFirst || from > kLast || to > 0xFFFF) {
      std::fprintf(stderr, "U+%04X: the table has no place for it\n", static_cast<unsigned>(from));
      return 1;
    }
  }
  std::cout << "constexpr size_t kFirstFolded = " << static_cast<uint32_t>(kFirst) << ";\n"
            << "constexpr std::string_view kVersion = \"" << std::hex << hash << std::dec << "\";\n"
            << "constexpr char16_t kFolded[] = {";
  for (char32_t c = kFirst; c <= kLast; ++c) {
    const auto found = foldings.find(c);
    std::cout << ((c - kFirst) % 16 == 0 ? "\n    " : " ")
              << static_cast<uint32_t>(found == foldings.end() ? c : found->second) << ",";
  }
  std::cout << "\n};\nconstexpr RareFolding kRareFoldings[] = {\n" << rare.str() << "};\n";
  return std::cout.flush() ? 0 : 1;
}
