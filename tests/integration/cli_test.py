"""The command line's contract: exit codes, help, what goes to stdout and what to stderr."""
import os
import pathlib
import subprocess

import made_files
from tome_program import TomeTest, main

COMMANDS = [[], ["ask"], ["text"], ["library"], ["library", "add"], ["library", "list"], ["library", "show"],
            ["library", "remove"], ["completions"], ["manual"], ["plan"], ["model"],
            ["model", "add"], ["model", "list"], ["model", "remove"]]


class CommandLineTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.book = made_files.text(self.folder / "book.txt", made_files.ENGLISH)

    def test_help_of_every_command_describes_it_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                shown = self.done(*command, "--help")
                self.assertEqual(shown.err, b"")
                self.assertIn(f"tome {' '.join(command)}".strip(), shown.text)
                self.assertRegex(shown.text, r"(?:Examples?:|Start with:)\s")

    def test_help_names_every_command(self):
        for command in COMMANDS[1:]:
            self.assertRegex(self.done(*command[:-1], "--help").text, rf"(?m)^  {command[-1]}\b")

    def test_version_is_one_line(self):
        self.assertRegex(self.done("--version").text, r"^tome \d+\.\d+\.\d+\n$")

    def test_wrong_usage_exits_with_2_and_one_line(self):
        cases = [
            [], ["frobnicate"], ["--frobnicate"], ["library"], ["library", "frobnicate"], ["ask"], ["text"],
            ["text", self.book, self.book], ["library", "add"], ["library", "show", "a", "b"], ["completions"],
            ["completions", "tcsh"], ["ask", "--way", "guess", self.book, "What burned?"],
            ["ask", "--top", "0", self.book, "What burned?"], ["ask", "--top", "many", self.book, "What burned?"],
            ["ask", "--threads", "0", self.book, "What burned?"], ["ask", "--top"],
            ["ask", self.book, ""], ["ask", self.book, " \t "],
        ]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                self.fails(*arguments, status=2)

    def test_a_forgotten_question_is_wrong_usage(self):
        other = made_files.text(self.folder / "other.txt", made_files.CHINESE)
        for files in ([self.book], [self.book, other], ["book.txt", "other.txt"]):
            with self.subTest(files=files):
                self.assertIn("question", self.fails("ask", *files, status=2).notes)

    def test_an_unknown_way_names_the_known_ones(self):
        notes = self.fails("ask", "--way", "guess", self.book, "What burned?", status=2).notes
        self.assertIn("quotes", notes)

    def test_results_go_to_stdout_and_notes_to_stderr(self):
        latin = self.write("latin.txt", ("Der König trank süßen Wein und aß große Äpfel. " * 9).encode("latin-1"))
        asked = self.done("ask", latin, "Was trank der König?")
        self.assertIn("süßen Wein", asked.text)
        self.assertNotIn("note", asked.text)
        self.assertRegex(asked.notes, r"^tome: note: \S+latin.txt: .*encoding")

    def test_no_escape_sequences_without_a_terminal(self):
        for arguments in (["ask", self.book, "What burned?"], ["library", "list"], ["library", "show", "1"],
                          ["--help"], ["manual"]):
            shown = self.done(*arguments)
            self.assertNotIn(b"\x1b", shown.out + shown.err)
        self.assertNotIn("\x1b", self.fails("text", "nowhere.txt").notes)

    def test_an_answer_without_passages_says_so(self):
        asked = self.done("ask", self.book, "zyzzyva quokka?")
        self.assertEqual(asked.out, b"")
        self.assert_one_line(asked.notes)

    def test_a_file_name_of_any_bytes_works(self):
        named = pathlib.Path(os.fsdecode(os.fsencode(self.folder) + b"/caf\xe9\n\x1b[31m.txt"))
        made_files.text(named, made_files.ENGLISH)
        [citation, *_] = self.ask(named, "What replaced the whale oil?")["citations"]
        self.assertIn("kerosene", citation["quote"])
        for arguments in (["ask", named, "What replaced the whale oil?"], ["library", "list"],
                          ["library", "list", "--json"], ["library", "show", "1"],
                          ["library", "show", "1", "--json"]):
            with self.subTest(arguments=arguments):
                shown = self.done(*arguments).out
                self.assertNotIn(b"\x1b", shown)
                shown.decode()
        self.assertEqual(self.done("library", "list").text.count("\n"), 1)
        named.write_bytes(b"")
        self.fails("text", named)

    def test_a_question_that_is_not_utf8_works(self):
        question = os.fsdecode("What replaced the “whale oil”? café".encode("cp1252"))
        self.assertIn("kerosene", self.quotes(self.book, question))


class StreamsTest(TomeTest):
    def setUp(self):
        super().setUp()
        line = "The keeper wrote in the log that the wind had turned to the north once more.\n"
        self.long = self.write("long.txt", line * 20000)

    def test_a_full_device_behind_stdout_fails_with_one_line(self):
        for arguments in (["text", self.long], ["ask", self.long, "Where had the wind turned?"],
                          ["ask", "--json", self.long, "Where had the wind turned?"], ["library", "list"],
                          ["manual"], ["completions", "bash"], ["--help"], ["--version"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                result = self.fails(*arguments, stdout=full)
                self.assertIn("standard output", result.notes)
                self.assertIn("No space left", result.notes)

    def test_a_full_device_behind_stderr_does_not_change_the_exit_status(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.tome("text", "nowhere.txt", stderr=full).status, 1)
            self.assertEqual(self.tome("frobnicate", stderr=full).status, 2)
            self.assertEqual(self.tome("text", self.long, stderr=full).status, 0)

    def test_a_reader_of_the_output_may_leave(self):
        for arguments in (["text", self.long], ["manual"], ["--help"]):
            with self.subTest(arguments=arguments):
                process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                process.stdout.read(1)
                process.stdout.close()
                notes = process.stderr.read().decode()
                process.stderr.close()
                self.assertIn(process.wait(60), (0, 1))
                if notes:
                    self.assert_one_line(notes)

    def test_closed_standard_streams_lose_nothing_but_the_output(self):
        # Without precautions, the document or the library would be opened as descriptor 0, 1 or 2.
        for closing in ("<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"):
            with self.subTest(closing=closing):
                status = subprocess.run(["bash", "-c", f'"$0" ask "$1" "Where had the wind turned?" {closing}',
                                         self.start("--version", stdout=subprocess.DEVNULL).args[0], self.long],
                                        env=self.environment, capture_output=True, timeout=60)
                self.assertEqual(status.returncode, 1 if ">&-" in closing else 0, status)
        self.assertIn("north", self.quotes(self.long, "Where had the wind turned?"))


class AdviceTest(TomeTest):
    def test_errors_say_what_to_do(self):
        self.assertRegex(self.fails("library", "show", "nothing").notes, r"library list")
        self.assertRegex(self.fails("text", self.folder).notes, r"folder")
        self.assertRegex(self.fails("frobnicate", status=2).notes, r"--help")


if __name__ == "__main__":
    main()
