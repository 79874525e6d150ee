"""Tests of the scores. A wrong score would be wrong for every system alike, so that it would not be
noticed."""
import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import report
import scoring


class ShownTest(unittest.TestCase):
    def test_a_snippet_is_shown_as_a_whole_or_not_at_all(self):
        self.assertTrue(scoring.shown([(0, 10, 50)], [(0, 10, 50)]))
        self.assertTrue(scoring.shown([(0, 0, 100)], [(0, 10, 50)]))
        self.assertFalse(scoring.shown([(0, 11, 50)], [(0, 10, 50)]))
        self.assertFalse(scoring.shown([(0, 10, 49)], [(0, 10, 50)]))
        self.assertFalse(scoring.shown([], [(0, 10, 50)]))

    def test_a_place_in_another_file_is_another_place(self):
        self.assertFalse(scoring.shown([(1, 10, 50)], [(0, 10, 50)]))

    def test_any_place_of_a_snippet_will_do(self):
        self.assertTrue(scoring.shown([(2, 0, 30)], [(0, 10, 50), (2, 10, 20)]))

    def test_results_that_overlap_or_follow_each_other_are_read_as_one(self):
        self.assertTrue(scoring.shown([(0, 30, 60), (0, 0, 35)], [(0, 10, 50)]))
        self.assertTrue(scoring.shown([(0, 0, 30), (0, 32, 60)], [(0, 10, 50)]))
        self.assertFalse(scoring.shown([(0, 0, 30), (0, 33, 60)], [(0, 10, 50)]))
        self.assertFalse(scoring.shown([(0, 12, 60)], [(0, 10, 50)]))

    def test_short_results_within_a_longer_one_do_not_hide_it(self):
        self.assertTrue(scoring.shown([(0, 0, 60), (0, 5, 8), (0, 20, 25)], [(0, 10, 50)]))

    def test_all_snippets_of_one_answer_are_needed(self):
        answer = [[(0, 0, 10)], [(0, 90, 100)]]
        self.assertFalse(scoring.found([(0, 0, 20)], [answer]))
        self.assertTrue(scoring.found([(0, 0, 20), (0, 80, 100)], [answer]))
        self.assertTrue(scoring.found([(0, 40, 60)], [answer, [[(0, 45, 50)]]]))
        self.assertFalse(scoring.found([(0, 0, 100)], []))


class CutTest(unittest.TestCase):
    def test_text_counts_until_the_budget_is_read(self):
        results = [(0, 0, 40), (1, 10, 60), (0, 90, 100)]
        self.assertEqual(scoring.cut(results, 60), [(0, 0, 40), (1, 10, 30)])
        self.assertEqual(scoring.cut(results, 40), [(0, 0, 40)])
        self.assertEqual(scoring.cut(results, 1000), results)
        self.assertEqual(scoring.cut(results, None), results)

    def test_text_shown_twice_is_read_twice(self):
        self.assertEqual(scoring.characters([(0, 0, 40), (0, 20, 60)]), 80)

    def test_scores_keep_to_the_budget(self):
        record = {"results": [(0, 0, 100), (0, 500, 600)], "more_results": [(0, 0, 100), (0, 500, 600)],
                  "answers": [[[(0, 550, 590)]]]}
        self.assertTrue(scoring.score(record, 200)["found"])
        short = scoring.score(record, 150)
        self.assertFalse(short["found"])
        self.assertEqual(short["characters"], 150)
        # Ten results have twice the characters of five.
        self.assertGreater(short["gain"], 0)
        self.assertEqual(scoring.score(record, 50)["gain"], 0)


class GainTest(unittest.TestCase):
    def test_gain_falls_with_the_rank_of_the_first_result_that_answers(self):
        answer = [[(0, 0, 10)]]
        other = (0, 500, 600)
        self.assertEqual(scoring.gain([(0, 0, 10)], [answer]), 1)
        self.assertAlmostEqual(scoring.gain([other, (0, 0, 10)], [answer]), 1 / math.log2(3))
        self.assertAlmostEqual(scoring.gain([other, other, other, (0, 0, 10)], [answer]), 1 / math.log2(5))
        self.assertEqual(scoring.gain([other], [answer]), 0)

    def test_the_same_text_again_gains_nothing(self):
        answer = [[(0, 0, 10)]]
        self.assertEqual(scoring.gain([(0, 0, 10), (0, 0, 20)], [answer]), 1)

    def test_each_snippet_gains_its_share(self):
        answer = [[(0, 0, 10)], [(0, 90, 100)]]
        self.assertAlmostEqual(scoring.gain([(0, 0, 10), (0, 90, 100)], [answer]), 0.5 + 0.5 / math.log2(3))
        self.assertEqual(scoring.gain([(0, 0, 100)], [answer]), 1)

    def test_the_best_answer_counts(self):
        self.assertEqual(scoring.gain([(0, 90, 100), (0, 0, 10)], [[[(0, 0, 10)]], [[(0, 90, 100)]]]), 1)


class AreaTest(unittest.TestCase):
    def test_area_is_the_share_of_pairs_in_order(self):
        self.assertEqual(scoring.area_under_curve([3, 2], [1, 0]), 1)
        self.assertEqual(scoring.area_under_curve([1, 0], [3, 2]), 0)
        self.assertEqual(scoring.area_under_curve([1], [1]), 0.5)
        self.assertEqual(scoring.area_under_curve([3, 1], [2, 0]), 0.75)

    def test_no_result_is_below_all(self):
        self.assertEqual(scoring.area_under_curve([0.1], [None]), 1)
        self.assertIsNone(scoring.area_under_curve([0.1], []))


class ReportTest(unittest.TestCase):
    def record(self, id, kind, form="", found=True, score=1.0):
        return {"system": "s", "id": id, "split": "test", "language": "zh", "kind": kind, "form": form, "score": score,
                "results": [[0, 0, 50]] if found else [[0, 500, 600]], "more_results": [[0, 0, 50]], "seconds": 0.01,
                "process_seconds": None, "answers": [[[[0, 0, 10]]]] if kind != "unanswerable" else []}

    def test_twins_and_unanswerable_questions_do_not_count_as_answerable(self):
        lines = [self.record("a", "words"), self.record("a", "words", form="twin", found=False),
                 self.record("b", "none", found=False), self.record("c", "unanswerable", score=0.5),
                 {"system": "s", "language": "zh", "document": "d", "split": "test", "index_seconds": 9.0,
                  "index_cpu_seconds": 2.0, "index_characters": 500}]
        table = report.markdown(lines, {"zh": 2000})
        header, _, row = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")]
        cells = {name.strip(): cell.strip() for name, cell in zip(header, row)}
        self.assertEqual(cells["recall@5"], "0.500")
        self.assertEqual((cells["words"], cells["none"]), ("1.000", "0.000"))
        self.assertEqual((cells["twins"], cells["of those, as written"]), ("0.000", "1.000"))
        self.assertEqual((cells["AUC"], cells["characters"], cells["characters/CPU s"]), ("1.000", "75", "250"))
        self.assertNotIn("part", cells)


if __name__ == "__main__":
    unittest.main()
