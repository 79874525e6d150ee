"""The memory of a text that a model has read is kept and found again. A damaged or foreign memory
is never answered from."""
import random
import re
import subprocess

import tiny_model
from tome_program import TomeTest, file_size_limit, main

FACT = "Whale oil was replaced by a kerosene burner in 1870."
TEXT = ("--evidence", "text")  # a model that gives one reply has no other ability


def long_text(seed=1, paragraphs=120):
    rng = random.Random(seed)
    words = "the keeper lit a lamp at dusk while brigs passed under sail and gulls cried over rocks".split()
    lines = [" ".join(rng.choices(words, k=12)).capitalize() + "." for _ in range(paragraphs)]
    lines.insert(len(lines) // 2, FACT)
    return "\n\n".join(lines) + "\n"


class MemoryTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.model = tiny_model.model_that_says(self.folder / "model.gguf", ["In ", "1870."])
        self.document = self.write("a.txt", long_text())
        self.kept = self.home / "memories"

    def ask(self, question="When was whale oil replaced?", *options, document=None):
        answer = self.done("ask", "--json", "--model", self.model, "--way", "context", *TEXT, *options,
                           document or self.document, question).json
        self.assertEqual(answer["answer"], "In 1870.")
        self.assertEqual([c["quote"] for c in answer["citations"]], [FACT])
        return answer["tokens"]

    def read(self, *options):
        return self.done("read", "--json", "--model", self.model, *options, self.document).json

    def files(self):
        return sorted(self.kept.glob("*.safetensors"))

    def test_what_was_read_is_not_read_again(self):
        first = self.read()
        self.assertEqual(first["restored"], 0)
        self.assertGreater(first["tokens"], 5000)
        self.assertGreater(first["kept_bytes"], 0)
        self.assertEqual(self.read()["restored"], first["tokens"] - 1)
        for question in ("When was whale oil replaced?", "In which year?", "何时？"):
            tokens = self.ask(question)
            # Restored is all but the question and the text after it, a few dozen bytes with a token
            # each.
            self.assertGreater(tokens["restored"], tokens["prompt"] - 1000)
        self.assertEqual(self.ask("When?", "--cache-size", "0")["restored"], 0)

    def test_auto_knows_what_is_kept(self):
        def why():
            return self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document).json["why"]
        self.assertNotIn("kept", why())
        tokens = self.read()["tokens"]
        kept = int(re.search(r"(\d+) of them are kept", why()).group(1))
        # Kept is all but the text after the documents, a few dozen bytes with a token each.
        self.assertLessEqual(kept, tokens)
        self.assertGreater(kept, tokens - 1000)

    def test_a_short_document_that_was_read_ahead_is_counted_as_kept(self):
        self.document = self.write("short.txt", FACT + "\n")
        tokens = self.read()["tokens"]
        self.assertLess(tokens, 1024)
        plan = self.done("plan", "--json", "--evidence", "text", "--model", self.model, self.document).json
        kept = int(re.search(r"(\d+) of them are kept", plan["why"]).group(1))
        self.assertGreater(kept, len(FACT))
        restored = self.ask("When?")["restored"]
        self.assertAlmostEqual(restored, kept, delta=1)

    def test_reading_ahead_leaves_no_room_for_an_answer(self):
        tokens = self.read("--cache-size", "1G")["tokens"]
        says = ["In ", "1870."]
        # The context is 128 tokens longer than the reading, which leaves no room for 1,024 tokens
        # of an answer.
        self.model = tiny_model.model_that_says(self.folder / "small.gguf", says, context=tokens + 128)
        self.assertEqual(self.read()["tokens"], tokens)
        self.assertGreater(self.ask("When?", "--max-tokens", "100")["restored"], tokens - 1000)
        self.model = tiny_model.model_that_says(self.folder / "smaller.gguf", says, context=tokens - 1)
        self.fails("read", "--model", self.model, self.document, naming=f"made for {tokens - 1}")

    def test_asking_keeps_what_it_read(self):
        self.assertEqual(self.ask()["restored"], 0)
        self.assertGreater(self.ask("When was this?")["restored"], 5000)

    def test_another_ending_model_or_type_is_told_apart(self):
        self.read()
        self.write("a.txt", long_text()[:-200] + "The end came in 1901.\n")
        tokens = self.ask()
        self.assertGreater(tokens["restored"], 4000)
        # Restored are BOS and the common beginning of the texts. A token is a byte, and a space has
        # three.
        self.assertLessEqual(tokens["restored"], 1 + len(long_text()[:-200].replace(" ", "▁").encode()))
        self.assertEqual(self.ask("When?", "--kv", "q8")["restored"], 0)
        bytes_of_model = bytearray(self.model.read_bytes())
        bytes_of_model[-5] ^= 1
        self.model.write_bytes(bytes_of_model)
        self.assertEqual(self.ask("When?")["restored"], 0)

    def test_memories_are_listed_and_verified(self):
        tokens = self.read()["tokens"]
        shown = self.done("library", "show", "--json").json
        self.assertEqual([m["tokens"] for m in shown["memories"]], [tokens])
        self.assertEqual(shown["memories"][0]["model"], "model.gguf")
        self.assertIn("a.txt", shown["memories"][0]["title"])
        self.assertEqual(shown["bytes"], sum(f.stat().st_size for f in self.files()))
        self.assertIn("model.gguf", self.done("library", "show").text)
        verified = self.done("library", "verify", "--json", "--model", self.model, "--samples", "3").json
        self.assertEqual(verified, {"snapshots": len(self.files()), "recomputed": 3, "removed": 0})

    def test_what_is_not_what_was_computed_is_found(self):
        self.read()
        victim = self.files()[0]
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        victim.write_bytes(content)
        self.fails("library", "verify", naming=victim)
        self.fails("library", "verify", "--model", self.model, naming=victim)
        self.assertEqual(self.done("library", "verify", "--remove", "--json").json["removed"], 1)
        self.ask()  # the damaged part is read again
        self.done("library", "verify", "--model", self.model)

    def test_damage_costs_reading_and_nothing_else(self):
        self.read()
        rng = random.Random(5)
        for _ in range(8):
            for path in self.files():
                content = bytearray(path.read_bytes())
                kind = rng.randrange(4)
                if kind == 0:
                    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
                elif kind == 1:
                    content = content[:rng.randrange(len(content))]
                elif kind == 2:
                    content = bytearray(rng.choice(self.files()).read_bytes())
                path.write_bytes(content)
            self.ask()
        # Memories that no question has read, such as ends of the text, may still be damaged.
        self.done("library", "verify", "--remove", "--model", self.model)
        self.ask()
        self.done("library", "verify", "--model", self.model)

    def test_a_document_that_is_removed_is_forgotten(self):
        other = self.write("b.txt", long_text(seed=2))
        self.ask("Why?", document=other)
        others = self.files()
        # Memories are kept of two contents of the file, each asked about in several ways.
        self.read()
        self.write("a.txt", long_text()[:-200] + "The end came in 1901.\n")
        self.ask()
        self.ask("When?", "--kv", "q8")
        self.done("ask", "--model", self.model, "--way", "context", *TEXT, self.document, other, "When?")
        size = sum(path.stat().st_size for path in self.files())
        removed = self.done("library", "remove", "--json", "a.txt").json["documents"]
        self.assertEqual(list(removed[0]), ["id", "hash", "paths", "freed_memory_bytes"])
        self.assertEqual(self.files(), others)
        self.assertEqual(removed[0]["freed_memory_bytes"], size - sum(path.stat().st_size for path in others))
        self.assertGreater(self.ask("What?", document=other)["restored"], 5000)
        self.assertIn("MiB that models remembered of it", self.done("library", "remove", "b.txt").text)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.ask()["restored"], 0)

    def test_what_an_earlier_version_kept_is_forgotten_by_its_title(self):
        self.read()
        for path in self.files():
            content = path.read_bytes()
            self.assertIn(b'"documents"', content)
            path.write_bytes(content.replace(b'"documents"', b'"nothing__"'))
        self.done("library", "remove", "a.txt")
        self.assertEqual(self.files(), [])

    def test_a_killed_reading_is_gone_on_with(self):
        process = self.start("read", "--model", self.model, self.document, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        while process.poll() is None and len(self.files()) < 2:
            pass
        process.kill()
        process.wait()
        self.ask()
        self.done("library", "verify", "--model", self.model)

    def test_two_processes_read_the_same(self):
        self.done("library", "add", self.document)
        processes = [self.start("read", "--model", self.model, self.document, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE) for _ in range(3)]
        for process in processes:
            _, errors = process.communicate()
            self.assertEqual(process.returncode, 0, errors)
        self.assertGreater(self.ask()["restored"], 5000)
        self.done("library", "verify", "--model", self.model)

    def test_a_write_that_fails_midway_costs_the_keeping_alone(self):
        # As on a full disk, the system takes the beginning of a file and refuses the rest.
        self.done("library", "add", self.document)
        self.read()
        size = max(path.stat().st_size for path in self.files())
        for path in self.files():
            path.unlink()
        limit = file_size_limit(size // 2)

        result = self.done("ask", "--json", "--model", self.model, "--way", "context", *TEXT, self.document,
                           "When was whale oil replaced?", preexec_fn=limit)
        self.assertEqual(result.json["answer"], "In 1870.")
        self.assertIn("not everything that was read is kept", result.notes)
        self.assertLessEqual(len(self.files()), 1)  # the last, shorter snapshot may have had room
        self.assertEqual([path for path in self.kept.iterdir() if path.suffix != ".safetensors"], [])
        # Spilling needs disk space. Without it, an error says where.
        failed = self.fails("ask", "--model", self.model, "--way", "context", *TEXT, "--memory", "0",
                            "--cache-size", "0", self.document, "When?", naming="spill", preexec_fn=limit)
        self.assertIn("large", failed.notes)

    def test_memories_of_an_older_version_are_read_anew(self):
        first = self.read()
        for path in self.files():
            content = path.read_bytes()
            self.assertIn(b"tome memory 2", content)
            path.write_bytes(content.replace(b"tome memory 2", b"tome memory 1"))
        again = self.read()
        self.assertEqual(again["restored"], 0)
        self.assertEqual(again["kept_bytes"], first["kept_bytes"])
        self.assertEqual(self.read()["restored"], first["tokens"] - 1)

    def test_what_has_no_room_in_ram_lies_in_files(self):
        whole = self.ask("Why?", "--cache-size", "0")
        for options in (["--cache-size", "0"], []):
            spilled = self.ask("Why?", "--memory", "0", *options)
            self.assertEqual(spilled["prompt"], whole["prompt"])
        self.assertEqual(list((self.home / "spill").iterdir()), [])
        document = self.write("b.txt", long_text(seed=2))
        read = self.done("read", "--json", "--model", self.model, "--memory", "0", document).json
        self.assertEqual(self.ask(document=document)["restored"] // 1024, read["tokens"] // 1024)

    def test_no_room(self):
        result = self.done("read", "--model", self.model, "--cache-size", "300KB", self.document)
        self.assertIn("--cache-size", result.notes)
        self.assertLessEqual(sum(f.stat().st_size for f in self.files()), 300 << 10)
        for path in self.files():
            path.unlink()
        self.kept.rmdir()
        self.kept.write_text("not a folder")
        self.assertIn("not kept", self.done("ask", "--model", self.model, "--way", "context", *TEXT, self.document,
                                            "When?").notes)

    def test_what_keeping_costs_is_measured_and_leaves_nothing(self):
        command = ["bench", "memory", "--model", self.model, "--tokens", "1100", "--read", "1024", "--rounds", "1"]
        result = self.done(*command, "--json").json
        self.assertEqual(list(result), ["model", "kernels", "threads", "kv", "tokens", "hash_seconds", "keeping",
                                        "reopening", "cold"])
        self.assertEqual((result["tokens"], result["keeping"]["tokens"]), (1100, 1024))
        self.assertGreater(result["reopening"]["bytes"], 1100 * 2 * tiny_model.HEAD * tiny_model.KV_HEADS * 2)
        self.assertEqual(list(self.home.iterdir()), [])
        shown = self.done(*command[:-4], "--read", "0", "--rounds", "1", "--kv", "q8").text
        self.assertIn("1100 tokens, kept", shown)
        self.assertNotIn("reading", shown)
        self.fails(*command[:-4], "--read", "1000", naming="1024")


if __name__ == "__main__":
    main()
