"""A library with a good document, which must stay unharmed whatever a test does."""
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
        """Returns the citations of an answer from the good document."""
        return self.ask("good.txt", "What replaced the whale oil?")["citations"]

    def refused(self, path, because="."):
        """Checks that adding `path` fails with a line that matches `because`."""
        self.assertRegex(self.fails("library", "add", path, naming=path).notes, because)

    def survived(self, path):
        """Checks that adding `path` ends in bounded work, and with one clear line where it fails.
        Either result is allowed."""
        result = self.tome("library", "add", path)
        self.assertIn(result.status, (0, 1), repr(result))
        self.assert_bounded(result)
        if result.status == 1:
            self.assert_one_line(result.notes)
            self.assertIn(str(path), result.notes)
        return result

    def write_repeated(self, name, piece, size):
        """Writes `size` bytes without ever holding them, since a child's memory begins as a copy of
        this process's."""
        path = self.folder / name
        with open(path, "wb") as out:
            block = piece * max(1, (1 << 20) // len(piece))
            while out.tell() < size:
                out.write(block[:size - out.tell()])
        return path
