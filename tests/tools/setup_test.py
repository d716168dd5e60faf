"""scripts/setup.sh: which LibTorch it chooses and what it hands to CMake. The package manager, pip and
CMake are scripts that write down what they were asked for."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
TOOLKIT = pathlib.Path("/usr/local/cuda/bin/nvcc")
# `python3 -m venv DIR` makes DIR/bin/python, whose `-m pip install --target DIR` makes a wheel's files.
PYTHON = r"""#!/bin/bash
if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit; fi
echo "pip $*" >> "$CALLS"
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/torch/lib" "$2/torch/include" "$2/torch/share" "$2/nvidia" "$2/sympy" "$2/torch-2.dist-info"
touch "$2/torch/lib/libtorch_cpu.so" "$2/torch/lib/libtorch_cuda.so" "$2/torch/version.py"
"""
CMAKE = """#!/bin/bash
echo "cmake $*" >> "$CALLS"
"""


class SetUp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.tools = self.root / "tools"
        self.calls = self.root / "calls"
        self.project = self.root / "project"
        (self.project / "scripts").mkdir(parents=True)
        shutil.copy(PROJECT / "scripts/setup.sh", self.project / "scripts")
        self.tools.mkdir()
        self.tool("dpkg-query", "#!/bin/sh\necho 'ii '\n")
        self.tool("python3", PYTHON)
        self.tool("cmake", CMAKE)
        self.tool("nvcc", "#!/bin/sh\n")

    def tool(self, name, text):
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def run_setup(self, *arguments, **variables):
        environment = {"PATH": f"{self.tools}:/usr/sbin:/usr/bin:/sbin:/bin", "CALLS": str(self.calls),
                       "HOME": str(self.root), **variables}
        self.calls.write_text("")
        return subprocess.run([self.project / "scripts/setup.sh", *arguments], env=environment,
                              capture_output=True, text=True, check=False)

    def called(self, program):
        return [line for line in self.calls.read_text().splitlines() if line.startswith(program)]

    def test_the_slim_form_keeps_the_cpu_half_and_is_fetched_once(self):
        result = self.run_setup("--slim")
        self.assertEqual(result.returncode, 0, result.stderr)
        slim = self.project / ".deps/libtorch-cpu"
        self.assertIn("--no-deps torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85",
                      self.called("pip")[0])
        self.assertIn(f"-DDIFFUSE_LIBTORCH={slim}", self.called("cmake")[0])
        self.assertTrue((slim / "torch/lib/libtorch_cpu.so").exists())
        for gone in ("torch/lib/libtorch_cuda.so", "torch/share", "sympy"):
            self.assertFalse((slim / gone).exists(), gone)
        self.assertFalse((self.project / ".deps/pip").exists())
        self.assertEqual(self.run_setup("--slim").returncode, 0)
        self.assertEqual(self.called("pip"), [])
        self.assertEqual(len(self.called("cmake")), 2)  # configure and build, again

    def test_a_build_of_the_slim_form_stays_so_and_fetches_what_is_gone(self):
        cache = self.project / "build/release/CMakeCache.txt"
        cache.parent.mkdir(parents=True)
        cache.write_text(f"DIFFUSE_LIBTORCH:PATH={self.project}/.deps/libtorch-cpu\n")
        result = self.run_setup()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("--no-deps torch==2.11.0", self.called("pip")[0])

    def test_with_a_toolkit_the_whole_wheel(self):
        result = self.run_setup("-DDIFFUSE_WERROR=ON", CUDACXX=str(self.tools / "nvcc"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("torch==2.11.0", self.called("pip")[0])
        self.assertNotIn("--no-deps", self.called("pip")[0])
        self.assertIn(f"-DDIFFUSE_WERROR=ON -DCUDAToolkit_ROOT={self.tools.parent}", self.called("cmake")[0])
        self.assertTrue((self.project / ".deps/libtorch-cuda/sympy").exists())

    @unittest.skipIf(TOOLKIT.exists(), "a CUDA toolkit is installed here")
    def test_without_a_toolkit_the_slim_form(self):
        (self.tools / "nvcc").unlink()
        self.tool("ldconfig", "#!/bin/sh\n")
        self.assertEqual(self.run_setup().returncode, 0)
        self.assertIn("--no-deps torch==2.11.0", self.called("pip")[0])

    def test_a_libtorch_of_the_user_is_used_and_nothing_fetched(self):
        own = self.root / "own"
        own.mkdir()
        result = self.run_setup("--libtorch", own)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.called("pip"), [])
        self.assertIn(f"-DDIFFUSE_LIBTORCH={own}", self.called("cmake")[0])

    def test_no_build_stops_before_configuring(self):
        self.assertEqual(self.run_setup("--slim", "--no-build").returncode, 0)
        self.assertEqual(self.called("cmake"), [])

    def test_a_download_that_fails_leaves_nothing(self):
        self.tool("python3", PYTHON.replace('echo "pip', 'exit 1; echo "pip'))
        self.assertNotEqual(self.run_setup("--slim").returncode, 0)
        self.assertEqual(list((self.project / ".deps").iterdir()), [])
        self.assertEqual(self.called("cmake"), [])

    def test_mistakes(self):
        for arguments, message in ((("--bogus",), "unknown argument --bogus"),
                                   (("--libtorch", "/nowhere"), "/nowhere: no such folder"),
                                   (("--slim", "--libtorch", "/tmp"), "exclude each other")):
            result = self.run_setup(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(message, result.stderr)

    def test_missing_packages_without_root(self):
        self.tool("dpkg-query", "#!/bin/sh\nexit 1\n")
        self.tool("id", "#!/bin/sh\necho 1000\n")
        self.tool("sudo", "#!/bin/sh\n[ \"$1\" = env ] && shift 2\necho \"sudo $*\" >> \"$CALLS\"\n")
        result = self.run_setup("--slim", "--no-build")
        self.assertEqual(result.returncode, 0, result.stderr)
        installs = [line for line in self.called("sudo") if " install " in line]
        self.assertEqual(len(installs), 1)
        for package in ("libcli11-dev", "libbenchmark-dev", "python3-venv"):
            self.assertIn(package, installs[0])


if __name__ == "__main__":
    unittest.main()
