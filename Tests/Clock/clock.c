// Puts a process's calendar off by CLOCK_OFFSET_SECONDS, as on a machine whose clock is wrong. By LD_PRELOAD.
//
// Durations are measured by other clocks and stay right. (libfaketime moves the environment, next to which Swift looks
// for its arguments.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int Read(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *time) {
  static Read *_Atomic read;
  Read *known = read;
  if (known == NULL) read = known = (Read *)dlsym(RTLD_NEXT, "clock_gettime");
  int result = known(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) {
    const char *offset = getenv("CLOCK_OFFSET_SECONDS");
    if (offset != NULL) time->tv_sec += atol(offset);
  }
  return result;
}
