"""scripts/make_large_data.py: rows, new words by Zipf's law, the same bytes for the same seed."""

import collections
import csv
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
SCRIPT = PROJECT / "scripts" / "make_large_data.py"
ROWS = '"1","War","the war, today"\n"2","Goal","a ""goal"""\n"3","Shares","up"\n'


class MakeLargeData(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        (self.path / "rows.csv").write_text(ROWS)

    def tearDown(self):
        self.folder.cleanup()

    def make(self, out, *more):
        return subprocess.run([sys.executable, str(SCRIPT), str(self.path / "rows.csv"), "--out",
                               str(self.path / out), *more], capture_output=True, text=True, check=False)

    def rows(self, out):
        rows = []
        for file in sorted((self.path / out).iterdir()):
            with open(file, encoding="utf-8", newline="") as lines:
                rows += list(csv.reader(lines))
        return rows

    def test_rows_are_those_of_the_file_with_new_words(self):
        made = self.make("a", "--rows", "2500", "--part-rows", "1000", "--words", "500")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(sorted(file.name for file in (self.path / "a").iterdir()),
                         ["part-0000.csv", "part-0001.csv", "part-0002.csv"])
        rows = self.rows("a")
        self.assertEqual(len(rows), 2500)
        originals = [tuple(row) for row in csv.reader(ROWS.splitlines())]
        words = collections.Counter()
        for row in rows:
            *text, one, two, three, four = row[-1].split(" ")
            self.assertIn((row[0], row[1], " ".join(text)), originals)
            words.update([one, two, three, four])
        self.assertLessEqual(len(words), 500)
        self.assertGreater(len(words), 400)
        counts = [count for _, count in words.most_common()]
        # Of ranks of about 1/r: the first is some 2 times the second, ten times the tenth.
        self.assertTrue(6 < counts[0] / counts[9] < 17, counts[:10])

    def test_the_same_seed_gives_the_same_bytes_and_more_rows_the_same_beginning(self):
        for out, more in {"a": [], "b": [], "c": ["--seed", "2"], "d": ["--rows", "900"]}.items():
            self.assertEqual(self.make(out, "--rows", "800", "--words", "99", *more).returncode, 0)
        first = (self.path / "a/part-0000.csv").read_bytes()
        self.assertEqual(first, (self.path / "b/part-0000.csv").read_bytes())
        self.assertNotEqual(first, (self.path / "c/part-0000.csv").read_bytes())
        self.assertTrue((self.path / "d/part-0000.csv").read_bytes().startswith(first))

    def test_every_rank_has_a_word_of_its_own(self):
        sys.path.insert(0, str(SCRIPT.parent))
        import make_large_data
        self.assertEqual(len({make_large_data.word(rank) for rank in range(70_000)}), 70_000)
        for exponent in (0.7, 1.0, 1.3):
            ranks = [make_large_data.zipf_rank(step / 1000, 100, exponent) for step in [*range(1000), 1000 - 1e-9]]
            self.assertEqual(ranks, sorted(ranks))
            self.assertEqual((ranks[0], max(ranks)), (0, 99))

    def test_what_is_wrong_is_said(self):
        self.assertIn("have to be above 0", self.make("a", "--rows", "0").stderr)
        (self.path / "rows.csv").write_text("alone\n")
        self.assertIn("expected rows of a label and one or more texts", self.make("a", "--rows", "1").stderr)
        (self.path / "rows.csv").unlink()
        self.assertIn("expected a CSV file in UTF-8", self.make("a", "--rows", "1").stderr)


if __name__ == "__main__":
    unittest.main()
