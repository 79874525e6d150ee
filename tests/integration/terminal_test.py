"""The output that a person sees on a terminal: colours and a progress bar, but never a sequence
that a document holds."""
import errno
import fcntl
import os
import pty
import re
import struct
import termios

import made_files
from tome_program import READER, TomeTest, main

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\x08\x08\u202eThe lamp burned \x1b[31mwhale oil\x1b[0m.\u202c\x00"


def without_bars(shown):
    """Removes progress bars, which show where a busy machine is slow."""
    return re.sub(r"\r\x1b\[K(?:[^\r\n\x1b]*\[[#-]+\] +\d+%)?", "", shown)


class TerminalTest(TomeTest):
    def on_terminal(self, *arguments, columns=80, env=None):
        """Runs tome with stdout and stderr on a terminal. Returns its exit status and all that was
        written to the terminal."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=env or {})
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError as error:
                if error.errno != errno.EIO:  # a terminal without users reads so
                    raise
                break
            if not chunk:
                break
            shown += chunk
        os.close(ours)
        return process.wait(60), shown.decode()

    def slow_reader(self):
        """Returns the environment for a reader that reports progress for longer than the bar waits
        before it shows."""
        script = self.folder / "slow-reader"
        script.write_text("""#!/usr/bin/env python3
import json, subprocess, sys, time
def frame(payload):
    data = json.dumps(payload).encode()
    sys.stdout.buffer.write(b"P" + len(data).to_bytes(8, "little") + data)
    sys.stdout.flush()
for done in range(10):
    frame({"stage": "reading\\x1b[5m", "done": done, "total": 10})
    time.sleep(0.06)
subprocess.run([READER, *sys.argv[1:]])
""".replace("READER", repr(str(READER))))
        script.chmod(0o755)
        return {"TOME_READER": str(script)}

    def test_colours_on_a_terminal_and_none_with_no_color(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        status, shown = self.on_terminal("ask", book, "What replaced the whale oil?")
        self.assertEqual(status, 0)
        self.assertIn("kerosene", shown)
        self.assertRegex(shown, "\x1b\\[[0-9]+m")
        for arguments in (["ask", book, "What replaced the whale oil?"], ["library", "list"], ["text", "nowhere"]):
            _, shown = self.on_terminal(*arguments, env={"NO_COLOR": "1"})
            self.assertNotIn("\x1b", without_bars(shown))

    def test_an_empty_no_color_means_nothing(self):
        book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.assertIn("\x1b[", self.on_terminal("ask", book, "What burned?", env={"NO_COLOR": ""})[1])

    def test_long_work_shows_a_bar_that_is_gone_at_the_end(self):
        name = f"{'very ' * 30}long name.txt"
        made_files.text(self.folder / name, made_files.ENGLISH)
        status, shown = self.on_terminal("library", "add", name, columns=70, env=self.slow_reader())
        self.assertEqual(status, 0)
        bars = re.findall(r"\r\x1b\[K([^\r]*\[[#-]+\][^\r]*)", shown)
        self.assertTrue(any("reading" in bar for bar in bars), repr(shown))
        for bar in bars:
            self.assertRegex(bar, r"(reading|indexing).* \[[#-]+\] +\d+%")
            self.assertNotIn("\x1b[5m", bar)
            self.assertLess(len(bar), 70)  # a wrapped line could not be removed
        self.assertRegex(shown, r"\r\x1b\[K#1 added")

    def test_no_bar_without_a_terminal(self):
        made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        added = self.done("library", "add", "book.txt", env=self.slow_reader())
        self.assertEqual(added.err, b"")

    def test_no_colours_in_the_bar_with_no_color(self):
        made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        _, shown = self.on_terminal("library", "add", "book.txt", env={"NO_COLOR": "1", **self.slow_reader()})
        self.assertNotRegex(shown, "\x1b\\[[0-9;]*m")

    def test_a_document_cannot_order_the_terminal_about(self):
        # Text may not hold NUL. Formats that wrap text take the sequences as far as they can.
        chapters = [(HOSTILE.replace("\x00", ""), [HOSTILE.replace("\x00", "")])]
        for suffix in (".txt", ".md", ".html"):
            path = made_files.MAKERS[suffix](self.folder / f"hostile{suffix}", chapters)
            with self.subTest(suffix=suffix):
                for arguments in (["ask", path, "What did the lamp burn?"], ["text", path],
                                  ["ask", "--json", path, "What did the lamp burn?"],
                                  ["library", "show", path], ["library", "list"]):
                    status, shown = self.on_terminal(*arguments, env={"NO_COLOR": "1"})
                    self.assertEqual(status, 0, shown)
                    for order in ("\x1b", "\x9b", "\x07", "\x08"):
                        self.assertNotIn(order, without_bars(shown))

    def test_directions_of_writing_are_not_overridden_in_an_answer(self):
        path = self.write("hostile.txt", HOSTILE.replace("\x00", ""))
        _, shown = self.on_terminal("ask", path, "What did the lamp burn?")
        self.assertIn("whale oil", re.sub("\x1b\\[[0-9]+m", "", shown))
        self.assertNotIn("\u202e", shown)

    def test_answers_are_wrapped_to_the_terminal(self):
        path = self.write("long.txt", "The lamp burned whale oil. " * 30 + "\n" + "灯里烧的是鲸油，" * 40 + "。\n")
        for question in ("What did the lamp burn?", "灯里烧的是什么？"):
            _, shown = self.on_terminal("ask", path, question, columns=60, env={"NO_COLOR": "1"})
            for line in shown.splitlines()[1:]:
                self.assertLessEqual(sum(2 if ord(c) > 0x2E80 else 1 for c in line), 60)


if __name__ == "__main__":
    main()
