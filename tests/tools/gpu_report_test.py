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


# Tests that compute for long, and read nothing of the packed folder.
LONG_TESTS = ("MeasuredMemory", "FusedOperator", "Bf16Products", "Resume.AfterASignal", "OperationChecks", "BiasActivation",
              "KernelChoice.EveryCombination", "Trainer", "Runner")
# Next to nothing to time. Threads that wait sleep: beside other tests they would spin on the cores that all need.
QUICK = {
    "OMP_WAIT_POLICY": "passive",
    "DIFFUSE_REPORT_BUDGET": "1e-9",
    "DIFFUSE_REPORT_CASES": "--batch-size 1 --seq-len 8 --mode train",
    "DIFFUSE_REPORT_ANSWER": "8",
    "DIFFUSE_REPORT_UPDATES": "4",
    "DIFFUSE_REPORT_LAUNCHES": "agnews-diffusion",
    "DIFFUSE_REPORT_TESTS": "-" + ":".join(f"*{name}*" for name in LONG_TESTS),
    "DIFFUSE_REPORT_PEERS": "--batch 1 --seq-len 8 --mode inference --precision fp32,bf16 --rounds 1 --seconds 0.1",
}


def write_ag_news(folder):
    data = folder / "ag_news"
    data.mkdir(parents=True)
    rows = [f'"{1 + i % 4}","{word} today","the {word} number {i}"'
            for i in range(300) for word in [("war", "goal", "shares", "chip")[i % 4]]]
    (data / "train.csv").write_text("\n".join(rows) + "\n")
    (data / "test.csv").write_text("\n".join(rows[:40]) + "\n")
    (data / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")


def without_the_project(command):
    """The command where the build folder and the project's files are empty folders, if this machine lets us."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    hidden = [BUILD] + [PROJECT / name for name in ("src", "tests", "configs", "data", "scripts", "include")]
    mounts = " && ".join(f"mount -t tmpfs none '{folder}'" for folder in hidden)
    if subprocess.run([*unshare, "sh", "-c", mounts], capture_output=True, check=False).returncode != 0:
        print("gpu_report_test: no mounts here: the packed folder runs beside the build folder", file=sys.stderr)
        return command
    return [*unshare, "sh", "-c", mounts + ' && exec "$@"', "sh", *command]


def stub(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


class GpuReport(unittest.TestCase):
    def test_a_packed_folder_is_enough_for_every_part(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write_ag_news(folder / "data")
            packed = folder / "packed"
            result = run(PROJECT / "scripts/gpu_report.sh", "--pack", packed, "--build", BUILD, DIFFUSE_DATA=folder / "data")
            self.assertEqual(result.returncode, 0, result.stderr)
            files = [f.relative_to(packed) for f in packed.rglob("*") if f.is_file()]
            # Of 64 MiB, with room for AG News itself (10 MB) and for tests to come.
            self.assertLess(sum((packed / f).stat().st_size for f in files), 48_000_000)
            for name in ("data/ag_news/train.csv.gz", "data/ag_news/test.csv.gz", "peers/distilbert_step.py",
                         "tests/bin/launch_trace.gz", "tests/bin/ops_tests.gz",
                         "tests/bin/stale/libdiffuse_cuda.so", "tests/bin/foreign/libdiffuse_cuda.so"):
                self.assertIn(pathlib.Path(name), files)
            self.assertEqual((BUILD / "libexec/libdiffuse_cuda.so").exists(),
                             pathlib.Path("libexec/libdiffuse_cuda.so") in files)

            python = PROJECT / ".deps/python/bin/python"
            result = run(*without_the_project([packed / "gpu_report.sh", "--device", "cpu"]),
                         DIFFUSE_LIBTORCH=BUILT_WITH, XDG_CACHE_HOME=folder, DIFFUSE_PYTHON=python,
                         DIFFUSE_REPORT_LIMIT="800", **QUICK)
            (report,) = (packed / "reports").glob("*.md")
            text = report.read_text()
            self.assertEqual(result.returncode, 0, result.stderr + text)
            self.assertIn("  LibTorch     2.", text)
            for tests in ("device", "ops", "model", "eval", "train", "bench"):
                self.assertRegex(text, rf"\| {tests}_tests \| [1-9][0-9]* \| [0-9]+ \| 0 \|")
            self.assertIn("agnews-diffusion against DistilBERT", text)
            self.assertIn("beyond --budget", text)
            self.assertRegex(text, r"[0-9]+ checks on CPU.*, 0 wrong\.")
            self.assertRegex(text, r"\| neighbour_mix, gradient \| [0-9.]+ us \| [0-9]+ \| [0-9]+ % \| (less)? \|")
            # A CPU tells of no allocation: nothing stands beside the estimate.
            self.assertRegex(text, r"\| fp32 \| 2 \| [0-9.]+ \|  \| [0-9]+ MB \|  \| [0-9.]+ % \|")
            self.assertRegex(text, r"\| paper \| bf16 \| [0-9.]+ \| [0-9.]+ \| 17 s \(A100\) \|  \| [0-9]+ MB \|  \|")
            self.assertIn("of 300 rows", text)
            self.assertNotIn("auto", text)
            for which in ("second", "resumed"):
                for precision in ("fp32", "bf16"):
                    self.assertIn(f"- {precision}: the weights of the {which} run are those of the first one, byte by byte.", text)
            self.assertIn("| 8 tokens |", text)
            self.assertRegex(text, r"A whole answer of a warm process of `predict`.*: [0-9]+ us \(p95 [0-9]+; 2000 answers\)")
            self.assertRegex(text, r"\| agnews-diffusion \| operations \| 7[0-9](\.[0-9]+)? \|")
            self.assertRegex(text, r"\| agnews-diffusion \| reference \| [12][0-9][0-9](\.[0-9]+)? \|")
            self.assertRegex(text, r"\| a report, agnews-diffusion \| operations \|")
            parts = ["Operations", "AG News, two", "The same bytes", "Against DistilBERT", "The paper", "Launches", "An answer",
                     "Tests", "DistilBERT here"]
            places = [text.index("\n## " + part) for part in parts]
            self.assertEqual(places, sorted(places))
            (figures,) = (packed / "reports").glob("*.json")
            json_report = json.loads(figures.read_text())
            for config in ("paper", "agnews-diffusion"):
                bench = json_report["bench"][config]
                self.assertEqual([model["name"] for model in bench["models"]], [config, "DistilBERT"])
                for model in bench["cases"][0]["models"]:
                    self.assertEqual(model["tried"][0]["precision"], "fp32")
            self.assertEqual([(one["precision"], one["same"]) for one in json_report["same_bytes"]],
                             [("fp32", True)] * 2 + [("bf16", True)] * 2)
            launches = json_report["launches"]
            self.assertEqual([(one["config"], one["kernel"], one["of"]) for one in launches],
                             [("agnews-diffusion", kernel, "update") for kernel in ("operations", "reference")]
                             + [("agnews-diffusion", "operations", "report")])
            self.assertLess(launches[0]["operations"], launches[1]["operations"])
            self.assertGreater(json_report["tests"]["device_tests"]["passed"], 10)
            self.assertTrue(json_report["version"]["libtorch_found"].startswith("2."))
            self.assertEqual(sorted(json_report["epochs"]), ["bf16", "bf16_test", "fp32", "fp32_test", "paper-bf16", "paper-fp32",
                              "paper-notebook-bf16", "paper-notebook-fp32"])
            self.assertEqual(json_report["paper_rows"], 300)
            self.assertGreater(json_report["memory_estimate_bytes"]["paper-bf16"], 1000000)
            self.assertEqual(json_report["warm_predict"]["answers"], 2000)
            self.assertGreaterEqual(json_report["warm_predict"]["p95_s"], json_report["warm_predict"]["median_s"])
            self.assertEqual(json_report["epochs"]["fp32"][0]["type"], "epoch")
            self.assertIn("accuracy", json_report["epochs"]["fp32_test"])
            if python.exists():
                self.assertEqual([one["precision"] for one in json_report["peers"]], ["fp32", "bf16"])
                self.assertGreater(json_report["peers"][0]["ratio"], 0)
                self.assertIn("| inference 1 x 8 | bf16 |", text)
            else:
                self.assertIn("No Python with torch and transformers here", text)

    def test_a_packed_folder_that_is_too_large_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder) / "build"
            stub(build / "bin/diffuse", "")
            stub(build / "tests/bin/launch_trace", "")
            for name in ("device", "ops", "model", "eval", "train", "bench"):
                stub(build / f"tests/bin/{name}_tests", "")
            for name in ("libexec", "share", "tests/bin/stale", "tests/bin/foreign"):
                (build / name).mkdir(parents=True)
            with open(build / "libexec/diffuse", "wb") as large:
                large.truncate((64 << 20) + 1)
            result = run(PROJECT / "scripts/gpu_report.sh", "--pack", pathlib.Path(folder) / "packed", "--build", build,
                         DIFFUSE_DATA=folder)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("expected at most 67108864", result.stderr)
            self.assertIn("packed without AG News", result.stderr)

    def test_on_a_gpu_a_skipped_test_counts_as_failed(self):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder) / "build"
            stub(build / "bin/diffuse", 'case "$*" in "version --json") echo \'{"cuda": "driver 13.0, cuda:0 Some GPU (9.0)"}\' ;; esac\n')
            passed = 'echo "[       OK ] A.B (0 ms)"; echo "[==========] 1 test from 1 test suite ran. (0 ms total)"\n'
            for name in ("device", "model", "eval", "train", "bench"):
                stub(build / f"tests/bin/{name}_tests", f'[ "$1" = "--gtest_filter=-*WithoutADriver*" ] || exit 9\n{passed}')
            stub(build / "tests/bin/ops_tests", passed + 'echo "[  SKIPPED ] 1 test, listed below:"\n'
                                                         'echo "[  SKIPPED ] Devices/OperatorOn.Sum/cuda"\n')
            out = pathlib.Path(folder) / "reports"
            result = run(PROJECT / "scripts/gpu_report.sh", "--build", build, "--device", "cpu", "--out", out,
                         DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_DATA=folder, DIFFUSE_PYTHON="/nowhere", **QUICK)
            self.assertEqual(result.returncode, 1, result.stderr)
            (report,) = out.glob("*.md")
            self.assertIn("ops_tests skipped, though there is to be a GPU: Devices/OperatorOn.Sum/cuda.", report.read_text())
            self.assertIn("| ops_tests | 1 | 1 | 0 |", report.read_text())
            self.assertNotIn("_tests failed", report.read_text())
            self.assertIn("nothing was trained on it", report.read_text())

    def test_the_precisions_are_those_of_the_gpu_and_a_run_that_fails_ends_no_other_part(self):
        for capability, expected in (("7.5", ["fp16", "fp32"]), ("9.0", ["bf16", "fp32", "tf32"])):
            with self.subTest(capability=capability), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                write_ag_news(folder / "data")
                build = folder / "build"
                stub(build / "bin/diffuse", f"""echo "$*" >> '{folder}/calls'
case "$*" in
  "version --json") echo '{{"cuda": "driver 13.0, cuda:0 Some GPU ({capability})"}}' ;;
  *train.precision*) exit 5 ;;
