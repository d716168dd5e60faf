"""scripts/arena_accuracy.py: groups of rows and how many of each are right, on rows that the program draws."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
SCRIPT = PROJECT / "scripts/arena_accuracy.py"
PROGRAM = pathlib.Path(os.environ["DIFFUSE_BUILD"]).resolve() / "bin/diffuse"

sys.path.insert(0, str(SCRIPT.parent))
import arena_accuracy  # noqa: E402


def accuracy(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


class ArenaAccuracy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        small = ["--train-rows", "0", "--validation-rows", "300", "--test-rows", "0"]
        for notation in ("words", "brackets", "arena"):
            subprocess.run([PROGRAM, "data", "listops", "--out", root / notation, "--notation", notation, *small],
                           check=True, capture_output=True)
        subprocess.run([PROGRAM, "data", "pathfinder", "--out", root / "pathfinder", *small],
                       check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return pathlib.Path(self.folder.name) / name

    def write(self, name, predicted_of):
        """Predictions of the ListOps rows: predicted_of(tree, label)."""
        with open(self.path("words/validation.tsv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write("row\tgold\tpredicted\tprobability\n")
            for number, row in enumerate(rows, 1):
                tree = arena_accuracy.parse(row["text"])
                out.write(f"{number}\t{row['label']}\t{predicted_of(tree, row['label'])}\t0.5\n")
        return self.path(name)

    def test_trees_of_all_notations_have_the_value_of_their_label(self):
        for notation, text, label in (("words", "text", "label"), ("brackets", "text", "label"),
                                      ("arena", "Source", "Target")):
            for row in arena_accuracy.rows_of(self.path(f"{notation}/validation.tsv"), [text, label]):
                self.assertEqual(arena_accuracy.value(arena_accuracy.parse(row[text]), 10), int(row[label]))

    def test_levels_are_those_above_the_guess(self):
        tree = arena_accuracy.parse("MAX 2 MIN 9 8 X SM 5 MED 3 4 X X X")
        self.assertEqual([arena_accuracy.value(tree, levels) for levels in range(4)], [9, 2, 9, 8])
        self.assertEqual(arena_accuracy.levels_needed(tree, 8), 3)
        self.assertEqual(arena_accuracy.levels_needed(arena_accuracy.parse("MAX 9 9 X"), 9), 0)

    def test_listops_by_root(self):
        predictions = self.write("max.tsv", lambda tree, label: label if tree[0] == "MAX" else "none")
        done = accuracy("listops", predictions, self.path("words/validation.tsv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.splitlines()[0], r"^\d+\.\d\d % of 300 rows$")
        self.assertRegex(done.stdout, r"\| MAX \| \d+ \| 100\.0 % \|")
        for other in ("MIN", "MED", "SM"):
            self.assertRegex(done.stdout, rf"\| {other} \| \d+ \| 0\.0 % \|")
        self.assertIn("| levels needed | rows | right |", done.stdout)
        self.assertRegex(done.stdout, r"\|  500 to 749 \| \d+ \|")
        arena = accuracy("listops", predictions, self.path("arena/validation.tsv"))
        self.assertEqual(arena.stdout, done.stdout)

    def test_one_level_is_what_one_level_answers(self):
        predictions = self.write("one.tsv", lambda tree, _: arena_accuracy.value(tree, 1))
        lines = accuracy("listops", predictions, self.path("words/validation.tsv")).stdout.splitlines()
        one = [line for line in lines if line.startswith("| 1 |")]
        self.assertEqual(len(one), 1)
        self.assertTrue(one[0].endswith("| 100.0 % |"), one)

    def test_pathfinder_by_distance(self):
        with open(self.path("pathfinder/validation.markers.tsv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        with open(self.path("near.tsv"), "w", encoding="utf-8") as out:
            out.write("row\tgold\tpredicted\tprobability\n")
            for row in rows:
                guess = row["label"] if float(row["distance"]) < 15 else 1 - int(row["label"])
                out.write(f"{row['row']}\t{row['label']}\t{guess}\t0.5\n")
        done = accuracy("pathfinder", self.path("near.tsv"), self.path("pathfinder/validation.markers.tsv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\|   10 to 14 \| \d+ \| 100\.0 % \|")
        self.assertRegex(done.stdout, r"\|   15 to 19 \| \d+ \| 0\.0 % \|")
        self.assertRegex(done.stdout, r"\| not connected \| \d+ \|")

    def test_what_does_not_belong_together_is_told(self):
        predictions = self.write("all.tsv", lambda _, label: label)
        wrong = accuracy("pathfinder", predictions, self.path("words/validation.tsv"))
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("no column distance, path; expected label, distance, path", wrong.stderr)
        with open(predictions, encoding="utf-8") as file:
            lines = file.readlines()
        self.path("few.tsv").write_text("".join(lines[:200]), encoding="utf-8")
        few = accuracy("listops", self.path("few.tsv"), self.path("words/validation.tsv"))
        self.assertIn("has no prediction", few.stderr)


if __name__ == "__main__":
    unittest.main()
