"""The systems under test: Tome, and LangChain's retrievers.

A system is given one document at a time: index(document) makes its index and returns the seconds, of
the clock and of all processors' work, ask(questions, limit, budget) returns for each question a dict:

  results   spans (file, begin, end) of characters of the document's texts, best first
  score     of the best result, or None; higher is better, comparable between questions
  seconds   of the search, without start-up
"""
import dataclasses
import json
import os
import pathlib
import resource
import shlex
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common.line_process import LineProcess  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class IndexedDocument:
    """A document as the systems are given it: its files, and the texts of these files."""
    name: str
    language: str
    paths: list
    text_paths: list
    texts: list


class Tome:
    """`tome library add` and `tome ask --way quotes`, in a library of its own for each document. It
    is given the files themselves, or with --plain their texts. The system `tome-words` has no
    embedder."""

    def __init__(self, name, options, language, folder):
        self.name, self.options, self.home = name, options, folder / f"{name}-home"
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith("TOME")},
                            "TOME_HOME": str(self.home)}
        self.more = shlex.split(options.tome_arguments)
        self.embedder = ["--embedder", options.embedders[language]] if name == "tome" else []
        if self.embedder and "--embedder" not in self._run("library", "add", "--help"):
            sys.exit(f"run: {options.tome} has no --embedder; leave the system `tome` out")

    def _run(self, *arguments):
        command = [self.options.tome, *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, env=self.environment)
        if result.returncode:
            sys.exit(f"{shlex.join(map(str, command))}: {result.stderr.decode()}")
        return result.stdout.decode()

    def index(self, document):
        shutil.rmtree(self.home, ignore_errors=True)
        self.bytes = [text.encode() for text in document.texts]
        self.paths = [str(path) for path in (document.text_paths if self.options.plain else document.paths)]
        begin = self._times()
        self._run("library", "add", *self.embedder, *self.paths)
        return [after - before for before, after in zip(begin, self._times())]

    @staticmethod
    def _times():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return [time.monotonic(), used.ru_utime + used.ru_stime]

    def _arguments(self, limit, budget):
        chosen = shlex.split(self.options.tome_budget.format(budget)) if self.options.tome_budget else []
        return ["ask", *self.paths, "--way", "quotes", "--top", limit, "--json", *self.embedder, *chosen, *self.more]

    def _answer(self, answer):
        results = []
        for citation in answer["citations"]:
            file = self.paths.index(citation["document"])
            # Offsets of Tome are bytes.
            text, begin, end = self.bytes[file], citation["begin"], citation["end"]
            if text[begin:end] != citation["quote"].encode():
                sys.exit(f"run: {self.name}: the text of {self.paths[file]} has changed; remove WORK/texts")
            results.append([file, len(text[:begin].decode()), len(text[:end].decode())])
        return {"results": results, "score": answer["citations"][0]["score"] if results else None,
                "seconds": answer["timing"]["search_seconds"]}

    def ask(self, questions, limit, budget):
        flags = [word for question in questions for word in ("-q", question)]
        answers = json.loads(self._run(*self._arguments(limit, budget), *flags))
        return [self._answer(answer) for answer in (answers["answers"] if len(questions) > 1 else [answers])]

    def process_seconds(self, question, limit, budget):
        """Returns the seconds of one question in a process of its own."""
        begin = time.monotonic()
        self._run(*self._arguments(limit, budget), question)
        return time.monotonic() - begin

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


class LangChainProcess(LineProcess):
    """langchain_peer.py for one language. All of LangChain's retrievers ask the same process."""

    def __init__(self, options, language, folder):
        cache = options.work / "vectors"
        cache.mkdir(exist_ok=True)
        command = [options.python, HERE / "langchain_peer.py", "--language", language, "--cache", cache,
                   "--threads", options.threads]
        if any(name in ("langchain-faiss", "langchain-ensemble", "langchain-ensemble-folded") for name in options.systems):
            command += ["--embeddings", options.embeddings[language]]
        super().__init__(command, folder / f"langchain-{language}.log")
        self.indexed = None

    def index(self, document):
        if self.indexed != document.name:
            self.seconds = self.request({"index": list(map(str, document.text_paths))})["seconds"]
            self.indexed = document.name
        return self.seconds


class LangChain:
    """One of LangChain's retrievers."""
    PARTS = {"bm25": ["bm25"], "bm25-folded": ["bm25-folded"], "faiss": ["faiss"], "ensemble": ["bm25", "faiss"],
             "ensemble-folded": ["bm25-folded", "faiss"]}

    def __init__(self, name, peer):
        self.name, self.retriever, self.peer = name, name.removeprefix("langchain-"), peer

    def index(self, document):
        seconds = self.peer.index(document)
        return [sum(both) for both in zip(*(seconds[part] for part in ["split", *self.PARTS[self.retriever]]))]

    def ask(self, questions, limit, budget):
        return [self.peer.request({"ask": question, "retriever": self.retriever, "limit": limit})
                for question in questions]

    def close(self):
        pass


NAMES = ["tome-words", "tome", *(f"langchain-{part}" for part in LangChain.PARTS)]
