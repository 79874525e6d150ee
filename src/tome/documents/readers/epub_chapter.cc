#include "tome/documents/readers/epub_chapter.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tome {
namespace {

// A part begins with a heading among its first blocks. "PART ONE", an epigraph or a picture's
// caption may stand before it.
constexpr size_t kTopBlocks = 3;
// Longer blocks are not compared with titles.
constexpr size_t kMaxTitleBlockBytes = 1000;
constexpr size_t kNone = static_cast<size_t>(-1);

// Returns the form in which a title of normalized text is compared.
std::string TitleKey(std::string_view title) {
  constexpr std::string_view ideographic_space = "\u3000";
  std::string key;
  for (size_t i = 0; i < title.size(); ++i) {
    const char c = title[i];
    if (c == ' ' || c == '\n' || c == '\t') continue;
    if (title.substr(i).starts_with(ideographic_space)) {
      i += ideographic_space.size() - 1;
      continue;
    }
    key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return key;
}

// OpenEntries holds the entries that no block was found for yet, by the key of their title.
class OpenEntries {
 public:
  explicit OpenEntries(std::span<const ContentsEntry> entries) {
    for (size_t i = entries.size(); i-- > 0;) by_key_[TitleKey(entries[i].title)].push_back(i);
  }

  // Returns the first open entry with this title and closes it, or kNone.
  size_t Take(std::string_view title) {
    const auto found = by_key_.find(TitleKey(title));
    if (found == by_key_.end() || found->second.empty()) return kNone;
    const size_t index = found->second.back();
    found->second.pop_back();
    return index;
  }

 private:
  std::unordered_map<std::string, std::vector<size_t>> by_key_;
};

struct Block {
  std::string_view text;
  const Section* section = nullptr;      // section of the chapter whose heading the block is
  const ContentsEntry* entry = nullptr;  // entry whose title the block is
};

std::vector<Block> SplitBlocks(const Document& chapter) {
  std::vector<Block> blocks;
  const std::string_view text = chapter.text;
  auto section = chapter.sections.begin();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find("\n\n", begin), text.size());
    Block block{.text = text.substr(begin, end - begin)};
    for (; section != chapter.sections.end() && section->span.begin <= begin; ++section) {
      block.section = &*section;
    }
    blocks.push_back(block);
    begin = end + 2;
  }
  return blocks;
}

// Gives blocks their entries, headings first. Returns for each entry whether a block was found.
std::vector<bool> MatchTitles(std::span<const ContentsEntry> entries, std::vector<Block>& blocks) {
  std::vector<bool> matched(entries.size(), false);
  if (entries.empty()) return matched;
  OpenEntries open(entries);
  for (const bool headings : {true, false}) {
    for (Block& block : blocks) {
      if ((block.section != nullptr) != headings || block.text.size() > kMaxTitleBlockBytes) {
        continue;
      }
      const size_t index = open.Take(block.text);
      if (index == kNone) continue;
      block.entry = &entries[index];
      matched[index] = true;
    }
  }
  return matched;
}

// Returns the entry that stands for the whole part, or null. It is the first one with a link, if no
// block is its title and it leads to the part's top or is the last entry.
const ContentsEntry* TopEntry(std::span<const ContentsEntry> entries,
                              const std::vector<bool>& matched) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].has_link) continue;
    const bool alone = i + 1 == entries.size();
    return matched[i] || (entries[i].has_fragment && !alone) ? nullptr : &entries[i];
  }
  return nullptr;
}

Block* TopHeading(std::vector<Block>& blocks) {
  for (size_t i = 0; i < std::min(blocks.size(), kTopBlocks); ++i) {
    if (blocks[i].section != nullptr) return &blocks[i];
  }
  return nullptr;
}

int HighestLevel(const std::vector<Section>& sections) {
  int level = sections.empty() ? 1 : sections.front().level;
  for (const Section& section : sections) level = std::min(level, section.level);
  return level;
}

void AppendLines(std::string_view text, DocumentBuilder& builder) {
  builder.EndBlock();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    builder.Line(text.substr(begin, end - begin));
    begin = end + 1;
  }
  builder.EndBlock();
}

}  // namespace

void ChapterJoiner::Append(const Document& chapter, std::span<const ContentsEntry> entries) {
  for (const Note& note : chapter.notes) builder_.AddNote(note);
  std::vector<Block> blocks = SplitBlocks(chapter);
  const std::vector<bool> matched = MatchTitles(entries, blocks);

  // Entries without link ("Part One") stand above the entry whose part this is.
  for (size_t i = 0; i < entries.size() && !entries[i].has_link; ++i) {
    if (!matched[i]) builder_.BeginSection(entries[i].level, entries[i].title);
  }
  if (const ContentsEntry* top = TopEntry(entries, matched)) {
    Block* heading = TopHeading(blocks);
    if (heading != nullptr) {
      if (heading->entry == nullptr) heading->entry = top;
    } else if (!blocks.empty() || top->has_children) {
      builder_.BeginSection(top->level, top->title);
      shift_ = top->level + 1 - HighestLevel(chapter.sections);
    }
  }
  for (const Block& block : blocks) {
    if (block.section != nullptr) {
      if (block.entry != nullptr) shift_ = block.entry->level - block.section->level;
      builder_.BeginSection(block.section->level + shift_, block.section->title);
    } else if (block.entry != nullptr) {
      builder_.BeginSection(block.entry->level, block.entry->title);
    }
    AppendLines(block.text, builder_);
  }
}

}  // namespace tome
