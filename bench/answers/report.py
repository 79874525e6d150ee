"""The table of a run: the scores of each system on each set of questions, and its times beside
Tome's."""
import math
import statistics

COLUMNS = ["right", "right and vouched for", "refused wrongly", "refused rightly", "vouched for the unanswerable",
           "first", "among three", "read to gold", "words", "evidence", "tokens", "first seconds", "seconds", "inner seconds", "quotes exact"]
EVIDENCE_COLUMNS = ["first", "among three", "read to gold", "evidence", "quotes exact"]
GROUPS = {
    "short": lambda r: r["length"] == "short",
    "long": lambda r: r["length"] == "long",
    "same words": lambda r: r["answerable"] and r["wording"] == "same",
    "partly the same": lambda r: r["answerable"] and r["wording"] == "partly",
    "other words": lambda r: r["answerable"] and r["wording"] == "other",
    "all": lambda r: True,
}


def _share(records, test):
    return f"{sum(map(test, records))} of {len(records)}" if records else "–"


def _median(values, form):
    values = [value for value in values if value is not None]
    return format(statistics.median(values), form) if values else "–"


def _reading(cited):
    """Returns the median of the characters read to a gold sentence. A sentence that is never met
    counts as infinitely far."""
    lengths = [math.inf if r["read_to_gold"] is None else r["read_to_gold"] for r in cited]
    median = statistics.median_low(lengths) if lengths else math.inf
    return "–" if math.isinf(median) else f"{median}"


def summary(records):
    """Returns the row of one system over some questions, by column."""
    asked = [r for r in records if r["answerable"]]
    others = [r for r in records if not r["answerable"]]
    cited = [r for r in asked if r["cites"]]
    timed = [r for r in records if not r["first"]]
    exact = [sum(r["exact"][i] for r in records if r["exact"]) for i in (0, 1)]
    return {
        "right": _share(asked, lambda r: r["right"]),
        "right and vouched for": _share(asked, lambda r: r["right"] and r["vouched"]),
        "first": _share(cited, lambda r: r["gold_rank"] == 1),
        "among three": _share(cited, lambda r: (r["gold_rank"] or 4) <= 3),
        "read to gold": _reading(cited),
        "refused wrongly": _share(asked, lambda r: r["refused"]),
        "refused rightly": _share(others, lambda r: r["refused"]),
        "vouched for the unanswerable": _share(others, lambda r: r["vouched"]),
        "words": _median([len(r["text"].split()) for r in records], ".0f"),
        "evidence": _median([r["evidence"][0][1] - r["evidence"][0][0] for r in records if r["evidence"]], ".0f"),
        "tokens": _median([r["computed"] for r in records], ".0f"),
        "first seconds": _median([r["seconds"] for r in records if r["first"]], ".2f"),
        "seconds": _median([r["seconds"] for r in timed], ".2f"),
        "inner seconds": _median([r["inner_seconds"] for r in timed], ".2f"),
        "quotes exact": f"{100 * exact[0] / exact[1]:.4g} %" if exact[1] else "–",
    }


def ratios(records, ours, theirs, first):
    """Returns how many times as long the other system took, question by question, sorted."""
    seconds = {(r["system"], r["id"]): r["seconds"] for r in records if r["first"] == first and r["seconds"]}
    return sorted(seconds[theirs, id] / seconds[ours, id] for system, id in seconds
                  if system == ours and (theirs, id) in seconds)


def own_words(records):
    """Returns lines that say how often a system is right, by its own word on its answers. Empty
    where the system has no such word."""
    lines = []
    for word in ("supported", "partly", "none"):
        said = [r for r in records if r["support"] == word]
        if said:
            right, asked = sum(r["right"] for r in said), sum(r["answerable"] for r in said)
            lines.append(f"- {said[0]['system']} calls {len(said)} answers \"{word}\": {right} right, "
                         f"{asked - right} wrong, {len(said) - asked} to unanswerable questions")
    return lines


