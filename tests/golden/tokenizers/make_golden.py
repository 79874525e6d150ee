#!/usr/bin/env python3
"""Trains tiny tokenizers with the reference libraries and writes them with the ids they give.

    make_golden.py OUT

Needs the packages of requirements.txt. README.md says which trainings are deterministic. Files written:

    texts.json           the texts
    NAME.json            a tokenizer.json, or for sp_* the vocabulary as in GGUF's metadata
    NAME.expected.json   the ids of each text, in order
    nmt_nfkc.charsmap    a character map that the JSON files refer to as "@nmt_nfkc"
"""
import base64
import io
import json
import pathlib
import re
import sys

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LLAMA3 = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"""
          r"""\s+(?!\S)|\s+""")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
QWEN35 = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"""
          r"""\s*[\r\n]+|\s+(?!\S)|\s+""")
DEEPSEEK3 = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
             " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")
GPT4O = (r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
         r"""|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
         r"""|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""")

TRAINING = [
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.",
    "We'll see what they've done; it's I'm sure THEY'RE 'd better. DON'T SHOUT, you've been told.",
    "The quick brown fox jumps over the lazy dog. The lazy dog didn't care: 1234567890 times, 3.14159 or 2,718.",
    "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？",
    "道可道，非常道。名可名，非常名。无名天地之始；有名万物之母。",
    "春はあけぼの。やうやう白くなりゆく山ぎは、すこしあかりて、紫だちたる雲のほそくたなびきたる。",
    "나랏말싸미 듕귁에 달아 문자와로 서르 사맛디 아니할쎄",
    "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.",
    "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem Bett verwandelt.",
    "Être ou ne pas être, voilà la question. Ça va? Où est-ce que ça se trouve, déjà?",
    "for (int i = 0; i < n; ++i) {\n    total += values[i] * 2;\n\tif (total > 100) return -1;\n}\n",
    "def f(x):\n    return {'a': x, \"b\": [1, 2, 3]}\n\n\n# comment\r\nprint(f(42))\r\n",
    "हिन्दी में लिखा हुआ पाठ और मात्राएँ", "ภาษาไทยไม่มีช่องว่าง", "السلام عليكم ورحمة الله", "שלום עולם",
    "emoji 😀😃😄 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 and signs ∑∫√ €£¥ © ™ → ⇒",
] * 4

TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", "\r\n", "\r\n\r\n", " \n", "\n ", "  \n  ", "a", " a", "  a", "   a", "a ",
    "a  ", "a   b", "a\nb", "a\n\nb", "a \n b", "a  \n\n  b", "a\tb", "a\t\tb", " \t \t x", "\u00a0", "a\u00a0b", "a\u00a0\u00a0b",
    "\u3000\u3000中文", "a\u2003b \u2009c", "a\u0085b", "\u2028x\u2029y", "x\u000by\u000cz",
    "Hello world", " Hello", "Hello ", "Hello, world!", "Hello,  world!!", "hello\nworld\n", "HELLO World hElLo",
    "I'm we're they've it's don't he'd we'll", "I'M WE'RE THEY'VE IT'S DON'T HE'D WE'LL", "'s 't 're 've 'm 'll 'd", "''s ''' 'S'", "x's'y",
    "it\u2019s", "'\u017f", "'lL 'rE 'Ve", "can't've", "'", "' s", "a'", "'a",
    "1", "12", "123", "1234", "12345", "1234567", "3.14159", "1,000,000", "a1b22c333", " 1", " 12", " 1234", "1 2 3", "１２３", "Ⅷ ½ ² ๑๒๓ ٣٤",
    "x=1;y=22", "0x1F", "2024-01-31T12:34:56Z",
    "!", "!!", "?!", " !", "a!b", "a !b", "...", "......", " ... ", "-- --- ----", "(a)", "[b]{c}", "\"q\"", "<tag attr='v'>", "a_b_c", "__init__",
    "#include <stdio.h>\n\nint main() {\n    return 0;\n}\n", "if (a && b || !c) { x += y; }", "\\frac{a}{b}$^2$", "a/b\\c|d~e`f@g^h", "https://example.org/a?b=c&d=e#f",
    "foo!\nbar?\n\n", "end.\r\n\r\nnext", "!\n\n\n!", " !\n", "/\n/", "a/\n",
    "学而时习之", "学而时习之，不亦说乎？", "中文 English 混合 text", "中文123中文", "道可道，非常道。\n名可名，非常名。", "《论语》「引号」『双』", "。。。", "　全角空格　", "ＦＵＬＬ　ｗｉｄｔｈ！",
    "龘靐齉", "𠀀𠀁𪚥", "春はあけぼの", "カタカナ ﾊﾝｶｸ ガ ｶﾞ", "나랏말싸미", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글 text",
    "Все счастливые", "ПРИВЕТ Мир", "Ёлка ёж й", "Γειά σου Κόσμε ΟΔΟΣ", "Straße ẞ ß", "İstanbul ıI", "ǅ ǆ Ǆ", "ﬁ ﬂ ﬃ ſ", "Ⓐ ㍿ ℡ ™ №", "é e\u0301 ё е\u0308 ñ n\u0303",
    "e\u0301\u0323", "\u0301", " \u0301a", "a\u0301b\u0302c", "Ä\u0308", "Ṩ S\u0323\u0307", "déjà vu", "Çà et là", "naïve façade", "Đà Nẵng Việt",
    "हिन्दी में", "क्षि", "ภาษาไทย", "السلام عليكم", "مُحَمَّد", "שָׁלוֹם", "ქართული Ქ", "Հայերեն", "ᏣᎳᎩ ꮳꮃ", "አማርኛ", "ខ្មែរ", "မြန်မာ", "བོད",
    "😀", "😀😃", " 😀", "a😀b", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "☃ ☃️", "🫠🫨", "\u200b", "a\u200bb", "\u200d", "a\u200db\u200cc", "\ufeff", "\ufeffBOM", "\u00ad", "soft\u00adhyphen",
    "\u0000", "a\u0000b", "\u0001\u001f\u007f", "\ufffd", "a\ufffdb", "\U0010fffd", "\ue000", "\u202eRTL\u202c", "\U000e0041",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext", "<|end", "<s>", "</s>", "<s>a</s>", "[CLS] a [SEP]", "[MASK]", "[UNK]", "<unk>", "<pad>", "<0x41>", "<0x0A>",
    "a <left> b", "a <right> b", "a  <both>  b", "<word>", "a<word>b", "a <word> b", "<NORM>", "<norm>", "x<NORM>y", "longlong", "long", "longlonglong",
    "▁", "▁a", "a▁b", " ▁ ", "▁▁", "##ing", "a##b", "ĠĊ", "Ġhello",
    "a" * 50, "ab" * 60, "the " * 30, " " * 40, " " * 41 + "x", "\n" * 30, "=" * 80, "1" * 30, "中" * 40, "no" * 150, "A" + "a" * 120,
    "It was the best of times, it was the worst of times.", "The lazy dog didn't care about 1234567890 times; WE'LL see.",
    "Line one\n  Line two\n\tLine three\r\n\r\n   \n\nLast line   ", "mixed 中文and日本語とEnglish、Русский text! 🎉🎉 (v1.2.3)\n\n",
]


def byte_level(name, pre, normalizer=None, ignore_merges=False, post=None, size=700):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<|endoftext|>", "<s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = post or processors.ByteLevel(trim_offsets=False)
    return name, tokenizer


def split(pattern, behavior="isolated"):
    return pre_tokenizers.Split(Regex(pattern), behavior)


def bytes_after(*steps):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def deepseek_letters():
    """Returns DeepSeek-LLM's set of letters from the only place in the repository that has it."""
    source = pathlib.Path(__file__).parents[3] / "src/tome/text/tokenizer/named_pre_tokenizers.cc"
    text = source.read_text(encoding="utf-8")
    begin = text.index("kDeepSeekLetters =")
    literals = text[begin:text.index(";", begin)].split('"')[1::2]
    return re.sub(r"\\\\(?:u([0-9A-F]{4})|U([0-9A-F]{8}))", lambda m: chr(int(m[1] or m[2], 16)), "".join(literals))


def tokenizers_of_each_kind():
    template = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    yield byte_level("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield byte_level("gpt2_prefix", pre_tokenizers.ByteLevel(add_prefix_space=True), normalizers.Lowercase())
    yield byte_level("llama3", bytes_after(split(LLAMA3)), ignore_merges=True, post=template)
    yield byte_level("qwen2", bytes_after(split(QWEN2)), normalizers.NFC())
    yield byte_level("qwen35", bytes_after(split(QWEN35)))
    yield byte_level("starcoder", pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    yield byte_level("deepseek3", bytes_after(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3)))
    yield byte_level("deepseek_llm", bytes_after(
        split("[\r\n]"), split(r"\s?" + deepseek_letters() + "+"), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"),
        split("[一-龥ࠀ-一가-퟿]+"), split(r"\p{N}+")))
    yield byte_level("deepseek_coder", bytes_after(
        split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), split(r"\p{N}")))
    yield byte_level("gpt4o", bytes_after(split(GPT4O)))

    # Llama 2 and Mistral use BPE with byte fallback over text in which "▁" stands for the space.
    byte_pieces = [f"<0x{b:02X}>" for b in range(256)]
    llama2 = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama2.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=1100, special_tokens=["<unk>", "<s>", "</s>", *byte_pieces], show_progress=False, limit_alphabet=200))
    llama2 = without_added(llama2, byte_pieces)
    llama2.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                        decoders.Strip(content=" ", left=1)])
    llama2.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    llama2.add_tokens([AddedToken("longlong", normalized=False), AddedToken("long", normalized=False),
                       AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
                       AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
                       AddedToken("<word>", single_word=True, normalized=False)])
    yield "llama2", llama2

    unigram = Tokenizer(models.Unigram())
    unigram.normalizer = normalizers.Sequence([normalizers.Precompiled(CHARSMAP), normalizers.Replace(Regex(" {2,}"), " ")])
    unigram.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    unigram.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    unigram.train_from_iterator(TRAINING, trainers.UnigramTrainer(
        vocab_size=600, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>", show_progress=False))
    unigram.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    yield "unigram", unigram

    first = Tokenizer(models.Unigram())
    first.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    first.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    first.train_from_iterator(TRAINING, trainers.UnigramTrainer(
        vocab_size=500, special_tokens=["<s>", "<unk>"], unk_token="<unk>", show_progress=False))
    yield "unigram_first", first

    bert = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    bert.normalizer = normalizers.BertNormalizer()
    bert.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    bert.decoder = decoders.WordPiece()
    bert.train_from_iterator(TRAINING, trainers.WordPieceTrainer(
        vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    bert.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    yield "bert", bert

    cased = Tokenizer.from_str(bert.to_str())
    cased.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=None, clean_text=False, handle_chinese_chars=False)
    yield "bert_cased", cased

    # This tokenizer joins the remaining components. It is a BPE of characters in which the last
    # piece of a word has a suffix.
    words = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    words.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKD(), normalizers.Lowercase(), normalizers.StripAccents()])
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(individual_digits=False)])
    words.decoder = decoders.BPEDecoder(suffix="</w>")
    words.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=800, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False, limit_alphabet=150))
    words.add_tokens([AddedToken("<NORM>", normalized=True)])
    yield "words", words

    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        other = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
        other.normalizer = normalizers.NFD()
        other.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[aeiou,.\-!]"), behavior, invert=behavior == "isolated"),
             pre_tokenizers.Split("b", behavior)])
        other.train_from_iterator(TRAINING, trainers.BpeTrainer(
            vocab_size=300, special_tokens=["<unk>"], show_progress=False, limit_alphabet=80))
        yield "split_" + behavior, other


