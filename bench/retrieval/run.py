#!/usr/bin/env python3
"""Asks Tome and LangChain's retrievers the questions, and scores the text that they show.

  bench/retrieval/run.py WORK --tome build/release/bin/tome --embeddings-en bge-small-en-v1.5/ \\
      --embeddings-zh bge-small-zh-v1.5/

WORK is a folder outside the repository. It keeps the documents, their texts, the peers' virtual
environment and vectors, and every answer (answers.jsonl) and the table (table.md) of each run.
README.md beside this file says how systems are set up and how answers are scored.
"""
import argparse
import json
import pathlib
import signal
import sys

import documents
import questions
import report
import systems

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bench"))
from common import environment, text_spans

LIMIT, MORE = 5, 10
# Questions of each document that are asked in a process of their own, for the times.
TIMED = 3


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--run", default="run", help="the run's folder in WORK (default: run)")
    parser.add_argument("--systems", default=",".join(name for name in systems.NAMES if name != "tome"),
                        help=f"which of {', '.join(systems.NAMES)} (default: all but tome, which needs --embedder-…)")
    parser.add_argument("--split", default="test,dev", help="which of %(default)s")
    parser.add_argument("--language", default="en,zh", help="which of %(default)s")
    parser.add_argument("--only", help="one document only")
    parser.add_argument("--tome", default=REPOSITORY / "build/release/bin/tome")
    parser.add_argument("--tome-arguments", default="", help="more words for `tome ask`")
    parser.add_argument("--tome-budget", default="", metavar="WORDS",
                        help="words that give `tome ask` a budget of characters, which {} stands for")
    parser.add_argument("--plain", action="store_true", help="Tome reads the texts, not the files they are from")
    for language, name in (("en", "English"), ("zh", "Chinese")):
        parser.add_argument(f"--embeddings-{language}", type=pathlib.Path,
                            help=f"folder of BGE embeddings, {name}, of LangChain: model.onnx, tokenizer.json")
        parser.add_argument(f"--embedder-{language}", type=pathlib.Path, help=f"embedder, {name}, of Tome")
        parser.add_argument(f"--budget-{language}", type=int, default={"en": 4000, "zh": 2000}[language],
                            help="characters that count of five results (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of LangChain's embeddings (default: 2)")
    parser.add_argument("--report", action="store_true", help="only scores the answers of the run again")
    options = parser.parse_args()
    options.work = options.work.resolve()
    if options.work.is_relative_to(REPOSITORY):
        sys.exit(f"run: {options.work} lies in the repository; name a folder outside of it")
    for wanted, known in (("systems", systems.NAMES), ("split", list(questions.COUNTS)), ("language", ["en", "zh"])):
        chosen = getattr(options, wanted).split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            sys.exit(f"run: --{wanted}: no {', '.join(unknown)}; there are {', '.join(known)}")
        setattr(options, wanted, chosen)
    options.embeddings, options.embedders = ({language: getattr(options, f"{name}_{language}") for language in ("en", "zh")}
                                             for name in ("embeddings", "embedder"))
    options.budgets = {"en": options.budget_en, "zh": options.budget_zh}
    return options


def checked(options):
    """Checks that the systems have what they need."""
    needed = [("--embedder", "tome", options.embedders)]
    needed += [("--embeddings", name, options.embeddings) for name in options.systems if "faiss" in name or "ensemble" in name]
    for option, name, folders in needed:
        for language in options.language:
            if name in options.systems and not folders[language]:
                sys.exit(f"run: {name} needs {option}-{language}")
    if any(name.startswith("langchain") for name in options.systems):
        requirements = pathlib.Path(__file__).with_name("requirements.txt")
        options.python = environment.python(options.work / "environment", requirements)


def places(snippet, texts):
    """Returns where a snippet stands: (file, begin, end) of characters."""
    return [(file, *span) for file, text in enumerate(texts) for span in text_spans.find_all(snippet, text)]


def records(system, document, asked, options):
    """Yields the record of each question, as it is and where it has a twin as that."""
    forms = [(question, "", question.question) for question in asked]
    forms += [(question, "twin", question.twin) for question in asked if question.twin]
    budget = options.budgets[document.language]
    words = [text for _, _, text in forms]
    five, ten = (system.ask(words, limit, most) for limit, most in ((LIMIT, budget), (MORE, 2 * budget)))
    for number, ((question, form, text), few, more) in enumerate(zip(forms, five, ten)):
        timed = hasattr(system, "process_seconds") and number < TIMED
        yield {"system": system.name, "id": question.id, "split": question.split, "language": document.language,
               "document": document.name, "kind": question.kind, "form": form, "question": text,
               "answers": [[places(snippet, document.texts) for snippet in answer] for answer in question.answers],
               "results": few["results"], "more_results": more["results"], "score": few["score"],
               "seconds": few["seconds"],
               "process_seconds": system.process_seconds(text, LIMIT, budget) if timed else None}


def indexed_documents(options, language):
    """Yields each document with the questions about it."""
    known = questions.documents(language)
    loaded = [question for question in questions.load(language) if question.split in options.split]
    for name, description in known.items():
        asked = [question for question in loaded if question.document == name]
        if not asked or options.only not in (None, name):
            continue
        paths = documents.files(name, description, options.work)
        read = documents.texts(name, paths, options.work, options.tome)
        missing = [snippet for question in asked for answer in question.answers for snippet in answer
                   if not places(snippet, read)]
        if missing:
            sys.exit(f"run: {name} has changed: it does not have {missing[0]!r}")
        yield systems.IndexedDocument(name, language, paths, documents.text_paths(name, paths, options.work), read), asked


def write_answers(options, folder):
    """Asks all questions and writes the records of answers and of indices."""
    with open(folder / "answers.jsonl", "w") as out:
        for language in options.language:
            peer, running = None, []
            try:
                for name in options.systems:
                    if name.endswith("-folded") and language == "zh":
                        continue  # Chinese has no case, and no white space between words.
                    if name.startswith("langchain"):
                        peer = peer or systems.LangChainProcess(options, language, folder)
                        running.append(systems.LangChain(name, peer))
                    else:
                        running.append(systems.Tome(name, options, language, folder))
                for document, asked in indexed_documents(options, language):
                    for system in running:
                        seconds, cpu_seconds = system.index(document)
                        characters = sum(map(len, document.texts))
                        index = {"system": system.name, "language": language, "document": document.name,
                                 "split": asked[0].split, "index_seconds": seconds, "index_cpu_seconds": cpu_seconds,
                                 "index_characters": characters}
                        print(json.dumps(index), file=out)
                        for record in records(system, document, asked, options):
                            print(json.dumps(record, ensure_ascii=False), file=out, flush=True)
                        print(f"{document.name}: {system.name}: index {seconds:.1f} s", file=sys.stderr)
            finally:
                for system in [*running, *([peer] if peer else [])]:
                    system.close()


def main():
    # A run that is ended from outside still ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = parsed_arguments()
    folder = options.work / options.run
    folder.mkdir(parents=True, exist_ok=True)
    if not options.report:
        checked(options)
        write_answers(options, folder)
    lines = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    table = report.markdown(lines, options.budgets)
    (folder / "table.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
