"""Content words: the words that say what a sentence is about.

English words are stems (the Porter stemmer of SQLite's FTS5) of letters and digits. Chinese words
are jieba's; without jieba (Debian: python3-jieba) there are none to compare. The words of
LANGUAGE/stop_words.txt are no content words.
"""
import pathlib
import re
import sqlite3
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent

try:
    import jieba
    jieba.setLogLevel(60)
except ImportError:
    jieba = None


class English:
    def __init__(self):
        self.database = sqlite3.connect(":memory:")
        self.database.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize='porter unicode61')")
        self.database.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(texts, 'instance')")
        self.stop_words = set((HERE / "en/stop_words.txt").read_text().split())

    def content(self, text):
        """Returns the set of content words of `text`."""
        # A word's ending after the apostrophe ("what's", "don't") is none.
        text = re.sub(r"['’](?:s|t|re|ve|ll|d|m)\b", " ", unicodedata.normalize("NFKC", text).casefold())
        words = [word for word in re.findall(r"[^\W_]+", text) if word not in self.stop_words]
        self.database.execute("DELETE FROM texts")
        self.database.execute("INSERT INTO texts VALUES (?)", (" ".join(words),))
        return {term for term, in self.database.execute("SELECT term FROM terms")}


class Chinese:
    def __init__(self):
        self.stop_words = set((HERE / "zh/stop_words.txt").read_text().split())

    def content(self, text):
        """Returns the set of content words of `text`, or None where jieba is missing."""
        if jieba is None:
            return None
        words = jieba.cut(unicodedata.normalize("NFKC", text).casefold())
        return {word for word in words if re.search(r"\w", word) and word not in self.stop_words}


LANGUAGES = {"en": English, "zh": Chinese}
