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
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# `python3 -m venv DIR` makes DIR/bin/python, whose `-m pip install --target DIR` makes a wheel's files and
# whose `-c` says where packages go or writes down what was to be run.
PYTHON = r"""#!/bin/bash
if [ "$2" = venv ]; then mkdir -p "$3/bin" "$3/site"; cp "$0" "$3/bin/python"; exit; fi
if [ "$1" = -c ]; then
  if [[ $2 == *purelib* ]]; then echo "${0%/bin/python}/site"; else echo "python $2" >> "$CALLS"; fi
  exit
fi
echo "pip $*" >> "$CALLS"
[[ " $* " == *" --target "* ]] || exit 0
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/torch/lib" "$2/torch/include" "$2/torch/share" "$2/nvidia/cu13/lib" "$2/sympy" "$2/torch-2.dist-info"
touch "$2/torch/lib/libtorch_cpu.so" "$2/torch/lib/libtorch_cuda.so" "$2/torch/version.py"
"""
CMAKE = """#!/bin/bash
echo "cmake $*" >> "$CALLS"
"""
# Names the driver's library first and then more than a pipe takes.
DRIVER = r"""#!/bin/bash
echo "libcuda.so.1 (libc6,x86-64) => /usr/lib/libcuda.so.1"
yes "libother.so (libc6,x86-64) => /usr/lib/libother.so" | head -n 9000
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
        environment = {"PATH": f"{self.tools}:{SYSTEM_PATH}", "CALLS": str(self.calls), "HOME": str(self.root),
                       "CUDA_HOME": "/nowhere", **variables}
        self.calls.write_text("")
        return subprocess.run([self.project / "scripts/setup.sh", *arguments], env=environment,
                              capture_output=True, text=True, check=False)

    def without_toolkit(self, ldconfig):
        if shutil.which("nvcc", path=SYSTEM_PATH):
            self.skipTest("nvcc is among the system's own programs here")
        (self.tools / "nvcc").unlink()
        self.tool("ldconfig", ldconfig)

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

    def test_a_toolkit_by_cuda_home(self):
        self.without_toolkit("#!/bin/sh\n")
        (self.root / "cuda/bin").mkdir(parents=True)
        shutil.copy(self.tools / "cmake", self.root / "cuda/bin/nvcc")
        result = self.run_setup(CUDA_HOME=str(self.root / "cuda"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"-DCUDAToolkit_ROOT={self.root}/cuda", self.called("cmake")[0])

    def test_without_a_toolkit_the_slim_form(self):
        self.without_toolkit("#!/bin/sh\n")
        self.assertEqual(self.run_setup().returncode, 0)
        self.assertIn("--no-deps torch==2.11.0", self.called("pip")[0])

    def test_a_driver_without_a_toolkit_fetches_the_compiler_too(self):
        self.without_toolkit(DRIVER)
        result = self.run_setup()
        self.assertEqual(result.returncode, 0, result.stderr)
        full = self.project / ".deps/libtorch-cuda"
        self.assertEqual(len(self.called("pip")), 1)
        self.assertTrue(self.called("pip")[0].endswith(
            " torch==2.11.0 nvidia-cuda-nvcc==13.0.* nvidia-cuda-crt==13.0.* nvidia-nvvm==13.0.*"))
        self.assertNotIn("--no-deps", self.called("pip")[0])
        self.assertTrue(self.called("cmake")[0].endswith(f" -DCUDAToolkit_ROOT={full}/nvidia/cu13"))
        self.assertEqual(os.readlink(full / "nvidia/cu13/lib/libcudart.so"), "libcudart.so.13")
        self.assertNotIn("building for the CPU", result.stderr)
        self.assertEqual(self.run_setup().returncode, 0)
        self.assertEqual(self.called("pip"), [])
        self.assertTrue(self.called("cmake")[0].endswith(f" -DCUDAToolkit_ROOT={full}/nvidia/cu13"))
        # A toolkit installed later is used; the LibTorch stays.
        result = self.run_setup(CUDACXX=str(self.tools / "cmake"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.called("pip"), [])
        self.assertTrue(self.called("cmake")[0].endswith(f" -DCUDAToolkit_ROOT={self.root}"))

    def test_a_driver_and_no_compiler_to_be_had_gives_the_slim_form(self):
        self.without_toolkit(DRIVER)
        no_nvcc = PYTHON.replace("[[ ", '[[ $* != *nvcc* ]] || { mkdir -p "${@: -5:1}"; exit 1; }\n[[ ')
        no_folder = PYTHON.replace("/cu13", "")  # of another layout: no place for libcudart.so
        for name, python in (("download", no_nvcc), ("layout", no_folder)):
            with self.subTest(name):
                self.tool("python3", python)
                result = self.run_setup()
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("there is an NVIDIA driver, but no CUDA toolkit (nvcc), and none could be fetched",
                              result.stderr)
                self.assertIn("Install the toolkit and run scripts/setup.sh again for --device cuda", result.stderr)
                self.assertEqual([("nvcc" in call, "--no-deps" in call) for call in self.called("pip")],
                                 [(True, False), (False, True)])
                self.assertEqual([path.name for path in (self.project / ".deps").iterdir()], ["libtorch-cpu"])
                self.assertEqual(self.called("cmake")[0], "cmake --preset release")
                shutil.rmtree(self.project / ".deps")

    def test_python_uses_the_torch_that_is_there_and_is_made_once(self):
        result = self.run_setup("--python", "--no-build")
        self.assertEqual(result.returncode, 0, result.stderr)
        environment = self.project / ".deps/python"
        fetching, installing = self.called("pip")
        self.assertIn("--target", fetching)
        self.assertTrue(installing.endswith(
            "install --quiet transformers tokenizers safetensors tensorboard numpy jsonschema xxhash"))
        self.assertEqual((environment / "site/torch-local.pth").read_text(), f"{self.project}/.deps/libtorch-cuda\n")
        self.assertEqual(len(self.called("python import torch, transformers")), 1)
        again = self.run_setup("--python", "--no-build")
        self.assertEqual((again.returncode, again.stderr, self.calls.read_text()), (0, "", ""))
        # Without the LibTorch that it links it is not whole any more.
        shutil.rmtree(self.project / ".deps/libtorch-cuda")
        self.assertEqual(self.run_setup("--python", "--slim", "--no-build").returncode, 0)
        self.assertTrue(self.called("pip")[-1].endswith("jsonschema xxhash torch==2.11.0"))

    def test_python_beside_the_slim_form_has_a_torch_of_its_own(self):
        result = self.run_setup("--python", "--slim", "--no-build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.called("pip")[-1].endswith("jsonschema xxhash torch==2.11.0"))
        self.assertEqual(self.run_setup("--python", "--slim", "--no-build").returncode, 0)
        self.assertEqual(self.calls.read_text(), "")
        self.assertFalse((self.project / ".deps/python/site/torch-local.pth").exists())

    def test_without_python_no_environment(self):
        self.assertEqual(self.run_setup("--no-build").returncode, 0)
        self.assertFalse((self.project / ".deps/python").exists())

    def test_python_that_is_not_whole_is_said_and_tried_again(self):
        self.tool("python3", PYTHON.replace('echo "python $2"', 'exit 1; echo "python $2"'))
        for _ in range(2):
            result = self.run_setup("--python", "--slim", "--no-build")
            self.assertEqual(result.returncode, 1)
            self.assertIn(".deps/python is not whole; delete it and run again", result.stderr)
            self.assertIn("torch==2.11.0", self.called("pip")[-1])

    def test_peers_are_fetched_once(self):
        self.tool("python3", PYTHON.replace("  exit\n", '  [[ $2 != *sklearn* || -e $CALLS.there ]]; exit\n', 1).replace(
            '[[ " $* " == *" --target', '[[ $* != *scikit-learn* ]] || touch "$CALLS.there"\n[[ " $* " == *" --target'))
        self.tool("dpkg-query", '#!/bin/sh\n[ "$4" != fasttext ] || [ -e "$CALLS.there" ] && echo "ii "\n')
        self.tool("id", "#!/bin/sh\necho 1000\n")
        self.tool("sudo", '#!/bin/sh\necho "sudo $*" >> "$CALLS"\n')
        result = self.run_setup("--peers", "--slim", "--no-build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.called("sudo")[-1].endswith("--no-install-recommends fasttext"))
        self.assertTrue(self.called("pip")[-1].endswith("install --quiet scikit-learn"))
        again = self.run_setup("--peers", "--slim", "--no-build")
        self.assertEqual((again.returncode, self.called("sudo"), self.called("pip")), (0, [], []), again.stderr)

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
