"""The weights of the golden models: a pure function of a tensor's name, shape and kind.

README.md defines the function in words; tests/golden_weights.h is the same function in C++.
"""

import numpy as np

SQRT3 = 1.7320508075688772
MATRIX_GAIN = 1.25
EMBEDDING_SCALE = 0.125
NORM_SCALE = 0.1
BIAS_SCALE = 0.25


def name_hash(name):
    """Returns the 64-bit FNV-1a hash of the name's bytes."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def random_bits(hash_value, count, first=0):
    """Returns splitmix64 of hash + index for indices first .. first + count - 1, as uint64."""
    with np.errstate(over="ignore"):
        index = np.arange(first + 1, first + count + 1, dtype=np.uint64)
        z = np.uint64(hash_value) + index * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def values(name, count, scale, offset, first=0):
    """Returns uniform values of standard deviation `scale` around `offset`, as float32."""
    u = (random_bits(name_hash(name), count, first) >> np.uint64(40)).astype(np.float64) * 2.0**-24
    plain = ((2.0 * u - 1.0) * (SQRT3 * scale)).astype(np.float32)
    return (offset + plain.astype(np.float64)).astype(np.float32)


def scale_and_offset(name, shape, model_type):
    """Returns the scale and offset of a tensor's kind, which follows from its Hugging Face name."""
    if name.endswith("A_log"):
        return 0.5, 0.5
    if name.endswith(("dt_bias", "dt_proj.bias")):
        return 0.5, -2.5
    if name.endswith(".D"):
        return NORM_SCALE, 1.0
    if name.endswith("norm_f.weight"):
        return NORM_SCALE, 1.0
    if name.endswith("LayerNorm.weight"):
        return NORM_SCALE, 1.0
    if name.endswith("norm.weight"):
        return NORM_SCALE, 0.0 if model_type == "gemma2" else 1.0
    if name.endswith(".bias"):
        return BIAS_SCALE, 0.0
    if name.endswith(("embed_tokens.weight", "backbone.embeddings.weight")):
        return EMBEDDING_SCALE, 0.0
    return MATRIX_GAIN / float(np.sqrt(np.float64(shape[-1]))), 0.0


def tensor(name, shape, model_type):
    scale, offset = scale_and_offset(name, shape, model_type)
    return values(name, int(np.prod(shape)), scale, offset).reshape(shape)


def tokens(name, count, vocabulary):
    """Returns `count` token ids below `vocabulary`, a function of the name."""
    return (random_bits(name_hash(name), count) % np.uint64(vocabulary)).astype(np.int32)
