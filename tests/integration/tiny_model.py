"""Writes tiny GGUF models for tests: models that give a certain text as reply, models that answer
from the text they read, and random ones.

The model of a certain text is a real one. Attention and FFN add nothing (their output matrices are
zero), and the output head maps each token's embedding to the token that follows it in the text. So
after the last token of a prompt the model walks a fixed chain of tokens. It does the same where the
reply is opened for it with words that end in a comma. Its vocabulary is SentencePiece BPE with a
token for each byte and one for each text of the chain.

The model that copies answers by attention alone (model_that_copies).
"""
import json
import math
import random
import struct

U32, F32, STRING, ARRAY, I32 = 4, 6, 8, 9, 5
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
WIDTH, FFN, HEADS, KV_HEADS, HEAD = 128, 32, 2, 1, 16


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def scalar(value):
    if isinstance(value, str):
        return struct.pack("<I", STRING) + text(value)
    if isinstance(value, float):
        return struct.pack("<If", F32, value)
    return struct.pack("<II", U32, value)


def array(kind, encode, values):
    return struct.pack("<IIQ", ARRAY, kind, len(values)) + b"".join(encode(value) for value in values)


def byte_letters():
    """Returns the letter that stands for each byte in vocabularies of bytes (GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def byte_level_tokenizer(vocabulary, added):
    """Returns a tokenizer.json without merges."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}


