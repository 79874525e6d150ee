"""Models whose memory has a constant size, through the commands that take a model."""
import json
import pathlib
import signal
import subprocess
import sys
import unittest
from unittest import mock

import tiny_model
import tome_program
from memory_test import FACT, TEXT, long_text

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench"))
import make_jamba_model  # noqa: E402
import make_linear_model  # noqa: E402

make_linear_model.WIDTH, make_linear_model.LAYERS, make_linear_model.VOCABULARY = 96, 2, 300


class LinearTest(tome_program.TomeTest):
    def model(self, kind):
        folder = self.folder / kind
        make_linear_model.write(kind, folder)
        return folder

    def test_inspect_tells_the_size_of_the_state(self):
        facts = self.done("inspect", "--json", self.model("retnet")).json
        self.assertEqual(facts["architecture"], "retnet")
        self.assertIsNone(facts["context_tokens"])
        self.assertEqual(set(facts["kv_bytes_per_token"].values()), {0})
        # A head takes keys of 32 channels, values of 426 in 7 strips of 64, and an unfinished chunk
        # of 32 tokens.
        head = 7 * 32 * 64 + 32 * 32 + 7 * 32 * 64
        self.assertEqual(facts["state_bytes"], 2 * 3 * head * 4)
        facts = self.done("inspect", "--json", self.model("infini")).json
        self.assertEqual(facts["architecture"], "infini-llama")
        self.assertEqual(facts["segment_tokens"], 2048)
        self.assertEqual(facts["state_bytes"], 2 * 6 * 2 * (128 * 128 + 128) * 4)
        self.assertIn("a segment of 2048 tokens", self.done("inspect", self.model("infini")).text)

    def test_generate_logits_and_speed(self):
        for kind in ("retnet", "infini"):
            model = self.model(kind)
            rows = self.done("logits", "--model", model, "--tokens", "1,2,3", "--json").json["logits"]
            self.assertEqual([len(row) for row in rows], [300] * 3)
            last = self.done("logits", "--model", model, "--tokens", "1,2,3", "--last", "--json").json["logits"]
            self.assertEqual(last, rows[-1:])
            with open(self.write("prompt.txt", "a" * 3000), "rb") as prompt:
                said = self.done("generate", "--model", model, "--max-tokens", "5", "--json", stdin=prompt).json
            self.assertEqual(len(said["tokens"]), 5)
            speed = self.done("bench", "speed", "--model", model, "--prompt", "64", "--generate", "2", "--depth",
                              "0,5000", "--json").json
            self.assertEqual([at["depth"] for at in speed["depths"]], [0, 5000])

    def test_gates_are_added_to_a_dense_model(self):
        dense = tiny_model.model_that_says(self.folder / "dense.gguf", ["Hello", " there"])
        self.done("convert", dense, self.folder / "dense")
        made = self.done("convert", self.folder / "dense", self.folder / "gated", "--infini=16", "--infini-update",
                         "delta", "--json").json
        before = self.done("inspect", "--json", self.folder / "dense").json
        self.assertEqual(made["tensors"], before["tensors"] + before["layers"])
        after = self.done("inspect", "--json", self.folder / "gated").json
        self.assertEqual((after["architecture"], after["segment_tokens"]), ("infini-llama", 16))
        # Attention adds nothing in this model, so the logits stay the same.
        logits = [self.done("logits", "--model", self.folder / name, "--tokens", ",".join(["5"] * 40), "--json").json
                  for name in ("dense", "gated")]
        self.assertEqual(*logits)
        self.done("convert", self.folder / "dense", self.folder / "default", "--infini")
        self.assertEqual(self.done("inspect", "--json", self.folder / "default").json["segment_tokens"], 2048)
        for arguments, words in ((["--infini=0"], "--infini"), (["--infini", "--infini-update", "cubic"], "cubic")):
            result = self.tome("convert", self.folder / "dense", self.folder / "x", *arguments)
            self.assertEqual(result.status, 2, result.notes)
            self.assertIn(words, result.notes)
        failed = self.tome("convert", dense, self.folder / "x", "--infini")
        self.assertEqual(failed.status, 1, failed.notes)
        self.assertIn("folder", failed.notes)

    def test_the_plan_holds_a_hybrid_against_a_pure_transformer(self):
        jamba, sizes = make_jamba_model, {"WIDTH": 64, "INNER": 128, "RANK": 4, "FFN": 64, "HEADS": 1, "KV_HEADS": 1}
        with mock.patch.multiple(jamba, **sizes), mock.patch.object(jamba.make_model, "VOCABULARY", 300):
            jamba.write(self.folder / "jamba.gguf")
        document = self.write("a.txt", long_text())
        command = ["plan", "--evidence", "text", "--model", self.folder / "jamba.gguf", document]
        plan = self.done(*command, "--json").json
        # One head of 64 has keys and values in 16 bits.
        whole = 262144 * 2 * 64 * 2
        self.assertEqual(plan["hybrid"], {"attention_layers": 1, "layers": 8, "context_kv_bytes": whole,
                                          "context_kv_bytes_if_all_attended": 8 * whole})
        self.assertEqual(plan["way"], "linear")
        self.assertIn("1 of 8 layers attend: keys and values of 262144 tokens take 64.0 MiB, where a pure transformer "
                      "of this shape takes 512.0 MiB", self.done(*command).text)

    def test_a_dense_model_is_told_which_ways_it_goes(self):
        model = tiny_model.model_that_says(self.folder / "model.gguf", ["In ", "1870."])
        document = self.write("a.txt", long_text())
        failed = self.tome("ask", "--model", model, "--way", "linear", *TEXT, document, "When?")
        self.assertEqual(failed.status, 1, failed.notes)
        self.assertIn("use --way context", failed.notes)
        plan = self.done("plan", "--json", "--evidence", "text", "--model", model, document).json
        self.assertEqual(plan["way"], "context")
        self.assertEqual([way["fits"] for way in plan["ways"] if way["way"] == "linear"], [False])


