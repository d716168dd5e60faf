#!/usr/bin/env python3
"""Compares the WordPiece tokenizer with the Hugging Face `tokenizers` package, id by id.

    scripts/compare_tokenizers.py DATA            every row of the data sets under DATA, our own
                                                  nasty texts, and a sweep over all code points
    scripts/compare_tokenizers.py DATA --benchmark     the time of both, interleaved
    scripts/compare_tokenizers.py DATA --write-golden  tests/text/golden_wordpiece.json anew

DATA holds ag_news/test.csv, imdb/test.csv.gz, r8/{train,test}.csv and trec/{train,test}.csv. Needs
the Python environment of `scripts/setup.sh --python` and the built program
`build/*/tests/text/encode_lines`. Exit code 0: no difference but for the listed code points.

The package's tables of categories are older than utf8proc's (Unicode 15 in version 2.8), those of
lower-casing and decomposition newer. A code point that differs is excused, and listed, if Python's
own tables (unicodedata: 14 or 15, so Python 3.11 to 3.13) differ from the package on it as well, or
are too old to know it; one that differs without that excuse is an error.
"""

import argparse
import collections
import csv
import gzip
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
BERT_VOCABULARY = ROOT / "data/bert-base-uncased/vocab.txt"
NASTY_TEXTS = ROOT / "tests/text/nasty_texts.json"
GOLDEN = ROOT / "tests/text/golden_wordpiece.json"
DATA_SETS = {
    "AG News test": ["ag_news/test.csv"],
    "IMDB test": ["imdb/test.csv.gz"],
    "R8": ["r8/train.csv", "r8/test.csv"],
    "TREC": ["trec/train.csv", "trec/test.csv"],
}
SPECIALS = ["[PAD]", "[UNK]", "[MASK]"]


def read_rows(path):
    """Texts of a CSV file (label, text columns...) as bytes; invalid UTF-8 stays as it is."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as file:
        return [" ".join(row[1:]).encode("utf-8", "surrogateescape") for row in csv.reader(file)]


def reference(vocabulary, lowercase):
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    tokenizer = Tokenizer(WordPiece({token: i for i, token in enumerate(vocabulary)},
                                    unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def reference_ids(tokenizer, texts):
    ids = []
    for begin in range(0, len(texts), 20_000):  # the package's objects take far more than the ids
        part = [text.decode("utf-8", "replace") for text in texts[begin : begin + 20_000]]
        ids += [e.ids for e in tokenizer.encode_batch_fast(part, add_special_tokens=False)]
    return ids


class Program:
    """Our tokenizer, run as the program `encode_lines`."""

    def __init__(self, path, folder):
        self.path = path
        self.folder = pathlib.Path(folder)

    def encode(self, vocabulary, lowercase, texts, threads=2):
        """Ids of each text, and the seconds that encoding took."""
        vocab, texts_file, ids_file = (self.folder / n for n in ("vocab.txt", "texts", "ids"))
        vocab.write_bytes("".join(token + "\n" for token in vocabulary).encode())
        with open(texts_file, "wb") as file:
            for text in texts:
                file.write(struct.pack("<I", len(text)) + text)
        seconds = self.run(vocab, lowercase, texts_file, ids_file, threads)
        data = memoryview(ids_file.read_bytes()).cast("i")
        ids, at = [], 0
        for _ in texts:
            ids.append(data[at + 1 : at + 1 + data[at]].tolist())
            at += 1 + data[at]
        return ids, seconds

    def run(self, vocab, lowercase, texts_file, ids_file, threads):
        case = "uncased" if lowercase else "cased"
        command = [self.path, "wordpiece", vocab, case, str(threads), texts_file, ids_file]
        return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def made_vocabulary(texts, words=4000, pieces=2000):
    """A cased vocabulary for checks: frequent words, word ends and every character seen."""
    word_counts, end_counts, characters = collections.Counter(), collections.Counter(), set()
    for text in texts:
        text = text.decode("utf-8", "replace")
        characters.update(c for c in text if not c.isspace() and c.isprintable())
        for word in text.split():
            word = "".join(c for c in word if c.isalnum())
            word_counts[word] += 1
            for size in (2, 3, 4):
                if len(word) > size:
                    end_counts["##" + word[-size:]] += 1

    def most_frequent(counter, count):
        return [key for key, _ in sorted(counter.items(), key=lambda kv: (-kv[1], kv[0]))[:count]]

    tokens = SPECIALS + most_frequent(word_counts, words) + most_frequent(end_counts, pieces)
    for character in sorted(characters):
        tokens += [character, "##" + character]
    return [token for token in dict.fromkeys(tokens) if token]


def compare(name, program, vocabulary, lowercase, texts):
    """Prints one line; returns the number of texts whose ids differ."""
    expected = reference_ids(reference(vocabulary, lowercase), texts)
    found, _ = program.encode(vocabulary, lowercase, texts)
    different = [i for i in range(len(texts)) if found[i] != expected[i]]
    case = "uncased" if lowercase else "cased, made vocabulary"
    tokens = sum(map(len, expected))
    print(f"{name} ({case}): {len(texts):,} texts, {tokens:,} ids, {len(different)} texts differ")
    for i in different[:5]:
        print(f"  text {i}: {texts[i][:200]!r}\n    package {expected[i]}\n    ours    {found[i]}")
    return len(different)


# The sweep.


def is_cjk(code):
    ranges = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F),
              (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
    return any(low <= code <= high for low, high in ranges)


def is_white_space(code):
    return code in (0x20, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 9, 10, 13) or (
        0x2000 <= code <= 0x200A)


def model_words(text, lowercase):
    """The words that BERT makes of `text`, by Python's Unicode tables."""
    category = unicodedata.category
    cleaned = ""
    for c in text:
        if is_white_space(ord(c)):
            cleaned += " "
        elif ord(c) not in (0, 0xFFFD) and category(c) not in ("Cc", "Cf", "Co"):
            cleaned += f" {c} " if is_cjk(ord(c)) else c
    if lowercase:
        cleaned = unicodedata.normalize("NFD", cleaned)
        cleaned = "".join(c.lower() for c in cleaned if category(c) != "Mn")
    spaced = ""
    for c in cleaned:
        ascii_mark = c.isascii() and c.isprintable() and not c.isalnum() and c != " "
        spaced += f" {c} " if ascii_mark or category(c)[0] == "P" else c
    return [word for word in spaced.split(" ") if word]


