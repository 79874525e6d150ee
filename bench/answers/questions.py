"""Questions with gold answers and gold sentences: one JSON object a line.

  id          unique in its set
  doc         the document, docs/DOC.txt
  q           the question
  answers     what a right answer contains, any of them; none where the document does not answer the question
  gold_text   the sentences of the document that answer it, any of them
  wording     how far the question is from the text: "same", "partly" or "other" words (own questions only)
"""
import dataclasses
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import text_spans

OWN = pathlib.Path(__file__).resolve().parent / "questions.jsonl"
LONG_CHARACTERS = 5000


@dataclasses.dataclass
class Question:
    id: str
    doc: str
    q: str
    answers: list
    gold_text: list
    wording: str
    path: pathlib.Path
    text: str
    gold_spans: list

    @property
    def answerable(self):
        return bool(self.answers)

    @property
    def language(self):
        return "zh" if re.search(r"[\u4e00-\u9fff]", self.q) else "en"

    @property
    def length(self):
        return "long" if len(self.text) > LONG_CHARACTERS else "short"


def load(path, docs):
    """Returns the questions of a file about the documents of a folder."""
    loaded, texts = [], {}
    for line in pathlib.Path(path).read_text().splitlines():
        entry = json.loads(line)
        document = pathlib.Path(docs) / f"{entry['doc']}.txt"
        text = texts.setdefault(document, document.read_text())
        spans = [text_spans.find(sentence, text) for sentence in entry["gold_text"]]
        loaded.append(Question(str(entry["id"]), entry["doc"], entry["q"], entry["answers"], entry["gold_text"],
                               entry.get("wording", ""), document, text, spans))
    return loaded


def faults(question):
    """Returns the faults of a question as messages. With a fault its scores would mean nothing."""
    found = []
    for sentence, span in zip(question.gold_text, question.gold_spans):
        if span is None:
            found.append(f"{question.id}: the document {question.doc} has changed: it no longer has {sentence!r}")
    if question.answerable != bool(question.gold_text):
        found.append(f"{question.id}: has answers and no sentence that gives them, or sentences and no answer")
    gold = " ".join(" ".join(question.gold_text).split()).lower()
    if question.answerable and not any(answer.lower() in gold for answer in question.answers):
        found.append(f"{question.id}: none of its answers stands in its sentences")
    return found
