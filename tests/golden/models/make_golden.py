#!/usr/bin/env python3
"""Writes the golden logits of tiny models as Hugging Face transformers computes them.

    make_golden.py [VARIANT...] [--no-sensitivity]

Writes config.json and golden.safetensors into a folder beside this script for each variant
(variants.py; all by default), and the figures that README.md explains into golden.json. Requires
the packages of requirements.txt.
"""

import argparse
import contextlib
import copy
import json
import pathlib
import platform
import tempfile

import numpy as np
import safetensors.numpy
import torch
import transformers

import golden_weights
from variants import V5, VARIANTS, VOCABULARY, WINDOW

HERE = pathlib.Path(__file__).resolve().parent
LENGTH = 512
PROMPT = 64
CONTINUATION = 32
# The least margin of the best token's logit over the next one's, in each step of the continuation.
LEAST_MARGIN = 0.02
# The least number of different tokens in the continuation, so that it does not loop from the start.
LEAST_DIFFERENT = 8


@contextlib.contextmanager
def everything_in_float64():
    """Makes transformers compute in double precision even where it asks for float32 by name.

    It does so in norms, softmax, RoPE frequencies and angles.
    """
    names, cast = ("float", "float32"), torch.Tensor.float
    try:
        for name in names:
            setattr(torch, name, torch.float64)
        torch.Tensor.float = torch.Tensor.double
        yield
    finally:
        torch.Tensor.float = cast
        for name in names:
            setattr(torch, name, FLOAT32)


FLOAT32 = torch.float32


def build(config, dtype=FLOAT32):
    """Returns the model of a configuration (a config.json's dictionary) with generated weights."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
        parsed = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_config(parsed, attn_implementation="eager", dtype=dtype)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = golden_weights.tensor(name, tuple(parameter.shape), parsed.model_type)
            parameter.copy_(torch.from_numpy(value))
    assert all(p.dtype == dtype for p in model.parameters())
    return model.eval()


def logits(model, tokens):
    with torch.no_grad():
        return model(torch.tensor(np.asarray(tokens)[None].astype(np.int64)), use_cache=False).logits[0].numpy().copy()


def logits64(config, tokens):
    with everything_in_float64():
        return logits(build(config, torch.float64), tokens)


def continuation(config, prompt):
    """Returns greedy tokens and the least margin over the runner-up.

    Each token comes from a full pass without a cache.
    """
    model, sequence, margin = build(config), list(prompt), np.inf
    for _ in range(CONTINUATION):
        row = logits(model, sequence)[-1]
        best, second = np.argsort(-row)[:2]
        margin = min(margin, float(row[best] - row[second]))
        if margin < LEAST_MARGIN:
            break
        sequence.append(int(best))
    return np.array(sequence[len(prompt):], np.int32), margin


def choose_tokens(name, config):
    """Returns the first list of tokens whose greedy continuation is clear."""
    for attempt in range(200):
        seed = f"tokens/{name}/{attempt}"
        tokens = golden_weights.tokens(seed, LENGTH, VOCABULARY)
        greedy, margin = continuation(config, tokens[:PROMPT])
        if margin >= LEAST_MARGIN and len(set(greedy)) >= LEAST_DIFFERENT:
            return seed, tokens, greedy, margin
    raise SystemExit(f"{name}: no tokens with a margin of {LEAST_MARGIN}; lower it")


def deviation(found, expected):
    """Returns for each row its greatest difference, relative to the row's largest magnitude."""
    return np.abs(found - expected).max(axis=1) / np.abs(expected).max(axis=1)


def perturbations(config):
    """Yields mistakes that an engine might make: a name, and the configuration that makes it."""
    def changed(**keys):
        return {**copy.deepcopy(config), **keys}

    yield "eps +10%", changed(rms_norm_eps=config["rms_norm_eps"] * 1.1)
    yield "rope_theta +1%", changed(rope_theta=config["rope_theta"] * 1.01)
    scaling = config.get("rope_scaling")
    if scaling:
        yield "no rope_scaling", changed(rope_scaling=None)
        for key in ("factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"):
            if key in scaling:
                larger = scaling[key] * 1.05 if isinstance(scaling[key], float) else scaling[key] * 2
                yield f"{key} larger", changed(rope_scaling={**scaling, key: larger})
        if scaling.get("type", scaling.get("rope_type")) == "yarn":
            yield "no attention factor", changed(rope_scaling={**scaling, "attention_factor": 1.0})
        if "long_factor" in scaling:
            yield "long and short factors exchanged", changed(
                rope_scaling={**scaling, "long_factor": scaling["short_factor"], "short_factor": scaling["long_factor"]})
            yield "no attention factor", changed(rope_scaling={**scaling, "attention_factor": 1.0})
    if "partial_rotary_factor" in config:
        yield "all channels rotated", changed(partial_rotary_factor=1.0)
    if config.get("sliding_window") and config["model_type"] in ("mistral", "phi3", "gemma2"):
        yield "window 1 shorter", changed(sliding_window=WINDOW - 1)
        yield "window 1 longer", changed(sliding_window=WINDOW + 1)
        yield "no window", changed(sliding_window=LENGTH)
    if config["model_type"] == "qwen2":
        yield "use_sliding_window true", changed(use_sliding_window=True)
    if config["model_type"] == "gemma2":
        yield "no cap of scores", changed(attn_logit_softcapping=None)
        yield "no cap of logits", changed(final_logit_softcapping=None)
        yield "query_pre_attn_scalar = head_dim", changed(query_pre_attn_scalar=config["head_dim"])
        yield "windows on the other layers", changed(layer_types=["full_attention", "sliding_attention"] * 2)


