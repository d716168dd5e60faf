// Preloaded into the program: a file system without links, locks and folder sync, as vfat, some
// network and many FUSE ones are.

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

extern "C" int symlink(const char*, const char*) {
  errno = EPERM;
  return -1;
}

extern "C" int flock(int, int) {
  errno = ENOLCK;
  return -1;
}

extern "C" int fsync(int file) {
  struct stat status {};
  if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = EINVAL;
    return -1;
  }
  using Sync = int (*)(int);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, "fsync"))(file);
}
