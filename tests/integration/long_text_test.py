"""Texts that are longer than the model was made for. They are refused unless an option says how to
read them, and then a note says it."""
import tiny_model
from tome_program import TomeTest, main

FACT = "Whale oil was replaced by a kerosene burner in 1870."
TEXT = ("--evidence", "text")  # a model that gives one reply has no other ability
QUESTION = "When was whale oil replaced?"
MADE_FOR = 3000


class LongTextTest(TomeTest):
    def setUp(self):
        super().setUp()
        # Attention does not affect the reply of this model, so it answers whatever is done about
        # the length.
        self.model = tiny_model.model_that_says(self.folder / "model.gguf", ["In ", "1870."],
                                                context=MADE_FOR)
        paragraphs = [f"On day {i} the keeper of the lamp wrote page {i} of the log." for i in range(120)]
        paragraphs.insert(60, FACT)
        self.document = self.write("a.txt", "\n\n".join(paragraphs))

    def run_ask(self, *options, way="context"):
        return ("ask", "--json", "--model", self.model, "--way", way, *TEXT, "--max-tokens", "100", *options,
                self.document, QUESTION)

    def test_a_longer_text_is_refused_and_the_ways_out_are_named(self):
        result = self.fails(*self.run_ask(), naming=f"made for {MADE_FOR}")
        for way in ("--way retrieval", "--longer dca", "--longer yarn"):
            self.assertIn(way, result.notes)
        auto = self.done(*self.run_ask(way="auto")).json
        self.assertEqual(auto["way"], "retrieval")

    def test_a_longer_text_is_read_when_it_is_said_how(self):
        for longer, said in (("dca", "by dca"), ("yarn", "by yarn"), ("none", "nothing was done")):
            for way in ("context", "auto"):
                with self.subTest(longer=longer, way=way):
                    answer = self.done(*self.run_ask("--longer", longer, "--cache-size", "0", way=way)).json
                    self.assertEqual(answer["way"], "context")
                    self.assertEqual(answer["answer"], "In 1870.")
                    self.assertEqual(answer["citations"][0]["quote"], FACT)
                    self.assertGreater(answer["tokens"]["prompt"], MADE_FOR)
                    notes = [note for note in answer["notes"] if f"trained on {MADE_FOR}" in note]
                    self.assertEqual(len(notes), 1, answer["notes"])
                    self.assertIn(said, notes[0])

    def test_a_memory_belongs_to_the_way_it_was_read(self):
        read = self.done("read", "--json", "--model", self.model, "--longer", "dca", self.document).json
        self.assertEqual({key: read["length"][key] for key in ("trained_on", "made_for", "by", "forgotten")},
                         {"trained_on": MADE_FOR, "made_for": MADE_FOR, "by": "dca", "forgotten": 0})
        restored = self.done(*self.run_ask("--longer", "dca")).json["tokens"]["restored"]
        self.assertGreater(restored, MADE_FOR)
        self.assertEqual(self.done(*self.run_ask("--longer", "yarn")).json["tokens"]["restored"], 0)
        verified = self.done("library", "verify", "--json", "--model", self.model, "--samples", "20").json
        self.assertGreater(verified["recomputed"], 6)

    def test_the_plan_says_what_the_model_was_made_for(self):
        plan = self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document).json
        self.assertEqual((plan["context_tokens"], plan["trained_on_tokens"], plan["lengthened_by"], plan["longer"]),
                         (MADE_FOR, MADE_FOR, None, None))
        self.assertIn(f"made for {MADE_FOR}", {way["way"]: way for way in plan["ways"]}["context"]["why_not"])
        plan = self.done("plan", "--json", "--evidence", "text", "--model", self.model, "--longer", "yarn", "--budget", "1000000",
                         self.document).json
        self.assertEqual((plan["way"], plan["longer"]), ("context", "yarn"))
        self.assertIn("yarn takes them beyond", plan["why"])

    def test_generate_ends_where_the_model_ends_or_streams(self):
        model = tiny_model.model_that_says(self.folder / "loop.gguf", ["a", "b"], context=400, loops=True)

        def generate(prompt, *options):
            return self.done("generate", "--json", "--model", model, "--prompt", prompt, *options)

        result = generate("Count.\n", "--max-tokens", "1000")
        self.assertIn("made for 400", result.notes)
        self.assertEqual(result.json["finish"], "context")
        self.assertLess(len(result.json["tokens"]), 400)
        long = "x" * 500 + "\n"
        refused = self.fails("generate", "--model", model, "--prompt", long, naming="made for 400")
        for option in ("--longer dca", "--longer yarn", "--window"):
            self.assertIn(option, refused.notes)
        for longer in ("dca", "yarn", "none"):
            said = generate(long, "--longer", longer, "--max-tokens", "50").json
            self.assertEqual(len(said["tokens"]), 50)
            self.assertEqual(said["length"]["by"], None if longer == "none" else longer)
        said = generate(long, "--window", "128", "--max-tokens", "2000").json
        self.assertEqual(len(said["tokens"]), 2000)
        self.assertEqual(said["length"]["by"], "window")
        self.assertGreater(said["length"]["forgotten"], 2000)
        self.assertEqual(said["restored_tokens"], 0)
        self.assertEqual(generate(long, "--window", "128", "--max-tokens", "10").json["restored_tokens"], 0)
        self.assertIn("forgotten", self.done("generate", "--model", model, "--prompt", long, "--window", "64",
                                             "--max-tokens", "10").notes)

    def test_what_makes_no_sense_is_refused(self):
        base = ("generate", "--model", self.model, "--prompt", "a")
        self.fails(*base, "--window", "64", "--longer", "dca", naming="--longer")
        self.fails(*base, "--window", str(MADE_FOR), naming="--window")
        self.fails(*base, "--window", "64", "--attention", "sparse", naming="sparse")
        self.fails(*base, "--sinks", "64", status=2, naming="--window")
        self.fails(*base, "--longer", "rope", status=2, naming="--longer")

    def test_chat_with_a_window_reads_passages(self):
        questions = self.write("questions", (QUESTION + "\n") * 3)
        with open(questions, "rb") as lines:
            result = self.done("chat", "--model", self.model, "--window", "1024", *TEXT, "--passage-tokens", "1200",
                               "--max-tokens", "100", self.document, stdin=lines)
        self.assertEqual(result.text.count("In 1870."), 3)
        self.assertIn("forgotten", result.notes)
        with open(questions, "rb") as lines:
            self.fails("chat", "--model", self.model, "--way", "context", *TEXT, "--window", "1024", self.document,
                       stdin=lines, naming="--window")


if __name__ == "__main__":
    main()
