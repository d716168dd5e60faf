"""scripts/benchmark_tables.py on figures made up and on a short run of the benchmarks themselves."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop())
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"])


def tables_of(path):
    return subprocess.run([sys.executable, PROJECT / "scripts/benchmark_tables.py", path], capture_output=True, text=True,
                          check=False)


def run_of(name, time, **more):
    return {"name": name, "family_index": 1, "run_type": "iteration", "cpu_time": time, "real_time": time, "time_unit": "us"} | more


class BenchmarkTables(unittest.TestCase):
    def test_medians_of_both_sides_stand_in_a_row(self):
        runs = [run_of("diffusion by D/D = 64, 1 thread/forward/fused", time, of_product=0.5, of_stream=0.1,
                       **{"FLOP/s": 4e10, "B/s": 2e9, "items_per_second": 5e7}) for time in (90, 100, 500)]
        runs += [run_of("diffusion by D/D = 64, 1 thread/forward/reference", 2000),
                 run_of("limits/copy/2 threads/real_time", 500), run_of("limits/copy/2 threads/real_time", 400),
                 run_of("limits/copy/2 threads/real_time", 600),
                 run_of("update/DistilBERT/reference", 7e6, family_index=2, **{"FLOP/s": 7.5e10}),
                 run_of("sums of rows/fused:1/words:4000", 9999, family_index=0, cpu_time=1500, of_stream=0.25, **{"B/s": 1e10}),
                 run_of("diffusion by D/D = 64, 1 thread/forward/fused_mean", 7, run_type="aggregate")]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures.json"
            path.write_text(json.dumps({"benchmarks": runs}))
            result = tables_of(path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("### Diffusion by D\n", result.stdout)
        self.assertLess(result.stdout.index("### Sums of rows"), result.stdout.index("### Diffusion by D"))
        self.assertIn("| D = 64, 1 thread, forward | 100 µs | 2.00 ms | 20.0 | 20.0 ns | 40.0 | 50 % | 2.00 | 10 % | "
                      "products |", result.stdout)
        self.assertIn("|  | fused | GB/s | of memory |\n", result.stdout)
        self.assertIn("|  | tensor operations | GFLOP/s |\n|---|---:|---:|\n| DistilBERT | 7.00 s | 75.0 |\n",
                      result.stdout)
        self.assertIn("| copy, 2 threads | 400 µs |", result.stdout)
        self.assertIn("| words = 4,000 | 1.50 ms | 10.0 | 25 % |", result.stdout)

    def test_what_holds_no_figures_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures.json"
            path.write_text('{"benchmarks": []}')
            result = tables_of(path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("figures.json: holds no figures; expected --benchmark_out", result.stderr)

    def test_reads_what_the_benchmarks_write(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures.json"
            subprocess.run([BUILD / "tests/bin/benchmarks", "--benchmark_filter=diffusion by T/T = 1/|sums of rows|copy",
                            "--benchmark_min_time=0.0001", "--benchmark_repetitions=2", f"--benchmark_out={path}",
                            "--benchmark_out_format=json"], check=True, capture_output=True)
            result = tables_of(path)
        self.assertEqual(result.returncode, 0, result.stderr)
        for text in ("### Diffusion by T", "| T = 1, forward and backward |", "### Sums of rows", "### Limits"):
            self.assertIn(text, result.stdout)


if __name__ == "__main__":
    unittest.main()
