"""Writes the tables of src/text/cleaning/*.inc from Python's html module and from ftfy 6.3.1 (Apache License 2.0).

Needs ftfy. Run from anywhere: python tests/parity/make_text_tables.py

ftfy decides with one regular expression whether text looks wrongly decoded. All of its alternatives are short rows of character
classes, so it becomes a list of such rows here, and the classes one table of code points with a bit for each class.
"""

import html
import html.entities
import pathlib
import re
import re._parser as regex_parser
import unicodedata
from re import _constants as op

import ftfy
from ftfy import badness, chardata

assert ftfy.__version__ == "6.3.1"
OUT = pathlib.Path(__file__).resolve().parents[2] / "src" / "text" / "cleaning"
HEADER = "// Made by tests/parity/make_text_tables.py; do not edit.\n"
WIDTH = 100

# What stands in a row in place of a class; the numbers are those of `Special` in badness.cpp.
SPACE, WORD, ANY_BUT_NEWLINE, NOT_LATIN_LETTER = -1, -2, -3, -4
LITERAL = 100  # plus the code point: a class of one


def wrapped(items, separator=", "):
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) + len(separator) > WIDTH - 4:
            lines.append(line.rstrip())
            line = ""
        line += item + separator
    return "\n".join("    " + text for text in [*lines, line.rstrip()]) + "\n"


class Classes:
    """Sets of code points, numbered in the order of their first use."""

    def __init__(self):
        self.sets = []

    def number(self, members):
        members = frozenset(members)
        if len(members) == 1:
            return LITERAL + min(members)
        if members not in self.sets:
            self.sets.append(members)
        return self.sets.index(members)

    def table(self):
        points = sorted(set().union(*self.sets))
        rows = []
        for point in points:
            mask = sum(1 << i for i, members in enumerate(self.sets) if point in members)
            if rows and rows[-1][1] == point - 1 and rows[-1][2] == mask:
                rows[-1][1] = point
            else:
                rows.append([point, point, mask])
        return rows


