"""tome inspect and tome convert on model files, good and bad."""
import json
import os
import struct
import unittest

import tiny_model
import tome_program

# Bytes of a block, and the number of its values.
BLOCKS = {"F32": (4, 1), "F16": (2, 1), "BF16": (2, 1), "Q8_0": (34, 32), "Q4_0": (18, 32), "Q6_K": (210, 256)}


def shapes(file):
    """Returns a dict from name to (type id, dimensions outermost first) of a GGUF file, read here
    by the format's description."""
    data = file.read_bytes()
    tensors, pairs = struct.unpack_from("<QQ", data, 8)
    at = 24
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def skip(kind, at):
        if kind == 8:
            return at + 8 + struct.unpack_from("<Q", data, at)[0]
        if kind == 9:
            item, count = struct.unpack_from("<IQ", data, at)
            at += 12
            for _ in range(count):
                at = skip(item, at)
            return at
        return at + sizes[kind]

    for _ in range(pairs):
        at = skip(8, at)
        at = skip(struct.unpack_from("<I", data, at)[0], at + 4)
    found = {}
    for _ in range(tensors):
        length, = struct.unpack_from("<Q", data, at)
        name = data[at + 8:at + 8 + length].decode()
        at += 8 + length
        rank, = struct.unpack_from("<I", data, at)
        dims = struct.unpack_from(f"<{rank}Q", data, at + 4)
        kind, = struct.unpack_from("<I", data, at + 4 + 8 * rank)
        at += 4 + 8 * rank + 12
        found[name] = (kind, tuple(reversed(dims)))
    return found


