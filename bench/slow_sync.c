// Preloaded into ventilator and sink: every fdatasync takes EOLE_SYNC_US microseconds longer, as on
// a disk that is slower than this machine's.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const int result = real(fd);
  const char* pause = getenv("EOLE_SYNC_US");
  if (pause != NULL) usleep((useconds_t)atoi(pause));
  return result;
}