class Vocabulary:
    """A vocabulary of special tokens, a token for each byte, and then the texts."""

    def __init__(self, texts, specials=()):
        self.pieces = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
        self.pieces += [(special, CONTROL) for special in specials]
        self.first_byte = len(self.pieces)
        self.pieces += [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
        self.pieces += [(piece, USER_DEFINED) for piece in dict.fromkeys(texts)]
        self.ids = {piece: i for i, (piece, _) in enumerate(self.pieces)}

    def byte(self, value):
        return self.first_byte + value

    def metadata(self):
        return {
            "tokenizer.ggml.model": scalar("llama"),
            "tokenizer.ggml.tokens": array(STRING, text, [piece for piece, _ in self.pieces]),
            "tokenizer.ggml.scores": array(F32, lambda x: struct.pack("<f", x), [0.0] * len(self.pieces)),
            "tokenizer.ggml.token_type": array(I32, lambda x: struct.pack("<i", x), [t for _, t in self.pieces]),
            "tokenizer.ggml.bos_token_id": scalar(1),
            "tokenizer.ggml.eos_token_id": scalar(2),
            "tokenizer.ggml.add_space_prefix": struct.pack("<IB", 7, 0),
        }

    def tokenizer_json(self):
        """Returns the same vocabulary in the form of Hugging Face's tokenizers."""
        added = [{"id": i, "content": piece, "special": kind != USER_DEFINED, "normalized": False, "lstrip": False,
                  "rstrip": False, "single_word": False}
                 for i, (piece, kind) in enumerate(self.pieces) if kind != BYTE]
        return byte_level_tokenizer({letter: self.byte(byte) for byte, letter in byte_letters().items()}, added)


def write_gguf(path, metadata, tensors):
    """Writes a GGUF file. `tensors` maps names to (dimensions outermost first, floats)."""
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            out.write(text(key) + value)
        offset = 0
        for name, (dims, values) in tensors.items():
            out.write(text(name) + struct.pack("<I", len(dims)))
            out.write(b"".join(struct.pack("<Q", dim) for dim in reversed(dims)))
            out.write(struct.pack("<IQ", 0, offset))
            offset += -(-len(values) * 4 // 32) * 32
        out.write(b"\0" * (-out.tell() % 32))
        for dims, values in tensors.values():
            out.write(struct.pack(f"<{len(values)}f", *values))
            out.write(b"\0" * (-out.tell() % 32))
    return path


def model_that_says(path, texts, context=65536, template=None, specials=(), after=None, loops=False, others=None,
                    endless=None, sureness=1.0):
    """Writes a model that replies with `texts`, one token each, and then ends.

    `after` is the piece (or byte) at the end of the prompt after which the chain begins; without
    it, the chain begins after a line end. With `loops` the model goes on from the start instead of
    ending. `sureness` below 1 makes all tokens more equally likely, the nearer it is to 0. `others`
    adds further chains: it maps an ASCII character at the end of the prompt to its texts, which no
    other chain has. `endless` adds chains that go on from their start."""
    others, endless = others or {}, endless or {}
    further = [*others.items(), *endless.items()]
    vocabulary = Vocabulary([*texts, *(piece for _, chain in further for piece in chain)], specials)
    size = len(vocabulary.pieces)
    generator = random.Random(1)
    embedding = [[generator.choice((-1.0, 1.0)) for _ in range(WIDTH)] for _ in range(size)]
    chains = [(vocabulary.ids[after] if after else vocabulary.byte(ord("\n")), texts, loops)]
    # Replies from single sentences are opened with "According to the text," or "根据上文，".
    opened = list(texts[:1])
    chains += [(vocabulary.byte(comma.encode()[-1]), opened, None) for comma in (",", "，")]
    chains += [(vocabulary.byte(ord(begin)), said, loops or begin in endless) for begin, said in further]
    head = [[0.0] * WIDTH for _ in range(size)]
    for begin, said, again in chains:
        chain = [begin, *(vocabulary.ids[piece] for piece in said)]
        if said is not opened:
            chain.append(begin if again else 2)
        for token, following in zip(chain, chain[1:]):
            head[following] = [h + e for h, e in zip(head[following], embedding[token])]

    def flat(rows):
        return [value for row in rows for value in row]

    def noise(rows, columns):
        return [generator.gauss(0, columns ** -0.5) for _ in range(rows * columns)]

    tensors = {"token_embd.weight": ((size, WIDTH), flat(embedding)),
               "output_norm.weight": ((WIDTH,), [sureness] * WIDTH),
               "output.weight": ((size, WIDTH), flat(head))}
    layer = {"attn_norm.weight": ((WIDTH,), [1.0] * WIDTH), "ffn_norm.weight": ((WIDTH,), [1.0] * WIDTH)}
    for name, rows, columns in (("attn_q", HEADS * HEAD, WIDTH), ("attn_k", KV_HEADS * HEAD, WIDTH),
                                ("attn_v", KV_HEADS * HEAD, WIDTH), ("ffn_gate", FFN, WIDTH), ("ffn_up", FFN, WIDTH)):
        layer[name + ".weight"] = ((rows, columns), noise(rows, columns))
    layer["attn_output.weight"] = ((WIDTH, HEADS * HEAD), [0.0] * (WIDTH * HEADS * HEAD))
    layer["ffn_down.weight"] = ((WIDTH, FFN), [0.0] * (WIDTH * FFN))
    tensors.update({f"blk.0.{name}": tensor for name, tensor in layer.items()})
    metadata = llama_metadata(vocabulary, context, WIDTH, FFN, 1, HEADS, KV_HEADS, HEAD, template)
    return write_gguf(path, metadata, tensors)


def embedding_model(folder):
    """Writes a folder with a BERT of one layer whose weights are random."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
    width, ffn = 32, 64
    shapes = {"embeddings.word_embeddings.weight": (len(pieces), width), "embeddings.position_embeddings.weight": (64, width),
              "embeddings.token_type_embeddings.weight": (2, width)}
    layer = "encoder.layer.0."
    for stem, shape in {"embeddings.LayerNorm": (width,), layer + "attention.self.query": (width, width),
                        layer + "attention.self.key": (width, width), layer + "attention.self.value": (width, width),
                        layer + "attention.output.dense": (width, width), layer + "attention.output.LayerNorm": (width,),
                        layer + "intermediate.dense": (ffn, width), layer + "output.dense": (width, ffn),
                        layer + "output.LayerNorm": (width,)}.items():
        shapes |= {stem + ".weight": shape, stem + ".bias": shape[:1]}
    random_numbers = random.Random(17)
    header, data = {}, b""
    for name, shape in shapes.items():
        values = struct.pack(f"<{math.prod(shape)}f", *(random_numbers.uniform(-0.5, 0.5) for _ in range(math.prod(shape))))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "hidden_size": width,
        "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": ffn, "layer_norm_eps": 1e-12,
        "max_position_embeddings": 64, "type_vocab_size": 2, "vocab_size": len(pieces), "pad_token_id": 0}))
    special = [{"id": i, "content": piece, "special": True, "normalized": False, "single_word": False, "lstrip": False,
                "rstrip": False} for i, piece in enumerate(pieces[:4])]
    around = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": around, "pair": around,
                           "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]}
                                              for i, name in ((2, "[CLS]"), (3, "[SEP]"))}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {piece: i for i, piece in enumerate(pieces)}}}))
    return folder


def llama_metadata(vocabulary, context, width, ffn, layers, heads, kv_heads, head, template=None, rope_base=10000.0):
    metadata = {"general.architecture": scalar("llama"), "llama.context_length": scalar(context),
                "llama.embedding_length": scalar(width), "llama.block_count": scalar(layers),
                "llama.feed_forward_length": scalar(ffn), "llama.attention.head_count": scalar(heads),
                "llama.attention.head_count_kv": scalar(kv_heads), "llama.attention.key_length": scalar(head),
                "llama.attention.value_length": scalar(head), "llama.rope.dimension_count": scalar(head),
                "llama.rope.freq_base": scalar(rope_base),
                "llama.attention.layer_norm_rms_epsilon": scalar(1e-5), **vocabulary.metadata()}
    if template:
        metadata["tokenizer.chat_template"] = scalar(template)
    return metadata


class Matrix:
    """A matrix of zeros in which single elements are set."""

    def __init__(self, rows, columns):
        self.dims, self.values = (rows, columns), [0.0] * (rows * columns)

    def __setitem__(self, at, value):
        row, column = at
        assert row < self.dims[0] and column < self.dims[1]
        self.values[row * self.dims[1] + column] = value

    def tensor(self):
        return self.dims, self.values


def model_that_copies(path, words, unknown, context=65536, template=None):
    """Writes a model that copies from the text it has read. After one of `words` (pieces of text, each
    a token) it writes the words that followed it earlier in the text, up to the first token that is
    none of `words`. Where the last word stood nowhere before another token, it writes `unknown`.

    This is an induction head (Olsson et al., 2022), made by hand. There are no feed-forward layers.
    The residual stream has one channel for each of `words`, for the beginning of the text and for all
    other tokens, three times: for the token at a position, for the token before it, and for the token
    that is found. One channel more is always 1.

    The head of layer 0 attends to the token before. Its query and key are the same at every position,
    and RoPE turns them so that their product is greatest at distance 1: it is the sum of
    cos(w (distance - 1)) over some frequencies w.

    The head of layer 1 attends to the token whose predecessor is the token here. It has a channel for
    each word. These channels are those of the lowest frequencies, which RoPE does not turn: by less
    than 0.06 in 100,000 tokens. Where no token matches, it attends to the beginning of the text."""
    vocabulary = Vocabulary([*words, unknown])
    size, width, head, rope_base = len(vocabulary.pieces), 128, 64, 1e10
    kinds = [*words, unknown, "<s>", None]  # None is every other token
    here, before, found = ([1 + block * len(kinds) + i for i in range(len(kinds))] for block in range(3))
    assert 1 + 3 * len(kinds) <= width
    frequencies = [rope_base ** (-2 * pair / head) for pair in range(head // 2)]
    # Each norm divides by the root mean square of as many ones as there are channels set.
    norms = [math.sqrt(width / ones) for ones in (2, 3, 4)]
    scale = math.sqrt(head)

    embedding = Matrix(size, width)
    for token, (piece, _) in enumerate(vocabulary.pieces):
        embedding[token, 0] = 1.0
        embedding[token, here[kinds.index(piece) if piece in kinds else -1]] = 1.0

    layers = [{name: Matrix(head, width) for name in ("attn_q", "attn_k", "attn_v")} for _ in range(2)]
    for layer in layers:
        layer["attn_output"] = Matrix(width, head)
    # The product at distance 1 exceeds that at other distances by 0.61 times this number.
    strength = math.sqrt(60 * scale)
    for pair in range(8):
        layers[0]["attn_q"][2 * pair, 0] = strength * math.cos(frequencies[pair]) / norms[0]
        layers[0]["attn_q"][2 * pair + 1, 0] = -strength * math.sin(frequencies[pair]) / norms[0]
        layers[0]["attn_k"][2 * pair, 0] = strength / norms[0]
    strength = math.sqrt(60 * scale)
    lowest = list(reversed(range(40, head)))
    assert len(words) < len(lowest)
    for channel, word in zip(lowest, words):
        layers[1]["attn_q"][channel, here[kinds.index(word)]] = strength / norms[1]
        layers[1]["attn_k"][channel, before[kinds.index(word)]] = strength / norms[1]
    layers[1]["attn_q"][lowest[-1], 0] = strength / norms[1]
    layers[1]["attn_k"][lowest[-1], here[kinds.index("<s>")]] = strength / norms[1] / 2
    for layer, norm, target in zip(layers, norms, (before, found)):
        for i, kind in enumerate(kinds):
            layer["attn_v"][i, here[i]] = 1 / norm
            layer["attn_output"][target[i], i] = 1.0

    output = Matrix(size, width)
    sure = 20 / norms[2]
    for word in words:
        output[vocabulary.ids[word], found[kinds.index(word)]] = sure
        output[vocabulary.ids[unknown], here[kinds.index(word)]] = sure / 2
    output[2, found[-1]] = sure
    output[2, here[kinds.index(unknown)]] = 2 * sure

    ones = (width,), [1.0] * width
    tensors = {"token_embd.weight": embedding.tensor(), "output_norm.weight": ones, "output.weight": output.tensor()}
    for i, layer in enumerate(layers):
        tensors.update({f"blk.{i}.{name}.weight": matrix.tensor() for name, matrix in layer.items()})
        tensors.update({f"blk.{i}.{name}.weight": ones for name in ("attn_norm", "ffn_norm")})
        for name, rows, columns in (("ffn_gate", 32, width), ("ffn_up", 32, width), ("ffn_down", width, 32)):
            tensors[f"blk.{i}.{name}.weight"] = Matrix(rows, columns).tensor()
    return write_gguf(path, llama_metadata(vocabulary, context, width, 32, 2, 1, 1, head, template, rope_base), tensors)
