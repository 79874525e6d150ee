"""The questions of the benchmark and the checks of them. README.md beside this file has the format."""
import collections
import dataclasses
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import text_spans

KINDS = ("words", "part", "none", "unanswerable")
# The number of questions of each kind that each language has.
COUNTS = {
    "test": {"words": 27, "part": 27, "none": 26, "unanswerable": 15},
    "dev": {"words": 15, "part": 15, "none": 15, "unanswerable": 10},
}
# A question in the text's words has at least this share of its content words in the sentence.
WORDS_SHARE = 0.6
LEAST_SNIPPET_CHARACTERS = {"en": 20, "zh": 6}
MOST_SNIPPET_CHARACTERS = {"en": 400, "zh": 150}
# A snippet that stands at more places than this is no sentence that answers.
MOST_PLACES = 4
# Where a sentence ends: at its full stop, or with its paragraph.
SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s)|[。！？][”’」』）]*|\n\s*\n")
FIELDS = {"id", "split", "language", "document", "kind", "question", "answers"}
TWINS = ("traditional", "simplified")


@dataclasses.dataclass
class Question:
    id: str
    split: str
    language: str
    document: str
    kind: str
    question: str
    answers: list
    traditional: str = None
    simplified: str = None

    @property
    def answerable(self):
        return self.kind != "unanswerable"

    @property
    def twin(self):
        """The question in the other Chinese characters than the text's, or None."""
        return self.traditional or self.simplified


def load(language):
    """Returns the questions of a language."""
    loaded = []
    for number, line in enumerate((HERE / language / "questions.jsonl").read_text().splitlines(), start=1):
        entry = json.loads(line)
        wrong = (FIELDS - set(entry)) | (set(entry) - FIELDS - set(TWINS))
        if wrong:
            raise ValueError(f"{language}/questions.jsonl:{number}: missing or unknown: {', '.join(sorted(wrong))}")
        loaded.append(Question(**entry))
    return loaded


def documents(language):
    """Returns the documents of a language: name to package, version, files, licence."""
    return json.loads((HERE / language / "documents.json").read_text())


def form_faults(question, known_documents):
    """Returns the faults of a question that can be seen without its document, as messages."""
    found = []
    if not re.fullmatch(rf"{question.language}-{question.split[0]}\d\d\d?", question.id):
        found.append("its id is not the language, the first letter of the split, and a number")
    if question.split not in COUNTS or question.kind not in KINDS:
        found.append("its split or kind is unknown")
    if question.document not in known_documents:
        found.append(f"its document {question.document} is not in documents.json")
    if question.answerable != bool(question.answers):
        found.append("has a kind that goes with answers and none, or the reverse")
    for snippet in (snippet for answer in question.answers for snippet in answer):
        least, most = LEAST_SNIPPET_CHARACTERS[question.language], MOST_SNIPPET_CHARACTERS[question.language]
        if not least <= len(snippet) <= most:
            found.append(f"a snippet has {len(snippet)} characters, not {least} to {most}: {snippet!r}")
    return [f"{question.id}: {fault}" for fault in found]


def shared_words(question, sentences, words):
    """Returns the content words that the question shares with a text, and the number of the
    question's; None where the words of the language cannot be told."""
    asked = words.content(question.question)
    if asked is None:
        return None
    return asked & words.content(sentences), len(asked)


def kind_faults(question, alternatives, words):
    """Returns the faults of a question's kind. `alternatives` has for each alternative the text of
    its sentences, or of its snippets alone, which can only show too much in common."""
    shared = [shared_words(question, sentences, words) for sentences in alternatives]
    if not shared or None in shared:
        return []
    common, asked = max(shared, key=lambda pair: len(pair[0]))
    share = len(common) / asked if asked else 0
    measured = "none" if share == 0 else "words" if share >= WORDS_SHARE else "part"
    if measured == question.kind:
        return []
    return [f"{question.id}: is of kind {question.kind}, but {len(common)} of its {asked} content words stand in a "
            f"sentence that answers, so {measured}: {', '.join(sorted(common))}"]


def sentence_around(text, span):
    """Returns the text of the whole sentences that a span of characters touches."""
    begin = 0
    for end in SENTENCE_END.finditer(text, max(0, span[0] - 2000), span[0]):
        begin = end.end()
    begin = begin or max(0, span[0] - 2000)
    # The sentence may end with the span's own last characters.
    end = SENTENCE_END.search(text, span[1] - 1)
    return text[begin:end.end() if end else len(text)].strip()


def text_faults(question, texts, words):
    """Returns the faults of a question that its document shows. `texts` are those of the document's
    files."""
    found, alternatives = [], []
    for answer in question.answers:
        sentences = []
        for snippet in answer:
            places = [(text, span) for text in texts for span in text_spans.find_all(snippet, text)]
            if not places:
                found.append(f"{question.id}: the document {question.document} does not have {snippet!r}")
            elif len(places) > MOST_PLACES:
                found.append(f"{question.id}: stands at {len(places)} places: {snippet!r}")
            sentences += [sentence_around(text, span) for text, span in places]
        alternatives.append("\n".join(sentences))
    return found + (kind_faults(question, alternatives, words) if not found else [])


def count_faults(loaded, language):
    """Returns which kinds have another number of questions than COUNTS, and which documents stand
    in both splits."""
    counts = collections.Counter((question.split, question.kind) for question in loaded)
    found = [f"{language}: {counts[split, kind]} questions {split}, {kind}; not {number}"
             for split, kinds in COUNTS.items() for kind, number in kinds.items() if counts[split, kind] != number]
    sides = [{question.document for question in loaded if question.split == split} for split in COUNTS]
    found += [f"{language}: {name} has questions of both splits" for name in sorted(sides[0] & sides[1])]
    ids = collections.Counter(question.id for question in loaded)
    return found + [f"{name}: {number} questions have this id" for name, number in ids.items() if number > 1]
