"""A library that is damaged, foreign, out of reach or out of space. Tome prints a clear line and
destroys no data."""
import random
import shutil
import sqlite3
import subprocess

import made_files
from tome_program import TomeTest, file_size_limit, main

QUESTION = "What replaced the whale oil?"


class BadLibraryTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.done("library", "add", self.book)
        self.file = self.home / "library.db"
        self.assertFalse((self.home / "library.db-wal").exists())  # so library.db is complete

    def every_command_fails(self, because):
        for arguments in (["ask", QUESTION], ["ask", self.book, QUESTION], ["text", self.book],
                          ["library", "add", self.book], ["library", "list"], ["library", "show", "1"],
                          ["library", "remove", "1"]):
            with self.subTest(arguments=arguments):
                self.assertRegex(self.fails(*arguments, naming=self.home).notes, because)

    def test_a_damaged_header(self):
        rng = random.Random(1)
        content = self.file.read_bytes()
        for damaged in (rng.randbytes(100) + content[100:], b"hello\n" * 1000, content[:16] + rng.randbytes(84)):
            self.file.write_bytes(damaged)
            self.every_command_fails("damaged|newer|another program")
            self.assertEqual(self.file.read_bytes(), damaged)  # foreign data is not overwritten

    def test_damage_in_the_middle(self):
        content = self.file.read_bytes()
        rng = random.Random(2)
        failed = 0
        for start in range(4096, len(content) - 4096, len(content) // 16):
            self.file.write_bytes(content[:start] + rng.randbytes(4096) + content[start + 4096:])
            for arguments in (["library", "list"], ["ask", QUESTION], ["ask", self.book, QUESTION],
                              ["library", "remove", "1"]):
                with self.subTest(start=start, arguments=arguments):
                    result = self.tome(*arguments)
                    self.assertIn(result.status, (0, 1), repr(result))
                    if result.status == 1:
                        failed += 1
                        self.assert_one_line(result.notes)
        self.assertGreater(failed, 0)

    def test_a_truncated_file(self):
        content = self.file.read_bytes()
        for size in (1, 50, 100, 4096, len(content) // 2, len(content) - 4096):
            self.file.write_bytes(content[:size])
            with self.subTest(size=size):
                result = self.tome("ask", QUESTION)
                self.assertIn(result.status, (0, 1), repr(result))
                if result.status == 1:
                    self.assert_one_line(result.notes)
        self.file.write_bytes(content[:50])
        self.every_command_fails("damaged")

    def test_an_empty_file_is_a_new_library(self):
        self.file.write_bytes(b"")
        self.assertIn("kerosene", self.quotes(self.book, QUESTION))

    def test_a_library_of_a_newer_tome(self):
        self.change("PRAGMA user_version = 999")
        self.every_command_fails("newer.*upgrade")

    def test_a_database_of_another_program(self):
        self.file.unlink()
        self.change("CREATE TABLE bookmarks(url TEXT)")
        self.every_command_fails("another program")
        self.file.unlink()
        self.change("PRAGMA user_version = 1")
        self.every_command_fails("another program")

    def change(self, sql):
        database = sqlite3.connect(self.file)
        database.execute(sql)
        database.commit()
        database.close()

    def test_a_folder_in_the_place_of_the_file(self):
        self.file.unlink()
        self.file.mkdir()
        self.every_command_fails("TOME_HOME")

    def test_a_home_that_is_a_file(self):
        shutil.rmtree(self.home)
        self.home.write_text("not a folder")
        self.every_command_fails("TOME_HOME")
        self.assertEqual(self.home.read_text(), "not a folder")

    def test_a_home_that_cannot_be_written(self):
        options = self.ordinary_user()
        self.home.chmod(0o555)
        self.file.chmod(0o444)
        other = made_files.text(self.folder / "other.txt", made_files.CHINESE)
        self.fails("library", "add", other, naming=self.home, **options)
        shown = self.tome("ask", QUESTION, **options)
        self.assertIn(shown.status, (0, 1), repr(shown))
        if shown.status == 1:
            self.assert_one_line(shown.notes)
        self.home.chmod(0o755)
        self.file.chmod(0o644)
        self.assertIn("kerosene", self.quotes(self.book, QUESTION))

    def test_no_place_for_a_library(self):
        del self.environment["TOME_HOME"]
        del self.environment["HOME"]
        self.assertIn("TOME_HOME", self.fails("library", "list").notes)


class FullDiskTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.long = self.write("long.txt", made_files.long_text(4, 1))

    def add_without_room(self, **options):
        notes = self.fails("library", "add", self.long, naming=self.home, **options).notes
        self.assertIn("kerosene", self.quotes("What replaced the whale oil?", **options))
        self.assertEqual(self.done("library", "list", **options).text.count("\n"), 1)
        return notes

    def test_a_full_disk(self):
        self.home.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.home], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.home], check=True)
        self.done("library", "add", self.book)
        self.assertRegex(self.add_without_room(), "free some space")
        small = made_files.text(self.folder / "small.txt", made_files.CHINESE)
        self.done("library", "add", small)

    def test_a_limit_of_file_sizes(self):
        self.done("library", "add", self.book)
        self.add_without_room(preexec_fn=file_size_limit(1 << 20))
        self.done("library", "add", self.long)


if __name__ == "__main__":
    main()
