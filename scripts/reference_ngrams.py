"""An independent reference of the n-gram branch, for scripts/check_checkpoint.py.

Reads ngrams.safetensors (both forms: float32, and bytes as `diffuse prune --int8` writes them) and
branches.json by themselves, and counts, hashes and weighs the n-grams of ASCII texts in plain
Python. Needs xxhash (scripts/setup.sh --python).
"""

import json
import math
import re
import struct

import xxhash

WORD = 0x9E3779B97F4A7C15
CHARACTERS = 0xC2B2AE3D27D4EB4F
MASK = 2**64 - 1


def follow(before, after):
    """The hash of what `before` stands for with `after` behind it."""
    mixed = ((before ^ (before >> 29)) * 0xBF58476D1CE4E5B9 + after) & MASK
    mixed = (mixed ^ (mixed >> 32)) * 0x94D049BB133111EB & MASK
    return mixed ^ (mixed >> 31)


def hash64(text):
    return xxhash.xxh3_64_intdigest(text.encode())


class Tensors:
    """The tensors of a safetensors file, number by number."""

    FORMS = {"F32": "f", "I64": "Q", "U8": "B", "BF16": "H"}

    def __init__(self, path):
        content = path.read_bytes()
        length = struct.unpack_from("<Q", content)[0]
        self.header = json.loads(content[8 : 8 + length])
        self.data = memoryview(content)[8 + length :]

    def shape(self, name):
        return self.header[name]["shape"]

    def __contains__(self, name):
        return name in self.header

    def read(self, name, first, count):
        dtype = self.header[name]["dtype"]
        form = self.FORMS[dtype]
        begin = self.header[name]["data_offsets"][0] + first * struct.calcsize(form)
        values = struct.unpack_from(f"<{count}{form}", self.data, begin)
        if dtype == "BF16":
            values = [struct.unpack("<f", struct.pack("<I", value << 16))[0] for value in values]
        return values


class ReferenceNgrams:
    """The branch of the checkpoint `folder`, whose config.json is `config`."""

    def __init__(self, folder, config):
        self.settings = config["ngrams"]
        self.lowercase = config["tokenizer"]["lowercase"]
        self.tensors = Tensors(folder / "ngrams.safetensors")
        own = self.tensors.shape("hash")[0]
        self.numbers = {hash_: i for i, hash_ in enumerate(self.tensors.read("hash", 0, own))}
        self.buckets = self.tensors.shape("scale")[0] - own
        self.classes = self.tensors.shape("bias")[0]
        branches = json.loads((folder / "branches.json").read_text(encoding="utf-8"))
        self.factor, self.network_factor = branches["ngram_factor"], branches["network_factor"]

    def hashes(self, text):
        text = text.lower() if self.lowercase else text
        words = re.findall(r"[A-Za-z0-9]+|[!-~]", text)
        for i, word in enumerate(words):
            for first in range(i, max(i - self.settings["max"], -1), -1):
                mixed = WORD
                for part in words[first : i + 1]:
                    mixed = follow(mixed, hash64(part))
                yield mixed
            padded = f" {word} "
            for length in range(self.settings["char_min"], self.settings["char_max"] + 1):
                for first in range(len(padded) - length + 1):
                    yield follow(CHARACTERS, hash64(padded[first : first + length]))

    def weights(self, number):
        own = self.tensors.read("weight", number * self.classes, self.classes)
        if "step" not in self.tensors:
            return own
        step = self.tensors.read("step", number, 1)[0]
        return [step * (byte - 128) for byte in own]

    def counts(self, text):
        """How often each n-gram that is known stands in the text, by its number."""
        counts = {}
        for hash_ in self.hashes(text):
            number = self.numbers.get(hash_)
            if number is None and self.buckets > 0:
                number = len(self.numbers) + hash_ % self.buckets
            if number is not None:
                counts[number] = counts.get(number, 0) + 1
        return counts

    def add_to(self, network, text):
        """The logits of the sum, where `network` are those of the network."""
        values = {}
        for number, count in self.counts(text).items():
            scale = self.tensors.read("scale", number, 1)[0]
            often = self.settings["weighting"] == "tfidf"
            values[number] = scale * (1 + math.log(count) if often else 1)
        length = math.sqrt(sum(value * value for value in values.values())) or 1
        logits = list(self.tensors.read("bias", 0, self.classes))
        for number, value in values.items():
            for c, weight in enumerate(self.weights(number)):
                logits[c] += value / length * weight
        return [self.network_factor * a + self.factor * b for a, b in zip(network, logits)]
