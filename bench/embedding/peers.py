"""The peers of `tome embed`: sentence-transformers and onnxruntime, over the same folders of models."""
import json
import pathlib

import numpy as np

BATCH = 32


def pooling(folder):
    """Whether the first token is pooled; else the mean of all."""
    return json.loads((folder / "1_Pooling" / "config.json").read_text()).get("pooling_mode_cls_token", False)


def window(folder):
    """Tokens that a text may have."""
    config = json.loads((folder / "config.json").read_text())
    side = folder / "sentence_bert_config.json"
    limit = config["max_position_embeddings"] - (config["pad_token_id"] + 1) * (config["model_type"] != "bert")
    return min(limit, json.loads(side.read_text())["max_seq_length"]) if side.exists() else limit


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


class SentenceTransformers:
    """SentenceTransformer.encode, as its documentation shows it."""

    def __init__(self, folder, threads):
        import torch
        from sentence_transformers import SentenceTransformer, models

        torch.set_num_threads(threads)
        transformer = models.Transformer(str(folder), max_seq_length=window(folder))
        pool = models.Pooling(transformer.get_word_embedding_dimension(), "cls" if pooling(folder) else "mean")
        self.model = SentenceTransformer(modules=[transformer, pool, models.Normalize()], device="cpu")

    def embed(self, texts):
        return self.model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)


class OnnxRuntime:
    """model.onnx, over batches of texts of like length, padded to the longest."""

    def __init__(self, folder, threads):
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options,
                                                    providers=["CPUExecutionProvider"])
        self.names = {i.name for i in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(window(folder))
        self.first = pooling(folder)

    def rows(self, ids):
        """The vectors of sequences of tokens, in their order."""
        out = [None] * len(ids)
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        for begin in range(0, len(order), BATCH):
            batch = order[begin:begin + BATCH]
            tokens = np.zeros((len(batch), len(ids[batch[0]])), dtype=np.int64)
            mask = np.zeros_like(tokens)
            for row, i in enumerate(batch):
                tokens[row, :len(ids[i])] = ids[i]
                mask[row, :len(ids[i])] = 1
            feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
            hidden = self.session.run(None, {k: v for k, v in feed.items() if k in self.names})[0]
            weights = mask[:, :, None].astype(np.float32)
            pooled = hidden[:, 0] if self.first else (hidden * weights).sum(1) / weights.sum(1)
            for row, i in enumerate(batch):
                out[i] = pooled[row]
        return unit(np.stack(out))

    def embed(self, texts):
        return self.rows([encoding.ids for encoding in self.tokenizer.encode_batch(texts)])


def export_onnx(folder):
    """Writes model.onnx beside the weights, where it is missing, by transformers and PyTorch."""
    path = pathlib.Path(folder) / "model.onnx"
    if path.exists():
        return
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(str(folder), attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = {name: torch.ones(2, 8, dtype=torch.int64) for name in names}
    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
    with torch.no_grad():
        torch.onnx.export(model, (example,), str(path), input_names=names, output_names=["last_hidden_state"],
                          dynamic_axes=axes, opset_version=17, dynamo=False)


PEERS = {"sentence-transformers": SentenceTransformers, "onnxruntime": OnnxRuntime}
