#!/usr/bin/env python3
"""Writes the golden rows of tiny encoders as Hugging Face transformers computes them.

    make_golden.py [VARIANT...]

Writes config.json and golden.safetensors into a folder beside this script for each variant (all by
default), and prints the largest difference between float32 and double precision. README.md says
what the files hold. Requires the packages of requirements.txt.
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import safetensors.numpy
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
import golden_weights  # noqa: E402

COMMON = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96,
          "vocab_size": 64, "hidden_act": "gelu"}
VARIANTS = {
    # Heads of 12 channels, which no vector divides, and an epsilon so large that a wrong one shows.
    "bert": {**COMMON, "model_type": "bert", "architectures": ["BertModel"], "hidden_size": 60, "num_attention_heads": 5,
             "max_position_embeddings": 160, "type_vocab_size": 2, "layer_norm_eps": 1e-3, "pad_token_id": 0},
    "bert-tanh": {**COMMON, "model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_act": "gelu_new",
                  "max_position_embeddings": 160, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0},
    "xlm-roberta": {**COMMON, "model_type": "xlm-roberta", "architectures": ["XLMRobertaModel"],
                    "max_position_embeddings": 162, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1,
                    "bos_token_id": 0, "eos_token_id": 2},
    "roberta": {**COMMON, "model_type": "roberta", "architectures": ["RobertaForMaskedLM"],
                "max_position_embeddings": 164, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 3,
                "bos_token_id": 0, "eos_token_id": 2},
}
LENGTHS = [1, 2, 7, 16, 33, 64, 100, 160]
FIRST_TEXT = [1, 1, 3, 16, 10, 64, 99, 80]  # tokens of type 0, in the variants with two types


def build(config, dtype):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
        parsed = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModel.from_config(parsed, attn_implementation="eager", dtype=dtype, add_pooling_layer=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = golden_weights.tensor(name, tuple(parameter.shape), parsed.model_type)
            parameter.copy_(torch.from_numpy(value))
    return model.eval()


def rows(model, sequences, types):
    out = []
    with torch.no_grad():
        for tokens, kinds in zip(sequences, types):
            out.append(model(input_ids=torch.tensor(tokens[None].astype(np.int64)),
                             attention_mask=torch.ones(1, len(tokens), dtype=torch.int64),
                             token_type_ids=torch.tensor(kinds[None])).last_hidden_state[0].numpy())
    return np.concatenate(out)


def main():
    for name in sys.argv[1:] or VARIANTS:
        config = VARIANTS[name]
        # Padding is no token of a text: RoBERTa's positions do not count it.
        sequences = [golden_weights.tokens(f"{name} {n}", n, config["vocab_size"]) for n in LENGTHS]
        for tokens in sequences:
            tokens[tokens == config["pad_token_id"]] = config["vocab_size"] - 1
        types = [(np.arange(n) >= first).astype(np.int64) * (config["type_vocab_size"] > 1)
                 for n, first in zip(LENGTHS, FIRST_TEXT)]
        single = rows(build(config, torch.float32), sequences, types)
        double = rows(build(config, torch.float64), sequences, types)
        print(f"{name}: float32 differs from double by {np.abs(single - double).max() / np.abs(double).max():.1e}")
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        safetensors.numpy.save_file(
            {"tokens": np.concatenate(sequences).astype(np.int32), "lengths": np.array(LENGTHS, dtype=np.int32),
             "first_text": np.array([int((kinds == 0).sum()) for kinds in types], dtype=np.int32),
             "rows": double.astype(np.float32)}, str(folder / "golden.safetensors"))


if __name__ == "__main__":
    main()
