"""Which LibTorch the configuration takes, and what it says of others. The folders are made up."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()


class LibTorch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def libtorch(self, version, header="include/torch/headeronly/version.h", libraries=()):
        folder = self.root / "libtorch"
        shutil.rmtree(folder, ignore_errors=True)
        for path in ("include/ATen/ATen.h", header, "include/torch/csrc/api/include/readme", "lib/readme"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
        names = zip(("MAJOR", "MINOR", "PATCH"), version.split("."))
        (folder / header).write_text("".join(f"#define TORCH_VERSION_{name} {number}\n" for name, number in names))
        for library in libraries:
            (folder / "lib" / library).touch()
        return folder

    def configure(self, libtorch):
        result = subprocess.run(
            ["cmake", "-S", PROJECT, "-B", self.root / "build", "-G", "Ninja", "-DDIFFUSE_CUDA=OFF", "-DBUILD_TESTING=OFF",
             f"-DDIFFUSE_LIBTORCH={libtorch}"], capture_output=True, text=True, check=False)
        return result.returncode, " ".join(result.stderr.split()), result.stdout

    def test_versions(self):
        whole = ("libc10.so", "libtorch_cpu.so")
        before_2_10 = "include/torch/csrc/api/include/torch/version.h"
        for version, header, good in (("2.5.1", before_2_10, False), ("2.6.0", before_2_10, True),
                                      ("2.11.0", "include/torch/headeronly/version.h", True), ("3.0.0", None, False)):
            with self.subTest(version):
                folder = self.libtorch(version, header or "include/torch/headeronly/version.h", whole)
                code, errors, output = self.configure(folder)
                if good:
                    self.assertEqual(code, 0, errors)
                    self.assertIn(f"  LibTorch     {version} in {folder}\n", output)
                else:
                    self.assertNotEqual(code, 0)
                    self.assertIn(f"LibTorch {version} in {folder}: 2.6 or later 2.x is needed", errors)

    def test_an_incomplete_one_is_named_by_what_is_missing(self):
        folder = self.libtorch("2.11.0", libraries=("libc10.so",))
        code, errors, _ = self.configure(folder)
        self.assertNotEqual(code, 0)
        self.assertIn(f"{folder}/lib/libtorch_cpu.so is missing: an incomplete LibTorch", errors)
        self.assertIn("Run scripts/setup.sh again", errors)

    def test_none(self):
        code, errors, _ = self.configure(self.root)
        self.assertNotEqual(code, 0)
        self.assertIn(f"LibTorch not found in {self.root}. Run scripts/setup.sh", errors)


if __name__ == "__main__":
    unittest.main()