esac
""")
                out = folder / "reports"
                run(PROJECT / "scripts/gpu_report.sh", "--build", build, "--device", "cuda", "--out", out,
                    DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_DATA=folder / "data", DIFFUSE_PYTHON="/nowhere", **QUICK)
                calls = (folder / "calls").read_text().split()
                asked = {call.split("=")[1] for call in calls if call.startswith("train.precision=")}
                self.assertEqual(sorted(asked), expected)
                (report,) = out.glob("*.md")
                for precision in expected:
                    self.assertIn(f"- A run in {precision} did not end", report.read_text())
                self.assertIn("Made in", report.read_text())

    def test_the_figures_stand_beside_their_targets(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)

            def tables(part):
                return run(sys.executable, PROJECT / "scripts/gpu_report_tables.py", part, work).stdout

            def ran(seconds):
                return {"precision": "bf16", "median_s": seconds, "p95_s": 2 * seconds}

            case = {"mode": "train", "batch_size": 64, "seq_len": 128,
                    "models": [{"measurements": [ran(0.0005)], "tried": []},
                               {"measurements": [ran(0.015)], "tried": [], "time_ratio": {"value": 30}, "memory_ratio": 9}]}
            bench = {"models": [{"name": "paper"}, {"name": "DistilBERT"}], "cases": [case], "sentences": [], "remarks": []}
            (work / "bench-paper.json").write_text(json.dumps(bench))
            self.assertIn("| train 64 x 128 | 0.5 ms (bf16) | ≤ 0.6 ms | 15 ms (bf16) | 30 | ≥ 20 | 9 |", tables("bench"))
            (work / "answers.json").write_text(json.dumps({"cases": [dict(case, seq_len=64)]}))
            self.assertIn("| 64 tokens | 500 us (p95 1000, bf16) | 15000 us (p95 30000, bf16) |", tables("answers"))
            self.assertIn("Target: less than 100 us.", tables("answers"))
            (work / "paper-fp32").mkdir()
            epoch = {"type": "epoch", "epoch": 1, "epoch_time_s": 9, "peak_memory_bytes": {"device_allocated": 110000000}}
            (work / "paper-fp32/metrics.jsonl").write_text(
                "\n".join(json.dumps(one) for one in (epoch, dict(epoch, epoch=2, epoch_time_s=2))))
            (work / "paper-fp32/manifest.json").write_text('{"memory_estimate_bytes": 100000000}')
            (work / "rows.txt").write_text("60000\n")
            self.assertIn("| paper | fp32 | 2.000 | 4.000 | 30 s (T4) | 110 MB | 100 MB | 1.10 |", tables("paper"))
            (work / "paper-fp32").rename(work / "fp32")
            self.assertIn("at most 0.4 s an epoch", tables("epochs"))
            self.assertIn("| fp32 | 2 | 2.000 | 110 MB | 100 MB | 1.10 |  |", tables("epochs"))

    def test_each_sanitizer_has_a_time_and_a_verdict_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            build, tools = folder / "build", folder / "tools"
            stub(build / "bin/diffuse", 'case "$*" in "version --json") echo \'{"cuda": "cuda:0 Some GPU (9.0)"}\' ;; esac\n')
            verdicts = {"found": 'case "$2" in memcheck) echo "========= Invalid read"; exit 3 ;; esac\n',
                        "late": 'case "$2" in memcheck) exec sleep 60 ;; esac\n'}
            for name, verdict in verdicts.items():
                stub(tools / "compute-sanitizer", verdict + 'echo "[  PASSED  ] $*"\n')
                out = folder / name
                result = run(PROJECT / "scripts/gpu_report.sh", "--sanitize", "--build", build, "--out", out,
                             DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_REPORT_LIMIT="2", PATH=f"{tools}:{os.environ['PATH']}")
                self.assertEqual(result.returncode, 1, result.stderr)
                (report,) = out.glob("*.md")
                text = report.read_text()
                self.assertIn("memcheck found something, or did not run." if name == "found" else "memcheck did not end in time.", text)
                self.assertNotIn("--tool racecheck found", text)
                self.assertNotIn("--tool racecheck did", text)
                self.assertRegex(text, r"PASSED  \] --tool racecheck .*--gtest_filter=\*/cuda-")

    def test_it_ends_in_time_and_says_what_did_not(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run(PROJECT / "scripts/gpu_report.sh", "--build", BUILD, "--device", "cpu", "--out", folder,
                         DIFFUSE_LIBTORCH=BUILT_WITH, DIFFUSE_DATA=folder, DIFFUSE_REPORT_LIMIT="1", DIFFUSE_PYTHON="/nowhere",
                         DIFFUSE_REPORT_TESTS="-*",
                         DIFFUSE_REPORT_CASES="--batch-size 64 --seq-len 512 --mode train")
            self.assertEqual(result.returncode, 1, result.stderr)
            (report,) = pathlib.Path(folder).glob("*.md")
            self.assertIn("- The comparison of paper.json did not end", report.read_text())

    def test_without_a_build(self):
        result = run(PROJECT / "scripts/gpu_report.sh", "--build", "/nowhere")
        self.assertEqual(result.returncode, 2)
        self.assertIn("/nowhere/bin/diffuse is not there; build first", result.stderr)
        self.assertEqual(run(PROJECT / "scripts/gpu_report.sh", "--wrong").returncode, 2)


if __name__ == "__main__":
    unittest.main()
