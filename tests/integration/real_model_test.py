"""Answers of a real small model. Right answers come from the right sentence, and no answer claims
support that it does not have."""
import os
import pathlib
import unittest

from tome_program import TomeTest, main

MODEL = pathlib.Path(os.environ.get("TOME_TEST_MODEL") or pathlib.Path(os.environ.get("TOME_SOURCE_DIR", "."),
                                                                      "build", "models",
                                                                      "SmolLM2-135M-Instruct.Q4_1.gguf"))
SENTENCES = ["The lighthouse of Brannock Head was finished in 1843 by the engineer Tobias Wren.",
             "Its lamp burned whale oil until a kerosene burner took its place in 1870.",
             "The first keeper, Agnes Morrow, lived there with her two brothers and eleven goats.",
             "Every Friday a boat from Port Ellis brought bread, lamp wicks and the mail.",
             "In the gale of 1881 the brig Halcyon struck the reef below the tower.",
             "All nineteen sailors were pulled ashore with a rope made of bed sheets.",
             "The fog bell weighed four hundred pounds and was rung by hand.",
             "A storm broke the glass of the lantern room in 1902, and it was mended with green panes."]
QUESTIONS = [("Who was the first keeper of the lighthouse?", "Morrow", 2),
             ("Which ship struck the reef?", "Halcyon", 4),
             ("What did the lamp burn before kerosene?", "whale oil", 1),
             ("How much did the fog bell weigh?", "four hundred", 6)]
CHINESE = "1870年，鲸油换成了煤油灯。守塔人名叫沈月娥。翠鸟号在大风中撞上了暗礁。\n"


@unittest.skipUnless(MODEL.is_file(), f"{MODEL}: there is no such model; name one by TOME_TEST_MODEL")
class RealModelTest(TomeTest):
    def asked(self, way, text, question, *options):
        document = self.write("a.txt", text)
        answer = self.done("ask", "--json", "--model", MODEL, "--way", way, *options, document, question).json
        text = self.done("text", document).out
        for citation in answer["citations"]:
            self.assertEqual(text[citation["begin"]:citation["end"]].decode(), citation["quote"])
        return answer

    def test_questions_are_answered_from_the_sentence_that_answers(self):
        for way in ("auto", "retrieval"):
            for question, expected, sentence in QUESTIONS:
                with self.subTest(way=way, question=question):
                    answer = self.asked(way, " ".join(SENTENCES), question)
                    self.assertIn(expected.lower(), answer["answer"].lower())
                    self.assertEqual(answer["citations"][0]["quote"], SENTENCES[sentence])
                    self.assertNotEqual(answer["support"], "none")
                    self.assertEqual(answer["missing"], [])

    def test_what_the_text_does_not_answer_is_not_supported(self):
        for question in ("Who composed the opera Zaide in Vienna?", "What is the capital of Mongolia?"):
            for way in ("auto", "context"):
                with self.subTest(way=way, question=question):
                    self.assertNotEqual(self.asked(way, " ".join(SENTENCES), question)["support"], "supported")

    def test_a_chinese_question_is_answered_somehow(self):
        for way in ("auto", "retrieval"):
            answer = self.asked(way, CHINESE, "鲸油后来换成了什么？")
            self.assertIn(answer["support"], ("supported", "partly", "none"))
            self.assertTrue(answer["citations"])

    def test_an_answer_is_the_same_every_time(self):
        first, second = (self.asked("retrieval", " ".join(SENTENCES), QUESTIONS[0][0]) for _ in range(2))
        del first["timing"], second["timing"]
        self.assertEqual(first, second)


if __name__ == "__main__":
    main()
