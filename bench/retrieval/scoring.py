"""Scores of what a system shows for a question, by functions that do not depend on the system.

A result is a span (file, begin, end) of characters of the document; results are in the order shown.
An answer is a list of snippets, all of which are needed; a snippet is a list of the places (file,
begin, end) at which it stands in the document, any of which will do.
"""
import math

# Results that are this many characters apart follow each other: white space stands between them.
GAP = 2


def cut(results, budget):
    """Returns the results whose text is read until `budget` characters are read: the last one may be
    cut short. None: all of them."""
    if budget is None:
        return list(results)
    shown = []
    for file, begin, end in results:
        taken = min(end - begin, budget)
        if taken <= 0:
            break
        shown.append((file, begin, begin + taken))
        budget -= taken
    return shown


def characters(results):
    return sum(end - begin for _, begin, end in results)


def covers(results, place):
    """Returns whether the results together show the whole of a place. Results that overlap, or that
    follow each other in the text, are read as one."""
    file, at, end = place
    for _, first, last in sorted(result for result in results if result[0] == file):
        if first <= at + (GAP if at > place[1] else 0) and last > at:
            at = last
    return at >= end


def shown(results, snippet):
    """Returns whether a snippet is shown at any of its places."""
    return any(covers(results, place) for place in snippet)


def found(results, answers):
    """Returns whether all snippets of one of the answers are shown."""
    return any(all(shown(results, snippet) for snippet in answer) for answer in answers)


def gain(results, answers):
    """Returns the normalized discounted cumulative gain. A result is worth the share of an answer's
    snippets that it is the first to show, since to show the same again is worth nothing. The ideal
    is that the first result shows all. Of several answers the best one counts."""
    best = 0
    for answer in answers:
        seen, total = 0, 0
        for rank in range(1, len(results) + 1):
            now = sum(shown(results[:rank], snippet) for snippet in answer)
            total += (now - seen) / len(answer) / math.log2(1 + rank)
            seen = now
        best = max(best, total)
    return best


def area_under_curve(answerable, others):
    """Returns the probability that an answerable question has a higher score than one that is not;
    equal scores count half. A question without a result has the score None, below all."""
    if not answerable or not others:
        return None
    low = -math.inf
    pairs = [(low if a is None else a, low if b is None else b) for a in answerable for b in others]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def score(record, budget):
    """Returns the scores of one question. `record` has results (the answer of at most five),
    more_results (of at most ten) and answers."""
    five = cut(record["results"][:5], budget)
    ten = cut(record["more_results"][:10], None if budget is None else 2 * budget)
    return {
        "found": found(five, record["answers"]),
        "gain": gain(ten, record["answers"]),
        "found_in_budget": found(cut(record["more_results"][:10], budget), record["answers"]),
        "characters": characters(five),
    }
