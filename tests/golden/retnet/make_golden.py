#!/usr/bin/env python3
"""Writes the golden logits of tiny RetNets as torchscale computes them.

    make_golden.py

Writes config.json and golden.safetensors into the folder of each variant, and the figures that
README.md explains into golden.json. requirements.txt says how
to install what it requires.
"""

import contextlib
import json
import pathlib
import platform
import sys
import types

import numpy as np
import safetensors.numpy
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "models"))
import golden_weights  # noqa: E402
from golden_continuation import VOCABULARY, choose_tokens, deviation  # noqa: E402


def stand_in(name, *functions):
    """Replaces a module that torchscale imports.

    torchscale needs it only for training on several machines or for dropped paths.
    """
    module = types.ModuleType(name)
    for function in functions:
        setattr(module, function, None)
    sys.modules[name] = module


stand_in("fairscale")
stand_in("fairscale.nn", "checkpoint_wrapper", "wrap")
stand_in("timm")
stand_in("timm.models")
stand_in("timm.models.layers", "drop_path")
from torchscale.architecture.config import RetNetConfig  # noqa: E402
from torchscale.architecture.retnet import RetNetDecoder  # noqa: E402

PROMPT = 64

BASE = {
    "model_type": "retnet", "vocab_size": VOCABULARY, "decoder_embed_dim": 64, "decoder_value_embed_dim": 112,
    "decoder_retention_heads": 4, "decoder_ffn_embed_dim": 96, "decoder_layers": 3, "activation_fn": "swish",
    "no_scale_embedding": True, "layernorm_eps": 1e-6, "recurrent_chunk_size": 64,
    "share_decoder_input_output_embed": False,
}
VARIANTS = {
    "swish": BASE,
    # Of 24 heads, those beyond the twentieth do not forget, since 1 - 2^-25 is 1 in float32.
    "gelu-heads": {**BASE, "decoder_embed_dim": 96, "decoder_value_embed_dim": 192, "decoder_retention_heads": 24,
                   "decoder_layers": 2, "activation_fn": "gelu"},
    "scaled-tied": {**BASE, "no_scale_embedding": False, "share_decoder_input_output_embed": True,
                    "layernorm_embedding": True},
    "deepnorm": {**BASE, "deepnorm": True, "subln": False},
}
FLA = {
    "architectures": ["RetNetForCausalLM"], "model_type": "retnet", "vocab_size": VOCABULARY, "hidden_size": 64,
    "num_hidden_layers": 3, "num_heads": 4, "num_kv_heads": None, "expand_k": 0.5, "expand_v": 1.5, "hidden_ratio": 2,
    "intermediate_size": 96, "hidden_act": "swish", "feature_map": None, "use_short_conv": False, "fuse_norm": True,
    "use_output_gate": True, "norm_eps": 1e-5, "attn": None, "tie_word_embeddings": False,
}


@contextlib.contextmanager
def everything_in_float64():
    """Makes torchscale compute in double precision even where it asks for float32 by name.

    It does so in norms, activations and decays.
    """
    float32, cast = torch.float32, torch.Tensor.float
    try:
        torch.float, torch.float32, torch.Tensor.float = torch.float64, torch.float64, torch.Tensor.double
        torch.set_default_dtype(torch.float64)
        yield
    finally:
        torch.float, torch.float32, torch.Tensor.float = float32, float32, cast
        torch.set_default_dtype(float32)


