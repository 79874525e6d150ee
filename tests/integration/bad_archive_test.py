"""DOCX, EPUB and ODT files that are made to harm: cut off, exploding, climbing out of their
archive, reading other files."""
import struct
import zlib

import made_files
from bad_input_case import BadInputCase
from tome_program import main

SECRET = "root:x:0:0:a secret of this machine"
PARTS = {".epub": (made_files.epub_parts, "OEBPS/c0.xhtml"), ".docx": (made_files.docx_parts, "word/document.xml"),
         ".odt": (made_files.odt_parts, "content.xml")}


def deflated_zeros(megabytes, byte=b"\0"):
    """Returns a deflate stream of so many megabytes of equal bytes. It takes 1 KB a megabyte, since
    the same flushed block is repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(byte * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + b"\x03\x00"


def zip_with(entries):
    """Returns a ZIP file of (name, deflated bytes, declared size). The sizes may lie, and the
    checksums are missing."""
    out, directory = bytearray(), bytearray()
    for name, packed, size in entries:
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(out))
        directory += name.encode()
        out += b"PK\x03\x04" + fields + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return bytes(out + directory + b"PK\x05\x06" + end)


def deflated(content):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content.encode()) + packer.flush(), len(content.encode())


class BadArchiveTest(BadInputCase):
    def test_truncated_archives(self):
        for suffix, make in ((".docx", made_files.docx), (".epub", made_files.epub), (".odt", made_files.odt)):
            whole = make(self.folder / f"whole{suffix}", made_files.ENGLISH).read_bytes()
            for size in (3, 4, 30, len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4, len(whole) - 22,
                         len(whole) - 1):
                with self.subTest(suffix=suffix, size=size):
                    self.refused(self.write(f"cut{size}{suffix}", whole[:size]))

    def test_damaged_archives(self):
        for suffix, make in ((".docx", made_files.docx), (".epub", made_files.epub), (".odt", made_files.odt)):
            whole = make(self.folder / f"whole{suffix}", made_files.ENGLISH).read_bytes()
            for i in range(0, len(whole), len(whole) // 12):
                with self.subTest(suffix=suffix, at=i):
                    self.survived(self.write(f"bad{i}{suffix}", whole[:i] + b"\xff\x00\xff\x7f" + whole[i + 4:]))

    def test_archives_without_their_parts(self):
        for suffix, (parts, _) in PARTS.items():
            names = [name for name, _ in parts(made_files.ENGLISH)]
            for missing in names:
                with self.subTest(suffix=suffix, missing=missing):
                    kept = [part for part in parts(made_files.ENGLISH) if part[0] != missing]
                    self.survived(made_files.archive(self.folder / f"no-{names.index(missing)}{suffix}", kept))
        self.refused(made_files.archive(self.folder / "other.zip", [("readme.txt", "hello")]), "ZIP")
        self.refused(made_files.archive(self.folder / "nothing.docx", []))

    def test_an_archive_in_an_archive(self):
        inner = made_files.docx(self.folder / "inner.docx", made_files.ENGLISH).read_bytes()
        for name in ("nested.zip", "nested.docx", "nested.epub"):
            self.refused(made_files.archive(self.folder / name, [("inner.docx", inner)]))

    def test_archives_that_explode(self):
        bomb = deflated_zeros(10 << 10)  # 10 GiB in 10 MB
        self.assertLess(len(bomb), 12 << 20)
        for suffix, (parts, main_part) in PARTS.items():
            for lie, size in (("honest", 0xFFFFFFFE), ("lying", 1000)):
                with self.subTest(suffix=suffix, lie=lie):
                    entries = [(name, bomb, size) if name == main_part else (name, *deflated(content))
                               for name, content in parts(made_files.ENGLISH)]
                    self.refused(self.write(f"{lie}{suffix}", zip_with(entries)))

    def test_many_parts_that_are_large_together(self):
        chapter = deflated_zeros(100, b" ")
        parts = made_files.epub_parts([("Chapter", ["Lamp."])] * 60)
        entries = [(name, chapter, 100 << 20) if name.startswith("OEBPS/c") else (name, *deflated(content))
                   for name, content in parts]
        self.refused(self.write("together.epub", zip_with(entries)))

    def test_entities_that_explode(self):
        bomb = '<!DOCTYPE x [<!ENTITY l0 "lollollollol">' + "".join(
            f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12)) + "]>"
        self.with_doctype(bomb, "&l11;")

    def test_entities_that_name_other_files(self):
        secret = self.write("secret.txt", SECRET)
        for place in (f"file://{secret}", secret, "file:///etc/passwd", "/etc/passwd"):
            self.with_doctype(f'<!DOCTYPE x [<!ENTITY e SYSTEM "{place}">]>', "&e;")

    def with_doctype(self, doctype, reference):
        """Adds a file of every format whose main part has this document type and a reference to its
        entity. Checks that no output holds the text of another file or is long."""
        for suffix, (parts, main_part) in PARTS.items():
            with self.subTest(suffix=suffix):
                entries = []
                for name, content in parts(made_files.ENGLISH):
                    if name == main_part:
                        declaration, rest = content.split("?>", 1)
                        content = declaration + "?>" + doctype + rest.replace("whale oil", "whale " + reference)
                        self.assertIn(reference, content)
                    entries.append((name, content))
                path = made_files.archive(self.folder / f"entity{suffix}", entries)
                added = self.survived(path)
                shown = self.tome("text", path)
                for output in (added.out, added.err, shown.out, shown.err):
                    self.assertNotIn(b"root:", output)
                    self.assertLess(len(output), 10_000)

    def test_parts_that_climb_out_of_the_archive(self):
        secret = self.write("secret.xhtml", f"<html><body><p>{SECRET}</p></body></html>")
        outside = "../" * 20 + str(secret).lstrip("/")
        hrefs = [outside, str(secret), f"file://{secret}", "..%2F" * 20 + "etc/passwd", "c0.xhtml"]
        parts = made_files.epub_parts([made_files.ENGLISH[0]], hrefs)
        parts += [(outside, "<html><body><p>climbed</p></body></html>"),
                  ("/tmp/climbed.xhtml", "<html><body><p>climbed</p></body></html>")]
        path = made_files.archive(self.folder / "climbing.epub", parts)
        shown = self.tome("text", path)
        self.assertNotIn(b"root:", shown.out + shown.err)
        self.assertEqual(secret.read_text().count(SECRET), 1)
        self.survived(path)

    def test_xml_that_is_deep(self):
        for suffix, (parts, main_part) in PARTS.items():
            with self.subTest(suffix=suffix):
                entries = [(name, content.replace("whale oil", "<a>" * 300_000 + "whale oil" + "</a>" * 300_000)
                            if name == main_part else content) for name, content in parts(made_files.ENGLISH)]
                self.survived(made_files.archive(self.folder / f"deep{suffix}", entries))


if __name__ == "__main__":
    main()
