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
            self.assertIn("LibTorch    2.", text)
            self.assertRegex(text, r"\| device_tests \* \| [1-9][0-9]* \| [0-9]+ \| 0 \|")
            self.assertRegex(text, r"\| model_tests \S+ \| [0-9]+ \| [0-9]+ \| 0 \|")
            self.assertIn("agnews against DistilBERT", text)
            self.assertIn("beyond --budget", text)
            (figures,) = (packed / "reports").glob("*.json")
            self.assertEqual(json.loads(figures.read_text())["other"]["name"], "DistilBERT")

    def test_without_a_build(self):
        result = run(PROJECT / "scripts/gpu_report.sh", "--build", "/nowhere")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nowhere/bin/diffuse is not there; build first", result.stderr)
        self.assertEqual(run(PROJECT / "scripts/gpu_report.sh", "--wrong").returncode, 2)


if __name__ == "__main__":
    unittest.main()