def build(config, chunkwise=False):
    settings = {key: value for key, value in config.items() if key != "model_type"}
    parsed = RetNetConfig(**settings, chunkwise_recurrent=chunkwise)
    model = RetNetDecoder(parsed, embed_tokens=torch.nn.Embedding(VOCABULARY, parsed.decoder_embed_dim)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = golden_weights.tensor(name, tuple(parameter.shape), config["model_type"])
            parameter.copy_(torch.from_numpy(value))
        # The decay is computed in float32 even for double precision, because it decides which heads
        # forget.
        heads = np.arange(config["decoder_retention_heads"], dtype=np.float32)
        gamma = (np.float32(1) - np.exp2(-5 - heads)).astype(np.float64)
        model.retnet_rel_pos.decay.copy_(torch.from_numpy(np.log(gamma)))
    return model


def parallel(model, tokens):
    if isinstance(model, Fla):
        return model(tokens)
    with torch.no_grad():
        return model(torch.tensor(np.asarray(tokens)[None].astype(np.int64)))[0][0].double().numpy().copy()


def recurrent(model, tokens):
    rows, state = [], {"is_first_step": False}
    with torch.no_grad():
        for count in range(1, len(tokens) + 1):
            prefix = torch.tensor(np.asarray(tokens[:count])[None].astype(np.int64))
            rows.append(model(prefix, incremental_state=state)[0][0, -1].double().numpy().copy())
    return np.stack(rows)


class Fla:
    """flash-linear-attention's RetNet in double precision.

    It is written from its definition, because the package's kernels need a GPU.
    """

    def __init__(self, config):
        self.config = config

    def weight(self, name, *shape):
        return golden_weights.tensor(name, shape, "retnet").astype(np.float64)

    def norm(self, x, name, width):
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + self.config["norm_eps"])
        return x * self.weight(name, width)

    def rotate(self, x):
        length, _, size = x.shape
        angle = np.arange(length)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        a, b = x[..., : size // 2], x[..., size // 2:]
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], -1)

    def __call__(self, tokens):
        c, silu = self.config, lambda x: x / (1 + np.exp(-x))
        d, f, heads, length = c["hidden_size"], c["intermediate_size"], c["num_heads"], len(tokens)
        keys, values = round(d * c["expand_k"]), round(d * c["expand_v"])
        gamma = 1 - 2.0 ** (-5 - np.arange(heads))
        distance = np.arange(length)[:, None] - np.arange(length)[None]
        decay = np.where(distance >= 0, gamma[:, None, None] ** np.maximum(distance, 0), 0)
        x = self.weight("model.embeddings.weight", VOCABULARY, d)[tokens]
        for layer in range(c["num_hidden_layers"]):
            name = f"model.layers.{layer}."
            u = self.norm(x, name + "attn_norm.weight", d)
            q, k, v, g = (u @ self.weight(f"{name}attn.{p}_proj.weight", width, d).T
                          for p, width in (("q", keys), ("k", keys), ("v", values), ("g", values)))
            q, k = (self.rotate(y.reshape(length, heads, -1)) for y in (q, k))
            scores = np.einsum("nhd,mhd->hnm", q, k) * (keys // heads) ** -0.5 * decay
            o = np.einsum("hnm,mhd->nhd", scores, v.reshape(length, heads, -1))
            o = self.norm(o, name + "attn.g_norm_swish_gate.weight", values // heads).reshape(length, values)
            x = x + (o * silu(g)) @ self.weight(name + "attn.o_proj.weight", d, values).T
            u = self.norm(x, name + "mlp_norm.weight", d)
            gate, up = (u @ self.weight(f"{name}mlp.{p}_proj.weight", f, d).T for p in ("gate", "up"))
            x = x + (silu(gate) * up) @ self.weight(name + "mlp.down_proj.weight", d, f).T
        return self.norm(x, "model.norm.weight", d) @ self.weight("lm_head.weight", VOCABULARY, d).T


def main():
    figures = {"versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
               "variants": {}}
    for name, config in {**VARIANTS, "fla": FLA}.items():
        with everything_in_float64():
            model = build(config) if name != "fla" else Fla(config)
            seed, tokens, greedy, margin = choose_tokens(f"retnet-{name}", lambda sequence: parallel(model, sequence), PROMPT)
            expected = parallel(model, tokens)
            forms = {}
            if name != "fla":
                forms["recurrent"] = deviation(recurrent(model, tokens), expected)
                forms["chunkwise"] = deviation(parallel(build(config, chunkwise=True), tokens), expected)
        if name != "fla":
            forms["float32"] = deviation(parallel(build(config), tokens), expected)
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        safetensors.numpy.save_file({"tokens": tokens, "greedy": greedy, "logits": expected.astype(np.float32)},
                                    folder / "golden.safetensors")
        figures["variants"][name] = {"tokens_seed": seed, "greedy_margin": margin, "deviation": forms}
        print(name, seed, margin, forms, flush=True)
    (HERE / "golden.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
