"""scripts/gpu_report.sh: the packed folder, and the script itself tried on the CPU with nothing to time."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"]).resolve()
BUILT_WITH = pathlib.Path(os.environ["DIFFUSE_BUILT_WITH"]).resolve()


def run(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if k not in ("DIFFUSE_CONFIGS", "DIFFUSE_DATA")}
    environment.update({k: str(v) for k, v in variables.items()})
    return subprocess.run([str(a) for a in arguments], env=environment, capture_output=True, text=True, check=False)


class GpuReport(unittest.TestCase):
    def test_a_packed_folder_is_enough(self):
        with tempfile.TemporaryDirectory() as folder:
            packed = pathlib.Path(folder) / "packed"
            result = run(PROJECT / "scripts/gpu_report.sh", "--pack", packed, "--build", BUILD)
            self.assertEqual(result.returncode, 0, result.stderr)
            size = sum(f.stat().st_size for f in packed.rglob("*") if f.is_file())
            self.assertLess(size, 60e6)

            result = run(packed / "gpu_report.sh", "--device", "cpu", DIFFUSE_LIBTORCH=BUILT_WITH,
                         DIFFUSE_REPORT_BUDGET="1e-9", DIFFUSE_REPORT_CASES="--batch-size 1 --seq-len 8 --mode train")
            self.assertEqual(result.returncode, 0, result.stderr)
            (report,) = (packed / "reports").glob("*.md")
            text = report.read_text()
            self.assertIn("  LibTorch     2.", text)
            self.assertRegex(text, r"\| device_tests \* \| [1-9][0-9]* \| [0-9]+ \| 0 \|")
            for tests in ("model_tests", "train_tests"):
                self.assertRegex(text, rf"\| {tests} \S+ \| [1-9][0-9]* \| [0-9]+ \| 0 \|")
            self.assertIn("agnews against DistilBERT", text)
            self.assertIn("beyond --budget", text)
            (figures,) = (packed / "reports").glob("*.json")
            json_report = json.loads(figures.read_text())
            self.assertEqual(json_report["bench"]["other"]["name"], "DistilBERT")
            self.assertGreater(json_report["tests"]["device_tests"]["passed"], 10)
            self.assertTrue(json_report["version"]["libtorch_found"].startswith("2."))
            self.assertEqual(json_report["epochs"], {})

    def test_an_epoch_of_ag_news(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data/ag_news"
            data.mkdir(parents=True)
            rows = [f'"{1 + i % 4}","{word} today","the {word} number {i}"'
                    for i in range(300) for word in [("war", "goal", "shares", "chip")[i % 4]]]
            (data / "train.csv").write_text("\n".join(rows) + "\n")
            (data / "test.csv").write_text("\n".join(rows[:40]) + "\n")
            (data / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
            out = pathlib.Path(folder) / "reports"
            result = run(PROJECT / "scripts/gpu_report.sh", "--build", BUILD, "--device", "cpu", "--out", out,
                         DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_REPORT_BUDGET="1e-9", DIFFUSE_DATA=data.parent,
                         XDG_CACHE_HOME=folder, DIFFUSE_REPORT_CASES="--batch-size 1 --seq-len 8 --mode train")
            self.assertEqual(result.returncode, 0, result.stderr)
            (report,) = out.glob("*.md")
            self.assertIn("One epoch of AG News, `train.precision = fp32`", report.read_text())
            self.assertRegex(report.read_text(), r"test accuracy  [0-9.]+ %  \[[0-9., ]+\]  n = 40")
            (figures,) = out.glob("*.json")
            epochs = json.loads(figures.read_text())["epochs"]
            self.assertEqual(sorted(epochs), ["auto", "auto_test", "fp32", "fp32_test"])
            self.assertEqual(epochs["fp32"][0]["type"], "epoch")
            self.assertIn("accuracy", epochs["fp32_test"])

    def test_it_ends_in_time_and_says_what_did_not(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run(PROJECT / "scripts/gpu_report.sh", "--build", BUILD, "--device", "cpu", "--out", folder,
                         DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_DATA=folder, DIFFUSE_REPORT_LIMIT="1",
                         DIFFUSE_REPORT_CASES="--batch-size 64 --seq-len 512 --mode train")
            self.assertEqual(result.returncode, 1, result.stderr)
            (report,) = pathlib.Path(folder).glob("*.md")
            self.assertIn("The comparison did not end.", report.read_text())

    def test_without_a_build(self):
        result = run(PROJECT / "scripts/gpu_report.sh", "--build", "/nowhere")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nowhere/bin/diffuse is not there; build first", result.stderr)
        self.assertEqual(run(PROJECT / "scripts/gpu_report.sh", "--wrong").returncode, 2)


if __name__ == "__main__":
    unittest.main()
