"""Checks of the questions that need no document, and tests of these checks."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import questions
import words


class QuestionsTest(unittest.TestCase):
    def test_questions_have_the_documented_form_and_number(self):
        for language in words.LANGUAGES:
            loaded, known = questions.load(language), questions.documents(language)
            faults = [fault for question in loaded for fault in questions.form_faults(question, known)]
            self.assertEqual(faults + questions.count_faults(loaded, language), [])

    def test_questions_without_shared_words_share_none_with_their_snippets(self):
        for language, content in words.LANGUAGES.items():
            content = content()
            for question in questions.load(language):
                if question.kind == "none":
                    self.assertEqual(questions.kind_faults(question, [" ".join(a) for a in question.answers], content), [])


class ChecksTest(unittest.TestCase):
    def made(self, kind, question, answers):
        return questions.Question("en-t01", "test", "en", "d", kind, question, answers)

    def test_kinds_are_told_by_the_share_of_stems(self):
        content, texts = words.English(), ["The pump was repaired on Monday. It\nruns again now. Nobody knows why.\n\nMore."]
        told = {
            "words": "When was the pump repaired?",
            "part": "Which workman had repaired the broken machine?",
            "none": "Who fixed it, and how?",
        }
        for kind, asked in told.items():
            for other in told:
                faults = questions.text_faults(self.made(other, asked, [["pump was repaired on"]]), texts, content)
                self.assertEqual(not faults, other == kind, (other, asked, faults))

    def test_words_of_the_whole_sentence_count(self):
        texts = ["The pump was repaired on Monday by Ann. It\nruns again now."]
        question = self.made("none", "Is it due to Ann?", [["pump was repaired on Monday"]])
        self.assertIn("ann", questions.text_faults(question, texts, words.English())[0])
        self.assertEqual(questions.sentence_around(texts[0], (47, 51)), "runs again now.".join(["It\n", ""]))

    def test_snippets_must_stand_in_the_document_white_space_aside(self):
        texts = ["The pump  was\nrepaired on Monday."]
        self.assertEqual(questions.text_faults(self.made("words", "Pump repaired?", [["pump was repaired on"]]), texts,
                                               words.English()), [])
        self.assertIn("does not have", questions.text_faults(self.made("words", "Pump repaired?", [["pump is repaired"]]),
                                                             texts, words.English())[0])

    def test_inflections_are_one_word_and_stop_words_none(self):
        self.assertEqual(words.English().content("What's running? It runs."), {"run"})


if __name__ == "__main__":
    unittest.main()
