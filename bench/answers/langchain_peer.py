#!/usr/bin/env python3
"""LangChain's retrieval chain, as in its documentation. It answers lines of JSON on standard input.

Chunks have 1,000 characters without overlap. BM25 and FAISS (BGE embeddings) find chunks through an
ensemble retriever of equal weights, whose first four chunks are taken. The prompt is
rlm/rag-prompt, or the plain one of the other peer. The model runs in an OpenAI-compatible server.
The index of a document is made when the first question about it comes, and kept. systems.py runs
this program in the virtual environment of requirements.txt.
"""
import argparse
import os
import pathlib
import sys
import time

# LangChain reports nothing to a tracing service.
os.environ["LANGSMITH_TRACING"] = "false"

from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langchain_text_splitters import RecursiveCharacterTextSplitter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common.bge_embeddings import BgeEmbeddings
from common.line_process import serve

CHUNKS = 4
CHUNK_CHARACTERS = 1000
PROMPTS = {
    "stock": "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer "
             "the question. If you don't know the answer, just say that you don't know. Use three sentences maximum and "
             "keep the answer concise.\nQuestion: {question} \nContext: {context} \nAnswer:",
    "plain": "{context}\n\nAnswer the question from the text above, briefly.\n\n{question}",
}


class Chain:
    def __init__(self, options):
        self.embeddings = BgeEmbeddings(options.embeddings, options.threads)
        self.prompt = ChatPromptTemplate.from_template(PROMPTS[options.prompt])
        self.model = options.address and ChatOpenAI(base_url=options.address, api_key="none", model="local",
                                                    temperature=0, max_tokens=options.max_tokens)
        self.retrievers = {}

    def retriever(self, path):
        if path not in self.retrievers:
            splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=0,
                                                      add_start_index=True)
            chunks = splitter.split_documents([Document(pathlib.Path(path).read_text())])
            words = BM25Retriever.from_documents(chunks, k=CHUNKS)
            vectors = FAISS.from_documents(chunks, self.embeddings).as_retriever(search_kwargs={"k": CHUNKS})
            self.retrievers[path] = EnsembleRetriever(retrievers=[words, vectors], weights=[0.5, 0.5])
        return self.retrievers[path]

    def answer(self, path, question):
        begin = time.monotonic()
        chunks = self.retriever(path).invoke(question)[:CHUNKS]
        starts = [chunk.metadata["start_index"] for chunk in chunks]
        reply = {"text": "", "computed": 0, "evidence": [[s, s + len(c.page_content)] for s, c in zip(starts, chunks)]}
        if self.model:
            context = "\n\n".join(chunk.page_content for chunk in chunks)
            message = (self.prompt | self.model).invoke({"question": question, "context": context})
            usage = message.usage_metadata
            kept = usage.get("input_token_details", {}).get("cache_read", 0)
            reply.update(text=message.content, computed=usage["input_tokens"] - kept + usage["output_tokens"])
        return {**reply, "inner_seconds": time.monotonic() - begin}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embeddings", type=pathlib.Path, required=True, help="folder of model.onnx, tokenizer.json")
    parser.add_argument("--address", help="of an OpenAI-compatible server; without it only chunks are found")
    parser.add_argument("--prompt", choices=PROMPTS, default="stock")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=128)
    chain = Chain(parser.parse_args())
    serve(lambda asked: chain.answer(asked["path"], asked["q"]))


if __name__ == "__main__":
    main()
