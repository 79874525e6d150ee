#!/usr/bin/env python3
"""Writes rows of floats, their blocks from llama.cpp, and the values that gguf decodes from them.

    make_quantized.py --llama "COMMAND"

COMMAND runs llama-quantize when "llama-quantize" and its arguments are appended to it. It is a
wrapper, or "env" where llama-quantize is on the path. The decoder is the package gguf. Writes
quantized.safetensors and quantized.json beside this script. Requires the
packages of requirements.txt.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import safetensors.numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
import golden_weights  # noqa: E402

COLUMNS = 256  # one block of the K types
# Maps each type to the name under which llama-quantize makes it. With --pure the K mixtures are one
# type throughout.
TYPES = {"F16": "F16", "BF16": "BF16", "Q8_0": "Q8_0", "Q4_0": "Q4_0", "Q4_1": "Q4_1", "Q5_0": "Q5_0", "Q5_1": "Q5_1",
         "IQ4_NL": "IQ4_NL", "Q4_K": "Q4_K_S", "Q5_K": "Q5_K_S", "Q6_K": "Q6_K"}
TENSOR = "blk.0.ffn_up.weight"


def source_rows():
    """Returns the rows by name, each [256]."""
    def plain(name, scale=1.0, offset=0.0):
        return golden_weights.values(f"quantized/{name}", COLUMNS, scale, offset)

    index = np.arange(COLUMNS)
    outlier = plain("outlier", 0.01)
    outlier[77] = 100.0
    return {
        "plain": plain("plain"),
        "weights of a matrix": plain("matrix", 1.25 / 16),
        "zeros": np.zeros(COLUMNS, np.float32),
        "one outlier of 100": outlier,
        "tiny: scales below the least half": plain("tiny", 1e-6),
        "all negative": -np.abs(plain("negative", 1.0, 0.5)),
        "magnitudes from 2^-8 to 2^8": (np.exp2(index / 16 - 8) * np.where(index % 3 == 0, -1, 1)).astype(np.float32),
        "around one": plain("around one", 0.1, 1.0),
    }


def write_gguf(path, rows):
    """Writes the smallest file that llama-quantize takes: a llama layer of `rows` as matrices."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(64)
    writer.add_embedding_length(COLUMNS)
    writer.add_block_count(1)
    writer.add_feed_forward_length(len(rows))
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(len(rows))
    for name in ("token_embd", "output", "blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v", "blk.0.attn_output", "blk.0.ffn_gate",
                 "blk.0.ffn_up", "blk.0.ffn_down"):
        writer.add_tensor(name + ".weight", rows)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama", required=True, metavar="COMMAND", help="what llama-quantize and its arguments are appended to")
    args = parser.parse_args()
    command = shlex.split(args.llama) + ["llama-quantize"]
    named = source_rows()
    rows = np.stack(list(named.values())).astype(np.float32)
    tensors, errors = {"source": rows}, {}
    with tempfile.TemporaryDirectory() as temporary:
        plain = pathlib.Path(temporary) / "source.gguf"
        write_gguf(plain, rows)
        for kind, spelled in TYPES.items():
            made = pathlib.Path(temporary) / f"{kind}.gguf"
            run = subprocess.run([*command, "--pure", str(plain), str(made), spelled, "1"], capture_output=True, text=True)
            if run.returncode != 0:
                raise SystemExit(f"llama-quantize {spelled} failed:\n{run.stdout}{run.stderr}")
            tensor, = [t for t in gguf.GGUFReader(made).tensors if t.name == TENSOR]
            if tensor.tensor_type.name != kind:
                raise SystemExit(f"llama-quantize made {tensor.tensor_type.name}, not {kind}")
            block, size = gguf.GGML_QUANT_SIZES[tensor.tensor_type]
            encoded = np.array(tensor.data).view(np.uint8).reshape(len(rows), COLUMNS // block * size)
            decoded = gguf.quants.dequantize(np.array(tensor.data), tensor.tensor_type).astype(np.float32).reshape(rows.shape)
            tensors[f"{kind}.bytes"], tensors[f"{kind}.decoded"] = encoded, decoded
            wrong = np.sqrt(((decoded.astype(np.float64) - rows) ** 2).mean(axis=1))
            errors[kind] = {name: float(f"{error:.3e}") for name, error in zip(named, wrong)}
    safetensors.numpy.save_file(tensors, HERE / "quantized.safetensors")
    about = subprocess.run([*shlex.split(args.llama), "llama-server", "--version"], capture_output=True, text=True, check=True)
    version = [x for x in (about.stdout + about.stderr).splitlines() if x.startswith("version")][0]
    from importlib.metadata import version as of
    summary = {"versions": {"llama.cpp": version, **{name: of(name) for name in ("gguf", "numpy", "safetensors")}},
               "rows": list(named), "root_mean_square_error": errors}
    (HERE / "quantized.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
