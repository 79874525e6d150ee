"""Holds README.md and docs/ against the program: commands, options, and the fields of its JSON."""
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
from unittest import mock

import made_files
import tiny_model
from json_reference import json_parts, names_in, sentences
from markdown_page import OPTION, Page, simple_commands, spans
from real_model_test import MODEL as REAL_MODEL
from tome_program import MAX_SECONDS, SANITIZED, TOME, TomeTest, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import make_jamba_model  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = ROOT / "docs" / "command-line.md"

LETTER = [("The Letter", ["Mara Ellwood finds the letter behind the lamp.", "It was written in 1887, in green ink."])]
STONE = [("第八回", ["通灵宝玉上刻着“莫失莫忘，仙寿恒昌”八个字。", "宝钗看毕，又从新翻过正面来细看。"])]
REPORT = [("Results", ["The net income of 2024 was 31 million, and that of 2023 was 27 million.",
                       "What changed since 2023 is the harbour, which Lin Haisheng wrote about."])]
SHELF = [("Memory", ["A tmpfs keeps all of its files in virtual memory."])]


SAYS = ["Mara ", "finds ", "the letter."]


def model(path):
    """Writes a tiny model that answers anything with one sentence."""
    return tiny_model.model_that_says(path, SAYS, context=16384)


def get_model(path):
    """A stand-in for scripts/get-model, which fetches nothing. It names the real model where that
    is there, and else a tiny one."""
    real = REAL_MODEL.is_file() and not SANITIZED
    name = REAL_MODEL.resolve() if real else model(path.parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
    path.write_text(f"#!/bin/sh\necho '{name}'\n")
    path.chmod(0o755)


# This table maps each file that the examples name to the function that makes it.
EXAMPLES = {
    "novel.epub": lambda path: made_files.epub(path, LETTER),
    "红楼梦.txt": lambda path: made_files.text(path, STONE),
    "report.pdf": lambda path: made_files.pdf(path, REPORT),
    "qwen3.gguf": model,
    "sharp.gguf": model,
    "1b-Q4_0.gguf": model,
    "prompt.txt": lambda path: made_files.text(path, LETTER),
    "Qwen3-0.6B": None,  # a folder of safetensors, made by `tome convert`
    "scripts/get-model": get_model,
}
QUESTIONS = "Who finds the letter?\n"  # standard input of the examples

# These programs are not Tome's. The pages name these options of theirs.
OTHERS = {
    "cmake": {"--build", "--install", "--preset"},
    "ctest": {"--preset"},
    "eval_test": {"--gtest_filter"},  # GoogleTest's
    "kernel_bench": {"--benchmark_filter", "--benchmark_repetitions"},  # Google Benchmark's
    "python3": set(),
}

# The fields of these commands' JSON are not compared, because measuring speed takes long.
NOT_COMPARED = {"bench speed", "bench memory"}
# Several commands print these objects, and docs/command-line.md describes each once.
SHARED = {"kv_loss", "exact", "losses", "length", "attention"}
# The keys of these objects are data: types of weights, and of keys and values.
MAPS = {"types", "kv_bytes_per_token"}
# Descriptions of fields name these values beside the values of options.
VALUES = {"auto", "cancelled", "complete", "dynamic", "end", "max_tokens", "partly", "replaced", "stop", "supported",
          "unchanged", "added", "window"}


class Program:
    """The commands and options that the program says it has."""

    def __init__(self, test):
        self.options, self.values = {}, set()
        self._walk(test, ())

    def _walk(self, test, path):
        shown = test.done(*path, "--help").text
        self.options[path] = set(re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)", shown))
        self.options[path] |= set(re.findall(r"(?m)^  (-\w),", shown))
        for braces in re.findall(r"(?m)^  .*:\{([\w,]+)\}", shown):
            self.values |= set(braces.split(","))
        listed = re.search(r"(?ms)^Subcommands:\n(.*?)(?:^\S|\Z)", shown)
        for name in re.findall(r"(?m)^  (\w[\w-]*)", listed.group(1)) if listed else []:
            self._walk(test, (*path, name))

    @property
    def all_options(self):
        return set().union(*self.options.values())

    def words(self):
        return {word for path in self.options for word in path}

    def subcommands(self, path):
        return {command[-1] for command in self.options if command and command[:-1] == path}

    def parse(self, words):
        """Returns the commands that words behind `tome` name, and what is wrong with them. Several
        are named by "add|list", all by "…" or "COMMAND"."""
        path = ()
        for word in words:
            below = self.subcommands(path)
            if not below or word.startswith(("-", "[-")):
                break
            if word in ("…", "COMMAND"):
                return [(*path, name) for name in below], None
            named = word.split("|")
            if set(named) - below:
                return [], f"there is no command {' '.join(['tome', *path, word])}"
            if len(named) > 1:
                return [(*path, name) for name in named], None
            path = (*path, word)
        return [path], None


def is_tome(words):
    return words[0].rsplit("/", 1)[-1] == "tome"


def options_in(words):
    return {found.group(1) for found in (re.match(r"\[?(--?[A-Za-z][\w-]*)", word) for word in words) if found}


def long_options_in(words):
    return {option for option in options_in(words) if option.startswith("--")}


@functools.cache
def script_options(script):
    """Returns the options of a script of the project: those that its --help lists, where argparse
    answers that, and else those that its source names."""
    source = (ROOT / script).read_text(encoding="utf-8")
    if "argparse" not in source:
        return set(OPTION.findall(source))
    shown = subprocess.run([sys.executable, "-B", ROOT / script, "--help"], capture_output=True, text=True,
                           timeout=60, check=True).stdout
    return set(re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", shown))


def scripts_beside(page, block):
    """Returns the scripts of the project that are named under the same heading as `block`."""
    text = "\n".join("\n".join(other.lines) for other in page.beside(block))
    return {path for path in re.findall(r"\b(?:bench|scripts)/[\w/.-]*\w", text) if (ROOT / path).is_file()}


class CommandsTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.program = Program(self)

    def wrong_with(self, words, page, block):
        """Returns what is wrong with a simple command that a page shows, or None."""
        program, arguments = words[0], words[1:]
        options = long_options_in(words)
        if is_tome(words):
            commands, wrong = self.program.parse(arguments)
            if wrong:
                return wrong
            for command in commands:
                unknown = options_in(arguments) - self.program.options[command]
                if unknown:
                    return f"{' '.join(['tome', *command])} has no {', '.join(sorted(unknown))}"
            return None
        if program == "make":
            targets = set(re.search(r"(?m)^\.PHONY:(.*)", (ROOT / "Makefile").read_text()).group(1).split())
            gone = [word for word in arguments if word.islower() and word not in targets]
            return f"the Makefile has no target {gone}" if gone else None
        name = program.rsplit("/", 1)[-1]
        if program.startswith("-"):
            known = self.program.all_options.union(*map(script_options, scripts_beside(page, block)))
        elif re.match(r"(?:bench|scripts)/", program):
            if not (ROOT / program).exists():
                return f"there is no {program}"
            known = script_options(program) if options else set()
        elif name in OTHERS:
            known = OTHERS[name]
        elif (program,) in self.program.options:  # `ask --json`, without "tome"
            return self.wrong_with(["tome", *words], page, block) if options else None
        else:
            return f"{program} is a program that this test does not know" if options else None
        unknown = ", ".join(sorted(options - known))
        owner = "no command, and no script named beside it," if program.startswith("-") else program
        return f"{owner} has {'an' if program.startswith('-') else 'no'} option {unknown}" if unknown else None

    def test_every_command_and_option_that_the_pages_name_exists(self):
        named = 0
        for path in PAGES:
            page = Page(path)
            shown = [(block, span) for block in page.blocks if block.kind in ("heading", "paragraph", "row")
                     for span in block.spans]
            shown += [(block, option) for block in page.blocks if block.kind in ("heading", "paragraph", "row")
                      for is_code, text in block.pieces if not is_code for option in OPTION.findall(text)]
            for block, code in [*shown, *page.command_lines()]:
                for words in simple_commands(code):
                    named += bool(options_in(words)) or is_tome(words)
                    wrong = self.wrong_with(words, page, block)
                    if wrong:
                        with self.subTest(page=path.name, line=block.line, code=code):
                            self.fail(wrong)
        self.assertGreater(named, 100)

    def test_the_reference_lists_the_options_of_every_command(self):
        documented = set()
        for block in Page(REFERENCE).blocks:
            if block.kind != "row" or [cell.lower() for cell in block.header[:2]] != ["options", "commands"]:
                continue
            options, commands = block.cells[:2]
            for command in spans(commands):
                paths, wrong = self.program.parse([] if command == "tome" else command.split())
                self.assertIsNone(wrong, block.text)
                documented |= {(" ".join(path), option) for path in paths for option in spans(options)}
        real = {(" ".join(path), option) for path, options in self.program.options.items() for option in options
                if option.startswith("--") and option != "--help"}
        self.assertEqual(sorted(real - documented), [], "options that the table of options leaves out")
        self.assertEqual(sorted(documented - real), [], "options of the table that no such command has")

    def test_every_command_is_named(self):
        commands = [words for path in PAGES for block in Page(path).blocks for span in block.spans
                    for words in simple_commands(span) if is_tome(words)]
        named = {path for words in commands if "COMMAND" not in words for path in self.program.parse(words[1:])[0]}
        leaves = {path for path in self.program.options if not self.program.subcommands(path)}
        self.assertEqual(leaves - named, set())

    def kind(self, words):
        """Returns what is done with a command of a code block: "run", or "check" where it takes
        long, is no program of Tome's, or is a synopsis."""
        if is_tome(words) and words[1] != "bench" and not any(word.startswith("[") for word in words):
            return "run"
        if is_tome(words) or words[0] == "make" or re.match(r"(?:bench|scripts)/", words[0]) or \
                words[0].rsplit("/", 1)[-1] in OTHERS:
            return "check"
        self.fail(f"{' '.join(words)}: the test neither runs nor checks this program")

    def make_examples(self):
        for name, make in EXAMPLES.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            if make:
                make(path)
        self.done("convert", "qwen3.gguf", "Qwen3-0.6B")
        (self.folder / "Qwen3-0.6B" / "tokenizer.json").write_text(
            json.dumps(tiny_model.Vocabulary(SAYS).tokenizer_json()))
        self.done("library", "add", made_files.markdown(self.folder / "shelf.md", SHELF))
        programs = self.folder / "build" / "release" / "bin"
        programs.mkdir(parents=True)
        (programs / "tome").symlink_to(TOME)
        self.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
        self.environment["TOME_READER"] = str(TOME.parent / "tome-reader")
        self.write("questions", QUESTIONS)

    def test_the_examples_succeed(self):
        self.make_examples()
        run = 0
        for path in PAGES:
            for block, line in Page(path).command_lines():
                kinds = {self.kind(words) for words in simple_commands(line)}
                self.assertEqual(len(kinds), 1, f"{path.name}: {line}")
                if kinds == {"check"}:
                    continue  # by test_every_command_and_option_that_the_pages_name_exists
                run += 1
                with self.subTest(page=path.name, line=block.line, command=line), \
                        open(self.folder / "questions", "rb") as questions:
                    shown = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], cwd=self.folder,
                                           env=self.environment, stdin=questions, capture_output=True,
                                           timeout=MAX_SECONDS)
                    self.assertEqual(shown.returncode, 0, f"{shown}; EXAMPLES of this test says what files there are")
                    self.assertTrue(shown.stdout or ">" in line, shown)
        self.assertGreater(run, 5)

    def test_the_example_of_settings_is_read(self):
        [block] = [block for block in Page(REFERENCE).blocks if block.kind == "fenced" and block.language == "toml"]
        self.home.mkdir()
        (self.home / "config.toml").write_text("\n".join(block.lines))
        models = self.done("model", "list", "--json").json["models"]
        self.assertEqual([each["name"] for each in models if each["default"]], ["bge", "qwen3"])

    def test_code_is_in_a_language_that_is_looked_at(self):
        for path in PAGES:
            for block in Page(path).blocks:
                if block.kind == "fenced":
                    self.assertIn(block.language, ("console", "sh", "bash", "toml"), f"{path.name}:{block.line}")


