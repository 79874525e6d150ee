"""Tests of the scores. A wrong score would be wrong for every system alike, so that it would not be
noticed."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import plain_text
import questions
import report
import scoring
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import text_spans


class RightTest(unittest.TestCase):
    def test_case_width_and_white_space_make_no_difference(self):
        self.assertTrue(scoring.is_right("It was the SENATE.", ["Senate"]))
        self.assertTrue(scoring.is_right("house of\n  representatives", ["House of Representatives"]))
        self.assertTrue(scoring.is_right("至少需要２００MB", ["200MB"]))

    def test_any_of_the_answers_counts(self):
        self.assertTrue(scoring.is_right("twenty-five years", ["twenty five", "twenty-five", "25"]))
        self.assertFalse(scoring.is_right("thirty years", ["twenty five", "twenty-five", "25"]))
        self.assertFalse(scoring.is_right("anything", []))

    def test_short_answers_are_whole_words(self):
        self.assertFalse(scoring.is_right("Someone did it by another method.", ["one", "ETH"]))
        self.assertTrue(scoring.is_right("At ETH, one did.", ["ETH"]))
        self.assertFalse(scoring.is_right("In 1968", ["1", "196", "68"]))

    def test_longer_answers_may_be_a_part_of_a_word(self):
        self.assertTrue(scoring.is_right("The Plankalkül language", ["Plankalk"]))
        self.assertTrue(scoring.is_right("Kepler's law", ["Kepler"]))

    def test_numbers_are_no_part_of_other_numbers(self):
        self.assertFalse(scoring.is_right("1,100 and 100.5", ["100"]))
        self.assertFalse(scoring.is_right("110 days", ["10 days"]))
        self.assertFalse(scoring.is_right("12600 relays", ["2600"]))
        self.assertTrue(scoring.is_right("about 100.", ["100"]))
        self.assertTrue(scoring.is_right("90%", ["90%"]))

    def test_chinese_characters_end_a_number(self):
        self.assertTrue(scoring.is_right("只有约50名员工", ["50"]))
        self.assertFalse(scoring.is_right("约150名员工", ["50"]))

    def test_numbers_of_citations_are_no_answer(self):
        self.assertFalse(scoring.is_right("It had several wires. [1]", ["1", "one"]))


class RefusalTest(unittest.TestCase):
    def test_refusals_of_all_systems_are_known(self):
        for text in ("The document does not answer this question.", "文档没有回答这个问题。", "I don't know.", "",
                     "The text does not mention the salary.", "The text doesn't explicitly state when.", "[1]",
                     "There is no information about that.", "It is not specified in the text.", "I cannot answer that.",
                     "The text above does not provide information about the author.", "文中未提及。"):
            self.assertTrue(scoring.is_refusal(text), text)

    def test_answers_are_no_refusals(self):
        for text in ("He was not a student.", "The Senate does.", "Nobody knows how the switch did it.", "美国",
                     "A switch can't do anything unless there are two wires.", "No State shall coin Money.",
                     "They could not enter the room and went home to answer letters another day, which took a while."):
            self.assertFalse(scoring.is_refusal(text), text)

    def test_only_what_is_supported_is_vouched_for(self):
        self.assertTrue(scoring.is_vouched_for("1582", "supported"))
        self.assertFalse(scoring.is_vouched_for("1582", "partly"))
        self.assertFalse(scoring.is_vouched_for("1582", "none"))
        self.assertTrue(scoring.is_vouched_for("1582", None))
        self.assertFalse(scoring.is_vouched_for("I don't know.", "supported"))


class EvidenceTest(unittest.TestCase):
    def test_half_of_the_shorter_span_is_an_overlap(self):
        self.assertTrue(scoring.overlap((0, 10), (5, 15)))
        self.assertFalse(scoring.overlap((0, 10), (6, 16)))
        self.assertTrue(scoring.overlap((0, 1000), (990, 1010)))
        self.assertFalse(scoring.overlap((0, 10), (10, 20)))

    def test_rank_is_that_of_the_first_gold_sentence(self):
        self.assertEqual(scoring.gold_rank([(0, 10), (20, 30)], [(40, 50), (22, 28)]), 2)
        self.assertIsNone(scoring.gold_rank([(0, 10)], [(40, 50)]))
        self.assertIsNone(scoring.gold_rank([], [(40, 50)]))

    def test_reading_counts_all_that_stands_before_the_gold_sentence(self):
        self.assertEqual(scoring.read_to_gold([(100, 150), (0, 60)], [(20, 40)]), 50 + 40)
        self.assertEqual(scoring.read_to_gold([(0, 1000)], [(20, 40)]), 40)
        self.assertIsNone(scoring.read_to_gold([(100, 150)], [(20, 40)]))

    def test_a_sentence_is_found_whatever_its_white_space(self):
        text = "One.\nTwo\n   words (here).  Three."
        begin, end = text_spans.find("Two words (here).", text)
        self.assertEqual(text[begin:end], "Two\n   words (here).")
        self.assertIsNone(text_spans.find("Two word", "Twoword"))


class ScoreTest(unittest.TestCase):
    def test_a_right_answer_to_an_unanswerable_question_is_impossible(self):
        result = scoring.score({"text": "1582", "support": None, "evidence": None}, [], [])
        self.assertFalse(result["right"])
        self.assertTrue(result["vouched"])
        self.assertIsNone(result["gold_rank"])

    def test_a_system_that_cites_is_told_from_one_that_does_not(self):
        gold = [(5, 15)]
        answer = {"text": "x", "support": None, "evidence": [(5, 14)]}
        self.assertEqual(scoring.score(answer, ["x"], gold)["gold_rank"], 1)
        self.assertFalse(scoring.score({**answer, "evidence": None}, ["x"], gold)["cites"])


class ReportTest(unittest.TestCase):
    def record(self, system, id, **others):
        return {"system": system, "id": id, "length": "short", "language": "en", "answerable": True, "right": True,
                "refused": False, "vouched": True, "gold_rank": 1, "read_to_gold": 5, "cites": True, "computed": 10,
                "seconds": 2.0, "inner_seconds": 1.0, "first": False, "exact": [1, 1], "text": "a", "evidence": [[0, 5]],
                **others}

    def test_ratios_are_of_the_same_questions_and_of_those_that_both_timed(self):
        records = [self.record("tome", "a", seconds=1.0), self.record("peer", "a", seconds=3.0),
                   self.record("tome", "b", seconds=2.0), self.record("peer", "b", seconds=8.0),
                   self.record("tome", "c", seconds=None), self.record("peer", "c", seconds=9.0)]
        self.assertEqual(report.ratios(records, "tome", "peer", first=False), [3.0, 4.0])

    def test_shares_count_only_the_questions_they_are_about(self):
        records = [self.record("tome", "a"), self.record("tome", "b", right=False, refused=True, gold_rank=3),
                   self.record("tome", "c", answerable=False, right=False, gold_rank=None, vouched=True)]
        row = report.summary(records)
        self.assertEqual(row["right"], "1 of 2")
        self.assertEqual(row["first"], "1 of 2")
        self.assertEqual(row["among three"], "2 of 2")
        self.assertEqual(row["refused wrongly"], "1 of 2")
        self.assertEqual(row["vouched for the unanswerable"], "1 of 1")
        self.assertEqual(row["read to gold"], "5")
        self.assertEqual(row["quotes exact"], "100 %")

    def test_a_systems_own_words_are_held_against_what_is_right(self):
        records = [self.record("tome", "a", support="supported"), self.record("tome", "b", support="partly", right=False),
                   self.record("tome", "c", support="supported", answerable=False, right=False)]
        self.assertEqual(report.own_words(records), [
            '- tome calls 2 answers "supported": 1 right, 0 wrong, 1 to unanswerable questions',
            '- tome calls 1 answers "partly": 0 right, 1 wrong, 0 to unanswerable questions'])
        self.assertEqual(report.own_words([self.record("peer", "a", support=None)]), [])

    def test_thresholds_are_held_against_what_is_right(self):
        records = [self.record("tome", "a", confidence=0.5, gain=2.0, question_gain=1.0),
                   self.record("tome", "b", confidence=-1.2, gain=0.9, right=False),
                   self.record("tome", "c", confidence=-2.2, gain=0.4, question_gain=0.2, answerable=False, right=False),
                   self.record("tome", "d", confidence=None, gain=None)]
        lines = report.calibration(records)
        self.assertIn("| -0.4 | 1 of 1 | 0 of 1 | 0 of 1 | 0, 1 | 0, 1 | 1, 1 | 1, 1 |", lines)
        self.assertIn("| -2 | 1 of 1 | 1 of 1 | 0 of 1 | 0, 1 | 0, 1 | 0, 1 | 0, 1 |", lines)
        self.assertIn("| 0.95 | 1 | 0 | 0 | 0, 1 |", lines)
        self.assertIn("| 1.3 | 0 | 0 | 0 | 0, 1 |", lines)
        self.assertIn("| 0 | 1 | 0 | 0 | 0, 0 |", lines)
        self.assertEqual(report.calibration([self.record("peer", "a")]), [])

    def test_what_is_never_read_is_farther_than_everything(self):
        records = [self.record("tome", "a"), self.record("tome", "b", read_to_gold=None),
                   self.record("tome", "c", read_to_gold=None)]
        self.assertEqual(report.summary(records)["read to gold"], "–")


class PlainTextTest(unittest.TestCase):
    def test_html_loses_its_navigation_and_nothing_else(self):
        page = "<head><title>T</title></head><body><div class='navheader'><div>Next</div></div>" \
               "<p>One\ntwo <b>three</b></p><ul><li>four</li></ul></body>"
        self.assertEqual(plain_text.of_html(page), "One two three\n\nfour\n")

    def test_mallard_loses_its_credits(self):
        page = "<page xmlns='http://projectmallard.org/1.0/'><info><desc>D</desc></info><title>T</title>" \
               "<list><item><p>a <em>b</em></p></item></list></page>"
        self.assertEqual(plain_text.of_mallard(page), "T\n\na b\n")

    def test_rulesets_give_name_and_legend(self):
        self.assertEqual(plain_text.of_ruleset('name=_("Toltec")\nplural=_("?plural:Toltecs")\nlegend=_("A\\\n b.")\n'),
                         "Toltecs\n\nA b.\n")


class OwnQuestionsTest(unittest.TestCase):
    def test_answers_stand_in_their_sentences(self):
        import documents
        import json
        entries = [json.loads(line) for line in questions.OWN.read_text().splitlines()]
        self.assertEqual(len({entry["id"] for entry in entries}), len(entries))
        for entry in entries:
            self.assertIn(entry["doc"], documents.DOCUMENTS)
            if entry["answers"]:
                right = [scoring.is_right(gold, entry["answers"]) for gold in entry["gold_text"]]
                self.assertTrue(any(right), entry["id"])


if __name__ == "__main__":
    unittest.main()
