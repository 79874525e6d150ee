#!/usr/bin/env python3
"""Writes golden logits of texts beyond a trained length: Dual Chunk Attention and streaming.

    make_long_golden.py

The decoder computes in double precision and stores every score of a text. For each pair of a query
and a key it stores whether the query sees the key, and their distance for RoPE: M of section 3 of
arXiv 2402.17463, and the distances in the cache of arXiv 2309.17453. Queries and keys are not
rotated by a position. The distance alone rotates the product of each pair of channels. Writes
qwen2-dca/ (config.json, golden.safetensors) and llama/streaming.safetensors. Requires numpy
and safetensors of requirements.txt.
"""

import json
import pathlib

import numpy as np
import safetensors.numpy

import golden_weights
from variants import LONG_VARIANTS, VARIANTS, VOCABULARY

HERE = pathlib.Path(__file__).resolve().parent
LENGTH = 512
PROMPT = 64
CONTINUATION = 32
LEAST_MARGIN = 0.02
PAGE = 64
SINKS = 64
STREAM_WINDOW = 128


class Pairs:
    """The pairs of T tokens.

    seen [i, j] says whether token i sees token j, distance [i, j] is their distance for RoPE, and
    factor [i] multiplies the scores of i.
    """

    def __init__(self, seen, distance, factor):
        self.seen, self.distance, self.factor = seen, distance, factor


def causal(count):
    i, j = np.arange(count)[:, None], np.arange(count)[None]
    return i, j, j <= i


def plain(count):
    i, j, seen = causal(count)
    return Pairs(seen, i - j, np.ones(count))


def dual_chunk(count, config):
    i, j, seen = causal(count)
    c, trained = config["chunk_size"], config["original_max_position_embeddings"]
    s = c - config["local_size"]
    key = j % s
    intra = i % s - key
    successive = np.minimum(i % s + s, c) - key
    inter = np.minimum(2 * s - 1, c) - key
    apart = i // s - j // s
    distance = np.where(apart == 0, intra, np.where(apart == 1, successive, inter))
    seen_tokens = np.arange(1, count + 1)
    return Pairs(seen, distance, np.maximum(1, 0.1 * np.log(seen_tokens / trained) + 1))


