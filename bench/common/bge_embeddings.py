"""BGE embeddings from an ONNX file, for LangChain. Used in the peers' virtual environment.

An embedding is the state of the first token, scaled to unit length. Questions have an instruction
before them.
"""
import re

import numpy
import onnxruntime
import tokenizers
from langchain_core.embeddings import Embeddings

MOST_TOKENS = 512
BATCH = 32


class BgeEmbeddings(Embeddings):
    ENGLISH = "Represent this sentence for searching relevant passages: "
    CHINESE = "为这个句子生成表示以用于检索相关文章："

    def __init__(self, folder, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MOST_TOKENS)
        self.tokenizer.enable_padding()

    def _batch(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        ids = numpy.array([e.ids for e in encoded], numpy.int64)
        mask = numpy.array([e.attention_mask for e in encoded], numpy.int64)
        states = self.session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0})[0][:, 0]
        return (states / numpy.linalg.norm(states, axis=1, keepdims=True)).tolist()

    def embed_documents(self, texts):
        # Texts of like length share a batch, as in sentence-transformers, so that little is padded.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors = [None] * len(texts)
        for begin in range(0, len(order), BATCH):
            chosen = order[begin:begin + BATCH]
            for i, vector in zip(chosen, self._batch([texts[i] for i in chosen])):
                vectors[i] = vector
        return vectors

    def embed_query(self, text):
        instruction = self.CHINESE if re.search("[\u4e00-\u9fff]", text) else self.ENGLISH
        return self._batch([instruction + text])[0]
