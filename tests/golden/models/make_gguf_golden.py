#!/usr/bin/env python3
"""Writes llama.cpp's predictions for the golden models and compares them with transformers' logits.

    make_gguf_golden.py --llama "COMMAND" [VARIANT...] [--keep FOLDER]

COMMAND runs llama-server when "llama-server" and its arguments are appended to it. It is a wrapper,
or "env" where llama-server is on the path. Each variant that llama.cpp supports is written as a
GGUF file with weights in float32, to --keep or to a temporary folder. llama-server then gives the
next token's distribution after prefixes of the golden tokens. The distributions go into
llama_cpp.safetensors in the variant's folder, the agreement into golden.json. Run make_golden.py
first. Requires the packages of requirements.txt.
"""

import argparse
import json
import math
import pathlib
import shlex
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import gguf
import numpy as np
import safetensors.numpy

import golden_weights
from variants import VARIANTS, VOCABULARY, WINDOW

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = (1, 2, 5, 17, 33, 64, 65, 128, 200, 256, 384, 511)
TOLERANCE = 1e-4  # relative to the row's largest logit
# ggml takes the GELU of float32 from a table over float16, with float16 results
# (check_gelu_table.py).
TOLERANCES = {"gemma2": 2e-3}
UNSUPPORTED = {"llama-dynamic": "llama.cpp has no dynamic scaling"}
# llama.cpp loads Mistral as the architecture llama, for which it has no window. Its phi3 ignores
# the window.
UNWINDOWED = ("mistral", "phi3-window")


def layer_tensors(config, rows):
    """Returns (GGUF name, HF name, [rows, columns]) of a layer's tensors.

    The names come without `blk.N.` and `model.layers.N.`.
    """
    width, inner, head, heads, kv_heads = rows
    kind = config["model_type"]
    query, key = heads * head, kv_heads * head
    result = [("attn_norm.weight", "input_layernorm.weight", (width,)),
              ("attn_output.weight", "self_attn.o_proj.weight", (width, query)),
              ("ffn_down.weight", "mlp.down_proj.weight", (width, inner))]
    if kind == "phi3":
        result += [("attn_qkv.weight", "self_attn.qkv_proj.weight", (query + 2 * key, width)),
                   ("ffn_up.weight", "mlp.gate_up_proj.weight", (2 * inner, width))]
    else:
        result += [("attn_q.weight", "self_attn.q_proj.weight", (query, width)),
                   ("attn_k.weight", "self_attn.k_proj.weight", (key, width)),
                   ("attn_v.weight", "self_attn.v_proj.weight", (key, width)),
                   ("ffn_gate.weight", "mlp.gate_proj.weight", (inner, width)),
                   ("ffn_up.weight", "mlp.up_proj.weight", (inner, width))]
    if kind == "gemma2":
        result += [("post_attention_norm.weight", "post_attention_layernorm.weight", (width,)),
                   ("ffn_norm.weight", "pre_feedforward_layernorm.weight", (width,)),
                   ("post_ffw_norm.weight", "post_feedforward_layernorm.weight", (width,))]
    else:
        result += [("ffn_norm.weight", "post_attention_layernorm.weight", (width,))]
    if kind == "qwen2" or config.get("attention_bias"):
        result += [("attn_q.bias", "self_attn.q_proj.bias", (query,)), ("attn_k.bias", "self_attn.k_proj.bias", (key,)),
                   ("attn_v.bias", "self_attn.v_proj.bias", (key,))]
    if config.get("attention_bias"):
        result += [("attn_output.bias", "self_attn.o_proj.bias", (width,))]
    if kind == "qwen3":
        result += [("attn_q_norm.weight", "self_attn.q_norm.weight", (head,)),
                   ("attn_k_norm.weight", "self_attn.k_norm.weight", (head,))]
    return result