def streaming(count):
    """Returns the pairs of a streaming memory, whose distances are those of places in the cache.

    The place of a token is the number of seen tokens before it.
    """
    i, j, seen = causal(count)
    seen = seen & ((j < SINKS) | (j // PAGE >= i // PAGE - STREAM_WINDOW // PAGE))
    place = np.cumsum(seen, axis=1) - 1
    own = place[np.arange(count), np.arange(count)][:, None]
    return Pairs(seen, own - place, np.ones(count))


def norm(x, weight, eps):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps) * weight


def logits(config, tokens, pairs):
    def weight(name, *shape):
        return golden_weights.tensor(name, shape, config["model_type"]).astype(np.float64)

    d, f, heads, kv_heads = (config[key] for key in ("hidden_size", "intermediate_size", "num_attention_heads",
                                                     "num_key_value_heads"))
    size, eps = d // heads, config["rms_norm_eps"]
    half = size // 2
    frequencies = config["rope_theta"] ** (-np.arange(half) / half)
    embedding = weight("model.embed_tokens.weight", config["vocab_size"], d)
    x = embedding[tokens]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."

        def linear(name, y, rows, columns, bias=False):
            out = y @ weight(prefix + name + ".weight", rows, columns).T
            return out + weight(prefix + name + ".bias", rows) if bias else out

        y = norm(x, weight(prefix + "input_layernorm.weight", d), eps)
        biased = config["model_type"] == "qwen2"
        q = linear("self_attn.q_proj", y, heads * size, d, biased).reshape(-1, heads, size)
        k = linear("self_attn.k_proj", y, kv_heads * size, d, biased).reshape(-1, kv_heads, size)
        v = linear("self_attn.v_proj", y, kv_heads * size, d, biased).reshape(-1, kv_heads, size)
        # A pair of channels is a complex number, which RoPE multiplies by e^(i ω position).
        q = q[..., :half] + 1j * q[..., half:]
        k = k[..., :half] + 1j * k[..., half:]
        attended = np.empty((len(tokens), heads, size))
        for h in range(heads):
            g = h // (heads // kv_heads)
            scores = np.zeros((len(tokens), len(tokens)))
            for channel, frequency in enumerate(frequencies):
                turn = np.exp(1j * frequency * pairs.distance)
                scores += (q[:, None, h, channel] * np.conj(k[None, :, g, channel]) * turn).real
            scores *= pairs.factor[:, None] / np.sqrt(size)
            scores = np.where(pairs.seen, scores, -np.inf)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            attended[:, h] = weights / weights.sum(axis=1, keepdims=True) @ v[:, g]
        x = x + linear("self_attn.o_proj", attended.reshape(len(tokens), -1), d, heads * size)
        y = norm(x, weight(prefix + "post_attention_layernorm.weight", d), eps)
        gate = linear("mlp.gate_proj", y, f, d)
        up = linear("mlp.up_proj", y, f, d)
        x = x + linear("mlp.down_proj", gate / (1 + np.exp(-gate)) * up, d, f)
    head = embedding if config["tie_word_embeddings"] else weight("lm_head.weight", config["vocab_size"], d)
    return norm(x, weight("model.norm.weight", d), eps) @ head.T


def continuation(config, prompt, pairs_of):
    sequence, margin = list(prompt), np.inf
    while len(sequence) < len(prompt) + CONTINUATION and margin >= LEAST_MARGIN:
        row = logits(config, np.array(sequence), pairs_of(len(sequence)))[-1]
        best, second = np.argsort(-row)[:2]
        margin = min(margin, float(row[best] - row[second]))
        sequence.append(int(best))
    return np.array(sequence[len(prompt):], np.int32), margin


def choose_tokens(name, config, pairs_of):
    for attempt in range(200):
        seed = f"tokens/{name}/{attempt}"
        tokens = golden_weights.tokens(seed, LENGTH, VOCABULARY)
        greedy, margin = continuation(config, tokens[:PROMPT], pairs_of)
        if margin >= LEAST_MARGIN:
            return seed, tokens, greedy
    raise SystemExit(f"{name}: no tokens with a margin of {LEAST_MARGIN}; lower it")


def save(path, seed, tokens, rows, **more):
    safetensors.numpy.save_file({"tokens": tokens, "logits": rows.astype(np.float32), **more}, path,
                                metadata={"tokens_seed": seed})


def compare_with_transformers():
    """Compares the decoder, without context extension, with goldens that transformers computed."""
    for name in ("llama", "qwen2"):
        golden = safetensors.numpy.load_file(HERE / name / "golden.safetensors")
        rows = logits(VARIANTS[name], golden["tokens"], plain(LENGTH))
        deviation = np.abs(rows - golden["logits"]).max(axis=1) / np.abs(golden["logits"]).max(axis=1)
        print(f"{name}: {deviation.max():.2e} from transformers")
        assert deviation.max() < 2e-5


def main():
    compare_with_transformers()
    config = LONG_VARIANTS["qwen2-dca"]
    (HERE / "qwen2-dca").mkdir(exist_ok=True)
    (HERE / "qwen2-dca" / "config.json").write_text(json.dumps(dict(sorted(config.items())), indent=2) + "\n")
    dca = config["dual_chunk_attention_config"]
    seed, tokens, greedy = choose_tokens("qwen2-dca", config, lambda count: dual_chunk(count, dca))
    rows = logits(config, tokens, dual_chunk(LENGTH, dca))
    save(HERE / "qwen2-dca" / "golden.safetensors", seed, tokens, rows, greedy=greedy)
    without = logits(config, tokens, plain(LENGTH))
    print(f"qwen2-dca: without it {np.abs(rows - without).max():.2f} off; {seed}")
    seed = "tokens/llama/streaming"
    tokens = golden_weights.tokens(seed, LENGTH, VOCABULARY)
    rows = logits(VARIANTS["llama"], tokens, streaming(LENGTH))
    save(HERE / "llama" / "streaming.safetensors", seed, tokens, rows)
    without = logits(VARIANTS["llama"], tokens, plain(LENGTH))
    print(f"streaming: without it {np.abs(rows - without).max():.2f} off")


if __name__ == "__main__":
    main()