def without_added(tokenizer, contents):
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] not in contents]
    return Tokenizer.from_str(json.dumps(data))


def charsmap():
    model = train_sentencepiece("unigram", normalization_rule_name="nmt_nfkc", vocab_size=400)
    return proto(model).normalizer_spec.precompiled_charsmap


def train_sentencepiece(model_type, **options):
    model = io.BytesIO()
    lines = [line for text in TRAINING for line in text.splitlines() if line]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type=model_type, num_threads=1, minloglevel=2,
        character_coverage=0.98, hard_vocab_limit=False, **options)
    return model.getvalue()


def proto(model):
    from sentencepiece import sentencepiece_model_pb2
    message = sentencepiece_model_pb2.ModelProto()
    message.ParseFromString(model)
    return message


def sentencepieces():
    """Yields (name, model kind of GGUF, model)."""
    yield "sp_bpe", "llama", train_sentencepiece("bpe", vocab_size=900, byte_fallback=True, normalization_rule_name="identity",
                                                 remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True)
    yield "sp_bpe_unknown", "llama", train_sentencepiece("bpe", vocab_size=500, normalization_rule_name="identity",
                                                         remove_extra_whitespaces=False, split_by_whitespace=False)
    yield "sp_unigram", "t5", train_sentencepiece("unigram", vocab_size=600, normalization_rule_name="nmt_nfkc")
    yield "sp_unigram_bytes", "t5", train_sentencepiece("unigram", vocab_size=800, byte_fallback=True,
                                                        normalization_rule_name="identity", remove_extra_whitespaces=False)


