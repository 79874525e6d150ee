"""Text in the encodings that novels really come in. The output is right UTF-8, with a note where
the encoding was a guess."""
import codecs

from tome_program import TomeTest, main

SIMPLIFIED = """第一章 灯塔
林海生在白沙角的灯塔守了三十一年。每天黄昏，他提着油壶走上一百二十级台阶，把灯点亮，再把天气写进日志。
一八八七年冬天以前，灯里烧的是鲸油，后来换成了煤油灯。村里的渔民说，从那以后，灯光在雾里也看得见了。
他的女儿每逢初一和十五从镇上来看他，带来面粉、茶叶和旧报纸。他们坐在石阶上说话，海风吹乱了她的头发。
"""
TRADITIONAL = """第一章 燈塔
林海生在白沙角的燈塔守了三十一年。每天黃昏，他提著油壺走上一百二十級臺階，把燈點亮，再把天氣寫進日誌。
一八八七年冬天以前，燈裡燒的是鯨油，後來換成了煤油燈。村裡的漁民說，從那以後，燈光在霧裡也看得見了。
他的女兒每逢初一和十五從鎮上來看他，帶來麵粉、茶葉和舊報紙。他們坐在石階上說話，海風吹亂了她的頭髮。
"""
JAPANESE = """第一章 灯台
林は白砂岬の灯台を三十一年のあいだ守りつづけた。毎日たそがれになると、油壺をさげて百二十段の階段をのぼり、灯をともした。
一八八七年の冬までは鯨油を燃やしていたが、その後は石油ランプにかわった。村の漁師たちは、霧の中でも光が見えるようになったと言った。
娘は月に二度、町からやって来て、小麦粉と茶と古い新聞を届けた。ふたりは石段に腰をおろして話をした。
"""
GERMAN = """Erstes Kapitel: Der Leuchtturm
Jürgen Möller hütete den Leuchtturm einunddreißig Jahre lang. Jeden Abend stieg er die Stufen hinauf, zündete die
Lampe an und schrieb das Wetter ins Tagebuch. Bis zum Winter brannte darin Walöl, später kam ein Petroleumbrenner.
Die Fischer sagten, man sähe das Licht nun auch bei Nebel. Seine Tochter brachte Mehl, Tee und süße Äpfel.
"""
# Each case has a name, a text, its bytes, and whether the encoding has to be guessed.
CASES = [
    ("UTF-8", SIMPLIFIED, SIMPLIFIED.encode(), False),
    ("UTF-8 with BOM", SIMPLIFIED, codecs.BOM_UTF8 + SIMPLIFIED.encode(), False),
    ("UTF-16LE with BOM", SIMPLIFIED, codecs.BOM_UTF16_LE + SIMPLIFIED.encode("utf-16-le"), False),
    ("UTF-16BE with BOM", SIMPLIFIED, codecs.BOM_UTF16_BE + SIMPLIFIED.encode("utf-16-be"), False),
    ("GB18030", SIMPLIFIED, SIMPLIFIED.encode("gb18030"), True),
    ("Big5", TRADITIONAL, TRADITIONAL.encode("big5"), True),
    ("Shift_JIS", JAPANESE, JAPANESE.encode("shift_jis"), True),
    ("Latin-1", GERMAN, GERMAN.encode("latin-1"), True),
]


class EncodingsTest(TomeTest):
    def test_every_encoding_becomes_the_same_text(self):
        for name, text, content, guessed in CASES:
            with self.subTest(name=name):
                path = self.write(f"{name}.txt", content)
                shown = self.done("text", path)
                self.assertEqual(shown.text.strip(), text.strip())
                if guessed:
                    self.assertRegex(shown.notes, r"^tome: note: .*encoding is a guess: \S+; name another with --encoding")
                    self.assert_one_line(shown.notes)
                else:
                    self.assertEqual(shown.notes, "")

    def test_a_guess_is_said_whenever_the_document_is_asked(self):
        path = self.write("gb.txt", SIMPLIFIED.encode("gb18030"))
        self.done("library", "add", path)
        note = f"{path}: the encoding is a guess: "
        with open(self.write("questions.txt", "灯里烧的是什么？\n"), "rb") as questions:
            self.assertIn(note, self.done("chat", path, stdin=questions).notes)
            questions.seek(0)
            self.assertIn(note, self.done("chat", stdin=questions).notes)
        self.assertIn(note, self.done("text", path).notes)
        for documents in ([path], []):
            asked = self.done("ask", *documents, "灯里烧的是什么？")
            self.assertEqual(asked.notes.count(note), 1, asked)
            [said] = self.ask(*documents, "灯里烧的是什么？")["notes"]
            self.assertTrue(said.startswith(note), said)
            for answer in self.done("ask", "--json", *documents, "-q", "灯里？", "-q", "日志？").json["answers"]:
                self.assertEqual(len(answer["notes"]), 1)

    def test_line_ends_of_every_system_are_the_same(self):
        for name, line_end in (("unix", "\n"), ("windows", "\r\n"), ("old mac", "\r")):
            path = self.write(f"{name}.txt", SIMPLIFIED.replace("\n", line_end))
            self.assertEqual(self.done("text", path).text.strip(), SIMPLIFIED.strip())

    def test_questions_find_what_the_encoding_hid(self):
        for name, content, question, expected in (
                ("gb.txt", SIMPLIFIED.encode("gb18030"), "鲸油后来换成了什么？", "煤油灯"),
                ("big5.txt", TRADITIONAL.encode("big5"), "鯨油後來換成了什麼？", "煤油燈"),
                ("jis.txt", JAPANESE.encode("shift_jis"), "鯨油はその後なににかわったか", "石油ランプ"),
                ("latin.txt", GERMAN.encode("latin-1"), "Was brachte die Tochter?", "süße Äpfel")):
            self.assertIn(expected, self.quotes(self.write(name, content), question))

    def test_the_encoding_can_be_named(self):
        path = self.write("short.txt", "鲸油".encode("gb18030"))
        for name in ("GB18030", "gbk"):
            shown = self.done("text", "--encoding", name, path)
            self.assertEqual(shown.text.strip(), "鲸油")
            self.assertEqual(shown.notes, "")
        self.assertIn("KOI-9", self.fails("text", "--encoding", "KOI-9", path).notes)

    def test_declared_encodings_of_html_are_believed_where_true(self):
        page = '<!DOCTYPE html><meta charset="{}"><title>灯塔</title><p>' + SIMPLIFIED.replace("\n", "<p>")
        for charset, codec in (("gb2312", "gb18030"), ("utf-8", "utf-8"), ("gb2312", "utf-8")):
            with self.subTest(charset=charset, codec=codec):
                path = self.write(f"{charset}-{codec}.html", page.format(charset).encode(codec))
                self.assertIn("灯里烧的是鲸油", self.done("text", path).text)

    def test_bytes_that_mean_nothing_become_replacement_characters(self):
        # A UTF-8 file may have lost a byte.
        content = SIMPLIFIED.encode().replace("鲸".encode(), b"\xe9\xb2")
        shown = self.done("text", self.write("damaged.txt", content))
        self.assertIn("灯里烧的是\ufffd油", shown.text)
        self.assert_one_line(shown.notes)
        self.assertRegex(shown.notes, "U\\+FFFD|guess")


if __name__ == "__main__":
    main()
