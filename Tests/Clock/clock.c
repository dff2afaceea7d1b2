// LD_PRELOAD library that sets a process's clock off by CLOCK_OFFSET_SECONDS, like a machine with a wrong clock. If
// CLOCK_OFFSET_FILE names a file with a 64-bit number, that is added, in seconds: writing to it steps the clock.
//
// Durations are measured by other clocks and stay right. (libfaketime moves the environment, next to which Swift looks
// for its arguments.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

typedef int Read(clockid_t, struct timespec *);

static const volatile int64_t *steps;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("CLOCK_OFFSET_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *steps, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) steps = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static Read *_Atomic read;
  Read *known = read;
  if (known == NULL) read = known = (Read *)dlsym(RTLD_NEXT, "clock_gettime");
  int result = known(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) {
    const char *offset = getenv("CLOCK_OFFSET_SECONDS");
    if (offset != NULL) time->tv_sec += atol(offset);
    if (steps != NULL) time->tv_sec += *steps;
  }
  return result;
}
