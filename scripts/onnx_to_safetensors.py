#!/usr/bin/env python3
"""Turns a BERT encoder that was exported to ONNX (F32) into model.safetensors, under transformers' names.

    scripts/onnx_to_safetensors.py MODEL.onnx MODEL.safetensors

Exporters keep the names of parameters that are used as they are (embeddings, norms, biases). The matrix of a linear layer is
kept transposed under a made-up name; the node that multiplies with it is named after the layer. Python's own library is enough.
"""
import array
import json
import pathlib
import struct
import sys

FLOAT = 1  # TensorProto.DataType


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    """The fields of a protobuf message, as (number, value): an integer, or a view of the bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def all_of(data, number):
    return [value for field, value in fields(data) if field == number]


def integers(values):
    """Repeated integers, which may be packed."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        at = 0
        while at < len(value):
            one, at = varint(value, at)
            yield one


def text(values):
    return bytes(values[0]).decode() if values else ""


def initializers(graph):
    """Name -> (shape, floats) of all F32 tensors of a GraphProto."""
    tensors = {}
    for tensor in all_of(graph, 5):
        if next(integers(all_of(tensor, 2)), 0) != FLOAT:
            continue
        raw = all_of(tensor, 9) or all_of(tensor, 4)  # raw_data, or packed float_data
        values = array.array("f", b"".join(raw))
        tensors[text(all_of(tensor, 8))] = (list(integers(all_of(tensor, 1))), values)
    return tensors


def transposed(shape, values):
    rows, columns = shape
    out = array.array("f", bytes(4 * rows * columns))
    for column in range(columns):
        out[column * rows:(column + 1) * rows] = values[column::columns]
    return [columns, rows], out


def tensors_of(onnx):
    """Name -> (shape, floats) in transformers' names."""
    graph = all_of(onnx, 7)[0]
    found = initializers(graph)
    tensors = {name: value for name, value in found.items() if name.split(".")[0] in ("embeddings", "encoder")}
    for node in all_of(graph, 1):
        inputs = [bytes(name).decode() for name in all_of(node, 1)]
        if text(all_of(node, 4)) == "MatMul" and inputs[1] in found:
            layer = text(all_of(node, 3)).strip("/").removesuffix("/MatMul").replace("/", ".")
            tensors[layer + ".weight"] = transposed(*found[inputs[1]])
    return tensors


def write(tensors, path):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, (shape, values) in sorted(tensors.items()):
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + 4 * len(values)]}
        at += 4 * len(values)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for _, (_, values) in sorted(tensors.items()):
            file.write(values.tobytes())


def convert(source, target):
    write(tensors_of(memoryview(source.read_bytes())), target)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.byteorder != "little":
        sys.exit(__doc__)
    convert(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
