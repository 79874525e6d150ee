"""Tokens whose greedy continuation is decided clearly, and how far logits are from a reference."""

import numpy as np

import golden_weights

LENGTH = 512
CONTINUATION = 32
VOCABULARY = 64
LEAST_MARGIN = 0.02  # of the best token's logit over the next one's, in each step of the continuation
LEAST_DIFFERENT = 8  # tokens in the continuation


def deviation(found, expected):
    """Greatest difference of a row, relative to the row's largest magnitude, over all rows."""
    return float((np.abs(found - expected).max(axis=1) / np.abs(expected).max(axis=1)).max())


def choose_tokens(name, logits, prompt):
    """`logits`: tokens to a row of logits each; `prompt`: the number of tokens that are continued."""
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
