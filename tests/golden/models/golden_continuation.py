"""Chooses tokens whose greedy continuation is clear, and measures deviations from a reference."""

import numpy as np

import golden_weights

LENGTH = 512
CONTINUATION = 32
VOCABULARY = 64
# The least margin of the best token's logit over the next one's, in each step of the continuation.
LEAST_MARGIN = 0.02
LEAST_DIFFERENT = 8  # different tokens in the continuation


def deviation(found, expected):
    """Returns the greatest difference in any row, relative to the row's largest magnitude."""
    return float((np.abs(found - expected).max(axis=1) / np.abs(expected).max(axis=1)).max())


def choose_tokens(name, logits, prompt):
    """Returns a seed, its tokens, their greedy continuation and the least margin in it.

    `logits` is a function from tokens to a row of logits for each token. `prompt` is the number of
    tokens that are continued.
    """
    for attempt in range(200):
        seed = f"tokens/{name}/{attempt}"
        tokens = golden_weights.tokens(seed, LENGTH, VOCABULARY)
        sequence, margin = list(tokens[:prompt]), np.inf
        while len(sequence) < prompt + CONTINUATION and margin >= LEAST_MARGIN:
            row = logits(np.array(sequence))[-1]
            best, second = np.argsort(-row)[:2]
            margin = min(margin, float(row[best] - row[second]))
            sequence.append(int(best))
        greedy = np.array(sequence[prompt:], np.int32)
        if margin >= LEAST_MARGIN and len(set(greedy)) >= LEAST_DIFFERENT:
            return seed, tokens, greedy, margin
    raise SystemExit(f"{name}: no tokens with a margin of {LEAST_MARGIN}; lower it")
