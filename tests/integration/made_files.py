"""Small documents of every format, made from chapters: a list of (title, [paragraph, …])."""
import hashlib
import html
import random
import zipfile

ENGLISH = [
    ("The Lamp", ["Mara Ellwood kept the lighthouse at Cape Harrow for thirty-one years.",
                  "Until the winter of 1887 the lamp burned whale oil; then a kerosene burner replaced it."]),
    ("The Wreck", ["The brig Halcyon struck the reef on a foggy night in March.",
                   "Eleven sailors were saved with a breeches buoy, and the ship's cat with them."]),
]
CHINESE = [
    ("第一章 灯塔", ["林海生在白沙角的灯塔守了三十一年。", "一八八七年冬天以前，灯里烧的是鲸油，后来换成了煤油灯。"]),
    ("第二章 海难", ["三月的一个雾夜，帆船翠鸟号撞上了暗礁。", "十一名水手靠救生索获救，船上的猫也活了下来。"]),
]


def text(path, chapters):
    path.write_text("\n\n".join("\n\n".join([title, *paragraphs]) for title, paragraphs in chapters) + "\n",
                    encoding="utf-8")
    return path


def long_text(megabytes, seed):
    """Returns text with much to index: sentences of few common words and many rare ones."""
    rng = random.Random(seed)
    rare = [f"{a}{b}{c}" for a in ("bar", "kel", "mon", "sul", "tri") for b in ("a", "e", "i", "o", "u", "ou")
            for c in ("dor", "lin", "mar", "nis", "rak", "ston", "vel")]
    lines, size = [], 0
    while size < megabytes << 20:
        line = f"The keeper of {rng.choice(rare)} wrote of {rng.choice(rare)}{rng.randrange(999)} in the log.\n"
        lines.append(line)
        size += len(line)
    return "".join(lines)


def markdown(path, chapters):
    path.write_text("\n\n".join("\n\n".join([f"# {title}", *paragraphs]) for title, paragraphs in chapters) + "\n",
                    encoding="utf-8")
    return path


def html_body(chapters):
    return "".join(f"<h1>{html.escape(title)}</h1>" + "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs)
                   for title, paragraphs in chapters)


def html_page(path, chapters):
    path.write_text(f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>Book</title></head>'
                    f"<body>{html_body(chapters)}</body></html>", encoding="utf-8")
    return path


def archive(path, entries):
    """Writes a ZIP file of (name, content) pairs. An entry "mimetype" is stored, as EPUB and ODT
    require."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries:
            out.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return path


CONTAINER = ('<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
             '<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
             "</rootfiles></container>")


def epub_parts(chapters, hrefs=None):
    """Returns the entries of an EPUB 3. `hrefs` gives the chapters' files other names than
    c0.xhtml, c1.xhtml, …"""
    hrefs = hrefs or [f"c{i}.xhtml" for i in range(len(chapters))]
    items = "".join(f'<item id="c{i}" href="{href}" media-type="application/xhtml+xml"/>'
                    for i, href in enumerate(hrefs))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(hrefs)))
    package = ('<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
               'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
               '<dc:identifier id="id">x</dc:identifier><dc:title>Book</dc:title><dc:language>en</dc:language>'
               f"</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>")
    parts = [("mimetype", "application/epub+zip"), ("META-INF/container.xml", CONTAINER),
             ("OEBPS/book.opf", package)]
    for i, chapter in enumerate(chapters):
        parts.append((f"OEBPS/c{i}.xhtml",
                      '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
                      f"<head><title>Book</title></head><body>{html_body([chapter])}</body></html>"))
    return parts


def epub(path, chapters):
    return archive(path, epub_parts(chapters))


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx_parts(chapters):
    def paragraph(content, style=""):
        return f"<w:p>{style}<w:r><w:t>{html.escape(content)}</w:t></w:r></w:p>"
    heading = '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
    body = "".join(paragraph(title, heading) + "".join(map(paragraph, paragraphs)) for title, paragraphs in chapters)
    return [
        ("[Content_Types].xml",
         '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
         '<Override PartName="/word/document.xml" ContentType='
         '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'),
        ("_rels/.rels",
         '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
         '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
         'officeDocument" Target="word/document.xml"/></Relationships>'),
        ("word/styles.xml",
         f'<?xml version="1.0"?><w:styles xmlns:w="{WORD}"><w:style w:type="paragraph" w:styleId="Heading1">'
         '<w:name w:val="heading 1"/></w:style></w:styles>'),
        ("word/document.xml",
         f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'),
    ]


def docx(path, chapters):
    return archive(path, docx_parts(chapters))


def odt_parts(chapters):
    body = "".join(f'<text:h text:outline-level="1">{html.escape(title)}</text:h>' +
                   "".join(f"<text:p>{html.escape(p)}</text:p>" for p in paragraphs)
                   for title, paragraphs in chapters)
    return [
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml",
         '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
         '<manifest:file-entry manifest:full-path="/" '
         'manifest:media-type="application/vnd.oasis.opendocument.text"/></manifest:manifest>'),
        ("content.xml",
         '<?xml version="1.0"?><office:document-content '
         'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
         'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
         f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"),
    ]


def odt(path, chapters):
    return archive(path, odt_parts(chapters))


def _to_unicode(characters):
    """Returns a CMap that maps each glyph number (here the UTF-16 code unit) to its character."""
    lines = [f"<{ord(c):04X}> <{ord(c):04X}>" for c in sorted(characters)]
    blocks = "".join(f"{len(lines[i:i + 100])} beginbfchar\n" + "\n".join(lines[i:i + 100]) + "\nendbfchar\n"
                     for i in range(0, len(lines), 100))
    return ("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n" + blocks + "endcmap end end").encode()


def _page_content(lines):
    """Draws a page's lines in 12 point, one below the other."""
    shown = "".join(f"<{line.encode('utf-16-be').hex()}> Tj 0 -20 Td\n" for line in lines)
    return f"BT /F 12 Tf 50 780 Td\n{shown}ET".encode()


