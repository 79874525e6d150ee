// Folds the Chinese characters that one orthography writes for another: traditional and simplified
// ones, and the variants of Taiwan and Hong Kong. 後 and 后 fold to one character, 裡, 裏 and 里 to
// one, 臺, 檯, 颱 and 台 to one.
//
// Folding is for comparing texts, not for reading them. All characters that any table of OpenCC
// puts beside each other fold to the same one, whatever the words around them say (乾 and 幹 fold
// to 干 even in 乾隆). So two texts that differ only in orthography are always equal after folding,
// which a conversion by phrases does not promise.
#pragma once

#include <string_view>

namespace tome {

// Returns the character that stands for `c` and all that are written for it; `c` itself where no
// other is. Characters of the Basic Multilingual Plane fold to such. Costs a load from a table.
char32_t FoldHan(char32_t c);

// Names the content of the tables; texts folded under another name may differ.
std::string_view HanFoldingVersion();

}  // namespace tome
