"""The shelf: documents are kept by their content, and several processes share it."""
import os
import subprocess

import made_files
from tome_program import READER, TomeTest, main


class LibraryTest(TomeTest):
    def setUp(self):
        super().setUp()
        # The reader counts how often it is started.
        self.reads = self.folder / "reads"
        script = self.folder / "counting-reader"
        script.write_text(f'#!/bin/sh\necho read >>"{self.reads}"\nexec "{READER}" "$@"\n')
        script.chmod(0o755)
        self.environment["TOME_READER"] = str(script)

    def read_count(self):
        return len(self.reads.read_text().splitlines()) if self.reads.exists() else 0

    def listed(self):
        return self.done("library", "list", "--json").json["documents"]

    def test_added_documents_are_listed_shown_and_removed(self):
        english = made_files.epub(self.folder / "english.epub", made_files.ENGLISH)
        chinese = made_files.odt(self.folder / "chinese.odt", made_files.CHINESE)
        added = self.done("library", "add", english, chinese)
        self.assertEqual([line.split()[:2] for line in added.text.splitlines()], [["#1", "added"], ["#2", "added"]])
        self.assertEqual([(d["id"], d["format"], d["paths"]) for d in self.listed()],
                         [(1, "epub", [str(english.resolve())]), (2, "odt", [str(chinese.resolve())])])
        self.assertEqual(self.done("library", "list").text.count("\n"), 2)
        shown = self.done("library", "show", "--json", "english.epub").json
        self.assertEqual([s["title"] for s in shown["sections"]], [title for title, _ in made_files.ENGLISH])
        for name in ("#1", "1", english, "english.epub", shown["hash"], shown["hash"][:8]):
            self.assertIn("The Wreck", self.done("library", "show", name).text)
        self.done("library", "remove", "english.epub")
        self.assertEqual([d["id"] for d in self.listed()], [2])
        self.assertNotIn("kerosene", self.quotes("What replaced the whale oil? kerosene"))
        self.assertIn("煤油灯", self.quotes("鲸油后来换成了什么？"))
        self.assertTrue(english.exists())
        self.fails("library", "show", "english.epub", naming="english.epub")
        self.fails("library", "remove", "#1", naming="#1")

    def test_an_unchanged_file_is_not_read_again(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.done("library", "add", book)
        for _ in range(2):
            self.assertIn("#1 unchanged", self.done("library", "add", book).text)
        self.assertIn("kerosene", self.quotes(book, "What replaced the whale oil?"))
        os.utime(book)
        self.assertIn("#1 unchanged", self.done("library", "add", book).text)
        self.assertEqual(self.read_count(), 1)

    def test_a_renamed_or_copied_file_is_not_read_again(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.done("library", "add", book)
        renamed = book.rename(self.folder / "renamed.txt")
        copy = self.write("copy.txt", renamed.read_bytes())
        link = self.folder / "link.txt"
        link.symlink_to(renamed)
        for path in (renamed, copy, link):
            self.assertIn("#1 unchanged", self.done("library", "add", path).text)
            self.assertEqual(self.ask(path, "What burned?")["citations"][0]["document"], str(path))
        self.assertEqual(self.read_count(), 1)
        self.assertEqual(len(self.listed()), 1)

    def test_a_changed_file_replaces_what_it_was(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.done("library", "add", book)
        before = book.stat()
        book.write_text(book.read_text().replace("kerosene burner", "electric light"))
        # A program that hides its change by restoring the file's time is not believed.
        self.assertEqual(len("kerosene burner"), len("electric light") + 1)
        os.utime(book, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertIn("replaced", self.done("library", "add", book).text)
        self.assertEqual(len(self.listed()), 1)
        self.assertIn("electric light", self.quotes("What replaced the whale oil?"))
        self.assertEqual(self.ask("kerosene")["citations"], [])
        self.assertEqual(self.read_count(), 2)

    def test_a_changed_copy_leaves_the_original(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        copy = made_files.text(self.folder / "copy.txt", made_files.ENGLISH)
        self.done("library", "add", book, copy)
        made_files.text(copy, made_files.CHINESE)
        self.done("library", "add", copy)
        self.assertEqual(len(self.listed()), 2)
        self.assertIn("kerosene", self.quotes(book, "What replaced the whale oil?"))
        self.assertIn("煤油灯", self.quotes(copy, "鲸油后来换成了什么？"))

    def test_one_bad_file_does_not_keep_the_others_out(self):
        good = made_files.text(self.folder / "good.txt", made_files.ENGLISH)
        empty = self.write("empty.txt", "")
        added = self.tome("library", "add", empty, good, "missing.txt")
        self.assertEqual(added.status, 1)
        self.assertIn("added", added.text)
        self.assertEqual(added.notes.count("\n"), 3)
        for part in ("empty.txt", "missing.txt", "2 of 3"):
            self.assertIn(part, added.notes)
        self.assertIn("kerosene", self.quotes("What replaced the whale oil?"))

    def test_processes_may_add_the_same_file_at_once(self):
        made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.run_together([["library", "add", "book.txt"]] * 4)
        self.assertEqual(len(self.listed()), 1)
        self.assertIn("kerosene", self.quotes("What replaced the whale oil?"))

    def test_processes_may_add_different_files_at_once(self):
        for i in range(4):
            self.write(f"book{i}.txt", f"Keeper number {i} burned {'abcd'[i]}oil in the lamp.\n" * 2000)
        # The library does not exist yet: its creation is part of the race.
        self.run_together([["library", "add", f"book{i}.txt"] for i in range(4)] + [["library", "list"]])
        self.assertEqual(len(self.listed()), 4)
        for i in range(4):
            self.assertIn(f"number {i}", self.quotes(f"{'abcd'[i]}oil"))

    def run_together(self, commands):
        processes = [self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
        for process in processes:
            shown, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, shown.decode())

    def test_the_default_home_is_the_data_folder(self):
        del self.environment["TOME_HOME"]
        made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        for variables, expected in (({"XDG_DATA_HOME": str(self.folder / "data")}, "data/tome"),
                                    ({"HOME": str(self.folder / "user")}, "user/.local/share/tome")):
            self.done("library", "add", "book.txt", env=variables)
            self.assertTrue((self.folder / expected / "library.db").is_file())


if __name__ == "__main__":
    main()
