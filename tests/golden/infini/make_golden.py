#!/usr/bin/env python3
"""Writes golden logits of tiny models with Infini-attention, in double precision from the paper.

    make_golden.py

Writes config.json and golden.safetensors into the folder of each variant, and the figures that
README.md explains into golden.json. Requires the packages of
requirements.txt.
"""

import json
import pathlib
import platform
import sys

import numpy as np
import safetensors.numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "models"))
import golden_weights  # noqa: E402
from golden_continuation import VOCABULARY, choose_tokens, deviation  # noqa: E402

PROMPT = 200

BASE = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": VOCABULARY, "max_position_embeddings": 1024, "rms_norm_eps": 1e-3,
    "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "float32",
}
VARIANTS = {
    # 512 is no multiple of 100, and 64 is a KV page.
    "llama-linear": {"architectures": ["InfiniLlamaForCausalLM"], "model_type": "infini_llama", **BASE,
                     "infini": {"segment_length": 100, "update": "linear"}},
    "qwen2-delta": {"architectures": ["InfiniQwen2ForCausalLM"], "model_type": "infini_qwen2", **BASE,
                    "infini": {"segment_length": 64, "update": "delta"}},
    "qwen3-delta": {"architectures": ["InfiniQwen3ForCausalLM"], "model_type": "infini_qwen3", **BASE, "head_dim": 24,
                    "infini": {"segment_length": 45, "update": "delta"}},
}


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def sigma(x):
    """Returns ELU(x) + 1."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


class Model:
    def __init__(self, config, **faults):
        self.config, self.faults = config, faults

    def weight(self, name, *shape):
        return golden_weights.tensor(name, shape, "infini").astype(np.float64)

    def norm(self, x, name):
        return (x / np.sqrt((x**2).mean(-1, keepdims=True) + self.config["rms_norm_eps"])
                * self.weight(name, x.shape[-1]))

    def rotate(self, x):
        """Applies RoPE to [tokens, heads, size], with pairs of channels (i, i + size / 2)."""
        length, _, size = x.shape
        angle = np.arange(length)[:, None] * self.config["rope_theta"] ** (-np.arange(0, size, 2) / size)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        a, b = x[..., : size // 2], x[..., size // 2:]
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], -1)

    def attention(self, q, k, v, gates):
        """Returns the attended values, [tokens, heads, size].

        q, k and v are [tokens, heads, size], with a key head for each query head. gates is [heads].
        """
        segment, delta = self.config["infini"]["segment_length"], self.config["infini"]["update"] == "delta"
        length, heads, size = q.shape
        turned_q, turned_k = self.rotate(q), self.rotate(k)
        out = np.zeros_like(q)
        for h in range(heads):
            memory, total = np.zeros((size, size)), np.zeros(size)

            def recall(features):
                denominator = features @ total
                return np.divide(features @ memory, denominator[:, None], where=denominator[:, None] > 0,
                                 out=np.zeros_like(features))

            for begin in range(0, length, segment):
                part = slice(begin, min(begin + segment, length))
                count = part.stop - part.start
                scores = turned_q[part, h] @ turned_k[part, h].T / np.sqrt(size)
                scores[np.triu_indices(count, 1)] = -np.inf
                local = softmax(scores) @ v[part, h]
                features = sigma(q[part, h])
                if self.faults.get("update_first"):
                    memory, total = self.learn(k[part, h], v[part, h], memory, total, recall, delta)
                share = 1 / (1 + np.exp(-gates[h]))
                out[part, h] = share * recall(features) + (1 - share) * local
                if not self.faults.get("update_first"):
                    memory, total = self.learn(k[part, h], v[part, h], memory, total, recall, delta)
        return out

    @staticmethod
    def learn(k, v, memory, total, recall, delta):
        features = sigma(k)
        return memory + features.T @ (v - recall(features) if delta else v), total + features.sum(0)

    def __call__(self, tokens):
        c = self.config
        d, f, heads, kv_heads = (c[key] for key in ("hidden_size", "intermediate_size", "num_attention_heads",
                                                    "num_key_value_heads"))
        size = c.get("head_dim", d // heads)
        x = self.weight("model.embed_tokens.weight", VOCABULARY, d)[tokens]
        for layer in range(c["num_hidden_layers"]):
            name = f"model.layers.{layer}."
            u = self.norm(x, name + "input_layernorm.weight")

            def project(letter, count):
                y = u @ self.weight(f"{name}self_attn.{letter}_proj.weight", count * size, d).T
                if c["model_type"] == "infini_qwen2":
                    y = y + self.weight(f"{name}self_attn.{letter}_proj.bias", count * size)
                y = y.reshape(len(tokens), count, size)
                if c["model_type"] == "infini_qwen3" and letter != "v":
                    y = self.norm(y, f"{name}self_attn.{letter}_norm.weight")
                return y

            q, k, v = project("q", heads), project("k", kv_heads), project("v", kv_heads)
            k, v = (np.repeat(y, heads // kv_heads, axis=1) for y in (k, v))
            o = self.attention(q, k, v, self.weight(name + "self_attn.gate", heads))
            x = x + o.reshape(len(tokens), -1) @ self.weight(name + "self_attn.o_proj.weight", d, heads * size).T
            u = self.norm(x, name + "post_attention_layernorm.weight")
            gate, up = (u @ self.weight(f"{name}mlp.{p}_proj.weight", f, d).T for p in ("gate", "up"))
            x = x + (gate / (1 + np.exp(-gate)) * up) @ self.weight(name + "mlp.down_proj.weight", d, f).T
        return self.norm(x, "model.norm.weight") @ self.weight("lm_head.weight", VOCABULARY, d).T


def main():
    figures = {"versions": {"python": platform.python_version(), "numpy": np.__version__}, "variants": {}}
    for name, config in VARIANTS.items():
        model = Model(config)
        seed, tokens, greedy, margin = choose_tokens(f"infini-{name}", model, PROMPT)
        expected = model(tokens)
        infini = config["infini"]
        other = {"linear": "delta", "delta": "linear"}[infini["update"]]
        faults = {
            "the other update": Model({**config, "infini": {**infini, "update": other}}),
            "segment one longer": Model({**config, "infini": {**infini, "segment_length": infini["segment_length"] + 1}}),
            "update before retrieval": Model(config, update_first=True),
        }
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        safetensors.numpy.save_file({"tokens": tokens, "greedy": greedy, "logits": expected.astype(np.float32)},
                                    folder / "golden.safetensors")
        figures["variants"][name] = {"tokens_seed": seed, "greedy_margin": margin,
                                     "sensitivity": {what: deviation(faulty(tokens), expected)
                                                     for what, faulty in faults.items()}}
        print(name, figures["variants"][name], flush=True)
    (HERE / "golden.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