class LinearWayTest(tome_program.TomeTest):
    """The model cites a fact. Its attention is that of segments with a compressive memory."""

    def setUp(self):
        super().setUp()
        self.model = self.model_named("infini")
        self.text = long_text(paragraphs=420)
        self.document = self.write("a.txt", self.text)
        self.kept = self.home / "memories"

    def model_named(self, name):
        says = ["In ", "1870."]
        dense = self.folder / f"dense-{name}"
        self.done("convert", tiny_model.model_that_says(dense.with_suffix(".gguf"), says), dense)
        (dense / "tokenizer.json").write_text(json.dumps(tiny_model.Vocabulary(says).tokenizer_json()))
        self.done("convert", dense, self.folder / name, "--infini=512")
        return self.folder / name

    def ask(self, question="When was whale oil replaced?", *options, document=None, way="linear"):
        answer = self.done("ask", "--json", "--model", self.model, "--way", way, *TEXT, *options,
                           document or self.document, question).json
        self.assertEqual(answer["answer"], "In 1870.")
        self.assertEqual(answer["way"], "linear")
        self.assertEqual([c["quote"] for c in answer["citations"]], [FACT])
        return answer["tokens"]

    def read(self, *options):
        return self.done("read", "--json", "--model", self.model, *options, self.document).json

    def states(self):
        return sorted(self.kept.glob("*.state.safetensors"))

    def test_a_document_is_read_once(self):
        first = self.read()
        self.assertEqual(first["restored"], 0)
        self.assertGreater(first["tokens"], 3 * 8192)
        # Kept are the states of the last two of three regular positions, and the state in front of
        # the question.
        self.assertEqual(len(self.states()), 3)
        for question in ("When was whale oil replaced?", "In which year?", "何时？"):
            tokens = self.ask(question)
            # Restored is all but the question, the text between, and the rest of a segment. A token
            # is a byte here.
            self.assertGreater(tokens["restored"], tokens["prompt"] - 1000 - 512)
        self.assertEqual(self.ask("When?", "--cache-size", "0")["restored"], 0)
        tokens = self.ask(way="auto")
        self.assertGreater(tokens["restored"], tokens["prompt"] - 1000 - 512)
        both = self.done("ask", "--json", "--model", self.model, *TEXT, self.document, "-q", "When?",
                         "-q", "何时？").json
        self.assertEqual([a["answer"] for a in both["answers"]], ["In 1870."] * 2)
        with open(self.write("questions.txt", "When?\nIn which year?\n"), "rb") as questions:
            chat = self.done("chat", "--model", self.model, "--way", "linear", *TEXT, self.document, stdin=questions)
        self.assertEqual(chat.text.count("In 1870."), 2)

    def test_a_changed_ending_does_not_cost_a_full_read(self):
        whole = self.read()["tokens"]
        changed = self.write("a.txt", self.text[:-300] + "And so it went on, to the end.\n")
        self.assertGreaterEqual(self.ask(document=changed)["restored"], 3 * 8192)
        self.assertLess(self.ask(document=self.write("b.txt", "So " + self.text))["restored"], 100)
        self.assertGreater(whole, 3 * 8192)

    def test_states_are_listed_and_verified(self):
        self.read()
        listed = self.done("library", "show", "--json").json["memories"]
        self.assertEqual([(m["kv"], m["states"]) for m in listed], [(None, 3)])
        self.assertEqual(listed[0]["bytes"], sum(f.stat().st_size for f in self.kept.iterdir()))
        verified = self.done("library", "verify", "--model", self.model, "--samples", "9", "--json").json
        self.assertEqual(verified["recomputed"], 3)
        damaged = self.states()[0]
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x77")
        for options in ([], ["--model", self.model, "--samples", "9"]):
            self.fails("library", "verify", *options, naming=damaged.name)
            self.assertIn("for 1 kept memories", self.tome("library", "verify", *options).notes)
        # The header names a position that is not the state's.
        content = damaged.read_bytes()
        damaged.write_bytes(content.replace(b'"position":"', b'"position":"9', 1))
        self.assertNotEqual(damaged.read_bytes(), content)
        self.fails("library", "verify", "--model", self.model, "--samples", "9", naming=damaged.name)
        self.assertEqual(len(self.states()), 3)
        self.done("library", "verify", "--remove")
        self.assertEqual(len(self.states()), 2)
        self.assertEqual(self.ask()["restored"] % 512, 0)

    def test_a_document_that_is_removed_is_forgotten(self):
        self.read()
        self.done("library", "remove", "a.txt")
        self.assertEqual(list(self.kept.iterdir()), [])

    def test_an_interrupted_reading_is_gone_on_with(self):
        document = self.write("long.txt", long_text(paragraphs=12000))
        process = self.start("read", "--model", self.model, document, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        tome_program.wait_until(lambda: self.kept.exists() and len(self.states()) >= 3)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertNotEqual(process.returncode, 0)
        last = max(m["tokens"] for m in self.done("library", "show", "--json").json["memories"])
        self.assertGreaterEqual(last, 3 * 8192)
        self.document = document
        self.assertEqual(self.read()["restored"], last)

    def test_a_state_that_is_not_written_whole_costs_the_keeping_alone(self):
        # As on a full disk, the system takes the beginning of a file and refuses the rest. Heads
        # are wide, so that states are larger than all other files.
        with mock.patch.object(tiny_model, "HEAD", 128):
            self.model = self.model_named("wide")
        self.read()
        size = min(path.stat().st_size for path in self.states())
        self.assertGreater(size, 100_000)
        for path in self.states():
            path.unlink()
        tokens = sorted(self.kept.iterdir())
        limit = tome_program.file_size_limit(size // 2)

        result = self.done("ask", "--json", "--model", self.model, "--way", "linear", *TEXT, self.document,
                           "When was whale oil replaced?", preexec_fn=limit)
        self.assertEqual(result.json["answer"], "In 1870.")
        self.assertIn("not everything that was read is kept", result.notes)
        self.assertEqual(sorted(self.kept.iterdir()), tokens)
        self.assertEqual(self.ask()["restored"], 0)
        self.assertGreater(self.ask("In which year?")["restored"], 3 * 8192)

    def test_two_processes_read_the_same(self):
        self.done("library", "add", self.document)
        processes = [self.start("ask", "--json", "--model", self.model, "--way", "linear", *TEXT, self.document,
                                "When?", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for process in processes:
            out, errors = process.communicate()
            self.assertEqual(process.returncode, 0)
            self.assertTrue(all(b"has no chat template" in line for line in errors.splitlines()), errors)
            answer = json.loads(out)
            self.assertEqual((answer["answer"], answer["way"]), ("In 1870.", "linear"))
        self.assertGreater(self.ask()["restored"], 3 * 8192)
        self.assertEqual({path.suffix for path in self.kept.iterdir()}, {".safetensors"})
        self.assertEqual(len(self.states()), 3)
        self.done("library", "verify", "--model", self.model, "--samples", "9")

    def test_memory_stays_the_same_however_long_the_text(self):
        def peak(paragraphs):
            document = self.write("long.txt", long_text(paragraphs=paragraphs))
            self.done("library", "add", document)
            return self.done("read", "--model", self.model, document).peak_bytes
        # The peak grows by the text itself alone, which takes some dozens of bytes a token in all
        # its forms.
        short, long = 2000, 8000
        self.assertLess(peak(long) - peak(short), (long - short) * 70 * 60)

    def test_the_plan_knows_the_way(self):
        plan = self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document).json
        self.assertEqual(plan["way"], "linear")
        self.assertIsNone(plan["context_tokens"])
        ways = {way["way"]: way for way in plan["ways"]}
        self.assertEqual(list(ways), ["quotes", "context", "linear", "retrieval", "survey"])
        self.assertFalse(ways["context"]["fits"])
        self.assertTrue(ways["linear"]["fits"])
        self.assertIn("made for any length", self.done("plan", "--evidence", "text", "--model", self.model, self.document).text)
        tokens = self.read()["tokens"]
        self.assertIn("are kept", self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document).json["why"])
        # The files hold as many bytes as the plan says, except for headers.
        size = sum(f.stat().st_size for f in self.kept.iterdir())
        self.assertAlmostEqual(size / ways["linear"]["disk_bytes"], 1, delta=0.2)
        self.assertGreater(tokens, 3 * 8192)
        failed = self.tome("ask", "--model", self.model, "--way", "context", *TEXT, self.document, "When?")
        self.assertEqual(failed.status, 1, failed.notes)
        self.assertIn("use --way linear", failed.notes)


if __name__ == "__main__":
    unittest.main()
