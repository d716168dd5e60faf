// The loader reads a program's library path before the program's first line runs, so a program
// that links LibTorch cannot be told at run time where LibTorch is. This one links none: it works
// out where LibTorch is, says so where it is not, and becomes the real program.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr int kFailed = 1;
constexpr int kUsersMistake = 2;
constexpr std::string_view kOrigin = "@ORIGIN@";

bool holds_libtorch(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "libtorch_cpu.so", ignored);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Where this build's LibTorch was.
fs::path built_in_folder(const fs::path& own_folder) {
  const std::string_view path = DIFFUSE_LIBTORCH_PATH;
  if (path.starts_with(kOrigin)) {
    return (own_folder / path.substr(kOrigin.size() + 1)).lexically_normal();
  }
  return path;
}

/// The first folder of the library path with a LibTorch, which the loader takes before ours; empty
/// if there is none.
fs::path folder_on_library_path() {
  const std::string path = environment("LD_LIBRARY_PATH");
  std::size_t start = 0;
  while (start < path.size()) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    if (end > start && holds_libtorch(path.substr(start, end - start))) {
      return path.substr(start, end - start);
    }
    start = end + 1;
  }
  return {};
}

/// The version that a LibTorch says it is, without the "+cu130" behind it; empty where it says
/// nothing. A wheel has version.py with a line `__version__ = '2.11.0+cu130'`, a zip has
/// build-version with the number alone.
std::string libtorch_version(const fs::path& library_folder) {
  for (const char* name : {"version.py", "build-version"}) {
    std::ifstream file(library_folder / ".." / name);
    std::string line;
    while (std::getline(file, line)) {
      const bool python = name == std::string_view("version.py");
      if (python && !line.starts_with("__version__")) {
        continue;
      }
      const std::size_t first = line.find_first_of("0123456789");
      if (first == std::string::npos) {
        continue;
      }
      return line.substr(first, line.find_first_not_of("0123456789.", first) - first);
    }
  }
  return {};
}

/// The folder of libraries below `folder`, the user's DIFFUSE_LIBTORCH; empty if there is none.
fs::path library_folder_in(const fs::path& folder) {
  for (const fs::path& candidate : {folder / "lib", folder / "torch" / "lib", folder}) {
    if (holds_libtorch(candidate)) {
      return candidate;
    }
  }
  return {};
}

/// Puts `folder` before the rest of the library path.
void look_first_in(const fs::path& folder) {
  std::string path = fs::absolute(folder).string();
  const std::string old_path = environment("LD_LIBRARY_PATH");
  if (!old_path.empty()) {
    path += ":" + old_path;
  }
  setenv("LD_LIBRARY_PATH", path.c_str(), 1);
}

/// Points the loader at the user's LibTorch. Returns the exit code, 0 to go on.
int use_libtorch_of_user(const char* variable, const std::string& folder) {
  const fs::path libraries = library_folder_in(folder);
  if (libraries.empty()) {
    std::fprintf(stderr,
                 "error: %s=%s holds no lib/libtorch_cpu.so; expected the folder of "
                 "a LibTorch %s (with include/ and lib/)\n",
                 variable, folder.c_str(), DIFFUSE_LIBTORCH_VERSION);
    return kUsersMistake;
  }
  const std::string version = libtorch_version(libraries);
  if (!version.empty() && version != DIFFUSE_LIBTORCH_VERSION) {
    std::fprintf(stderr,
                 "error: %s=%s is LibTorch %s, but this diffuse was built for %s; "
                 "name one of that version or build again\n",
                 variable, folder.c_str(), version.c_str(), DIFFUSE_LIBTORCH_VERSION);
    return kUsersMistake;
  }
  look_first_in(libraries);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  static_cast<void>(argc);
  std::error_code error;
  const fs::path own_folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const std::string of_user = environment("DIFFUSE_LIBTORCH");
  if (!of_user.empty()) {
    const int code = use_libtorch_of_user("DIFFUSE_LIBTORCH", of_user);
    if (code != 0) {
      return code;
    }
  } else if (holds_libtorch(built_in_folder(own_folder))) {
    // A LibTorch that something else needs there, of any version, must not be taken for ours.
    if (!folder_on_library_path().empty()) look_first_in(built_in_folder(own_folder));
  } else if (const fs::path found = folder_on_library_path(); !found.empty()) {
    const int code = use_libtorch_of_user("LD_LIBRARY_PATH", found);
    if (code != 0) {
      return code;
    }
  } else {
    std::fprintf(stderr,
                 "error: LibTorch is not in %s any more; set DIFFUSE_LIBTORCH to the folder of a "
                 "LibTorch %s (with include/ and lib/), or build again\n",
                 built_in_folder(own_folder).c_str(), DIFFUSE_LIBTORCH_VERSION);
    return kFailed;
  }
  // OpenMP's threads spin for milliseconds while they wait. On a machine that does anything else
  // besides, they then take the core from the very thread they wait for: three to five times the
  // training time was measured beside busy processes. Threads that sleep at once cost as much on a
  // machine that does nothing else, where each of a step's hundred waits wakes a core. So: a
  // thousand turns, some tens of microseconds, and then sleep. An update of agnews-diffusion.json
  // takes 14 ms so, 23 ms where they sleep at once, 12.5 ms where they spin longer (two cores,
  // medians); beside a busy process it takes 1.3 times as long as with sleep at once, not 3 times
  // as with spinning. OpenMP reads this when it is loaded, so it must be set here; what the user
  // set stays.
  if (getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "1000", 0);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  const fs::path program = own_folder.parent_path() / "libexec" / "diffuse";
  execv(program.c_str(), argv);
  std::perror(("error: cannot start " + program.string()).c_str());
  return kFailed;
}
