"""Scores of one answer, by functions that do not depend on the system that gave it.

A reply is what a system showed: its text and, where the system cites, the spans of its evidence in
the order shown. Spans are pairs (begin, end) of characters of the document.
"""
import re
import unicodedata

# An answer of at most so many characters counts only as a whole word: "ETH" is no part of "method",
# and "1" is no part of "1968".
WHOLE_WORD_CHARACTERS = 4

_NOT = r"(?:does not|doesn't|do not|don't|did not|didn't)(?: \w+ly)?"
_IS_NOT = r"(?:is|are|was|were|has|have)(?: not|n't)(?: \w+ly)?(?: been)?(?: \w+ly)?"
REFUSALS = re.compile(
    # These verbs are a refusal where a sentence says them of the text itself. Of other things they
    # are ordinary ("the king did not give").
    rf"\b(?:text|document|passage|article|context|excerpt)s?(?: \w+){{0,3}} {_NOT} "
    r"(?:answer|mention|state|specify|provide|contain|include|give|say|tell|indicate|address|discuss)\b"
    rf"|\b{_NOT} (?:answer this|answer the question|mention|specify|provide (?:any )?information)\b"
    rf"|\b{_IS_NOT} (?:mentioned|stated|specified|answered)\b"
    r"|\bnot (?:explicitly )?(?:mentioned|stated|specified|provided|given) in the\b"
    r"|\bno (?:information|mention|answer|indication)\b"
    r"|\b(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't) (?:know|answer|find|determine)\b"
    r"|\bunable to (?:answer|find|determine|provide)\b"
    r"|\b(?:cannot|can't) be (?:answered|determined)\b"
    r"|没有(?:回答|提到|提及|说明|给出|找到)|未(?:回答|提到|提及|说明|给出)|不知道|无法(?:回答|确定|得知)",
    re.IGNORECASE)


def folded(text):
    """Returns the text without differences of spelling alone: case, width, white space and the
    shapes of quotes."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"[‘’]", "'", re.sub(r"[“”]", '"', text))
    return " ".join(text.split())


def shown(text):
    """Returns the text that a reader takes as the answer. The numbers of citations are left out,
    since they would count as numbers."""
    return re.sub(r"\[\d+\]", " ", text)


def _pattern(answer):
    """Returns the expression that finds `answer`, folded, where it is not a part of another word or
    number."""
    ascii_word = "[A-Za-z0-9]"
    pattern = re.escape(answer)
    whole = len(answer) <= WHOLE_WORD_CHARACTERS
    if re.match(ascii_word, answer) and (whole or answer[0].isdigit()):
        pattern = rf"(?<!{ascii_word})(?<!\d[.,])" + pattern
    if re.search(ascii_word + "$", answer) and (whole or answer[-1].isdigit()):
        pattern += rf"(?!{ascii_word})(?![.,]\d)"
    return pattern


def is_right(text, answers):
    """Returns whether the text contains any of the answers."""
    text = folded(shown(text))
    return any(re.search(_pattern(folded(answer)), text) for answer in answers)


def is_refusal(text):
    """Returns whether the text says that the document does not answer, or is empty."""
    text = folded(shown(text))
    return not text or re.search(REFUSALS, text) is not None


def is_vouched_for(text, support):
    """Returns whether the system gave the text as the document's answer. `support` is the system's
    own word, "supported", "partly" or "none". A system without such a word (None) vouches for all
    that is no refusal."""
    return not is_refusal(text) and support in (None, "supported")


def overlap(a, b):
    """Returns whether two spans share at least half of the shorter one."""
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return shared > 0 and 2 * shared >= min(a[1] - a[0], b[1] - b[0])


def gold_rank(evidence, gold):
    """Returns the place, from 1, of the first piece of evidence on a gold sentence, or None."""
    for rank, span in enumerate(evidence, start=1):
        if any(overlap(span, sentence) for sentence in gold):
            return rank
    return None


def read_to_gold(evidence, gold):
    """Returns the characters of evidence that a reader reads, in the order shown, until a gold
    sentence is read, or None. Unlike the rank, it is the same effort for sentences and for chunks
    of a page."""
    before = 0
    for span in evidence:
        ends = [min(sentence[1], span[1]) - span[0] for sentence in gold if overlap(span, sentence)]
        if ends:
            return before + min(ends)
        before += span[1] - span[0]
    return None


def score(answer, answers, gold):
    """Returns all scores of one answer. `answer` has text, support, and evidence (None: the system
    cites nothing)."""
    evidence = answer["evidence"]
    rank = gold_rank(evidence, gold) if evidence is not None else None
    return {
        "answerable": bool(answers),
        "right": bool(answers) and is_right(answer["text"], answers),
        "refused": is_refusal(answer["text"]) or answer.get("not_said", False),
        "vouched": is_vouched_for(answer["text"], answer["support"]),
        "gold_rank": rank,
        "read_to_gold": read_to_gold(evidence, gold) if evidence is not None else None,
        "cites": evidence is not None,
    }
