"""The systems under test: Tome, llama.cpp's server, LangChain's chain.

Each system is asked one question about one file. ask(question) returns a dict:

  text           the answer
  support        the system's own word on its answer, or None
  evidence       spans of characters of `reads(question)`, best first; None where it cites nothing
  exact          the number of quotes that are their bytes, and the number of all quotes
  computed       tokens that the model computed
  seconds        as a user waits
  inner_seconds  without start-up, or None
"""
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common.line_process import LineProcess  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CONTEXT_TOKENS = 8192
# An answer is a few words. A model that does not end is ended after this number of tokens.
MAX_ANSWER_TOKENS = 128
START_SECONDS = 120


class Tome:
    """`tome ask` as a process for each question, with its own library, which lasts as long as the
    run."""
    name = "tome"

    def __init__(self, options, home):
        self.command = [options.tome]
        self.arguments = ["--threads", options.threads, *shlex.split(options.tome_arguments)]
        if options.model:
            self.arguments += ["--model", options.model, "--way", options.way]
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith("TOME")}, "TOME_HOME": str(home)}
        self.texts = {}
        if options.model:
            self._prepare(pathlib.Path(home))

    def _prepare(self, home):
        """Lets Tome measure the model, once in its library, on a text that no question is about."""
        text = home / "prepare.txt"
        text.write_text("The mill has two wheels. It was built by the river.\n")
        begin = time.monotonic()
        self._run("ask", text, *self.arguments, "How many wheels does the mill have?")
        print(f"tome: prepared in {time.monotonic() - begin:.1f} s, once for a model", file=sys.stderr)

    def _run(self, *arguments):
        result = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, env=self.environment)
        if result.returncode:
            sys.exit(f"tome {shlex.join(map(str, arguments))}: {result.stderr.decode()}")
        return result.stdout

    def _bytes(self, path):
        if path not in self.texts:
            self.texts[path] = self._run("text", path)
        return self.texts[path]

    def reads(self, question):
        """Returns the text in which the evidence's characters are counted."""
        return self._bytes(question.path).decode()

    def _answer(self, question, answer, seconds):
        text = self._bytes(question.path)
        evidence, exact = [], 0
        for citation in answer["citations"]:
            begin, end = citation["begin"], citation["end"]
            exact += text[begin:end] == citation["quote"].encode()
            evidence.append([len(text[:offset].decode(errors="replace")) for offset in (begin, end)])
        tokens, timing = answer["tokens"], answer["timing"]
        computed = tokens.get("computed")
        if computed is None:
            computed = (tokens.get("prompt") or 0) - (tokens.get("restored") or 0) + (tokens.get("generated") or 0)
        inner = sum(timing.get(part) or 0 for part in ("search_seconds", "read_seconds", "generate_seconds"))
        return {"text": answer["answer"], "support": answer.get("support"), "not_said": answer["not_said"],
                "confidence": answer["confidence"], "gain": answer["gain"],
                "question_gain": answer["question_gain"], "evidence": evidence,
                "exact": [exact, len(evidence)], "computed": computed, "seconds": seconds,
                "inner_seconds": inner if seconds else None, "way": answer["way"], "notes": answer["notes"]}

    def ask(self, question):
        begin = time.monotonic()
        out = self._run("ask", question.path, *self.arguments, "--json", question.q)
        return self._answer(question, json.loads(out), time.monotonic() - begin)

    def ask_together(self, asked):
        """Returns the answers of one process to questions about one document. They have no times,
        since those would be of all questions together."""
        flags = [word for question in asked for word in ("-q", question.q)]
        answers = json.loads(self._run("ask", asked[0].path, *self.arguments, "--json", *flags))
        answers = answers["answers"] if len(asked) > 1 else [answers]
        return [self._answer(question, answer, None) for question, answer in zip(asked, answers)]

    def close(self):
        pass


class _Server:
    """A llama-server for one peer alone, so that no peer finds in its cache what another one left
    there."""

    def __init__(self, options, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        command = [*shlex.split(options.llama_server), "-m", options.model, "-c", CONTEXT_TOKENS, "-np", 1, "-t",
                   options.threads, "-tb", options.threads, "--host", "127.0.0.1", "--port", self.port]
        self.log = open(log, "wb")
        self.process = subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log)
        self._wait(log)

    def _wait(self, log):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.address + "/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.2)
        self.close()
        sys.exit(f"llama-server did not start; see {log}")

    def chat(self, prompt):
        body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": MAX_ANSWER_TOKENS}
        request = urllib.request.Request(self.address + "/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class LlamaServer:
    """llama.cpp's server with a plain prompt: the whole text, then the question."""
    name = "llama.cpp"

    def __init__(self, options, folder):
        self.server = _Server(options, folder / "llama-server.log")

    def reads(self, question):
        return question.text

    def ask(self, question):
        prompt = f"{question.text}\n\nAnswer the question from the text above, briefly.\n\n{question.q}"
        begin = time.monotonic()
        reply = self.server.chat(prompt)
        seconds = time.monotonic() - begin
        timings = reply["timings"]
        return {"text": reply["choices"][0]["message"]["content"], "support": None, "evidence": None, "exact": None,
                "computed": timings["prompt_n"] + timings["predicted_n"], "seconds": seconds,
                "inner_seconds": (timings["prompt_ms"] + timings["predicted_ms"]) / 1000}

    def close(self):
        self.server.close()


class LangChain:
    """LangChain's retrieval chain (langchain_peer.py), a process in the virtual environment that is
    asked line by line."""
    name = "langchain"
    prompt = "stock"

    def __init__(self, options, folder):
        self.server = _Server(options, folder / f"{self.name}-server.log") if options.model else None
        command = [options.python, HERE / "langchain_peer.py", "--embeddings", options.embeddings, "--threads",
                   options.threads, "--max-tokens", MAX_ANSWER_TOKENS, "--prompt", self.prompt]
        if self.server:
            command += ["--address", self.server.address + "/v1"]
        self.peer = LineProcess(command, folder / f"{self.name}.log")

    def reads(self, question):
        return question.text

    def ask(self, question):
        begin = time.monotonic()
        reply = self.peer.request({"path": str(question.path), "q": question.q})
        seconds = time.monotonic() - begin
        return {"support": None, "exact": None, "seconds": seconds, **reply}

    def close(self):
        self.peer.close()
        if self.server:
            self.server.close()


class LangChainPlain(LangChain):
    """The same chain with llama.cpp's plain prompt, the question last. It shows the cost of the
    stock prompt."""
    name = "langchain-plain"
    prompt = "plain"
