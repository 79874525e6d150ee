"""Tests the plan of each way, and that `auto` does what was planned."""
import shutil
import sqlite3

import tiny_model
from tome_program import TomeTest, main

DOCUMENT = "The keeper lit the lamp at dusk.\n\nWhale oil was replaced by a kerosene burner in 1870.\n"
QUESTION = "What replaced whale oil?"
PAGE = 64  # tokens of a KV page


class PlanTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model.model_that_says(self.folder / "model.gguf", ["A kerosene burner."], context=8192)
        self.document = self.write("a.txt", DOCUMENT)

    def plan(self, *arguments, **options):
        return self.done("plan", "--json", "--evidence", "text", "--model", self.model, *arguments, **options).json

    def way(self, plan, name):
        return next(way for way in plan["ways"] if way["way"] == name)

    def auto(self, *arguments):
        return self.ask("--model", self.model, *arguments, QUESTION)

    def speeds(self, sql):
        database = sqlite3.connect(self.home / "measurements.db")
        rows = database.execute(sql).fetchall()
        database.commit()
        database.close()
        return rows

    def test_json_is_one_line_with_the_documented_fields(self):
        shown = self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document)
        self.assertEqual(shown.text.count("\n"), 1)
        plan = shown.json
        self.assertEqual(list(plan), ["way", "why", "ways", "documents", "model", "context_tokens",
                                      "trained_on_tokens", "lengthened_by", "longer", "answer_tokens",
                                      "budget_seconds", "free_memory_bytes", "free_disk_bytes", "kernels",
                                      "threads", "kv", "rates", "measured_at", "measured_under_load",
                                      "kv_loss", "hybrid"])
        self.assertRegex(plan["measured_at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIsNone(plan["hybrid"])
        self.assertEqual([way["way"] for way in plan["ways"]], ["quotes", "context", "linear", "retrieval", "survey"])
        for way in plan["ways"]:
            self.assertEqual(list(way), ["way", "tokens", "tokens_are_estimated", "memory_bytes", "disk_bytes",
                                         "read_seconds", "answer_token_seconds", "fits", "why_not", "kept",
                                         "why_not_kept"])
        self.assertEqual(plan["documents"]["count"], 1)
        self.assertEqual(plan["documents"]["characters"], len(self.done("text", self.document).text))
        self.assertEqual(plan["context_tokens"], 8192)
        self.assertTrue(all(rate > 0 for rate in plan["rates"].values()))

    def test_tokens_are_counted_and_their_memory_follows(self):
        for kv, bytes_a_value in (("f32", 4), ("f16", 2)):
            context = self.way(self.plan("--kv", kv, self.document), "context")
            asked = self.auto("--kv", kv, "--way", "context", self.document)
            # The prompts differ by the question alone, and the tiny model has a token for every
            # byte of the question.
            self.assertEqual(asked["tokens"]["prompt"] - context["tokens"], len(QUESTION.replace(" ", "▁").encode()))
            self.assertFalse(context["tokens_are_estimated"])
            pages = -(-context["tokens"] // PAGE)
            values = tiny_model.KV_HEADS * tiny_model.HEAD * 2
            self.assertEqual(context["memory_bytes"], pages * PAGE * values * bytes_a_value)

    def test_auto_does_what_was_planned(self):
        document = self.write("twenty.txt", DOCUMENT * 20)
        # The budget is tested first: once a reading is kept, it takes no time and fits any budget.
        for arguments, way, because in ((["--budget", "0"], "retrieval", "the budget is 0 s"), ([], "context", "fit"),
                                        (["--max-tokens", "6000"], "retrieval", "made for 8192")):
            with self.subTest(arguments=arguments):
                plan = self.plan("--passage-tokens", "500", *arguments, document)
                answer = self.auto("--passage-tokens", "500", "--evidence", "text", *arguments, document)
                for said in (plan, answer):
                    self.assertEqual(said["way"], way)
                    self.assertIn(because, said["why"])

    def test_passages_that_do_not_fit_are_said_so(self):
        plan = self.plan("--max-tokens", "8150", self.document)
        self.assertFalse(self.way(plan, "context")["fits"])
        self.assertFalse(self.way(plan, "retrieval")["fits"])
        self.assertIn("--passage-tokens", self.way(plan, "retrieval")["why_not"])

    def test_a_document_that_does_not_fit_is_estimated(self):
        long = self.write("long.txt", DOCUMENT * 2000)
        plan = self.plan(long)
        context = self.way(plan, "context")
        self.assertTrue(context["tokens_are_estimated"])
        self.assertEqual(context["tokens"], plan["documents"]["tokens"])
        self.assertIn("made for 8192", context["why_not"])
        self.assertGreater(context["read_seconds"], self.way(plan, "retrieval")["read_seconds"])
        self.assertEqual(plan["why"], self.auto(long)["why"])

    def test_the_whole_library_is_planned(self):
        self.done("library", "add", self.document, self.write("b.txt", DOCUMENT + "More.\n"))
        plan = self.plan()
        self.assertEqual(plan["documents"]["count"], 2)
        self.assertEqual(plan["way"], "retrieval")
        self.assertIn("no documents were named", self.way(plan, "context")["why_not"])

    def test_speed_is_measured_once_and_kept_for_auto(self):
        self.auto(self.document)
        self.assertEqual(len(self.speeds("SELECT * FROM speeds")), 1)
        renamed = self.model.rename(self.folder / "renamed.gguf")
        self.model = renamed
        # Rates that were measured under load would be measured again.
        self.speeds("UPDATE speeds SET linear_per_second = 1.0, under_load = 0")
        plan = self.plan(self.document)
        self.assertEqual(plan["rates"]["linear_per_second"], 1.0)
        self.assertEqual(plan["way"], "retrieval")
        self.assertEqual(self.auto(self.document)["way"], "retrieval")
        self.assertGreater(self.plan("--measure", self.document)["rates"]["linear_per_second"], 1.0)
        self.assertEqual(self.auto(self.document)["way"], "context")
        self.assertEqual(len(self.speeds("SELECT * FROM speeds")), 1)
        self.plan("--kv", "q8", self.document)
        self.assertEqual(len(self.speeds("SELECT * FROM speeds")), 2)

    def test_what_an_earlier_version_measured_is_planned_with(self):
        self.plan(self.document)
        # A library of version 5 held the rates itself, and was planned with first.
        (row,) = self.speeds("SELECT shape, processor, kernels, threads, kv FROM speeds")
        (self.home / "measurements.db").unlink()
        library = sqlite3.connect(self.home / "library.db")
        for table in ("embedders", "windows", "survey_notes"):
            library.execute(f"DROP TABLE {table}")
        library.execute("CREATE TABLE speeds(shape TEXT, processor TEXT, kernels TEXT, threads INTEGER, kv TEXT, "
                        "linear_per_second REAL, attention_per_second REAL, weight_bytes_per_second REAL, "
                        "kv_bytes_per_second REAL, measured_at TEXT, under_load INTEGER)")
        library.execute("INSERT INTO speeds VALUES(?, ?, ?, ?, ?, 1.0, 1.0, 1.0, 1.0, 'then', 0)", row)
        library.execute("PRAGMA user_version = 5")
        library.commit()
        library.close()
        self.assertEqual(self.plan(self.document)["rates"]["linear_per_second"], 1.0)
        self.assertEqual(self.auto(self.document)["way"], "retrieval")

    def test_the_table_ends_with_what_auto_takes(self):
        lines = self.done("plan", "--evidence", "text", "--model", self.model, self.document).text.splitlines()
        table = {line.split()[0]: line.split()[-1] for line in lines if line}
        self.assertEqual(table["way"], "fits")
        self.assertEqual([table[way] for way in ("quotes", "context", "retrieval")], ["yes"] * 3)
        self.assertTrue(lines[-1].startswith("auto takes context: all "), lines[-1])
        lines = self.done("plan", "--evidence", "text", "--model", self.model, "--max-tokens", "8150", self.document).text.splitlines()
        self.assertTrue(any("retrieval does not fit, because passages" in line for line in lines), lines)
        self.assertIn("auto takes retrieval: the best passages are read, because documents", lines[-1])

    def test_whether_the_memory_will_be_kept(self):
        plan = self.plan(self.document)
        free = shutil.disk_usage(self.home).free
        self.assertAlmostEqual(plan["free_disk_bytes"] / free, 1, delta=0.2)
        self.assertEqual([way["kept"] for way in plan["ways"]], [False, True, False, False, False])
        self.assertIsNone(self.way(plan, "context")["why_not_kept"])
        for options, because in ((["--cache-size", "1KB"], "kept memories may take 0.0 MiB; raise --cache-size"),
                                 (["--cache-size", "0"], "nothing is kept"), (["--attention", "sparse"], "sparse")):
            plan = self.plan(*options, self.document)
            self.assertEqual(plan["way"], "context")
            self.assertFalse(self.way(plan, "context")["kept"])
            self.assertIn(because, self.way(plan, "context")["why_not_kept"])
        text = self.done("plan", "--evidence", "text", "--model", self.model, "--cache-size", "1KB", self.document).text
        self.assertIn("what context reads will not be kept: it takes ", text)
        self.assertNotIn("not be kept", self.done("plan", "--evidence", "text", "--model", self.model, self.document).text)

    def test_errors_name_the_culprit(self):
        self.fails("plan", self.document, status=2, naming="--model")
        self.fails("plan", "--evidence", "text", "--model", self.model, self.folder / "none.txt", naming="none.txt")
        self.fails("plan", "--evidence", "text", "--model", self.folder / "none.gguf", self.document, naming="none.gguf")
        self.fails("plan", "--evidence", "text", "--model", self.model, "--budget", "-1", self.document, status=2, naming="--budget")


if __name__ == "__main__":
    main()
