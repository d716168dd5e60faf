// Linked into the tests of a build with sanitizers: blocks that LibTorch and the libraries below it
// never free (registries made at start, per-thread state) are none of ours.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libtorch_cpu.so\n"
         "leak:libc10.so\n"
         "leak:libgomp.so\n"
         "leak:libcudart.so\n"
         "leak:libcupti.so\n";
}
