#!/usr/bin/env python3
"""LangChain's retrievers, set up as in its documentation. It answers lines of JSON on standard input.

  {"index": [PATH, …]}       makes chunks and both indices of one document, which replaces the one before
                             → {"chunks": N, "seconds": {"split": [s, cpu], "bm25": …, "bm25-folded": …, "faiss": …}}
  {"ask": QUESTION, "retriever": NAME, "limit": N}
                             → {"results": [[file, begin, end], …], "score": best or null, "seconds": s}

Results are spans of characters of the document's files, best first. systems.py runs this program in
the virtual environment of requirements.txt, once for each language.
"""
import argparse
import hashlib
import os
import pathlib
import re
import sys
import time

# LangChain reports nothing to a tracing service.
os.environ["LANGSMITH_TRACING"] = "false"

import jieba
import numpy
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_text_splitters import RecursiveCharacterTextSplitter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common.bge_embeddings import BgeEmbeddings
from common.line_process import serve

SPLITTERS = {
    "en": dict(chunk_size=1000, chunk_overlap=200),
    "zh": dict(chunk_size=500, chunk_overlap=100, keep_separator="end",
               separators=["\n\n", "\n", "。", "！", "？", "；", "，", " ", ""]),
}
MOST_RESULTS = 10


def folded_words(text):
    return re.findall(r"\w+", text.lower())


def times():
    """Returns the seconds now: of the clock, and of all threads' work."""
    return numpy.array([time.monotonic(), time.process_time()])


class Peer:
    def __init__(self, options):
        self.language, self.cache = options.language, options.cache
        self.embeddings = BgeEmbeddings(options.embeddings, options.threads) if options.embeddings else None
        self.splitter = RecursiveCharacterTextSplitter(add_start_index=True, **SPLITTERS[options.language])
        # BM25Retriever's own way to find words is str.split; Chinese is cut by jieba.
        self.words = jieba.lcut if options.language == "zh" else str.split
        jieba.initialize()

    def index(self, paths):
        seconds, begin = {}, times()
        texts = [pathlib.Path(path).read_bytes().decode() for path in paths]
        chunks = self.splitter.split_documents([Document(text, metadata={"file": i}) for i, text in enumerate(texts)])
        seconds["split"] = times() - begin
        self.retrievers = {}
        for name, words in {"bm25": self.words, "bm25-folded": folded_words}.items():
            begin = times()
            self.retrievers[name] = BM25Retriever.from_documents(chunks, preprocess_func=words, k=MOST_RESULTS)
            seconds[name] = times() - begin
        if self.embeddings:
            seconds["faiss"] = self._index_vectors(chunks)
            by_vectors = self.vectors.as_retriever(search_kwargs={"k": MOST_RESULTS})
            self.retrievers["faiss"] = by_vectors
            for name in ("bm25", "bm25-folded"):
                self.retrievers["ensemble" + name[4:]] = EnsembleRetriever(
                    retrievers=[self.retrievers[name], by_vectors], weights=[0.5, 0.5])
        return {"chunks": len(chunks), "seconds": {name: taken.tolist() for name, taken in seconds.items()}}

    def _index_vectors(self, chunks):
        """Makes the index of vectors and returns its seconds. Vectors of the same chunks are kept
        from one run to the next, with the seconds that they took."""
        texts = [chunk.page_content for chunk in chunks]
        kept = self.cache / (hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24] + ".npz")
        if kept.exists():
            stored = numpy.load(kept)
            vectors, seconds = stored["vectors"].tolist(), stored["seconds"]
        else:
            begin = times()
            vectors = self.embeddings.embed_documents(texts)
            seconds = times() - begin
            numpy.savez(kept, vectors=numpy.array(vectors, numpy.float32), seconds=seconds)
        begin = times()
        self.vectors = FAISS.from_embeddings(list(zip(texts, vectors)), self.embeddings, [c.metadata for c in chunks])
        return seconds + times() - begin

    def _best_score(self, name, question):
        """Returns the score of the best chunk; higher is better. An ensemble has none."""
        if name.startswith("bm25"):
            retriever = self.retrievers[name]
            return float(max(retriever.vectorizer.get_scores(retriever.preprocess_func(question))))
        if name == "faiss":
            return -float(self.vectors.similarity_search_with_score(question, k=1)[0][1])
        return None

    def ask(self, question, name, limit):
        begin = time.monotonic()
        chunks = self.retrievers[name].invoke(question)[:limit]
        seconds = time.monotonic() - begin
        starts = [chunk.metadata["start_index"] for chunk in chunks]
        return {"results": [[chunk.metadata["file"], start, start + len(chunk.page_content)]
                            for chunk, start in zip(chunks, starts)],
                "score": self._best_score(name, question), "seconds": seconds}

    def reply(self, wanted):
        if "index" in wanted:
            return self.index(wanted["index"])
        return self.ask(wanted["ask"], wanted["retriever"], wanted["limit"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=SPLITTERS, required=True)
    parser.add_argument("--embeddings", type=pathlib.Path, help="folder of BGE embeddings: model.onnx, tokenizer.json")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="folder in which vectors are kept")
    parser.add_argument("--threads", type=int, default=2)
    peer = Peer(parser.parse_args())
    serve(peer.reply)


if __name__ == "__main__":
    main()
