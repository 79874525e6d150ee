// Random tokens, for measurements that do not depend on the tokens.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {

// Returns `count` tokens, drawn from `vocabulary` tokens with equal probability.
inline std::vector<TokenId> RandomTokens(std::mt19937& random, int64_t count, int64_t vocabulary) {
  std::uniform_int_distribution<TokenId> any(0, static_cast<TokenId>(vocabulary - 1));
  std::vector<TokenId> tokens(static_cast<size_t>(count));
  for (TokenId& token : tokens) token = any(random);
  return tokens;
}

}  // namespace tome