def _stream(content):
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def pdf(path, chapters, encrypt=None):
    """Writes a PDF with one chapter a page. The font is named and not embedded, so only a text
    extractor can use the page. `encrypt` (object number, bytes) returns the encrypted content of a
    stream; see encrypted_pdf."""
    encrypt = encrypt or (lambda number, content: content)
    pages = [[title, *paragraphs] for title, paragraphs in chapters]
    characters = {c for lines in pages for line in lines for c in line}
    first_page = 6
    kids = " ".join(f"{first_page + 2 * i} 0 R" for i in range(len(pages)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [4 0 R] "
           b"/ToUnicode 5 0 R >>",
        4: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) "
           b"/Ordering (Identity) /Supplement 0 >> /DW %d /FontDescriptor << /Type /FontDescriptor /FontName /Song "
           b"/Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 "
           b"/StemV 80 >> >>" % (1000 if any(ord(c) > 0x2E80 for c in characters) else 500),
        5: _stream(encrypt(5, _to_unicode(characters))),
    }
    for i, lines in enumerate(pages):
        number = first_page + 2 * i
        objects[number] = (f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1000 842] /Contents {number + 1} 0 R "
                           "/Resources << /Font << /F 3 0 R >> >> >>").encode()
        objects[number + 1] = _stream(encrypt(number + 1, _page_content(lines)))
    return _write_pdf(path, objects, b"")


def _write_pdf(path, objects, trailer):
    out = bytearray(b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
    offsets = []
    for number in sorted(objects):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, trailer, table)
    path.write_bytes(out)
    return path


def _rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


def encrypted_pdf(path, chapters, password):
    """Writes a PDF that cannot be opened without its password. It is encrypted as in PDF 1.1 (ISO
    32000-1, 7.6.3, revision 2: RC4 with 40 bits)."""
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded = (password.encode() + padding)[:32]
    identifier, permissions = b"0123456789abcdef", (0xFFFFFFC0).to_bytes(4, "little")
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + permissions + identifier).digest()[:5]

    def encrypt(number, content):
        return _rc4(hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], content)
    pdf(path, chapters, encrypt)
    security = (b"/ID [<%s> <%s>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -64 >>" %
                (identifier.hex().encode(), identifier.hex().encode(), owner.hex().encode(),
                 _rc4(key, padding).hex().encode()))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"/Root 1 0 R", b"/Root 1 0 R " + security))
    return path


# The function that makes a document of each format, by the suffix of its name.
MAKERS = {".txt": text, ".md": markdown, ".html": html_page, ".pdf": pdf, ".epub": epub, ".docx": docx, ".odt": odt}
