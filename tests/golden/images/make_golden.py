#!/usr/bin/env python3
"""Writes small image files, and what Pillow and transformers make of them.

    make_golden.py

Writes files/* and golden.safetensors beside this script; README.md says what they hold. Requires the
packages of requirements.txt.
"""
import io
import pathlib
import struct
import zlib

import numpy as np
import safetensors.numpy
from PIL import Image, ImageOps
from transformers import CLIPImageProcessor, SiglipImageProcessor

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "files"


def picture(width, height, seed, channels=3):
    """Smooth colours with a little noise, sharp edges and the extremes 0 and 255."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = 127.5 + 110 * np.sin((c + 1) * x / 7.0 + y / (5.0 + c)) + random.normal(0, 6, (height, width))
        wave[(x // 9 + y // 11) % 5 == c] = 255 if c % 2 else 0
        planes.append(wave)
    return np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype(np.uint8)


def png(pixels, colour_type, depth=8, interlaced=False, chunks=()):
    """A PNG file of samples [height, width, channels], for what Pillow does not write."""
    height, width, _ = pixels.shape

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def rows(part):
        kind = ">u2" if depth == 16 else np.uint8
        return b"".join(b"\0" + row.astype(kind).tobytes() for row in part) if part.size else b""

    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b"".join(rows(pixels[y::dy, x::dx]) for y, x, dy, dx in passes) if interlaced else rows(pixels)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    body = b"".join(chunk(name, content) for name, content in chunks)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def make_files():
    rgb = Image.fromarray(picture(61, 47, 1))
    rgba = Image.fromarray(picture(31, 23, 2, 4), "RGBA")
    grey = rgb.convert("L")
    small = Image.fromarray(picture(21, 14, 3))
    files = {
        "colour.jpg": saved(rgb, "JPEG", quality=90),
        "progressive.jpg": saved(rgb, "JPEG", quality=85, progressive=True, subsampling=0),
        "narrow.jpg": saved(rgb, "JPEG", quality=85, subsampling=1),
        "grey.jpg": saved(grey, "JPEG"),
        "cmyk.jpg": saved(Image.fromarray(picture(29, 18, 4, 4), "CMYK"), "JPEG", quality=92),
        "colour.png": saved(rgb, "PNG"),
        "alpha.png": saved(rgba, "PNG"),
        "grey.png": saved(grey, "PNG"),
        "grey-alpha.png": saved(rgba.convert("LA"), "PNG"),
        "palette.png": saved(rgb.quantize(37), "PNG"),
        "palette-alpha.png": saved(small.quantize(16), "PNG", transparency=bytes([0, 128, 255] * 5)),
        "bits.png": saved(grey.convert("1"), "PNG"),
        "key.png": saved(small, "PNG", transparency=tuple(int(v) for v in np.asarray(small)[3, 5])),
        "interlaced.png": png(picture(19, 13, 5), 2, interlaced=True),
        "deep.png": png(np.random.default_rng(6).integers(0, 65536, (9, 11, 3)), 2, depth=16),
        "turned.png": png(np.asarray(small), 2, chunks=[(b"eXIf", exif(6)[6:])]),
        "lossy.webp": saved(rgb, "WEBP", quality=80),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "alpha.webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "turned.webp": saved(small, "WEBP", lossless=True, exif=exif(8)),
    }
    for orientation in range(1, 9):
        files[f"turned-{orientation}.jpg"] = saved(small, "JPEG", quality=95, exif=exif(orientation))
    return files


def upright_rgb(data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode in ("RGBA", "LA", "P") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def open_clip_fit(image, size):
    """torchvision's Resize(size, bicubic) and CenterCrop(size), on PIL images."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(size * long / short)
    image = image.resize((size, new_long) if width <= height else (new_long, size), Image.BICUBIC)
    top = int(round((image.height - size) / 2.0))
    left = int(round((image.width - size) / 2.0))
    return np.asarray(image.crop((left, top, left + size, top + size)))


def main():
    FILES.mkdir(exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    golden = {}
    for name, data in make_files().items():
        (FILES / name).write_bytes(data)
        golden[f"file {name}"] = upright_rgb(data)
    source = picture(61, 47, 7)
    tall = picture(40, 83, 8)
    golden["source"] = source
    golden["tall"] = tall
    image = Image.fromarray(source)
    for width, height in [(30, 20), (61, 20), (17, 47), (100, 90), (7, 5), (1, 1), (62, 46), (61, 47)]:
        for name, kind in [("bicubic", Image.BICUBIC), ("bilinear", Image.BILINEAR)]:
            golden[f"resample {width} {height} {name}"] = np.asarray(image.resize((width, height), kind))
    for name, pixels in [("source", source), ("tall", tall)]:
        image = Image.fromarray(pixels)
        clip = CLIPImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 29, "width": 29}, do_normalize=False,
                                  do_rescale=False)
        golden[f"fit {name} 29-36-shortest-bicubic-down"] = clip(image, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
        siglip = SiglipImageProcessor(size={"height": 32, "width": 32}, do_normalize=False, do_rescale=False)
        golden[f"fit {name} 32-32-squash-bicubic-down"] = siglip(image, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)
        for size in (32, 33):
            golden[f"fit {name} {size}-{size}-shortest-bicubic-even"] = open_clip_fit(image, size)
    safetensors.numpy.save_file({name: np.ascontiguousarray(value).astype(np.uint8) for name, value in golden.items()},
                                str(HERE / "golden.safetensors"))


if __name__ == "__main__":
    main()
