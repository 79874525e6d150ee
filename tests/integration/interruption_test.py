"""Work that is interrupted, by Ctrl-C or by force, leaves the library as it was and no process
running."""
import os
import pty
import random
import signal
import sqlite3
import subprocess
import time

import made_files
from tome_program import MAX_SECONDS, TomeTest, main, reader_processes, wait_until


class InterruptionTest(TomeTest):
    KILLS = 20

    def setUp(self):
        super().setUp()
        self.seed = int(time.time())
        self.book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)
        self.done("library", "add", self.book)
        # The name is unique, so that its reader is recognised among all processes of the machine.
        self.long = self.write(f"long-{self.folder.name}.txt", made_files.long_text(4, self.seed))

    def assert_whole(self):
        """Checks that the library is sound, holds the first document alone, and answers."""
        database = sqlite3.connect(self.home / "library.db")
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        for query in ("SELECT count(*) FROM documents", "SELECT count(DISTINCT document) FROM texts",
                      "SELECT count(DISTINCT document) FROM passages", "SELECT count(*) FROM files"):
            self.assertEqual(database.execute(query).fetchone(), (1,), query)
        database.close()
        self.assertIn("kerosene", self.quotes(self.book, "What replaced the whale oil?"))
        self.assertEqual(self.done("library", "list").text.count("\n"), 1)

    def seconds_to_add(self):
        """Returns the seconds of the whole work on this machine, with a library of its own."""
        return self.done("library", "add", self.long, env={"TOME_HOME": str(self.folder / "other")}).seconds

    def test_killed_at_any_moment_the_library_keeps_its_state(self):
        seconds = self.seconds_to_add()
        rng = random.Random(self.seed)
        killed = 0
        for _ in range(self.KILLS):
            process = self.start("library", "add", self.long, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(rng.uniform(0, 1) * seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
            process.wait()
            with self.subTest(seed=self.seed):
                # The library has the old state or, from the commit on, the new one, and never a
                # third.
                if len(self.done("library", "list", "--json").json["documents"]) == 2:
                    self.assertIn("log", self.quotes(self.long, "What was written in the log?"))
                    self.done("library", "remove", self.long)
                self.assert_whole()
        self.assertGreater(killed, self.KILLS // 4)
        self.assertTrue(wait_until(lambda: not reader_processes(self.long.name)), "a reader outlives its tome")
        self.done("library", "add", self.long)
        self.assertIn("log", self.quotes(self.long, "What was written in the log?"))

    def test_interrupted_while_reading_it_ends_at_once(self):
        # The reader never ends, so that the moment of the interruption is certain.
        script = self.folder / "endless-reader"
        script.write_text("#!/bin/sh\nexec python3 -c 'import signal; signal.pause()' \"$@\"\n")
        script.chmod(0o755)
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("library", "add", self.long, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 env={"TOME_READER": str(script)})
            self.assertTrue(wait_until(lambda: reader_processes(self.long.name)), "no reader was started")
            began = time.monotonic()
            process.send_signal(number)
            _, notes = process.communicate(timeout=MAX_SECONDS)
            self.assertEqual(process.returncode, 130)
            self.assert_one_line(notes.decode())
            self.assertLess(time.monotonic() - began, 2)
            self.assertEqual(reader_processes(self.long.name), [])
        self.assert_whole()

    def interrupt_indexing(self, signals):
        """Interrupts an add as soon as its progress bar says "indexing"; gives its status, all that was shown, and
        the seconds it took to end."""
        ours, theirs = pty.openpty()
        process = self.start("library", "add", self.long, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown, began = b"", None
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # a terminal reports its end so
                break
            if not chunk:
                break
            shown += chunk
            if began is None and b"indexing" in shown:
                began = time.monotonic()
                for number in signals:
                    process.send_signal(number)
        os.close(ours)
        status = process.wait(MAX_SECONDS)
        self.assertIsNotNone(began, f"the work ended before it could be interrupted: {shown}")
        return status, shown.decode(), time.monotonic() - began

    def test_interrupted_while_indexing_it_ends_soon(self):
        self.write(self.long.name, made_files.long_text(12, self.seed))
        status, shown, seconds = self.interrupt_indexing([signal.SIGINT])
        self.assertEqual(status, 130)
        self.assertRegex(shown, r"\r\x1b\[K\x1b\[31mtome:\x1b\[0m [^\r\n]*interrupted[^\r\n]*\r\n$")
        self.assertLess(seconds, 5)
        self.assert_whole()
        # A second interrupt ends the program at once.
        status, _, seconds = self.interrupt_indexing([signal.SIGINT, signal.SIGTERM])
        self.assertEqual(status, 130)
        self.assertLess(seconds, 5)
        self.assert_whole()
        self.done("library", "add", self.long)


if __name__ == "__main__":
    main()