def differs_by_version(text, tokenizer, lowercase):
    """Whether the package's Unicode tables treat `text` otherwise than Python's do."""
    normalized = tokenizer.normalizer.normalize_str(text)
    words = [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]
    return words != model_words(text, lowercase)


def ranges_text(codes):
    groups = []
    for code in codes:
        if groups and groups[-1][1] == code - 1:
            groups[-1][1] = code
        else:
            groups.append([code, code])
    return " ".join(f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in groups)


def sweep_vocabulary(code_points, normalizer):
    """Every assigned character, and every one that normalising makes, as a word and as a piece."""
    characters = set("ab")
    for code in code_points:
        normalized = normalizer.normalize_str(chr(code))
        if unicodedata.category(chr(code)) not in ("Cn", "Co") or normalized != chr(code):
            characters.update(chr(code) + normalized)
    characters = sorted(c for c in characters if not c.isspace() and c not in "\0\x85\ufeff")
    return SPECIALS + characters + ["##" + c for c in characters]


def sweep(program, lowercase):
    """All code points between letters, and before marks that must be put into order."""
    from tokenizers.normalizers import BertNormalizer

    code_points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    vocabulary = sweep_vocabulary(code_points, BertNormalizer(lowercase=lowercase))
    tokenizer = reference(vocabulary, lowercase)
    by_version, otherwise = set(), set()
    for form in ("a{}b", "a{}\u0323\u302e\u0301b", "a\u0301{}\u0323b", "{}"):
        texts = [form.format(chr(code)) for code in code_points]
        encoded = [text.encode() for text in texts]
        expected = reference_ids(tokenizer, encoded)
        found, _ = program.encode(vocabulary, lowercase, encoded)
        for code, text, e, f in zip(code_points, texts, expected, found):
            if e != f:
                excused = (unicodedata.category(chr(code)) == "Cn"
                           or differs_by_version(text, tokenizer, lowercase))
                (by_version if excused else otherwise).add(code)
    case = "uncased" if lowercase else "cased"
    print(f"all {len(code_points):,} code points ({case}): {len(by_version)} differ by the "
          f"Unicode version, {len(otherwise)} otherwise")
    print(f"  by version: {ranges_text(sorted(by_version))}")
    if otherwise:
        print(f"  OTHERWISE: {ranges_text(sorted(otherwise))}")
        if not "14" <= unicodedata.unidata_version < "16":
            print(f"  (this Python has Unicode {unicodedata.unidata_version}; 14 or 15 is needed to "
                  "tell a difference of versions from an error)")
    return len(otherwise)