def converted(value, name, config, heads, kv_heads, head):
    """Returns a tensor in the form that GGUF stores."""
    kind = config["model_type"]
    if kind in ("llama", "mistral") and ("attn_q." in name or "attn_k." in name):
        # Rotated pairs become neighbours: row j and row j + D/2 of a head go to 2j and 2j + 1.
        count = heads if "attn_q." in name else kv_heads
        return np.ascontiguousarray(value.reshape(count, 2, head // 2, -1).swapaxes(1, 2).reshape(value.shape))
    if kind == "gemma2" and name.endswith("norm.weight"):
        return (1 + value).astype(np.float32)
    if kind == "gemma2" and "attn_q." in name:
        # GGUF has no key for the scale, and llama.cpp takes head_dim for it. The ratio here is a
        # power of two, so nothing is rounded.
        return value * np.float32(math.sqrt(head / config["query_pre_attn_scalar"]))
    return value


def llama3_divisors(base, head, scaling):
    """Returns rope_freqs.weight, the divisors of the frequencies of Llama 3.1."""
    original, low, high = (scaling[k] for k in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    result = []
    for i in range(head // 2):
        length = 2 * math.pi * base ** (2 * i / head)
        if length < original / high:
            result.append(1.0)
        elif length > original / low:
            result.append(scaling["factor"])
        else:
            smooth = (original / length - low) / (high - low)
            result.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(result, np.float32)


def add_tokenizer(writer):
    """Adds a vocabulary that is never used on text, because prompts are given as ids."""
    special = {0: "<unk>", 1: "<s>", 2: "</s>", 3: "<0x0A>"}
    kinds = {0: gguf.TokenType.UNKNOWN, 1: gguf.TokenType.CONTROL, 2: gguf.TokenType.CONTROL, 3: gguf.TokenType.BYTE}
    writer.add_tokenizer_model("llama")
    writer.add_token_list([special.get(i, chr(0x4E00 + i)) for i in range(VOCABULARY)])
    writer.add_token_scores([0.0 if i < 4 else -float(i) for i in range(VOCABULARY)])
    writer.add_token_types([kinds.get(i, gguf.TokenType.NORMAL) for i in range(VOCABULARY)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)


def add_rope(writer, config, head):
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("type", scaling.get("rope_type"))
    turned = int(head * config.get("partial_rotary_factor", 1.0))
    writer.add_rope_dimension_count(turned)
    writer.add_rope_freq_base(config["rope_theta"])
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(scaling["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    if kind == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(config["rope_theta"], head, scaling))
    if kind == "longrope":
        original = config["original_max_position_embeddings"]
        stretch = config["max_position_embeddings"] / original
        writer.add_rope_scaling_orig_ctx_len(original)
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(original)))
        writer.add_tensor("rope_factors_long.weight", np.array(scaling["long_factor"], np.float32))
        writer.add_tensor("rope_factors_short.weight", np.array(scaling["short_factor"], np.float32))


def write_gguf(path, config):
    kind = config["model_type"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width, inner = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim", width // heads)
    writer = gguf.GGUFWriter(path, "llama" if kind == "mistral" else kind)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(width)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    if config.get("sliding_window") and kind in ("mistral", "phi3", "gemma2"):
        writer.add_sliding_window(config["sliding_window"])
    if kind == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    add_tokenizer(writer)
    add_rope(writer, config, head)

    def add(name, source, shape):
        value = golden_weights.tensor(source, shape, kind)
        writer.add_tensor(name, converted(value, name, config, heads, kv_heads, head))

    add("token_embd.weight", "model.embed_tokens.weight", (config["vocab_size"], width))
    add("output_norm.weight", "model.norm.weight", (width,))
    if not config.get("tie_word_embeddings", kind == "gemma2"):
        add("output.weight", "lm_head.weight", (config["vocab_size"], width))
    for i in range(config["num_hidden_layers"]):
        for name, source, shape in layer_tensors(config, (width, inner, head, heads, kv_heads)):
            add(f"blk.{i}.{name}", f"model.layers.{i}.{source}", shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Server:
    """llama-server on a free loopback port, in float32 throughout, with one request at a time."""

    def __init__(self, command, model, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [*command, "llama-server", "-m", str(model), "--host", "127.0.0.1", "--port", str(self.port), "-c", "640", "-np", "1",
             "-b", "512", "-ub", "512", "-t", "2", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--no-warmup", "--fit", "off",
             "--cache-ram", "0", "--no-repack", "--offline"], stdout=log, stderr=subprocess.STDOUT)
        for _ in range(300):
            if self.process.poll() is not None:
                raise SystemExit(f"llama-server ended with {self.process.returncode}; see {log.name}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).read()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise SystemExit("llama-server did not start in 30 seconds")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def log_probabilities(self, tokens):
        """Returns the log-probabilities of the next token after `tokens`, before any sampler."""
        body = {"prompt": [int(t) for t in tokens], "n_predict": 1, "n_probs": VOCABULARY, "temperature": 0.0,
                "post_sampling_probs": False, "cache_prompt": False, "ignore_eos": True}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/completion", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        assert answer["tokens_evaluated"] == len(tokens), answer["tokens_evaluated"]
        row = np.full(VOCABULARY, np.nan)
        for entry in answer["completion_probabilities"][0]["top_logprobs"]:
            row[entry["id"]] = entry["logprob"]
        assert abs(np.exp(row).sum() - 1) < 1e-5, "not the whole distribution"
        return row


def log_softmax(logits):
    logits = logits.astype(np.float64)
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def make(name, command, folder):
    config = VARIANTS[name]
    model = folder / f"{name}.gguf"
    write_gguf(model, config)
    golden = safetensors.numpy.load_file(HERE / name / "golden.safetensors")
    lengths = [n for n in LENGTHS if name not in UNWINDOWED or n <= WINDOW]
    with open(folder / f"{name}.log", "w") as log, Server(command, model, log) as server:
        found = np.stack([server.log_probabilities(golden["tokens"][:n]) for n in lengths])
    rows = golden["logits"][[n - 1 for n in lengths]]
    difference = np.abs(found - log_softmax(rows)).max(axis=1) / np.abs(rows).max(axis=1)
    safetensors.numpy.save_file({"lengths": np.array(lengths, np.int32), "logprobs": found.astype(np.float32)},
                                HERE / name / "llama_cpp.safetensors")
    figures = {"agreement": float(f"{difference.max():.2e}"), "lengths": len(lengths)}
    good = difference.max() <= TOLERANCES.get(name, TOLERANCE)
    print(name, figures, "" if good else f"DISAGREES: {difference}", flush=True)
    return figures, good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT")
    parser.add_argument("--llama", required=True, metavar="COMMAND", help="what llama-server and its arguments are appended to")
    parser.add_argument("--keep", type=pathlib.Path, help="where the GGUF files and logs stay")
    args = parser.parse_args()
    unknown = set(args.variants) - set(VARIANTS)
    if unknown:
        parser.error(f"no such variant: {', '.join(sorted(unknown))}")
    command = shlex.split(args.llama)
    version = subprocess.run([*command, "llama-server", "--version"], capture_output=True, text=True, check=True)
    path = HERE / "golden.json"
    summary = json.loads(path.read_text())
    summary["versions"]["llama.cpp"] = [x for x in (version.stdout + version.stderr).splitlines() if x.startswith("version")][0]
    agreed = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for name in args.variants or VARIANTS:
            if name in UNSUPPORTED:
                print(name, "left out:", UNSUPPORTED[name])
                continue
            figures, good = make(name, command, folder)
            summary["variants"][name]["llama_cpp"] = figures
            agreed = agreed and good
    path.write_text(json.dumps(summary, indent=1) + "\n")
    raise SystemExit(0 if agreed else 1)


if __name__ == "__main__":
    main()
