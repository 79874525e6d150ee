"""Models whose memory has a constant size, through the commands that take a model."""
import pathlib
import sys
import unittest

import tiny_model
import tome_program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench"))
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
        # A head: keys of 32 channels, values of 426 in 7 strips of 64, an unfinished chunk of 32 tokens.
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
        # Attention adds nothing in this model, so it says the same.
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


if __name__ == "__main__":
    unittest.main()
