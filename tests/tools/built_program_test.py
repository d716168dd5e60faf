"""The built program: what it links, and a build folder that was moved to another place."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"])
BUILT_WITH = pathlib.Path(os.environ["DIFFUSE_BUILT_WITH"]).resolve()

# LibTorch, CUDA, OpenMP, the C and C++ runtimes, and the sanitizers of a build with these.
ALLOWED = re.compile(
    r"linux-vdso|ld-linux|lib(torch|torch_cpu|c10|shm)\b|lib(cudart|cupti)\b|libgomp\b"
    r"|lib(stdc\+\+|gcc_s|c|m|rt|dl|pthread|util)\.so|lib(asan|ubsan|lsan|tsan)\.so")


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Version(unittest.TestCase):
    def test_prints_the_block_of_the_configuration(self):
        block = (BUILD / "generated/summary.txt").read_text()
        for line in ("LibTorch", "CUDA module", "Compiler", "Checks", "Tests        yes"):
            self.assertIn(f"\n  {line}", "\n" + block)
        self.assertIn("\n" + block + "found here\n", output_of(BUILD / "bin/diffuse", "version"))


class Linkage(unittest.TestCase):
    def test_only_libtorch_cuda_openmp_and_the_runtimes(self):
        for program in ("bin/diffuse", "libexec/diffuse"):
            for line in output_of("ldd", BUILD / program).splitlines():
                name = pathlib.PurePath(line.split()[0]).name
                self.assertRegex(name, ALLOWED, f"{program}: {line.strip()}")
                self.assertNotIn("not found", line, program)

    @unittest.skipUnless(BUILT_WITH.is_relative_to(PROJECT), "built with a LibTorch elsewhere")
    @unittest.skipUnless(shutil.which("readelf"), "no readelf here")
    def test_the_path_to_libtorch_is_relative(self):
        found = re.findall(r"R(?:UN)?PATH\)\s.*\[(.*)\]", output_of("readelf", "-d", BUILD / "libexec/diffuse"))
        self.assertEqual(len(found), 1)
        for folder in found[0].split(":"):
            self.assertTrue(folder.startswith("$ORIGIN"), folder)


class MovedBuild(unittest.TestCase):
    def test_trains_by_its_own_configs_with_libtorch_named(self):
        with tempfile.TemporaryDirectory() as folder:
            moved = pathlib.Path(folder).resolve() / "moved"
            for part in ("bin", "libexec", "share"):
                shutil.copytree(BUILD / part, moved / part)
            data = moved / "mine.csv"
            data.write_text("".join(f"{label},{label} {n}\n" for n in range(20) for label in ("sun", "rain")))
            environment = {k: v for k, v in os.environ.items() if k not in ("DIFFUSE_CONFIGS", "LD_LIBRARY_PATH")}
            environment.update(DIFFUSE_LIBTORCH=str(BUILT_WITH), XDG_CACHE_HOME=folder)
            result = subprocess.run(
                [moved / "bin/diffuse", "train", "--config", "r8.json", "--train", data, "--test", data,
                 "--set", "data.labels=", "--set", "train.length=4u", "--set", "train.warmup=1u",
                 "--set", "model.dim=8", "--threads", "1", "--device", "cpu", "--out", moved / "run"],
                cwd=folder, env=environment, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("test accuracy", result.stdout)


if __name__ == "__main__":
    unittest.main()