def members_of(items):
    """The code points of the inside of [...], or a special number."""
    points = set()
    for kind, value in items:
        if kind is op.LITERAL:
            points.add(value)
        elif kind is op.RANGE:
            points.update(range(value[0], value[1] + 1))
        elif kind is op.NEGATE:
            letters = {ord(c) for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
            assert members_of(items[1:]) == letters
            return NOT_LATIN_LETTER
        elif kind is op.CATEGORY:
            assert len(items) == 1
            return {op.CATEGORY_SPACE: SPACE, op.CATEGORY_WORD: WORD}[value]
        else:
            raise ValueError(kind)
    return points


def rows_of(tree, classes):
    """All rows [at_start, class, class, ...] that a parsed expression stands for."""
    rows = [[False]]
    for kind, value in tree:
        if kind is op.BRANCH:
            tails = [row for branch in value[1] for row in rows_of(branch, classes)]
        elif kind is op.MAX_REPEAT:
            assert value[:2] == (0, 1)
            tails = [[False], *rows_of(value[2], classes)]
        elif kind is op.AT:
            assert value is op.AT_BEGINNING
            tails = [[True]]
        elif kind is op.ANY:
            tails = [[False, ANY_BUT_NEWLINE]]
        else:
            members = members_of(value if kind is op.IN else [(kind, value)])
            tails = [[False, members if isinstance(members, int) else classes.number(members)]]
        rows = [[head[0] or tail[0], *head[1:], *tail[1:]] for head in rows for tail in tails]
    return rows


def class_of_text(text, classes):
    (kind, value), = regex_parser.parse("[" + text + "]", re.VERBOSE)
    assert kind is op.IN
    return classes.number(members_of(value))


def write_badness():
    classes = Classes()
    names = ["utf8_continuation_strict", "utf8_continuation", "utf8_first_of_2", "utf8_first_of_3", "utf8_first_of_4"]
    for i, name in enumerate(names):
        assert class_of_text(chardata.UTF8_CLUES[name], classes) == i
    rows = rows_of(regex_parser.parse(badness.BADNESS_RE.pattern, badness.BADNESS_RE.flags & re.VERBOSE), classes)
    assert len(classes.sets) <= 64, len(classes.sets)
    longest = max(len(row) - 1 for row in rows)
    assert longest <= 7, longest
    text = HEADER + "\n// First code point, last, one bit for each class that has them.\n"
    text += "constexpr ClassRange class_ranges[] = {\n"
    text += wrapped(f"{{0x{a:X}, 0x{b:X}, 0x{mask:X}}}" for a, b, mask in classes.table()) + "};\n\n"
    text += "// Whether only at the start of the text, number of classes, and the classes in a row.\n"
    text += "constexpr ClassRow suspicious_rows[] = {\n"
    text += wrapped(f"{{{int(row[0])}, {len(row) - 1}, {{{', '.join(map(str, row[1:]))}}}}}" for row in rows) + "};\n"
    (OUT / "badness_tables.inc").write_text(text)


def write_encodings():
    text = HEADER + "\n// What the bytes 0x80 to 0xFF stand for.\n"
    encodings = [name for name in chardata.CHARMAP_ENCODINGS if name != "latin-1"]
    for name in encodings:
        points = [ord(bytes([byte]).decode(name)) for byte in range(0x80, 0x100)]
        for byte, point in zip(range(0x80, 0x100), points):
            assert chr(point).encode(name) == bytes([byte]) and point < 0x10000
        sloppy = name.startswith("sloppy")
        assert (b"\x1a".decode(name) == "\ufffd") == sloppy
        constant = re.sub("[^a-z0-9]", "_", name.removeprefix("sloppy-"))
        text += f"constexpr char16_t {constant}[high_bytes] = {{\n" + wrapped(f"0x{p:X}" for p in points) + "};\n"
    (OUT / "encoding_tables.inc").write_text(text)


def write_widths():
    rows = []
    for point in range(0xFF01, 0xFFF0):
        form = unicodedata.normalize("NFKC", chr(point))
        if form != chr(point):
            rows.append(f'{{0x{point:X}, U"{escaped(form)}"}}')
    text = HEADER + "\n// Half-width and full-width forms, and their standard form.\n"
    text += "constexpr WidthForm width_forms[] = {\n" + wrapped(rows) + "};\n"
    (OUT / "width_forms.inc").write_text(text)


def escaped(text):
    out = ""
    for c in text:
        if c in "\"\\":
            out += "\\" + c
        elif 31 < ord(c) < 127:
            out += c
        else:
            out += f"\\U{ord(c):08X}"
    return out


def visible(c):
    if c in "\n\t\"\\":
        return {"\n": "\\n", "\t": "\\t"}.get(c, "\\" + c)
    return c if unicodedata.category(c)[0] in "LNPS" else f"\\u{ord(c):04x}"


def entity_words(entities):
    """'name value' for each entity; '*name' where it is also valid without its semicolon."""
    words = []
    for name in sorted(name for name in entities if name.endswith(";")):
        value = entities[name]
        assert " " not in value
        star = "*" if entities.get(name[:-1]) == value else ""
        literal = "".join(visible(c) for c in value)
        words.append(f"{star}{name[:-1]} {literal} ")
    return words


def literal_lines(words):
    lines, line = [], ""
    for word in words:
        if line and len((line + word).encode()) > WIDTH - 6:
            lines.append(line)
            line = ""
        line += word
    return "".join(f'    "{text}"\n' for text in [*lines, line])


def write_entities():
    entities = html.entities.html5
    assert all(name.endswith(";") or entities[name + ";"] == entities[name] for name in entities)
    shouted = {name[1:]: value for name, value in chardata.HTML_ENTITIES.items() if name[1:] not in entities}
    text = HEADER + "\n// Name and value in turn; a star where the semicolon may be missing.\n"
    text += "constexpr std::string_view entity_list =\n" + literal_lines(entity_words(entities)).rstrip() + ";\n"
    text += "\n// Names in capitals that HTML does not know, but ftfy.\n"
    text += "constexpr std::string_view shouted_entity_list =\n" + literal_lines(entity_words(shouted)).rstrip() + ";\n"
    (OUT / "html_entities.inc").write_text(text)


if __name__ == "__main__":
    write_badness()
    write_encodings()
    write_widths()
    write_entities()
