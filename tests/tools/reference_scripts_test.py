"""The scripts that hold the program against independent implementations in Python. They need the environment
of `scripts/setup.sh --python`; without it they are skipped."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"])
PYTHON = PROJECT / ".deps/python/bin/python"

TEXTS = ["Oil prices rose 3 % today.", "the match", "profits of \u00a35, up; \u00e9t\u00e9", "x " * 300, "rain"]


def has(*packages):
    code = "; ".join(f"import {package}" for package in packages)
    return PYTHON.exists() and not subprocess.run([PYTHON, "-c", code], capture_output=True, check=False).returncode


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def train(self, name, *settings):
        rows = self.root / "rows.csv"
        words = ("match", "rain", "profit")
        rows.write_text("".join(f"{'abc'[i % 3]},the {words[i % 3]} of number {i}\n" for i in range(90)))
        command = [BUILD / "bin/diffuse", "train", "--train", rows, "--out", self.root / name, "--threads", "1"]
        for setting in ("train.length=20u", "train.warmup=2u", "model.dim=16", "data.cache=false", "ngrams.max=0", *settings):
            command += ["--set", setting]
        result = run(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.root / name

    @unittest.skipUnless(has("torch", "safetensors", "tokenizers"), ".deps/python is not there")
    def test_check_checkpoint(self):
        wordpiece = ("tokenizer.type=wordpiece", f"tokenizer.vocab={PROJECT}/data/bert-base-uncased/vocab.txt")
        for name, texts, settings in (
                ("words", [t for t in TEXTS if t.isascii()], ("model.function=glu", "model.dilation=[1,3]")),
                ("bigrams", [t for t in TEXTS if t.isascii()], ("model.bigram_buckets=300", "model.base=initial")),
                ("bytes", TEXTS, ("tokenizer.type=bytes", "model.weight=full", "model.function=mlp")),
                ("wordpiece", TEXTS, (*wordpiece, "model.alpha_learned=true", "model.pooling=mean_max"))):
            with self.subTest(name):
                run_directory = self.train(name, *settings)
                file, logits = self.root / "texts", self.root / "logits"
                file.write_text("\n".join(texts) + "\n", encoding="utf-8")
                predicted = run(BUILD / "bin/diffuse", "predict", "--checkpoint", run_directory, file, "--format", "jsonl",
                                "--logits")
                self.assertEqual(predicted.returncode, 0, predicted.stderr)
                logits.write_text(predicted.stdout)
                check = (PYTHON, PROJECT / "scripts/check_checkpoint.py", run_directory, file, "--compare")
                result = run(*check, logits)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                self.assertIn(f"{len(texts)} texts, largest difference of a logit ", result.stdout)
                # It can fail, too.
                logits.write_text(predicted.stdout.replace('"logits": [', '"logits": [1', 1))
                self.assertEqual(run(*check, logits).returncode, 1)

    @unittest.skipUnless(has("tokenizers"), ".deps/python is not there")
    def test_compare_tokenizers(self):
        for name in ("ag_news/test.csv", "imdb/test.csv", "trec/train.csv", "trec/test.csv"):
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text("".join(f'0,"{text}"\n' for text in TEXTS), encoding="utf-8")
        run("gzip", self.root / "imdb/test.csv")
        shutil.copytree(PROJECT / "data/r8", self.root / "r8")
        script = (PYTHON, PROJECT / "scripts/compare_tokenizers.py", self.root, "--program",
                  BUILD / "tests/text/encode_lines")
        result = run(*script, "--no-sweep")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("R8 (uncased): 7,674 texts", result.stdout)
        self.assertTrue(result.stdout.endswith("no difference\n"), result.stdout)
        # A vocabulary whose ids are shifted by one is another tokenizer.
        wrong = self.root / "encode_lines"
        wrong.write_text('#!/bin/sh\nsed 1d "$2" > "$2.short"; v="$2.short"; k="$1"; shift 2\n'
                         f'exec {BUILD}/tests/text/encode_lines "$k" "$v" "$@"\n')
        wrong.chmod(0o755)
        result = run(*script[:3], "--program", wrong, "--no-sweep")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("DIFFERENCES", result.stdout)


if __name__ == "__main__":
    unittest.main()
