"""scripts/peers: fastText and the linear SVM beside the program. Their own figures need the tools (scripts/setup.sh
--peers) and are skipped without them; a stand-in for fastText shows everywhere what is done with its answers."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"]).resolve()
PEERS = PROJECT / "scripts/peers"
R8 = ("--train", PROJECT / "data/r8/train.csv", "--test", PROJECT / "data/r8/test.csv")
# Writes down how it was called; the model is three bytes, and every text is of the first training row's class.
STAND_IN = """#!/bin/bash
echo "$*" >> "$(dirname "$0")/calls"
if [ "$1" = supervised ]; then
  while [ "$1" != -input ]; do shift; done
  head -n 1 "$2" | cut -d' ' -f1 > "$(dirname "$0")/answer"
  while [ "$1" != -output ]; do shift; done
  printf abc > "$2.bin"
else
  while read -r _; do echo "$(cat "$(dirname "$0")/answer") 0.5"; done < "$3"
fi
"""


def python_with_sklearn():
    for python in (PROJECT / ".deps/python/bin/python", pathlib.Path(sys.executable)):
        if python.exists() and not subprocess.run([python, "-c", "import sklearn"], capture_output=True, check=False).returncode:
            return python
    return None


def run(*command, **variables):
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    return subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, check=False)


class Peers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")
        return self.root / name

    def stand_in(self):
        tools = self.root / "tools"
        tools.mkdir()
        (tools / "fasttext").write_text(STAND_IN)
        (tools / "fasttext").chmod(0o755)
        return f"{tools}:{os.environ['PATH']}"

    def without_fasttext(self):
        tools = self.root / "bare"
        tools.mkdir()
        for name in ("bash", "env", "dirname", "nproc", "python3", "mktemp", "cat"):
            (tools / name).symlink_to(shutil.which(name))
        return tools

    def converted(self, path, *arguments):
        result = run(sys.executable, PEERS / "rows.py", path, self.root / "out.txt", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return (self.root / "out.txt").read_text(encoding="utf-8")

    def test_rows_become_lines_of_fasttext(self):
        text = '"a b","It\'s ""2""","É;\nx. (y)"\nc,D,e!\n'
        lines = "__label__a%20b it ' s 2 é x .   ( y ) \n__label__c d e ! \n"
        path = self.write("rows.csv", text)
        self.assertEqual(self.converted(path), lines.replace("é x", "é  x"))
        self.assertEqual(self.converted(path, "--rows", 1).count("\n"), 1)
        self.assertEqual(self.converted(path, "--label-column", 3, "--text-columns", "2,1").splitlines()[1], "__label__e%21 d c")
        (self.root / "rows.csv.gz").write_bytes(gzip.compress(b"text,topic\nA,b\n"))
        self.assertEqual(self.converted(self.root / "rows.csv.gz", "--header", "--label-column", "topic"), "__label__b a\n")

    def test_rows_that_cannot_be_read(self):
        for text, arguments, message in (("a,b\nc\n", (), "row 2 has 1 fields, the first one 2"),
                                         ("a,b\n", ("--label-column", "3"), "no column 3; expected a number from 1 to 2"),
                                         ("", (), "has no rows")):
            path = self.write("bad.csv", text)
            result = run(sys.executable, PEERS / "rows.py", path, self.root / "out.txt", *arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(f"rows.py: {path}: {message}", result.stderr)
        result = run(sys.executable, PEERS / "rows.py", "/nowhere.csv", self.root / "out.txt")
        self.assertIn("/nowhere.csv: No such file or directory", result.stderr)

    def test_a_tool_that_is_missing_is_named(self):
        bare = self.without_fasttext()
        result = run(PEERS / "fasttext.sh", *R8, PATH=bare)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("the program fasttext is not installed: apt-get install fasttext, or scripts/setup.sh --peers", result.stderr)
        self.write("sklearn.py", "raise ImportError\n")
        result = run(sys.executable, PEERS / "tfidf_svm.py", *R8, PYTHONPATH=self.root)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("has no scikit-learn: scripts/setup.sh --peers", result.stderr)
        compare = (sys.executable, PEERS / "compare.py", "--config", PROJECT / "configs/r8.json", "--diffuse", BUILD / "bin/diffuse")
        result = run(*compare, "--peers", "fasttext,svm", PATH=bare)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("apt-get install fasttext", result.stderr)
        self.assertIn("compare.py: fasttext cannot run; without it: --peers svm", result.stderr)

    def test_mistakes(self):
        compare = (sys.executable, PEERS / "compare.py", "--config", "r8.json")
        for command, message in (((PEERS / "fasttext.sh", "--wrong", "1"), "unknown argument --wrong"),
                                 ((*compare, "--peers", "bert"), "unknown peer bert; expected some of fasttext, autotune, svm, nb"),
                                 ((*compare, "--diffuse", "/nowhere"), "/nowhere is not there; build it (scripts/setup.sh)")):
            result = run(*command)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(message, result.stderr)

    def test_fasttext_gets_its_options(self):
        path = self.stand_in()
        train, test = self.write("train.csv", "x y,a\nz,b\nz,c\n"), self.write("test.csv", "z,a\nx y,b\nz,c\nz,d\n")
        result = run(PEERS / "fasttext.sh", "--train", train, "--test", test, "--rows", 2, "--seed", 7, "--threads", 3,
                     "--out", self.root / "out", PATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads(result.stdout)
        self.assertEqual([answer[key] for key in ("accuracy", "train_rows", "test_rows", "model_bytes")], [0.25, 2, 4, 3])
        self.assertEqual(sorted(answer["seconds"]), ["convert", "test", "train"])
        self.assertEqual((self.root / "out/predictions.tsv").read_text().splitlines()[:3],
                         ["row\tgold\tpredicted\tprobability", "1\tz\tx y\t0.5", "2\tx y\tx y\t0.5"])
        calls = (self.root / "tools/calls").read_text()
        self.assertIn("-dim 10 -lr 0.25 -wordNgrams 2 -minCount 1 -bucket 10000000 -epoch 5 -thread 3 -seed 7 ", calls)
        result = run(PEERS / "fasttext.sh", "--train", train, "--test", test, "--", "-dim", 5, PATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(" -dim 5 -thread ", (self.root / "tools/calls").read_text().splitlines()[-2])

    def test_the_table(self):
        """On numbered classes whose names a file has; the stand-in is right on half of the rows."""
        path = self.stand_in()
        rows = "".join(f"{i % 2 + 1},the {('match', 'rain')[i % 2]} number {i}\n" for i in range(120))
        train, labels = self.write("train.csv", rows), self.write("classes.txt", "Sport\nSky/Weather\n")
        settings = {"data.train": train, "data.test": train, "data.labels": labels, "data.label_base": 1, "data.max_rows": 100,
                    "train.length": "60u", "train.warmup": "2u", "model.dim": 8, "tokenizer.min_count": 1}
        sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self.write("empty.json", "{}")
        result = run(sys.executable, PEERS / "compare.py", "--config", self.root / "empty.json", *sets, "--seeds", "1,2", "--rounds", 3,
                     "--peers", "fasttext", "--threads", 1, "--diffuse", BUILD / "bin/diffuse", "--json", self.root / "figures.json",
                     PATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)
        rounds = json.loads((self.root / "figures.json").read_text())
        self.assertEqual([one["fasttext"]["seed"] for one in rounds], [1, 2, 1])
        for one in rounds:
            self.assertEqual((one["diffuse"]["accuracy"], one["fasttext"]["accuracy"], one["fasttext"]["train_rows"]), (1, 0.5, 100))
            against = one["fasttext"]["against"]
            self.assertEqual([against[key] for key in ("only_this_right", "only_other_right")], [60, 0])
            self.assertLess(against["mcnemar_p_value"], 1e-10)
            for program in one.values():
                self.assertGreater(program["time_s"], 0)
                self.assertGreater(program["peak_bytes"], 1e6)
        weights = (2 + 120 + 2) * 8 * 4  # more than these are in the model's files, the optimizer's state is not
        self.assertTrue(weights < rounds[0]["diffuse"]["model_bytes"] < 3 * weights, rounds[0]["diffuse"])
        self.assertRegex(result.stdout, r"(?m)^\| diffuse \| [0-9.]+ \([0-9.]+ – [0-9.]+\) \|  \| .*100\.00 % \(100\.00, 100\.00, 100\.00\) \|$")
        self.assertRegex(result.stdout, r"(?m)^\| fasttext \| .* \| 0\.0 MB \| 50\.00 % \(50\.00, 50\.00, 50\.00\) \|$")
        self.assertRegex(result.stdout, r"(?m)^\| without conversion \| ")
        self.assertIn("- seed 2: 60 / 0, p = 1.7e-18\n", result.stdout)

    @unittest.skipUnless(shutil.which("fasttext"), "fastText is not installed (scripts/setup.sh --peers)")
    def test_fasttext_on_r8(self):
        result = run(PEERS / "fasttext.sh", *R8, "--", "-dim", 10, "-lr", 0.5, "-wordNgrams", 2, "-bucket", 100000, "-epoch", 10)
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads(result.stdout)
        self.assertEqual((answer["train_rows"], answer["test_rows"]), (5485, 2189))
        self.assertGreater(answer["accuracy"], 0.9)

    @unittest.skipUnless(python_with_sklearn(), "no Python with scikit-learn here (scripts/setup.sh --peers)")
    def test_svm_on_r8(self):
        result = run(python_with_sklearn(), PEERS / "tfidf_svm.py", *R8, "--rows", 2000, "--out", self.root / "out")
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = json.loads(result.stdout)
        self.assertEqual((answer["train_rows"], answer["test_rows"]), (2000, 2189))
        self.assertGreater(answer["accuracy"], 0.9)
        lines = (self.root / "out/predictions.tsv").read_text().splitlines()
        right = sum(line.split("\t")[1] == line.split("\t")[2] for line in lines[1:])
        self.assertAlmostEqual(right / 2189, answer["accuracy"])


if __name__ == "__main__":
    unittest.main()
