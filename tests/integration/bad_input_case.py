"""A library with a good document in it, which whatever a test does must leave as it was."""
import made_files
from tome_program import TomeTest


class BadInputCase(TomeTest):
    def setUp(self):
        super().setUp()
        made_files.text(self.folder / "good.txt", made_files.ENGLISH)
        self.done("library", "add", "good.txt")
        self.before = self.answer()

    def tearDown(self):
        self.assertEqual(self.answer(), self.before)

    def answer(self):
        """What the document that was there before says."""
        return self.ask("good.txt", "What replaced the whale oil?")["citations"]

    def refused(self, path, because="."):
        """Adding it fails with a line that matches `because`."""
        self.assertRegex(self.fails("library", "add", path, naming=path).notes, because)

    def survived(self, path):
        """Whether it can be read is the format's affair; how it goes is not."""
        result = self.tome("library", "add", path)
        self.assertIn(result.status, (0, 1), repr(result))
        self.assert_bounded(result)
        if result.status == 1:
            self.assert_one_line(result.notes)
            self.assertIn(str(path), result.notes)
        return result

    def write_repeated(self, name, piece, size):
        """Writes `size` bytes without ever holding them: this process's memory is the child's first."""
        path = self.folder / name
        with open(path, "wb") as out:
            block = piece * max(1, (1 << 20) // len(piece))
            while out.tell() < size:
                out.write(block[:size - out.tell()])
        return path
