"""The loss of keys and values of few bits is measured on a text and kept, and it has to be known
before 4 bits are used."""
import sqlite3

import tiny_model
from tome_program import TomeTest, main

TEXT = "The keeper lit the lamp at dusk.\n\nWhale oil was replaced by a kerosene burner in 1870.\n" * 60
FIELDS = ["kv", "tokens", "mean_kl", "p99_kl", "largest_kl", "perplexity", "exact_perplexity", "same_top",
          "bytes_per_token"]
VALUES = tiny_model.KV_HEADS * tiny_model.HEAD * 2  # keys and values of a token, in the one layer


class KvLossTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model.model_that_says(self.folder / "model.gguf", ["The keeper."], context=16384)
        self.text = self.write("a.txt", TEXT)

    def bench(self, *arguments):
        return self.done("bench", "kv", "--model", self.model, "--json", *arguments)

    def reading_commands(self, kv):
        return {"ask": ["ask", "--json", "--model", self.model, "--way", "context", "--evidence", "text", "--kv", kv, self.text,
                        "Who?"],
                "read": ["read", "--json", "--model", self.model, "--kv", kv, self.text],
                "plan": ["plan", "--json", "--model", self.model, "--kv", kv, self.text],
                "generate": ["generate", "--json", "--model", self.model, "--kv", kv, "--prompt", "a",
                             "--max-tokens", "1"]}

    def test_a_text_is_measured_with_every_type_at_once(self):
        result = self.bench("--text", self.text, "--tokens", "2100", "--kv", "q8,f32,q4").json
        self.assertEqual(list(result), ["model", "kernels", "text", "tokens", "exact", "losses", "kept"])
        self.assertEqual(result["tokens"], 2100)
        self.assertTrue(result["kept"])
        self.assertEqual([loss["kv"] for loss in result["losses"]], ["q8", "f32", "q4"])
        self.assertEqual(result["exact"]["mean_kl"], 0)
        for loss, size in zip([result["exact"], *result["losses"]], (2, 1 + 2 / 16, 4, 0.5 + 2 / 16)):
            self.assertEqual(list(loss), FIELDS)
            self.assertEqual(loss["tokens"], 2100 - 1024)
            self.assertEqual(loss["bytes_per_token"], VALUES * size)
            self.assertEqual(loss["exact_perplexity"], result["exact"]["perplexity"])
            # Attention adds nothing in this model, so no loss of keys and values can be seen.
            self.assertEqual((loss["mean_kl"], loss["same_top"]), (0, 1))

    def test_random_tokens_are_said_so_and_not_kept(self):
        result = self.bench("--tokens", "2048")
        self.assertIsNone(result.json["text"])
        self.assertFalse(result.json["kept"])
        self.assertIn("random", result.notes)
        self.fails(*self.reading_commands("q4")["generate"], naming="has not been measured")

    def test_four_bits_wait_for_their_measurement_everywhere(self):
        for name, command in self.reading_commands("q4").items():
            with self.subTest(command=name):
                refused = self.fails(*command, naming="tome bench kv --model")
                self.assertIn("has not been measured", refused.notes)
        self.fails("chat", "--model", self.model, "--kv", "q4", self.text, naming="tome bench kv --model")
        self.bench("--text", self.text, "--kv", "q4")
        for name, command in self.reading_commands("q4").items():
            with self.subTest(command=name):
                result = self.done(*command)
                self.assertEqual(list(result.json["kv_loss"]), FIELDS)
                self.assertEqual(result.json["kv_loss"]["kv"], "q4")
                notes = result.json["notes"][0] if name == "ask" else result.notes
                self.assertIn("mean KL divergence", notes)
        text = self.done("ask", "--model", self.model, "--way", "context", "--evidence", "text", "--kv", "q4", self.text,
                         "Who?")
        self.assertIn("mean KL divergence", text.notes)

    def test_a_bad_loss_is_called_so_and_another_model_is_another(self):
        self.bench("--text", self.text, "--kv", "q4")
        database = sqlite3.connect(self.home / "measurements.db")
        database.execute("UPDATE kv_losses SET mean_kl = 0.7")
        database.commit()
        database.close()
        self.assertIn("bad loss", self.done(*self.reading_commands("q4")["generate"]).notes)
        self.model = tiny_model.model_that_says(self.folder / "other.gguf", ["A burner."], context=16384)
        self.fails(*self.reading_commands("q4")["generate"], naming="other.gguf")

    def test_eight_bits_need_none_and_show_theirs(self):
        for name, command in self.reading_commands("q8").items():
            with self.subTest(command=name):
                self.assertIsNone(self.done(*command).json["kv_loss"])
        self.bench("--text", self.text, "--kv", "q8")
        for name, command in self.reading_commands("q8").items():
            with self.subTest(command=name):
                self.assertEqual(self.done(*command).json["kv_loss"]["kv"], "q8")

    def test_the_table_and_its_errors(self):
        shown = self.done("bench", "kv", "--model", self.model, "--text", self.text).text
        self.assertEqual([line.split()[0] for line in shown.splitlines()[-2:]], ["q8", "q4"])
        self.fails("bench", "kv", "--model", self.model, "--text", self.folder / "none.txt", naming="none.txt")
        self.fails("bench", "kv", "--model", self.model, "--text", self.write("b.txt", "Short."), naming="2048")
        self.fails("bench", "kv", "--model", self.model, "--kv", "q3", status=2, naming="q3")
        self.fails("bench", "kv", "--model", self.model, "--tokens", "5", status=2, naming="--tokens")


if __name__ == "__main__":
    main()
