"""Models that have names, and the default one: `tome model`, config.toml, and how all commands use
them."""
import tiny_model
from tome_program import TomeTest, main

DOCUMENT = "The keeper lit the lamp at dusk.\n\nWhale oil was replaced by a kerosene burner in 1870.\n"
KEROSENE = "Whale oil was replaced by a kerosene burner in 1870."
QUESTION = "What replaced whale oil?"


class DefaultModelTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.document = self.write("a.txt", DOCUMENT)
        self.config = self.home / "config.toml"
        self.kerosene = tiny_model.model_that_says(self.folder / "kerosene.gguf",
                                                   [f"[1] {KEROSENE}\n", "Answer: Kerosene [1]."])

    def says(self, text):
        return tiny_model.model_that_says(self.folder / f"{text}.gguf", [text])

    def generated(self, *arguments, **options):
        return self.done("generate", "--prompt", "Say.\n", "--json", *arguments, **options).json["text"]

    def listed(self):
        return {model["name"]: model for model in self.done("model", "list", "--json").json["models"]}

    def test_the_default_model_answers_where_none_is_named(self):
        self.assertEqual(self.ask(self.document, QUESTION)["way"], "quotes")
        self.done("model", "add", self.kerosene)
        self.assertEqual(self.ask(self.document, QUESTION)["way"], "quotes")
        self.done("model", "add", self.kerosene, "--default")
        self.assertEqual(self.ask(self.document, QUESTION)["way"], "context")
        self.assertEqual(self.ask("--way", "retrieval", self.document, QUESTION)["way"], "retrieval")
        with open(self.write("questions.txt", QUESTION), "rb") as questions:
            self.assertIn("the model read", self.done("chat", self.document, stdin=questions).notes)

    def test_no_command_needs_it_named(self):
        self.done("model", "add", self.kerosene, "--default")
        self.assertEqual(self.done("plan", "--json", self.document).json["model"], "kerosene.gguf")
        self.assertGreater(self.done("read", "--json", self.document).json["tokens"], 0)
        self.assertTrue(self.generated())
        self.done("logits", "--tokens", "1", "--last", "--top", "1")
        with open(self.document, "rb") as text:
            self.assertTrue(self.done("tokenize", "--json", stdin=text).json["ids"])
        self.done("bench", "speed", "--prompt", "2", "--generate", "2", "--depth", "0")

    def test_without_one_it_must_be_named(self):
        self.done("model", "add", self.kerosene)
        for command in (["plan", self.document], ["read", self.document], ["generate", "--prompt", "a"],
                        ["logits", "--tokens", "1"], ["tokenize"], ["bench", "speed"],
                        ["ask", "--way", "context", self.document, QUESTION]):
            with self.subTest(command=command):
                notes = self.fails(*command, status=2, naming="--model PATH").notes
                self.assertIn("tome model add PATH --default", notes)

    def test_a_model_that_is_named_wins(self):
        self.done("model", "add", self.says("one"), "--default")
        self.done("model", "add", self.says("two"), "--name", "second")
        three = self.says("three")
        self.assertEqual(self.generated(), "one")
        self.assertEqual(self.generated("--model", "second"), "two")
        self.assertEqual(self.generated("--model", three), "three")
        self.assertEqual(self.done("inspect", "second", "--json").json["architecture"], "llama")
        # A file or folder takes precedence over a model of the same name.
        three.rename(self.folder / "second")
        self.assertEqual(self.generated("--model", "second"), "three")
        self.assertEqual(self.generated("--model", "second", cwd="/"), "two")
        self.fails("generate", "--model", "third", "--prompt", "a", naming="tome model list")

    def test_quotes_never_touch_a_model(self):
        self.done("model", "add", self.kerosene, "--default")
        self.kerosene.unlink()
        self.assertEqual(self.ask("--way", "quotes", self.document, QUESTION)["way"], "quotes")
        self.config.write_text("what is this")
        self.assertEqual(self.ask("--way", "quotes", self.document, QUESTION)["way"], "quotes")

    def test_a_default_that_is_gone_is_said_so(self):
        self.done("model", "add", self.kerosene, "--default")
        self.kerosene.unlink()
        for command in (["ask", self.document, QUESTION], ["generate", "--prompt", "a"]):
            notes = self.fails(*command, naming=self.config).notes
            self.assertIn(str(self.kerosene), notes)
            self.assertIn("tome model remove kerosene", notes)
        self.assertFalse(self.listed()["kerosene"]["found"])
        self.assertIn("(is gone)", self.done("model", "list").text)
        self.fails("generate", "--model", "kerosene", "--prompt", "a", naming=self.kerosene)
        self.done("model", "remove", "kerosene")
        self.assertEqual(self.ask(self.document, QUESTION)["way"], "quotes")

    def test_models_are_added_listed_and_removed(self):
        self.assertEqual(self.done("model", "list").text, "")
        one, two = self.says("one"), self.says("two")
        added = self.done("model", "add", "one.gguf", "--json").json
        self.assertEqual(added, {"name": "one", "path": str(one), "default": False, "found": True})
        self.assertIn("tome model add one --default", self.done("model", "add", one).notes)
        self.done("model", "add", two, "--name", "千问", "--default")
        self.assertEqual(list(self.listed()), ["one", "千问"])
        self.assertTrue(self.listed()["千问"]["default"])
        # Adding a model again, by path or by name, changes the default alone.
        self.done("model", "add", "one", "--default")
        self.assertEqual(self.done("model", "add", two, "--json").json["name"], "千问")
        self.assertEqual({name: model["default"] for name, model in self.listed().items()}, {"one": True, "千问": False})
        self.assertRegex(self.done("model", "list").text, f"one \\(default\\) {one}\n千问 {two}\n")
        removed = self.done("model", "remove", "one", "千问")
        self.assertIn("no model is now", removed.notes)
        self.assertEqual(self.listed(), {})
        self.assertTrue(one.exists())
        self.fails("model", "remove", "one", naming="one")

    def test_what_is_no_model_is_not_added(self):
        self.done("model", "add", self.kerosene, "--default")
        before = self.config.read_bytes()
        good = self.kerosene.read_bytes()
        for name, content in (("text.gguf", b"no model"), ("cut.gguf", good[:-5000])):
            self.fails("model", "add", self.write(name, content), naming=name)
        self.fails("model", "add", "none.gguf", naming="none.gguf")
        other = self.says("other")
        self.fails("model", "add", other, "--name", "kerosene", naming="--name")
        for name in ("a/b", "-", "a\nb"):
            self.fails("model", "add", other, f"--name={name}", naming="name")
        self.assertEqual(self.config.read_bytes(), before)

    def test_a_folder_goes_by_its_name(self):
        folder = self.folder / "some model"
        folder.mkdir()
        self.kerosene.rename(folder / "weights.gguf")
        for path in ("some model/", "some model", f"{folder}/../some model/."):
            self.assertEqual(self.done("model", "add", path, "--json").json,
                             {"name": "some model", "path": str(folder), "default": False, "found": True})

    def test_the_file_may_be_written_by_hand(self):
        (self.home / "models").mkdir(parents=True)
        self.says("one").rename(self.home / "models/one.gguf")
        self.config.write_text("default_model = 'mine'\n[models]\nmine = 'models/one.gguf'\n")
        self.assertEqual(self.generated(cwd="/"), "one")
        for content, where in (("default_model = 'mine'", "line 1, column 17"), ("\nmodel = 'a'", "line 2, column 1"),
                               ("[models]\nmine = 3", "line 2, column 8"), ("[models", "line 1, column 8"),
                               ("[models]\n\x00", "line 2, column 1")):
            self.config.write_text(content)
            for command in (["generate", "--prompt", "a"], ["ask", self.document, QUESTION], ["model", "list"],
                            ["model", "add", self.kerosene]):
                with self.subTest(content=content, command=command):
                    self.assertIn(where, self.fails(*command, naming=self.config).notes)
            self.assertEqual(self.config.read_text(), content)
        # A model that is given by its path needs no settings.
        self.assertTrue(self.generated("--model", self.kerosene))


if __name__ == "__main__":
    main()