class ModelFilesTest(tome_program.TomeTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model.model_that_says(self.folder / "model.gguf", ["Hello", " there"])

    def files(self):
        return sorted(path.name for path in self.folder.iterdir() if path != self.home)

    def test_inspect_counts_what_the_file_holds(self):
        tensors = shapes(self.model)
        facts = self.done("inspect", "--json", "--tensors", self.model).json
        parameters = 0
        for _, dims in tensors.values():
            product = 1
            for dim in dims:
                product *= dim
            parameters += product
        self.assertEqual(facts["architecture"], "llama")
        self.assertEqual(facts["container"], "gguf")
        self.assertEqual(facts["parameters"], parameters)
        self.assertEqual(facts["types"], {"F32": {"tensors": len(tensors), "parameters": parameters,
                                                  "bytes": 4 * parameters}})
        self.assertEqual(facts["vocabulary"], tensors["token_embd.weight"][1][0])
        # The model has keys and values of one layer and one KV head of 16.
        self.assertEqual(facts["kv_bytes_per_token"], {"f32": 128, "f16": 64, "bf16": 64,
                                                       "q8": 36, "q4": 20})
        self.assertEqual({tensor["name"]: tuple(tensor["shape"]) for tensor in facts["tensor_list"]},
                         {name: dims for name, (_, dims) in tensors.items()})

    def test_inspect_for_people_names_the_same(self):
        text = self.done("inspect", "--tensors", self.model).text
        for word in ["llama (gguf)", "F32", "blk.0.attn_q.weight", "[32, 128]"]:
            self.assertIn(word, text)

    def test_bench_speed_measures_each_depth_and_names_the_limits(self):
        speed = self.done("bench", "speed", "--model", self.model, "--prompt", "20", "--generate", "2", "--depth",
                          "0,40", "--kv", "q8", "--json").json
        self.assertEqual(speed["kv"], "q8")
        self.assertGreater(speed["limits"]["bytes_per_second"], 0)
        self.assertEqual([at["depth"] for at in speed["depths"]], [0, 40])
        self.assertIsNone(speed["depths"][0]["fill"])
        self.assertEqual(speed["depths"][1]["fill"]["tokens"], 40)
        self.assertEqual(speed["depths"][1]["generate"]["tokens"], 2)
        self.assertEqual(speed["depths"][1]["together"], [])
        together = self.done("bench", "speed", "--model", self.model, "--prompt", "0", "--generate", "2",
                             "--questions", "1,3", "--json").json["depths"][0]["together"]
        self.assertEqual([(each["questions"], each["generate"]["tokens"]) for each in together], [(1, 2), (3, 6)])
        self.assertIn("questions about one document", self.done(
            "bench", "speed", "--model", self.model, "--prompt", "0", "--generate", "2", "--questions", "2").text)
        self.assertGreater(speed["peak_memory_bytes"], 0)
        self.assertIn("limits:", self.done("bench", "speed", "--model", self.model, "--prompt", "0", "--generate",
                                           "1").text)

    def test_each_type_has_the_size_of_its_blocks(self):
        for kind in ["f16", "bf16", "q8_0", "q4_0"]:
            out = self.folder / f"{kind}.gguf"
            report = self.done("convert", self.model, out, "--type", kind, "--json").json
            facts = self.done("inspect", "--json", "--tensors", out).json
            self.assertEqual(report["bytes"], facts["bytes"])
            for tensor in facts["tensor_list"]:
                matrix = len(tensor["shape"]) > 1
                expected = kind.upper() if matrix else "F32"
                self.assertEqual(tensor["type"], expected, tensor)
                values = 1
                for dim in tensor["shape"]:
                    values *= dim
                size, block = BLOCKS[expected]
                self.assertEqual(tensor["bytes"], values // block * size, tensor)

    def test_rows_that_fill_no_blocks_are_named(self):
        # All rows of this model have 128 or 32 values, while blocks of the K types have 256.
        result = self.done("convert", self.model, self.folder / "k.gguf", "--type", "q4_k")
        self.assertIn("rows of 128 values", result.notes)
        self.assertIn("Q8_0", result.notes)

    def test_keep_copies_tensors_and_settings(self):
        out = self.folder / "copy.gguf"
        self.done("convert", self.model, out)
        self.assertEqual(shapes(out), shapes(self.model))
        self.assertEqual(self.done("inspect", "--json", "--tensors", out).json,
                         self.done("inspect", "--json", "--tensors", self.model).json)

    def test_to_a_folder_and_back_is_the_same_model(self):
        folder, back = self.folder / "hf", self.folder / "back.gguf"
        self.done("convert", self.model, folder, "--type", "f32")
        config = json.loads((folder / "config.json").read_text())
        self.assertEqual(config["model_type"], "llama")
        self.assertEqual(config["hidden_size"], 128)
        header_bytes, = struct.unpack("<Q", (folder / "model.safetensors").read_bytes()[:8])
        header = json.loads((folder / "model.safetensors").read_bytes()[8:8 + header_bytes])
        self.assertEqual(header["model.layers.0.self_attn.q_proj.weight"]["shape"], [32, 128])
        self.done("convert", folder, back, "--type", "f32")
        self.assertEqual(shapes(back), shapes(self.model))
        logits = [self.done("logits", "--model", file, "--tokens", "1,5,9", "--json").json["logits"]
                  for file in (self.model, back)]
        self.assertEqual(logits[0], logits[1])

    def test_wrong_usage(self):
        self.fails("convert", self.model, self.folder / "o.gguf", "--type", "q4_k_m", status=2, naming="q4_k_m")
        self.fails("convert", self.model, self.folder / "o.gguf", "--type", "i8", status=2)
        self.fails("inspect", status=2)
        self.fails("inspect", self.folder / "none.gguf", naming="none.gguf")

    def test_blocks_do_not_go_into_safetensors(self):
        self.fails("convert", self.model, self.folder / "hf", "--type", "q8_0", naming="safetensors")
        self.assertEqual(self.files(), ["model.gguf"])

    def test_truncated_files_are_errors(self):
        data = self.model.read_bytes()
        for size in [0, 3, 4, 23, 24, 100, len(data) // 2, len(data) - 129]:
            cut = self.write("cut.gguf", data[:size])
            self.fails("inspect", cut, naming=cut)
            self.fails("convert", cut, self.folder / "o.gguf", naming=cut)
        self.assertEqual(self.files(), ["cut.gguf", "model.gguf"])

    def test_huge_numbers_in_a_header_are_errors(self):
        data = self.model.read_bytes()
        for at in (8, 16, 24):  # number of tensors, number of pairs, length of the first key
            for number in (1 << 20, 1 << 40, 1 << 60, (1 << 64) - 1):
                bad = self.write("bad.gguf", data[:at] + struct.pack("<Q", number) + data[at + 8:])
                self.fails("inspect", bad, naming=bad)

    def test_a_shape_other_than_the_settings_is_an_error(self):
        data = self.model.read_bytes()
        name = b"blk.0.attn_q.weight"
        at = data.index(name) + len(name) + 4
        bad = self.write("bad.gguf", data[:at] + struct.pack("<QQ", 64, 64) + data[at + 16:])
        self.fails("inspect", bad, naming="blk.0.attn_q.weight")

    def test_a_full_disk_leaves_nothing(self):
        out = self.folder / "o.gguf"
        result = self.fails("convert", self.model, out, naming=out, preexec_fn=tome_program.file_size_limit(100_000))
        self.assertNotIn(str(self.model), result.notes)
        self.assertEqual(self.files(), ["model.gguf"])

    def test_a_folder_without_permission(self):
        options = self.ordinary_user()
        locked = self.folder / "locked"
        locked.mkdir(mode=0o555)
        os.chmod(self.model, 0o644)
        self.fails("convert", self.model, locked / "o.gguf", naming="locked", **options)
        self.assertEqual(list(locked.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