def main(out):
    out = pathlib.Path(out)
    global CHARSMAP
    CHARSMAP = charsmap()
    (out / "nmt_nfkc.charsmap").write_bytes(CHARSMAP)
    lines = ",\n".join(json.dumps(text, ensure_ascii=True) for text in TEXTS)
    (out / "texts.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    encoded_map = base64.b64encode(CHARSMAP).decode()
    for name, tokenizer in tokenizers_of_each_kind():
        (out / f"{name}.json").write_text(compact(tokenizer).replace(encoded_map, "@nmt_nfkc") + "\n", encoding="utf-8")
        cases = []
        for text in TEXTS:
            tokenizer.encode_special_tokens = False
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            case = {"ids": ids}
            if tokenizer.decode(ids) != text:
                case["decoded"] = tokenizer.decode(ids)
            if text in ("Hello world", ""):
                case["with_special"] = tokenizer.encode(text).ids
            tokenizer.encode_special_tokens = True
            literal = tokenizer.encode(text, add_special_tokens=False).ids
            if literal != ids:
                case["literal"] = literal
            cases.append(case)
        write_cases(out / f"{name}.expected.json", cases)
    for name, kind, model in sentencepieces():
        message = proto(model)
        spec = {
            "model": kind, "tokens": [p.piece for p in message.pieces], "scores": [p.score for p in message.pieces],
            "token_types": [p.type for p in message.pieces], "unknown": message.trainer_spec.unk_id,
            "bos": message.trainer_spec.bos_id, "eos": message.trainer_spec.eos_id,
            "add_space_prefix": message.normalizer_spec.add_dummy_prefix,
            "remove_extra_whitespaces": message.normalizer_spec.remove_extra_whitespaces,
            "precompiled_charsmap": "@nmt_nfkc" if message.normalizer_spec.precompiled_charsmap == CHARSMAP else "",
        }
        (out / f"{name}.json").write_text(json.dumps(spec, ensure_ascii=False) + "\n", encoding="utf-8")
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        cases = []
        for text in TEXTS:
            ids = processor.encode(text)
            cases.append({"ids": ids} | ({"decoded": processor.decode(ids)} if processor.decode(ids) != text else {}))
        write_cases(out / f"{name}.expected.json", cases)


def compact(tokenizer):
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))


def write_cases(path, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main(*sys.argv[1:])