def interleaved(config, tokens):
    """Returns logits with channels (2i, 2i+1) rotated as pairs instead of (i, i + D/2)."""
    module = __import__(f"transformers.models.{config['model_type']}.modeling_{config['model_type']}", fromlist=["x"])
    plain = module.apply_rotary_pos_emb

    def wrong(q, k, cos, sin, *args, **kwargs):
        size = cos.shape[-1]
        order = torch.cat([torch.arange(0, size, 2), torch.arange(1, size, 2), torch.arange(size, q.shape[-1])])
        return plain(q[..., order], k[..., order], cos, sin, *args, **kwargs)

    module.apply_rotary_pos_emb = wrong
    try:
        return logits(build(config), tokens)
    finally:
        module.apply_rotary_pos_emb = plain


def sensitivity(config, tokens, expected):
    """Returns for each mistake the greatest deviation that it causes over all rows."""
    found = {name: logits(build(wrong), tokens) for name, wrong in perturbations(config)}
    found["interleaved RoPE"] = interleaved(config, tokens)
    other = np.array(tokens)
    other[8] = (other[8] + 1) % VOCABULARY
    found["another token 8, seen at row 60"] = logits(build(config), other)
    result = {}
    for name, rows in found.items():
        row = slice(60, 61) if "row 60" in name else slice(None)
        result[name] = float(f"{deviation(rows[row], expected[row]).max():.2e}")
    return result


def write_config(name, config):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    if name in V5:
        build(config).config.save_pretrained(folder)
        written = json.loads((folder / "config.json").read_text())
        assert "rope_parameters" in written and "rope_theta" not in written
        return
    (folder / "config.json").write_text(json.dumps(dict(sorted(config.items())), indent=2) + "\n")


def make(name, with_sensitivity):
    config = VARIANTS[name]
    write_config(name, config)
    # From here on the configuration is read from the file, so that the written one is tested.
    from_file = json.loads((HERE / name / "config.json").read_text())
    seed, tokens, greedy, margin = choose_tokens(name, from_file)
    model = build(from_file)
    found = logits(model, tokens)
    assert found.dtype == np.float32 and found.shape == (LENGTH, VOCABULARY)
    np.testing.assert_array_equal(found, logits(build(config), tokens))
    prompt = torch.from_numpy(tokens[None, :PROMPT].astype(np.int64))
    cached = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=CONTINUATION,
                            eos_token_id=VOCABULARY, pad_token_id=0)
    np.testing.assert_array_equal(cached[0, PROMPT:].numpy(), greedy)
    exact = logits64(from_file, tokens)
    assert exact.dtype == np.float64
    safetensors.numpy.save_file({"tokens": tokens, "logits": found, "greedy": greedy}, HERE / name / "golden.safetensors",
                                metadata={"tokens_seed": seed})
    rows = deviation(found, exact)
    figures = {"tokens_seed": seed, "deviation": float(f"{rows.max():.2e}"), "deviation_median": float(f"{np.median(rows):.2e}"),
               "greedy_margin": round(margin, 4), "largest_logit": round(float(np.abs(found).max()), 3),
               "logit_deviation": round(float(found.std()), 3)}
    if with_sensitivity:
        figures["sensitivity"] = sensitivity(config, tokens, found)
    print(name, json.dumps(figures), flush=True)
    return figures


def weight_checks():
    """Returns a few values, with their float32 bits, to compare the C++ generator with."""
    checks = []
    for name, shape, model_type in [("model.embed_tokens.weight", (64, 64), "llama"),
                                    ("model.layers.0.self_attn.q_proj.weight", (64, 64), "llama"),
                                    ("model.layers.2.mlp.down_proj.weight", (64, 96), "llama"),
                                    ("model.layers.1.self_attn.k_proj.bias", (32,), "qwen2"),
                                    ("model.norm.weight", (64,), "llama"), ("model.norm.weight", (64,), "gemma2")]:
        flat = golden_weights.tensor(name, shape, model_type).reshape(-1)
        scale, offset = golden_weights.scale_and_offset(name, shape, model_type)
        for index in (0, 1, 31, len(flat) - 1):
            checks.append({"name": name, "hash": f"{golden_weights.name_hash(name):016x}", "shape": shape,
                           "model_type": model_type, "scale": scale, "offset": offset, "index": index,
                           "value": float(flat[index]), "bits": f"{flat[index:index + 1].view(np.uint32)[0]:08x}"})
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    parser.add_argument("--no-sensitivity", action="store_true", help="do not measure what faults would change")
    args = parser.parse_args()
    unknown = set(args.variants) - set(VARIANTS)
    if unknown:
        parser.error(f"no such variant: {', '.join(sorted(unknown))}")
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    path = HERE / "golden.json"
    summary = json.loads(path.read_text()) if path.exists() else {"variants": {}}
    summary.setdefault("versions", {}).update(
        python=platform.python_version(), torch=torch.__version__, transformers=transformers.__version__,
        numpy=np.__version__, safetensors=safetensors.__version__)
    summary["weights"] = weight_checks()
    for name in args.variants or VARIANTS:
        summary["variants"][name] = {**summary["variants"].get(name, {}), **make(name, not args.no_sensitivity)}
        summary["variants"] = {key: summary["variants"][key] for key in VARIANTS if key in summary["variants"]}
        path.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
