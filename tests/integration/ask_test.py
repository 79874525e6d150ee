"""Answers and their citations, over documents of every format, in English and Chinese."""
import made_files
from tome_program import TomeTest, main

QUESTIONS = [
    (made_files.ENGLISH, "What replaced the whale oil?", "kerosene burner", "The Lamp"),
    (made_files.ENGLISH, "How were the sailors saved?", "breeches buoy", "The Wreck"),
    (made_files.CHINESE, "鲸油后来换成了什么？", "煤油灯", "第一章 灯塔"),
    (made_files.CHINESE, "哪艘船撞上了暗礁？", "翠鸟号", "第二章 海难"),
]


class AskTest(TomeTest):
    def assert_cites(self, path, answer):
        """Checks that the quote of every citation is the bytes [begin, end) of `tome text`."""
        text = self.done("text", path).out
        self.assertTrue(answer["citations"])
        for citation in answer["citations"]:
            self.assertEqual(text[citation["begin"]:citation["end"]].decode(), citation["quote"])
            self.assertEqual(citation["document"], str(path))

    def test_every_format_answers_with_exact_quotes(self):
        for suffix, make in made_files.MAKERS.items():
            for i, (chapters, question, expected, section) in enumerate(QUESTIONS):
                with self.subTest(suffix=suffix, question=question):
                    path = make(self.folder / f"book{i}{suffix}", chapters)
                    answer = self.ask(path, question)
                    self.assert_cites(path, answer)
                    best = answer["citations"][0]
                    self.assertIn(expected, best["quote"])
                    if suffix == ".pdf":
                        self.assertEqual(best["page"], [title for title, _ in chapters].index(section) + 1)
                    else:
                        self.assertIsNone(best["page"])
                    if suffix not in (".txt", ".pdf"):  # these have no marked headings
                        self.assertEqual(best["section"], section)

    def test_text_has_every_paragraph_of_every_format(self):
        for suffix, make in made_files.MAKERS.items():
            for name, chapters in (("english", made_files.ENGLISH), ("chinese", made_files.CHINESE)):
                with self.subTest(suffix=suffix, name=name):
                    text = self.done("text", make(self.folder / f"{name}{suffix}", chapters)).text
                    for _, paragraphs in chapters:
                        for paragraph in paragraphs:
                            self.assertIn(paragraph, text)

    def test_json_is_one_line_with_the_documented_fields(self):
        path = made_files.epub(self.folder / "book.epub", made_files.ENGLISH)
        for question in ("What replaced the whale oil?", "zyzzyva quokka?"):
            asked = self.done("ask", "--json", path, question)
            self.assertEqual(asked.text.count("\n"), 1)
            answer = asked.json
            self.assertEqual(list(answer),
                             ["question", "way", "why", "answer", "support", "confidence", "gain",
                              "question_gain", "not_said", "missing", "sentences", "citations", "notes", "read", "timing", "tokens", "kv_loss"])
            self.assertEqual(answer["question"], question)
            self.assertEqual(answer["way"], "quotes")
            self.assertTrue(answer["why"])
            for citation in answer["citations"]:
                self.assertEqual(list(citation),
                                 ["document", "page", "section", "begin", "end", "quote", "score", "ranks"])
            self.assertTrue(all(seconds >= 0 for seconds in answer["timing"].values()))
            self.assertGreater(answer["tokens"]["documents"], 0)

    def test_the_order_of_quotes_is_by_score_and_top_limits_them(self):
        chapters = [(f"Day {i}", [f"On day {i} the keeper lit the lamp and wrote number {i * i} in the log."])
                    for i in range(40)]
        path = made_files.markdown(self.folder / "log.md", chapters)
        scores = [citation["score"] for citation in self.ask("--top", "7", path, "Who lit the lamp?")["citations"]]
        self.assertEqual(len(scores), 7)
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_several_documents_are_asked_at_once(self):
        english = made_files.docx(self.folder / "english.docx", made_files.ENGLISH)
        chinese = made_files.odt(self.folder / "chinese.odt", made_files.CHINESE)
        answer = self.ask(english, chinese, "鲸油后来换成了什么？")
        self.assertEqual(answer["citations"][0]["document"], str(chinese))

    def test_without_documents_the_whole_library_is_asked(self):
        made_files.epub(self.folder / "english.epub", made_files.ENGLISH)
        made_files.html_page(self.folder / "chinese.html", made_files.CHINESE)
        self.done("library", "add", "english.epub", "chinese.html")
        for question, name, expected in (("How were the sailors saved?", "english.epub", "breeches buoy"),
                                         ("哪艘船撞上了暗礁？", "chinese.html", "翠鸟号")):
            best = self.ask(question)["citations"][0]
            self.assertTrue(best["document"].endswith(name))
            self.assertIn(expected, best["quote"])

    def test_a_document_that_was_not_named_is_not_cited(self):
        made_files.text(self.folder / "a.txt", made_files.ENGLISH)
        other = self.write("b.txt", "Whale oil was sold at the market of Dunmore on Fridays.\n")
        self.done("library", "add", "a.txt", "b.txt")
        answer = self.ask(other, "What replaced the whale oil?")
        self.assertEqual({citation["document"] for citation in answer["citations"]}, {str(other)})

    def test_a_phrase_in_quotation_marks_must_occur(self):
        path = made_files.text(self.folder / "a.txt", made_files.ENGLISH)
        self.assertIn("Halcyon", self.quotes(path, '"brig Halcyon"'))
        self.assertEqual(self.ask(path, '"Halcyon brig"')["citations"], [])

    def test_an_empty_library_is_asked(self):
        self.assertEqual(self.ask("What replaced the whale oil?")["citations"], [])


if __name__ == "__main__":
    main()
