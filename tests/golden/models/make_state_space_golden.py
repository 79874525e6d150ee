#!/usr/bin/env python3
"""Writes the golden logits of tiny state-space models as Hugging Face transformers computes them.

    make_state_space_golden.py [VARIANT...]

Does what make_golden.py does for the architectures whose memory is a state. It uses the plain path
of PyTorch, so no GPU kernels are needed. Requires the packages of
requirements-state-space.txt.
"""

import contextlib
import json
import pathlib
import platform
import sys

import numpy as np
import safetensors.numpy
import torch
import transformers

import golden_weights
from make_golden import CONTINUATION, LEAST_DIFFERENT, LEAST_MARGIN, LENGTH, PROMPT, deviation
from variants import VOCABULARY

HERE = pathlib.Path(__file__).resolve().parent
BASE = {"hidden_size": 64, "num_hidden_layers": 3, "vocab_size": VOCABULARY, "bos_token_id": 1, "eos_token_id": 2,
        "pad_token_id": 0, "initializer_range": 0.1, "use_cache": True, "torch_dtype": "float32"}
STATE_SPACE = {**BASE, "expand": 2, "conv_kernel": 4, "use_bias": False, "use_conv_bias": True, "hidden_act": "silu",
               "layer_norm_epsilon": 1e-3, "residual_in_fp32": True, "rescale_prenorm_residual": False}


def _mamba(**keys):
    return {"architectures": ["MambaForCausalLM"], "model_type": "mamba", **STATE_SPACE, "state_size": 16,
            "intermediate_size": 128, "time_step_rank": 4, "tie_word_embeddings": True, **keys}


def _mamba2(**keys):
    return {"architectures": ["Mamba2ForCausalLM"], "model_type": "mamba2", **STATE_SPACE, "state_size": 32, "num_heads": 8,
            "head_dim": 16, "n_groups": 1, "chunk_size": 64, "time_step_rank": 4, "rms_norm": True, "norm_before_gate": False,
            "time_step_limit": [0.0, float("inf")], "tie_word_embeddings": False, **keys}


def _jamba(**keys):
    return {"architectures": ["JambaForCausalLM"], "model_type": "jamba", **BASE, "num_hidden_layers": 4, "intermediate_size": 96,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024, "rms_norm_eps": 1e-3,
            "hidden_act": "silu", "attention_dropout": 0.0, "sliding_window": None, "attn_layer_period": 4, "attn_layer_offset": 2,
            "expert_layer_period": 2, "expert_layer_offset": 1, "num_experts": 4, "num_experts_per_tok": 2, "mamba_d_state": 16,
            "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": 4, "mamba_conv_bias": True, "mamba_proj_bias": False,
            "use_mamba_kernels": False, "num_logits_to_keep": 1, "output_router_logits": False, "tie_word_embeddings": False, **keys}


VARIANTS = {
    "mamba": _mamba(),
    # The sizes fill no vector: 12 states, a convolution over 3. The output head is not tied.
    "mamba-odd": _mamba(state_size=12, conv_kernel=3, time_step_rank=5, tie_word_embeddings=False),
    "mamba2": _mamba2(),
    # Steps are limited, and states and heads fill no vector.
    "mamba2-limit": _mamba2(state_size=24, num_heads=16, head_dim=8, time_step_limit=[0.05, 0.2]),
    "jamba": _jamba(),
}


def build(config, chunk=LENGTH):
    """Returns the model, which reads an input of up to `chunk` tokens in one chunk.

    This version of transformers passes Mamba-2's state from chunk to chunk wrongly.
    """
    if config["model_type"] == "mamba2":
        config = {**config, "chunk_size": chunk}
    parsed = transformers.AutoConfig.for_model(**config)
    model = transformers.AutoModelForCausalLM.from_config(parsed, attn_implementation="eager", torch_dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = golden_weights.tensor(name, tuple(parameter.shape), parsed.model_type)
            parameter.copy_(torch.from_numpy(value))
    return model.eval()


@contextlib.contextmanager
def steps_within_limits(config):
    """Limits Mamba-2's steps to time_step_limit, as its authors' code does.

    The plain path of transformers clamps them to time_step_min instead.
    """
    clamp = torch.clamp
    try:
        if config.model_type == "mamba2":
            torch.clamp = lambda steps, _: clamp(steps, *config.time_step_limit)
        yield
    finally:
        torch.clamp = clamp


def logits(model, tokens):
    with torch.no_grad(), steps_within_limits(model.config):
        ids = torch.tensor(np.asarray(tokens)[None].astype(np.int64))
        return model(ids, use_cache=False).logits[0].float().numpy().copy()


def make(name):
    config = VARIANTS[name]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    # Infinity is written as Python writes it, which is also how published files contain it.
    (folder / "config.json").write_text(json.dumps(dict(sorted(config.items())), indent=2) + "\n")
    written = json.loads((folder / "config.json").read_text())
    short = build(written, PROMPT + CONTINUATION)
    for attempt in range(200):
        seed = f"tokens/{name}/{attempt}"
        tokens = golden_weights.tokens(seed, LENGTH, VOCABULARY)
        sequence, margin = list(tokens[:PROMPT]), np.inf
        for _ in range(CONTINUATION):
            row = logits(short, sequence)[-1]
            best, second = np.argsort(-row)[:2]
            margin = min(margin, float(row[best] - row[second]))
            if margin < LEAST_MARGIN:
                break
            sequence.append(int(best))
        greedy = np.array(sequence[PROMPT:], np.int32)
        if margin >= LEAST_MARGIN and len(set(greedy.tolist())) >= LEAST_DIFFERENT:
            break
    else:
        raise SystemExit(f"{name}: no tokens with a margin of {LEAST_MARGIN}; lower it")
    found = logits(build(written), tokens)
    # A prefix read alone has a chunk of another size and the same numbers except for rounding.
    prefix = float(deviation(logits(short, tokens[:75]), found[:75]).max())
    safetensors.numpy.save_file({"tokens": tokens, "logits": found, "greedy": greedy}, folder / "golden.safetensors",
                                metadata={"tokens_seed": seed})
    figures = {"tokens_seed": seed, "prefix_deviation": float(f"{prefix:.2e}"), "greedy_margin": round(margin, 4),
               "largest_logit": round(float(np.abs(found).max()), 3), "logit_deviation": round(float(found.std()), 3)}
    print(name, json.dumps(figures), flush=True)
    return figures


def main():
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    path = HERE / "state_space_golden.json"
    summary = json.loads(path.read_text()) if path.exists() else {"variants": {}}
    summary["versions"] = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
                           "transformers": transformers.__version__}
    for name in sys.argv[1:] or VARIANTS:
        summary["variants"][name] = make(name)
        path.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
