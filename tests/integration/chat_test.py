"""`tome chat` as a person uses it, on a terminal of the test: editing, history, Ctrl-C."""
import os
import pty
import re
import select
import signal
import stat
import termios
import time

import tiny_model
from tome_program import MAX_SECONDS, TomeTest, main

DOCUMENT = "The keeper lit the lamp at dusk.\n\nWhale oil was replaced by a kerosene burner in 1870.\n"
KEROSENE = "Whale oil was replaced by a kerosene burner in 1870."
CTRL_A, CTRL_C, CTRL_D, CTRL_U, UP, LEFT, BACKSPACE = "\x01", "\x03", "\x04", "\x15", "\x1b[A", "\x1b[D", "\x7f"


class Chat:
    """A running chat on a terminal."""

    def __init__(self, test, *arguments, env=None):
        self.test = test
        self.ours, theirs = pty.openpty()
        # The terminal belongs to the chat, as after a login, so that Ctrl-C goes to the chat.
        self.process = test.start("chat", "--evidence", "text", *arguments, stdin=theirs, stdout=theirs, stderr=theirs,
                                  start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
                                  env={"TERM": "xterm", "NO_COLOR": "1", "HOME": str(test.folder), **(env or {})})
        self.modes = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.written = b""
        self.seen = 0  # end of the text in shown() that was waited for
        test.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def type(self, text):
        os.write(self.ours, text.encode())

    def wait_for(self, text):
        """Waits until the chat shows `text`. Returns what it showed since the last such text."""
        deadline = time.monotonic() + MAX_SECONDS
        while text not in (shown := self.shown()[self.seen:]):
            ready, _, _ = select.select([self.ours], [], [], max(0, deadline - time.monotonic()))
            self.test.assertTrue(ready, f"no {text!r} in {shown!r}")
            self.written += os.read(self.ours, 65536)
        end = shown.index(text) + len(text)
        self.seen += end
        return shown[:end]

    def shown(self):
        """Returns all that was written, without the sequences that move the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.written.decode(errors="ignore"))

    def ask(self, text):
        self.wait_for("> ")
        self.type(text + "\r")

    def leave(self):
        self.wait_for("> ")
        self.type(CTRL_D)
        self.test.assertEqual(self.status(), 0)

    def status(self):
        return self.process.wait(MAX_SECONDS)


class ChatTest(TomeTest):
    def setUp(self):
        super().setUp()
        self.document = self.write("a.txt", DOCUMENT)
        self.history = self.home / "chat_history"

    def endless(self):
        return tiny_model.model_that_says(self.folder / "endless.gguf", ["a", "b"], loops=True, context=1 << 22)

    def test_lines_are_edited(self):
        chat = Chat(self, self.document)
        chat.wait_for("> ")
        chat.type("zzz" + CTRL_U + "at replaced whale oiX?" + LEFT + BACKSPACE + "l" + CTRL_A + "Wh\r")
        self.assertIn(KEROSENE, re.sub(r"\s+", " ", chat.wait_for("1870.")))
        chat.ask("灯塔" + BACKSPACE)
        chat.wait_for("tome: ")  # the note that nothing was found
        chat.leave()
        self.assertEqual(self.history.read_text(), "What replaced whale oil?\n灯\n")

    def test_earlier_questions_come_back(self):
        for question, keys in (("Who lit the lamp?", "Who lit the lamp?"), ("Who lit the lamp??", UP + "?"),
                               ("Who lit the lamp?", UP + UP)):
            chat = Chat(self, self.document)
            chat.ask(keys)
            chat.wait_for("dusk.")
            chat.leave()
            self.assertEqual(self.history.read_text().splitlines()[-1], question)
        self.assertEqual(stat.S_IMODE(self.history.stat().st_mode), 0o600)

    def test_the_history_is_bounded(self):
        self.home.mkdir()
        self.history.write_text("".join(f"question {i}\n" for i in range(1000)))
        chat = Chat(self, self.document)
        chat.ask("lamp" * 2000)  # too long to keep
        chat.ask("lamp?")
        chat.leave()
        lines = self.history.read_text().splitlines()
        self.assertEqual((len(lines), lines[0], lines[-1]), (1000, "question 1", "lamp?"))
        self.assertEqual(stat.S_IMODE(self.history.stat().st_mode), 0o600)

    def test_a_history_that_cannot_be_read_is_a_note(self):
        self.home.mkdir()
        self.history.mkdir()
        chat = Chat(self, self.document)
        chat.wait_for("note: questions are not kept: ")
        chat.ask("lamp?")
        chat.wait_for("dusk.")
        chat.leave()

    def test_ctrl_c_ends_the_answer_and_then_the_chat(self):
        chat = Chat(self, "--model", self.endless(), "--way", "context", "--max-tokens", "2000000", self.document)
        for _ in range(2):
            chat.ask("Who lit the lamp?")
            chat.wait_for("ab")
            chat.type(CTRL_C)
            chat.wait_for("tome: interrupted; the question and what was answered are no part of the conversation")
        chat.wait_for("> ")
        chat.type("half a question" + LEFT + CTRL_C)
        chat.wait_for("^C")  # at the end of the line and not over its last letter
        self.assertIn("question\x08n^C", chat.shown())
        chat.wait_for("> ")
        chat.type(CTRL_C)
        chat.wait_for("interrupted")
        self.assertEqual(chat.status(), 130)
        self.assertEqual(termios.tcgetattr(chat.theirs), chat.modes)

    def test_an_interrupted_answer_is_no_part_of_the_conversation(self):
        model = tiny_model.model_that_says(
            self.folder / "model.gguf", [], context=1 << 22, endless={"E": ["a", "b"]},
            template="{% for message in messages %}{{ message.content }}{% endfor %}",
            others={"K": ["Kerosene."]})

        def tokens_of_the_last(*questions):
            chat = Chat(self, "--model", model, "--way", "context", "--max-tokens", "2000000", self.document)
            for question in questions:
                chat.ask(question)
                if question.endswith("E"):
                    chat.wait_for("ab")
                    chat.type(CTRL_C)
                shown = chat.wait_for("interrupted" if question.endswith("E") else "tokens with the question")
            chat.leave()
            return int(re.search(r"(\d+) tokens with the question", shown).group(1))

        alone = tokens_of_the_last("What replaced whale oilK")
        self.assertEqual(tokens_of_the_last("Who lit the lampE", "What replaced whale oilK"), alone)
        # A question that was answered is part of the conversation.
        self.assertGreater(tokens_of_the_last("Who lit the lampK", "What replaced whale oilK"), alone)

    def test_a_signal_to_end_ends_an_answer_too(self):
        chat = Chat(self, "--model", self.endless(), "--way", "context", "--max-tokens", "2000000", self.document)
        chat.ask("Who lit the lamp?")
        chat.wait_for("ab")
        chat.process.send_signal(signal.SIGTERM)
        self.assertEqual(chat.status(), 130)

    def test_a_signal_at_the_prompt_ends_the_chat(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            chat = Chat(self, self.document)
            chat.wait_for("> ")
            chat.process.send_signal(number)
            self.assertEqual(chat.status(), 130)
            self.assertEqual(termios.tcgetattr(chat.theirs), chat.modes)

    def test_a_terminal_that_cannot_edit_has_plain_lines(self):
        chat = Chat(self, self.document, env={"TERM": "dumb"})
        chat.ask("Who lit the lamp?")
        chat.wait_for("dusk.")
        chat.leave()
        self.assertFalse(self.history.exists())

    def test_what_is_no_terminal_is_not_edited(self):
        with open(self.write("questions.txt", "Who lit the lampX\x7f?\x03\n"), "rb") as questions:
            result = self.done("chat", self.document, stdin=questions)
        self.assertIn("dusk.", result.text)
        self.assertNotIn("> ", result.text)
        self.assertFalse(self.history.exists())


if __name__ == "__main__":
    main()