def fields_of(value, shared, prefix=""):
    """Yields the path of each field of a JSON value. Objects of SHARED go to `shared`."""
    if isinstance(value, list):
        for item in value:
            yield from fields_of(item, shared, prefix and prefix + "[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            path = f"{prefix}.{key}" if prefix else key
            yield path
            if key in SHARED:
                shared.setdefault("kv_loss" if key in ("exact", "losses") else key, []).append(inner)
            elif key in MAPS:
                for each in inner.values():
                    yield from fields_of(each, shared, path)
            else:
                yield from fields_of(inner, shared, path)


def leaf(path):
    return re.findall(r"\w+", path)[-1]


class JsonTest(TomeTest):
    """One model and a few documents, of which each command that knows --json prints what it can."""

    def setUp(self):
        super().setUp()
        self.program = Program(self)
        self.model = model(self.folder / "model.gguf")
        self.novel = made_files.epub(self.folder / "novel.epub", LETTER)
        self.report = made_files.pdf(self.folder / "report.pdf", REPORT)
        self.stone = made_files.text(self.folder / "红楼梦.txt", STONE)
        self.long = self.write("long.txt", "The keeper lit the lamp at dusk, and wrote of it in the log.\n" * 160)

    def jamba(self):
        """Writes a small model with attention and recurrent layers."""
        sizes = {"WIDTH": 64, "INNER": 128, "RANK": 4, "FFN": 64, "HEADS": 1, "KV_HEADS": 1}
        with mock.patch.multiple(make_jamba_model, **sizes), \
                mock.patch.object(make_jamba_model.make_model, "VOCABULARY", 300):
            make_jamba_model.write(self.folder / "jamba.gguf")
        return self.folder / "jamba.gguf"

    def samples(self):
        """Returns what each command prints with --json: lists of objects by its words."""
        of = ["--model", self.model]
        whole = [*of, "--way", "context", "--evidence", "text"]
        question = "Who finds the letter?"

        def done(*arguments, **options):
            return self.done(*arguments, "--json", **options).json

        # It comes first, so that the loss is known to those that follow.
        samples = {"bench kv": [done("bench", "kv", *of, "--text", self.long, "--tokens", "2048", "--kv", "q8")]}
        several = done("ask", self.novel, self.report, "-q", question, "-q", "What was the net income?", *whole)
        self.assertEqual(list(several), ["answers"])
        samples["ask"] = [*several["answers"], {"answers": []}, done("ask", self.novel, question),
                          done("ask", *whole, "--kv", "q8", self.novel, question)]
        samples["read"] = [done("read", *of, "--kv", "q8", self.long)]
        samples["plan"] = [done("plan", *of, self.novel), done("plan", "--model", self.jamba(), self.novel)]
        samples["library"] = [done("library", "add", self.novel, self.stone), done("library", "list"),
                              done("library", "show", "novel.epub")]
        samples["library show"] = [done("library", "show")]
        samples["library verify"] = [done("library", "verify")]
        samples["library"].append(done("library", "remove", "novel.epub"))
        samples["model"] = [done("model", "add", self.model, "--name", "it"), done("model", "list"),
                            done("model", "remove", "it")]
        samples["generate"] = [done("generate", *of, "--prompt", "a", "--kv", "q8"),
                               done("generate", *of, "--prompt", "a", "--attention", "sparse")]
        samples["logits"] = [done("logits", *of, "--tokens", "1,2", "--top", "2")]
        with open(self.long, "rb") as text:
            samples["tokenize"] = [done("tokenize", *of, stdin=text)]
        embedder = tiny_model.embedding_model(self.folder / "embedder")
        samples["embed"] = [done("embed", "--model", embedder, self.long)]
        samples["inspect"] = [done("inspect", "--tensors", self.model), done("inspect", embedder)]
        samples["convert"] = [done("convert", self.model, self.folder / "folder")]
        return samples

    def test_the_reference_names_the_fields_of_every_command(self):
        page = Page(REFERENCE)
        samples = self.samples()
        known = {" ".join(path) for path, options in self.program.options.items() if "--json" in options}
        self.assertEqual({name for name in known - NOT_COMPARED if name not in samples and
                          name.split()[0] not in samples}, set(), "commands that this test does not look at")
        parts = {}
        for part in json_parts(page):
            command = " ".join(part.command).removesuffix(" …")
            if command not in samples | dict.fromkeys(NOT_COMPARED):
                command = command.split()[0]
            parts.setdefault(command, part).add(part)
        self.assertEqual(parts.keys(), samples.keys() | NOT_COMPARED)
        shared, everything = {}, set()
        real = {command: set(fields_of(objects, shared)) for command, objects in samples.items()}
        words = self.program.values | self.program.words() | VALUES
        for command, fields in real.items():
            part = parts[command]
            everything |= set(map(leaf, fields))
            with self.subTest(command=command):
                self.assertEqual(sorted(self.left_out(part, fields)), [], "fields that the reference leaves out")
                self.assertEqual(sorted(part.fields.keys() - fields), [], "fields that are printed nowhere")
                claimed = part.claimed.union(*part.fields.values())
                self.assertEqual(sorted(claimed - set(map(leaf, fields)) - words), [], "names that are no fields")
        for key, objects in shared.items():
            with self.subTest(object=key):
                self.compare_shared(page, key, objects, words | everything)
        self.assertEqual(shared.keys(), {"kv_loss", "length", "attention"})

    def left_out(self, part, fields):
        """Yields the fields that a part leaves out. A field of an object may stand in its row."""
        for path in fields:
            parent = path.rpartition(".")[0].removesuffix("[]")
            if path in part.fields or leaf(path) in part.fields.get(parent, ()):
                continue
            if any(re.match(re.escape(path) + r"(?:\[\])?\.", field) for field in part.fields):
                continue  # an object whose fields have rows
            if leaf(path) in (part.snippets if part.fields else part.names):
                continue
            yield path

    def compare_shared(self, page, key, objects, words):
        fields = {leaf(path) for value in objects for path in fields_of(value, {}) if value is not None}
        self.assertTrue(fields, "the test has no example of it")
        said = [[text for is_code, text in sentence if is_code] for block in page.blocks
                if block.kind == "paragraph" and key in block.spans for sentence in sentences(block.pieces)]
        best = max(map(names_in, said), key=lambda names: len(names & fields))
        self.assertEqual(sorted(fields - best), [], "fields that the reference leaves out")
        self.assertEqual(sorted(best - fields - words), [], "names that are no fields")

    def test_answers_keep_what_the_reference_promises(self):
        ways = [["--way", "quotes"], *(["--model", self.model, "--way", way, "--evidence", evidence]
                                       for way in ("context", "retrieval") for evidence in ("sentence", "text"))]
        for document, question in ((self.novel, "Who finds the letter?"), (self.report, "What was the net income?"),
                                   (self.stone, "通灵宝玉上刻着什么字？")):
            text = self.done("text", document).out
            for way in ways:
                with self.subTest(document=document.name, way=way):
                    answer = self.ask(*way, document, question)
                    self.assert_promises(answer, text)
                    self.assertEqual(answer["question"], question)
                    self.assertTrue(answer["citations"])
                    self.assertEqual({citation["document"] for citation in answer["citations"]}, {str(document)})

    def assert_promises(self, answer, text):
        self.assertEqual(answer["read"]["document_characters"], len(text.decode()))
        self.assertLessEqual(answer["read"]["characters"], answer["read"]["document_characters"])
        for citation in answer["citations"]:
            self.assertTrue(0 <= citation["begin"] < citation["end"] <= len(text), citation)
            self.assertEqual(text[citation["begin"]:citation["end"]].decode(), citation["quote"])
        said, end = answer["answer"].encode(), 0
        for sentence in answer["sentences"]:
            self.assertTrue(end <= sentence["begin"] < sentence["end"] <= len(said), sentence)
            end = sentence["end"]
            said[sentence["begin"]:end].decode()
            self.assertLessEqual(set(sentence["citations"]), set(range(1, len(answer["citations"]) + 1)))
        tokens = answer["tokens"]
        self.assertLessEqual(tokens["restored"], tokens["prompt"])
        self.assertLessEqual(tokens["quoted"], tokens["documents"])
        if answer["way"] == "quotes":
            self.assertIsNone(answer["support"])
            quotes = [f"{citation['quote']} [{i}]" for i, citation in enumerate(answer["citations"], 1)]
            self.assertEqual(re.sub(r"\s+", " ", answer["answer"]), re.sub(r"\s+", " ", " ".join(quotes)))
        else:
            self.assertIn(answer["support"], ("supported", "partly", "none"))


if __name__ == "__main__":
    main()
