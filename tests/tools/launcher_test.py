"""bin/diffuse: finds LibTorch where it was, where DIFFUSE_LIBTORCH says, and says so where it is not.
The program behind it is replaced by a script that shows what it was given."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

PROJECT = pathlib.Path(sys.argv.pop())
BUILD = pathlib.Path(os.environ["DIFFUSE_BUILD"])
BUILT_WITH = pathlib.Path(os.environ["DIFFUSE_BUILT_WITH"])


class Launcher(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name).resolve()
        for name in ("bin", "libexec"):
            (self.root / name).mkdir()
        shutil.copy2(BUILD / "bin/diffuse", self.root / "bin/diffuse")
        program = self.root / "libexec/diffuse"
        program.write_text('#!/bin/sh\necho "path=$LD_LIBRARY_PATH"\nfor a in "$@"; do echo "arg=$a"; done\nexit 7\n')
        program.chmod(0o755)

    def start(self, *arguments, **variables):
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("DIFFUSE_LIBTORCH", "LD_LIBRARY_PATH")}
        environment.update({k: str(v) for k, v in variables.items()})
        return subprocess.run([self.root / "bin/diffuse", *arguments], env=environment,
                              capture_output=True, text=True, check=False)

    def libtorch(self, folder, version=None):
        (self.root / folder).mkdir(parents=True)
        (self.root / folder / "libtorch_cpu.so").touch()
        if version:
            (self.root / folder).parent.joinpath("version.py").write_text(
                f"from typing import Optional\n__version__ = '{version}+cu130'\n")
        return self.root / folder

    def version(self):
        for line in (BUILT_WITH / "version.py").read_text().splitlines():
            if line.startswith("__version__"):
                return line.split("'")[1].split("+")[0]
        return None

    def test_arguments_and_exit_code_pass_through(self):
        result = self.start("a b", "--c=*", "", DIFFUSE_LIBTORCH=BUILT_WITH)
        self.assertEqual(result.returncode, 7, result.stderr)
        self.assertEqual(result.stdout.splitlines()[1:], ["arg=a b", "arg=--c=*", "arg="])

    def test_waiting_threads_sleep_soon_unless_told_otherwise(self):
        program = self.root / "libexec/diffuse"
        program.write_text('#!/bin/sh\necho "$OMP_WAIT_POLICY $GOMP_SPINCOUNT"\n')
        for given, expected in (({}, "passive 1000"), ({"GOMP_SPINCOUNT": "5"}, "passive 5"),
                                ({"OMP_WAIT_POLICY": "active"}, "active ")):
            unset = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
            with unittest.mock.patch.dict(os.environ, unset, clear=True):
                result = self.start(DIFFUSE_LIBTORCH=BUILT_WITH, **given)
            self.assertEqual(result.stdout, expected + "\n")

    def test_every_form_of_the_folder(self):
        for form in ("zip/lib", "wheel/torch/lib", "plain"):
            libraries = self.libtorch(form)
            given = self.root / form.split("/")[0]
            result = self.start(DIFFUSE_LIBTORCH=given, LD_LIBRARY_PATH="/elsewhere")
            self.assertEqual(result.returncode, 7, result.stderr)
            self.assertEqual(result.stdout, f"path={libraries}:/elsewhere\n")

    def test_folder_without_libtorch(self):
        result = self.start(DIFFUSE_LIBTORCH=self.root)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"DIFFUSE_LIBTORCH={self.root} holds no lib/libtorch_cpu.so", result.stderr)

    def test_another_version(self):
        self.libtorch("old/lib", "2.1.0")
        result = self.start(DIFFUSE_LIBTORCH=self.root / "old")
        self.assertEqual(result.returncode, 2)
        self.assertIn("is LibTorch 2.1.0, but this diffuse was built for", result.stderr)

    @unittest.skipUnless((BUILT_WITH / "version.py").exists(), "a LibTorch without version.py")
    def test_the_same_version(self):
        self.libtorch("same/lib", self.version())
        self.assertEqual(self.start(DIFFUSE_LIBTORCH=self.root / "same").returncode, 7)

    @unittest.skipUnless(BUILT_WITH.is_relative_to(PROJECT.resolve()), "built with an absolute path")
    def test_moved_away_from_libtorch(self):
        result = self.start()
        self.assertEqual(result.returncode, 1)
        self.assertIn("LibTorch is not in", result.stderr)
        self.assertIn("set DIFFUSE_LIBTORCH", result.stderr)

    def test_on_the_library_path_anyway(self):
        libraries = self.libtorch("anywhere")
        result = self.start(LD_LIBRARY_PATH=f"/nowhere:{libraries}")
        self.assertEqual(result.stdout, f"path={libraries}:/nowhere:{libraries}\n", result.stderr)

    def test_another_version_on_the_library_path(self):
        libraries = self.libtorch("old/lib", "2.1.0")
        result = self.start(LD_LIBRARY_PATH=libraries)
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"LD_LIBRARY_PATH={libraries} is LibTorch 2.1.0", result.stderr)

    @unittest.skipUnless(BUILT_WITH.is_relative_to(PROJECT.resolve()), "built with an absolute path")
    def test_its_own_comes_before_another_on_the_library_path(self):
        other = self.libtorch("other", "2.1.0")
        own = (self.root / "bin" / os.path.relpath(BUILT_WITH / "lib", BUILD / "bin")).resolve()
        own.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, own)
        (own / "libtorch_cpu.so").touch()
        result = self.start(LD_LIBRARY_PATH=other)
        self.assertEqual(result.stdout, f"path={own}:{other}\n", result.stderr)

    def test_program_missing(self):
        (self.root / "libexec/diffuse").unlink()
        result = self.start(DIFFUSE_LIBTORCH=BUILT_WITH)
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot start", result.stderr)
        self.assertIn("libexec/diffuse", result.stderr)


if __name__ == "__main__":
    unittest.main()
