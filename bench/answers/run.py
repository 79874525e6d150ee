#!/usr/bin/env python3
"""Asks Tome and its peers the same questions about the same documents, and scores their answers.

  bench/answers/run.py WORK --model M.gguf --llama-server "llama-server" --embeddings bge-small-en-v1.5/

WORK is a folder outside the repository. It keeps the documents, the peers' virtual environment, and
every answer (answers.jsonl) and the table (table.md) of each run. README.md beside this file says
how systems are set up and how answers are scored.
"""
import argparse
import json
import pathlib
import re
import signal
import sys
import tempfile

import documents
import questions
import report
import scoring
import systems

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "bench"))
from common import environment, text_spans

SYSTEMS = {system.name: system for system in (systems.Tome, systems.LlamaServer, systems.LangChain,
                                              systems.LangChainPlain)}


def parsed_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--run", default="run", help="the run's folder in WORK (default: run)")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="which of %(default)s, in this order")
    parser.add_argument("--sets", default="cases,own", help="which of %(default)s")
    parser.add_argument("--language", choices=["en", "zh"], help="questions of one language only")
    parser.add_argument("--only", default="", help="only documents in whose names this expression is found")
    parser.add_argument("--cases", type=pathlib.Path, default=REPOSITORY.parent / "shared/cases/answers",
                        help="folder of the other set (default: the folder of cases beside the project)")
    parser.add_argument("--model", type=pathlib.Path, help="the instruct model, GGUF, of all systems")
    parser.add_argument("--threads", type=int, default=2, help="of every system (default: 2)")
    parser.add_argument("--tome", default=REPOSITORY / "build/release/bin/tome")
    parser.add_argument("--tome-arguments", default="", help="more words for `tome ask`")
    parser.add_argument("--way", default="auto", help="of `tome ask` (default: auto)")
    parser.add_argument("--tome-batch", action="store_true",
                        help="all questions of a document in one process; no times")
    parser.add_argument("--llama-server", default="llama-server", help="the command of llama.cpp's server")
    parser.add_argument("--embeddings", type=pathlib.Path, help="folder of BGE embeddings: model.onnx, tokenizer.json")
    parser.add_argument("--evidence-only", action="store_true",
                        help="no model answers; scored is which sentence comes first (without a model of a language)")
    parser.add_argument("--report", action="store_true",
                        help="only writes the table again, from the answers of the run")
    return parser.parse_args()


def checked(options):
    """Checks the options and returns them with all that they need in place."""
    options.work = options.work.resolve()
    if options.work.is_relative_to(REPOSITORY):
        sys.exit(f"run: {options.work} lies in the repository; name a folder outside of it")
    options.systems = options.systems.split(",")
    unknown = set(options.systems) - set(SYSTEMS)
    if unknown:
        sys.exit(f"run: no system {', '.join(unknown)}; there are {', '.join(SYSTEMS)}")
    if options.evidence_only:
        options.model = None
        options.systems = [name for name in options.systems if name in ("tome", "langchain")]
    elif not options.model and not options.report:
        sys.exit("run: name the model with --model, or take --evidence-only")
    if set(options.systems) & {"langchain", "langchain-plain"} and not options.report:
        if not options.embeddings:
            sys.exit("run: langchain needs --embeddings")
        requirements = pathlib.Path(__file__).with_name("requirements.txt")
        options.python = environment.python(options.work / "environment", requirements)
    return options


def question_sets(options):
    """Returns the questions of each set, with those of one document together."""
    sets = {}
    for name in options.sets.split(","):
        if name == "own":
            loaded = questions.load(questions.OWN, documents.write(options.work))
        else:
            loaded = questions.load(options.cases / "questions.jsonl", options.cases / "docs")
        faults = [fault for question in loaded for fault in questions.faults(question)]
        if faults:
            sys.exit("\n".join(["run: questions do not fit their documents:", *faults]))
        for language in ("en", "zh"):
            chosen = [q for q in loaded if q.language == language and re.search(options.only, q.doc)]
            if options.language not in (None, language):
                continue
            if chosen:
                sets[f"{name}, {language}"] = sorted(chosen, key=lambda q: q.doc)
    return sets


def record(name, system, question, answer, first, evidence_only):
    """Returns all that is known of one answer."""
    gold = [text_spans.find(sentence, system.reads(question)) for sentence in question.gold_text]
    if None in gold:
        sys.exit(f"run: {system.name}'s text of {question.doc} lacks a sentence of question {question.id}")
    return {"set": name, "system": system.name, "id": question.id, "doc": question.doc, "q": question.q,
            "language": question.language, "length": question.length, "wording": question.wording, "first": first,
            "evidence_only": evidence_only, "answers": question.answers, "gold": gold, **answer,
            **scoring.score(answer, question.answers, gold)}


def warmed(path):
    """Reads the model file once, so that no system finds it colder than another does."""
    if path:
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass


def asked(options, name, chosen, running):
    """Yields the records of one set. At each question the systems answer in turn."""
    together = {}
    if options.tome_batch and "tome" in running:
        for doc in dict.fromkeys(q.doc for q in chosen):
            group = [q for q in chosen if q.doc == doc]
            together.update(zip((q.id for q in group), running["tome"].ask_together(group)))
    seen = set()
    for question in chosen:
        first = question.doc not in seen
        seen.add(question.doc)
        for system in running.values():
            batched = system.name == "tome" and options.tome_batch
            answer = together[question.id] if batched else system.ask(question)
            yield record(name, system, question, answer, first, options.evidence_only)


def main():
    # A run that is ended from outside still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = checked(parsed_arguments())
    folder = options.work / options.run
    folder.mkdir(parents=True, exist_ok=True)
    lines = folder / "answers.jsonl"
    if not options.report:
        sets = question_sets(options)
        warmed(options.model)
        with tempfile.TemporaryDirectory(prefix="tome-home-") as home, open(lines, "w") as out:
            running = {}
            try:
                for name in options.systems:
                    running[name] = SYSTEMS[name](options, home if name == "tome" else folder)
                for name, chosen in sets.items():
                    for result in asked(options, name, chosen, running):
                        print(json.dumps(result, ensure_ascii=False), file=out, flush=True)
                        print(f"{name} {result['id']} {result['system']}: {result['text'][:70]!r}", file=sys.stderr)
            finally:
                for system in running.values():
                    system.close()
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    for result in records:
        # Answers are scored again, so that a change of the scores reaches the answers of earlier
        # runs.
        result.update(scoring.score(result, result["answers"], result["gold"]))
    names = dict.fromkeys(r["set"] for r in records)
    table = "\n".join(report.markdown(name, [r for r in records if r["set"] == name]) for name in names)
    (folder / "table.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
