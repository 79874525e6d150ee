"""Completions for the shell, and a manual page that says all that --help does."""
import re
import shutil
import subprocess

from tome_program import TomeTest, main


class CompletionsTest(TomeTest):
    def complete(self, *words):
        """Sources the completions in bash and returns its offers for the last of `words`."""
        script = self.folder / "completions.bash"
        script.write_bytes(self.done("completions", "bash").out)
        # compopt works only inside a real completion, so it is a stub here.
        program = (f'source "{script}"; compopt() {{ :; }}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tome; '
                   'printf "%s\\n" "${COMPREPLY[@]}"')
        shown = subprocess.run(["bash", "-c", program, "bash", *words], cwd=self.folder, capture_output=True,
                               text=True, timeout=60, check=True)
        self.assertEqual(shown.stderr, "")
        return [line for line in shown.stdout.split("\n") if line]

    def test_the_scripts_are_accepted_by_their_shells(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.folder / f"completions.{shell}"
            script.write_bytes(self.done("completions", shell).out)
            self.assertGreater(script.stat().st_size, 500)
            with self.subTest(shell=shell):
                if shutil.which(shell) is None:
                    self.skipTest(f"{shell} is not installed")
                subprocess.run([shell, "-n", script], check=True, timeout=60)

    def test_bash_completes_commands(self):
        self.assertEqual(self.complete("tome", "li"), ["library"])
        self.assertEqual(set(self.complete("tome", "library", "")) & {"add", "list", "show", "remove"},
                         {"add", "list", "show", "remove"})
        self.assertEqual(self.complete("tome", "completions", "z"), ["zsh"])

    def test_bash_completes_options_and_their_values(self):
        self.assertEqual(self.complete("tome", "ask", "--js"), ["--json"])
        self.assertEqual(self.complete("tome", "ask", "--way", "q"), ["quotes"])
        self.assertEqual(self.complete("tome", "library", "add", "--enc"), ["--encoding"])
        self.assertEqual(self.complete("tome", "library", "list", "--enc"), [])

    def test_bash_completes_files_whatever_their_names(self):
        names = ["novel one.txt", "novel*.txt", "novel's.txt", "novel.txt", "小说 一.txt"]
        for name in names:
            self.write(name, "text")
        self.assertEqual(set(self.complete("tome", "ask", "nov")), set(names[:4]))
        self.assertEqual(self.complete("tome", "library", "add", "小"), ["小说 一.txt"])


class ManualTest(TomeTest):
    def commands(self, *path):
        """Yields every command's path and its help, found by reading --help."""
        shown = self.done(*path, "--help").text
        yield path, shown
        listed = re.search(r"(?ms)^Subcommands:\n(.*?)(?:^\S|\Z)", shown)
        for name in re.findall(r"(?m)^  (\w[\w-]*)", listed.group(1)) if listed else []:
            yield from self.commands(*path, name)

    def rendered(self):
        page = self.folder / "tome.1"
        page.write_bytes(self.done("manual").out)
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        shown = subprocess.run(["groff", "-man", "-Tutf8", "-k", "-ww", "-P-cbou", page], capture_output=True,
                               timeout=60, check=True)
        self.assertEqual(shown.stderr, b"")
        return shown.stdout.decode()

    def test_the_manual_page_names_every_command_and_option(self):
        page = self.rendered()
        commands = dict(self.commands())
        self.assertGreater(len(commands), 8)
        for path, shown in commands.items():
            with self.subTest(command=path):
                self.assertIn(" ".join(("tome", *path)), page)
                for option in re.findall(r"(?m)^ +(?:-\w,)?(--[a-z-]+)", shown):
                    self.assertIn(option, page)

    def test_the_manual_page_has_the_sections_of_one(self):
        page = self.rendered()
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT"):
            self.assertRegex(page, rf"(?m)^{section}$")
        for variable in ("TOME_HOME", "NO_COLOR"):
            self.assertIn(variable, page)


if __name__ == "__main__":
    main()