# Tome's own thresholds are in support.h: kSure, kLow, kAboutQuestion, kNotSaidConfidence, …
CONFIDENCES = (0.4, 0.0, -0.4, -1.0, -1.5, -2.0, -2.5, -3.0)
GAINS = (0.5, 0.8, 1.0, 1.5)
QUESTION_GAINS = (0.0, 0.3, 0.65, 0.95, 1.3, 1.7, 2.0, 2.5)
SURE, LITTLE_CONFIDENCE = -0.4, -1.0


def calibration(records):
    """Returns tables of the answers that each threshold of confidence, and of gain below it, would
    tell apart. Empty where a system gives no confidence."""
    known = [r for r in records if r.get("confidence") is not None]
    if not known:
        return []
    kinds = [[r for r in known if r["right"]], [r for r in known if r["answerable"] and not r["right"]],
             [r for r in known if not r["answerable"]]]
    lines = ["", _row(["confidence", "at least: right", "wrong", "unanswerable",
                       *(f"below, gain below {gain:g}: answerable, unanswerable" for gain in GAINS)]),
             _row(["---"] * (4 + len(GAINS)))]
    for least in CONFIDENCES:
        cells = [f"{sum(r['confidence'] >= least for r in kind)} of {len(kind)}" for kind in kinds]
        for gain in GAINS:
            below = [r for r in known if r["confidence"] < least and r["gain"] < gain]
            asked = sum(r["answerable"] for r in below)
            cells.append(f"{asked}, {len(below) - asked}")
        lines.append(_row([f"{least:g}", *cells]))
    lines += ["", _row(["question gain", f"sure (at least {SURE:g}), at least: right", "wrong", "unanswerable",
                        f"confidence below {LITTLE_CONFIDENCE:g}, below: answerable, unanswerable"]),
              _row(["---"] * 5)]
    for least in QUESTION_GAINS:
        told = [[r for r in kind if r.get("question_gain") is not None] for kind in kinds]
        cells = [str(sum(r["confidence"] >= SURE and r["question_gain"] >= least for r in kind)) for kind in told]
        below = [sum(r["confidence"] < LITTLE_CONFIDENCE and r["question_gain"] < least for r in kind) for kind in told]
        lines.append(_row([f"{least:g}", *cells, f"{below[0] + below[1]}, {below[2]}"]))
    return lines


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown(title, records):
    """Returns the table of one set of questions. Where no model answered, it is the table of the
    evidence alone."""
    columns = EVIDENCE_COLUMNS if records[0]["evidence_only"] else COLUMNS
    systems = list(dict.fromkeys(r["system"] for r in records))
    lines = [f"## {title}", "", _row(["system", "questions", *columns]), _row(["---"] * (2 + len(columns)))]
    for system in systems:
        for group, belongs in GROUPS.items():
            some = [r for r in records if r["system"] == system and belongs(r)]
            if some:
                row = summary(some)
                lines.append(_row([system, f"{group}, {len(some)}", *(row[column] for column in columns)]))
    lines.append("")
    for system in systems:
        lines += own_words([r for r in records if r["system"] == system])
        lines += calibration([r for r in records if r["system"] == system])
    lines.append("")
    for length in ("short", "long"):
        totals = [f"{system} {sum(r['seconds'] for r in some):.0f} s of {len(some)}" for system in systems
                  if (some := [r for r in records if r["system"] == system and r["length"] == length and r["seconds"]])]
        if totals:
            lines.append(f"- all {length} questions: {', '.join(totals)}")
    for system in systems[1:]:
        for first, what in ((True, "a document's first question"), (False, "further questions")):
            times = ratios(records, systems[0], system, first)
            if times:
                lines.append(f"- {system} took {statistics.median(times):.2f} times as long as {systems[0]} over "
                             f"{what} (median of {len(times)} ratios)")
    return "\n".join(lines) + "\n"