# Speed.


def benchmark(program, texts, rounds, threads):
    """Encodes the same rows with both in turn; prints medians and their ratio."""
    vocabulary = BERT_VOCABULARY.read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer = reference(vocabulary, True)
    strings = [text.decode("utf-8", "replace") for text in texts]
    program.encode(vocabulary, True, texts, threads)  # leaves the files that `run` reads
    files = [program.folder / name for name in ("vocab.txt", "texts", "ids")]
    theirs, ours = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        tokenizer.encode_batch_fast(strings, add_special_tokens=False)
        theirs.append(time.perf_counter() - start)
        ours.append(program.run(files[0], True, files[1], files[2], threads))
    megabytes = sum(map(len, texts)) / 1e6
    for name, seconds in (("tokenizers", theirs), ("diffuse", ours)):
        median = statistics.median(seconds)
        print(f"{name:10}  median {median:.3f} s, {min(seconds):.3f} to {max(seconds):.3f}, "
              f"{megabytes / median:.1f} MB/s")
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"{len(texts):,} texts, {megabytes:.1f} MB, {threads} threads, {rounds} rounds: diffuse is "
          f"{ratio:.1f} times as fast")
    return 0 if ratio >= 1 else 1


def write_golden(rows):
    """A sample for the tests: ids by the package, for some R8 rows and our own texts."""
    nasty = [text.encode() for text in json.loads(NASTY_TEXTS.read_text())]
    sample = [row[:300] for row in rows["R8"][::200]]
    bert = BERT_VOCABULARY.read_text(encoding="utf-8").split("\n")[:-1]
    made = made_vocabulary(nasty, words=150, pieces=100)

    def cases(vocabulary, lowercase, texts):
        ids = reference_ids(reference(vocabulary, lowercase), texts)
        lines = (json.dumps({"text": t.decode(), "ids": i}) for t, i in zip(texts, ids))
        return "[\n" + ",\n".join(lines) + "\n]"

    GOLDEN.write_text(
        '{\n"made_by": "scripts/compare_tokenizers.py --write-golden",\n'
        f'"uncased": {cases(bert, True, sample + nasty)},\n'
        f'"cased_vocabulary": {json.dumps(made)},\n'
        f'"cased": {cases(made, False, nasty)}\n}}\n')
    print(f"wrote {GOLDEN}")


def find_program():
    built = sorted(ROOT.glob("build/*/tests/text/encode_lines"), key=lambda p: p.stat().st_mtime)
    if not built:
        sys.exit("no build/*/tests/text/encode_lines: build the project first (scripts/test.sh)")
    return built[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder of the data sets")
    parser.add_argument("--program", type=pathlib.Path, help="encode_lines (default: newest build)")
    parser.add_argument("--no-sweep", action="store_true", help="leave the code points out")
    parser.add_argument("--benchmark", action="store_true", help="measure the speed of both")
    parser.add_argument("--rounds", type=int, default=5, help="of the benchmark (default: 5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the benchmark")
    parser.add_argument("--write-golden", action="store_true", help="write the tests' golden sample")
    arguments = parser.parse_args()
    # Read by the package's thread pool when it starts.
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)

    csv.field_size_limit(1 << 30)
    rows = {name: [row for file in files for row in read_rows(arguments.data / file)]
            for name, files in DATA_SETS.items()}
    if arguments.write_golden:
        write_golden(rows)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        program = Program(arguments.program or find_program(), folder)
        if arguments.benchmark:
            everything = [row for name in rows for row in rows[name]]
            return benchmark(program, everything, arguments.rounds, arguments.threads)

        bert = BERT_VOCABULARY.read_text(encoding="utf-8").split("\n")[:-1]
        nasty = [text.encode() for text in json.loads(NASTY_TEXTS.read_text())]
        nasty += [b"bad \xff\xfe bytes", b"cut \xe4\xb8", b"\xc0\xafover\xed\xa0\x80long", b"\x80"]
        made = made_vocabulary(rows["AG News test"] + nasty)
        differences = 0
        for name, texts in list(rows.items()) + [("nasty texts", nasty)]:
            differences += compare(name, program, bert, True, texts)
            differences += compare(name, program, made, False, texts)
        for lowercase in () if arguments.no_sweep else (True, False):
            differences += sweep(program, lowercase)
        print("no difference" if differences == 0 else f"{differences} DIFFERENCES")
        return 0 if differences == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
