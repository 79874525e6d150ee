"""Files that are missing, broken, hostile or huge: one clear line, bounded work, and the library unharmed."""
import html
import os
import random

import made_files
from bad_input_case import BadInputCase
from tome_program import READER, SANITIZED, main


class BadInputTest(BadInputCase):
    def test_what_is_no_file(self):
        self.refused(self.folder / "missing.txt", "no such file")
        self.refused(self.folder / "good.txt" / "within.txt")
        self.refused(self.folder / ("long" * 100))
        self.refused(self.folder, "folder")
        os.mkfifo(self.folder / "fifo")
        self.refused(self.folder / "fifo", "not a regular file")
        self.refused("/dev/zero", "not a regular file")
        (self.folder / "loop").symlink_to("loop")
        self.refused(self.folder / "loop")

    def test_an_unreadable_file(self):
        path = self.write("secret.txt", "secret")
        path.chmod(0)
        user = self.ordinary_user()
        self.home.chmod(0o777)
        (self.home / "library.db").chmod(0o666)
        notes = self.fails("library", "add", path, naming=path, **user).notes
        self.assertIn("Permission denied", notes)

    def test_files_without_text(self):
        for name, content in (("empty.txt", ""), ("empty.pdf", ""), ("empty.epub", ""), ("bom.txt", "\ufeff"),
                              ("spaces.txt", " \t\r\n\u3000\u00a0\n"), ("empty.html", "<!DOCTYPE html><html></html>"),
                              ("spaces.md", " \n\n"), ("script.html", "<html><script>alert(1)</script></html>")):
            with self.subTest(name=name):
                self.refused(self.write(name, content), "(?i)empty|no text")

    def test_binary_data(self):
        rng = random.Random(1)
        for suffix in (".bin", ".txt", ".html", ".md", ".pdf", ".docx", ".epub", ".odt"):
            for size in (100, 1000, 4096, 65537, 1_000_000):
                with self.subTest(suffix=suffix, size=size):
                    self.refused(self.write(f"junk{size}{suffix}", rng.randbytes(size)))
        for size in (1, 2, 3, 10):
            self.refused(self.write(f"zeros{size}.txt", bytes(size)))

    def test_files_of_other_programs(self):
        for name, content, because in (
                ("image.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
                ("image.txt", b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
                ("photo.jpg", b"\xff\xd8\xff\xe0" + bytes(100), "JPEG"),
                ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "docx"),
                ("book.txt.gz", b"\x1f\x8b\x08\x00" + bytes(100), "unpack"),
                ("library.db", (self.home / "library.db").read_bytes(), "SQLite")):
            with self.subTest(name=name):
                self.refused(self.write(name, content), because)
        self.refused(READER.parent / "tome", "program")

    def test_text_with_nul_bytes(self):
        self.refused(self.write("nul.txt", "The lamp burned whale oil.\0\n" * 100), "binary")

    def test_an_encrypted_pdf(self):
        path = made_files.encrypted_pdf(self.folder / "locked.pdf", made_files.ENGLISH, "secret")
        self.refused(path, "(?i)password|encrypted")

    def test_truncated_pdfs(self):
        whole = made_files.pdf(self.folder / "whole.pdf", made_files.ENGLISH).read_bytes()
        for size in (5, 20, len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4, len(whole) - 20, len(whole) - 1):
            with self.subTest(size=size):
                self.survived(self.write(f"cut{size}.pdf", whole[:size]))
        self.refused(self.write("cut.pdf", whole[:20]))

    def test_pdfs_that_lie(self):
        whole = made_files.pdf(self.folder / "whole.pdf", made_files.ENGLISH).read_bytes()
        lies = [
            (b"/Count 2", b"/Count 2147483647"), (b"/Count 2", b"/Count -1"),
            (b"/Kids [6 0 R 8 0 R]", b"/Kids [2 0 R 2 0 R]"), (b"/Parent 2 0 R", b"/Parent 6 0 R"),
            (b"/Contents 7 0 R", b"/Contents 6 0 R"), (b"/MediaBox [0 0 1000 842]", b"/MediaBox [0 0 1e30 1e30]"),
            (b"/Length ", b"/Length 9999999"), (b"startxref\n", b"startxref\n99999999"),
            (b"/DescendantFonts [4 0 R]", b"/DescendantFonts [3 0 R]"), (b"12 Tf", b"1e38 Tf"),
        ]
        for i, (truth, lie) in enumerate(lies):
            with self.subTest(lie=lie):
                self.assertIn(truth, whole)
                self.survived(self.write(f"lie{i}.pdf", whole.replace(truth, lie)))

    def test_a_deeply_nested_page(self):
        path = self.write_repeated("nested.html", b"<div>", 5_000_000)
        with open(path, "ab") as out:
            out.write(b"The lamp burned whale oil.")
        self.survived(path)
        self.survived(self.write_repeated("quoted.md", b"> ", 2_000_000))
        self.survived(self.write_repeated("lists.md", b"- ", 1_000_000))
        self.survived(self.write_repeated("brackets.md", b"[", 1_000_000))
        self.survived(self.write_repeated("attributes.html", b"<p a=", 2_000_000))

    def test_a_hundred_megabytes_of_line_ends(self):
        self.refused(self.write_repeated("lines.txt", b"\n", 100_000_000), "no text")

    def test_a_line_of_a_hundred_megabytes_works(self):
        size = 10_000_000 if SANITIZED else 100_000_000
        path = self.write_repeated("line.txt", b"x", size)
        with open(path, "ab") as out:
            out.write(b" and then the kingfisher sang")
        added = self.done("library", "add", path)
        self.assert_bounded(added)
        self.assertIn("kingfisher sang", self.quotes("Did the kingfisher sing?"))
        self.done("library", "remove", path)

    def test_text_that_is_not_quite_utf8_works(self):
        content = "The lamp burned whale oil, as every lighthouse of that coast did – “until 1887”.\n".encode() * 50
        path = self.write("damaged.txt", content[:1000] + b"\xff\xfe\xc0" + content[1000:])
        added = self.done("library", "add", path)
        self.assert_one_line(added.notes)
        self.assertIn("whale oil", self.quotes(path, "What did the lamp burn?"))
        self.done("text", path).out.decode()

    def test_html_is_text_and_never_a_request(self):
        passwd = self.write("passwd", "root:x:0:0\n")
        page = ('<!DOCTYPE html [<!ENTITY e SYSTEM "file://{0}">]><html><body><p>Lamp &e; oil</p>'
                '<iframe src="file://{0}"></iframe><img src="file://{0}"><object data="{0}"></object>'
                '<link rel="import" href="{0}"></body></html>').format(html.escape(str(passwd)))
        self.assertNotIn("root:x", self.done("text", self.write("page.html", page)).text)
        self.assertNotIn("root:x", self.done("text", self.write("page.md", f"![x]({passwd})\n\nLamp")).text)


class BadReaderTest(BadInputCase):
    """The reader process crashes, is killed, or sends nonsense. Only one document is lost."""

    def reader_that(self, script):
        path = self.folder / "bad-reader"
        path.write_text("#!/bin/bash\n" + script)
        path.chmod(0o755)
        return {"TOME_READER": str(path)}

    def test_bad_readers(self):
        book = made_files.text(self.folder / "book.txt", made_files.CHINESE)
        for script, because in (
                ("kill -SEGV $$", "crashed"), ("kill -ABRT $$", "crashed"), ("kill -KILL $$", "memory"),
                ("kill -XCPU $$", "time"), ("exit 3", "status 3"), ("true", "no answer"), ("echo hello", "answer"),
                (r"printf 'D\377\377\377\377\377\377\377\377'", "malformed"),
                (r"printf 'D\005\0\0\0\0\0\0\0abcde'", "no document"), (r"printf 'D\005\0\0\0\0\0\0\0abc'", "answer"),
                (r"printf 'X\0\0\0\0\0\0\0\0'", "malformed"), (r"printf 'E\0\0\0\0\0\0\0\0'", "malformed"),
                (r"printf 'E\002\0\0\0\0\0\0\0[]'", "malformed"),
                (r"""printf 'E\015\0\0\0\0\0\0\0{"message":7}'""", "malformed"),
                (r"""printf 'P\014\0\0\0\0\0\0\0{"done":"x"}'""", "malformed"),
                (r"""printf 'E\041\0\0\0\0\0\0\0{"code":"io","message":"a\\nb\\tc"}'""", "txt: a b c$"),
                ("exec >&-; sleep 0.1; exit 3", "status 3")):
            with self.subTest(script=script):
                result = self.fails("library", "add", book, naming=book, env=self.reader_that(script))
                self.assertRegex(result.notes, because)

    def test_a_reader_that_is_not_there(self):
        book = made_files.text(self.folder / "book.txt", made_files.CHINESE)
        for reader in ("/nonexistent/tome-reader", str(self.folder), str(book)):
            result = self.fails("library", "add", book, naming=book, env={"TOME_READER": reader})
            self.assertIn("TOME_READER", result.notes)


if __name__ == "__main__":
    main()
