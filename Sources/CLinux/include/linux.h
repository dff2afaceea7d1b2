// The Linux calls that Glibc's Swift module does not export. Headers only.
#pragma once

#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// Declared here instead of by _GNU_SOURCE, which would make fd_set differ from the one in Glibc's Swift module.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern void *memmem(const void *haystack, size_t haystackLength, const void *needle, size_t needleLength);
extern pid_t gettid(void);
extern int pidfd_open(pid_t pid, unsigned int flags);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int sched_getaffinity(pid_t pid, size_t size, void *mask);

/// Calls epoll_ctl(2) with 64 bits of user data by value: the union is awkward to fill from Swift.
static inline int linux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(epoll, operation, fd, &event);
}

/// The user data of the event at `index`.
static inline uint64_t linux_epoll_data(const struct epoll_event *events, int index) { return events[index].data.u64; }

/// The event mask of the event at `index`.
static inline uint32_t linux_epoll_mask(const struct epoll_event *events, int index) { return events[index].events; }

/// Has the allocator mmap allocations of at least this size, so that freeing them returns the memory to the system.
/// Without a fixed threshold it would raise its own with each such allocation, and keep what is below.
static inline void linux_map_allocations_from(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }

/// The number of processors the calling thread may run on (sched_getaffinity(2)); -1 if the kernel does not say.
static inline int linux_affinity_count(void) {
  unsigned long mask[1024 / sizeof(unsigned long)] = {0};
  if (sched_getaffinity(0, sizeof mask, mask) != 0) return -1;
  int count = 0;
  for (size_t index = 0; index < sizeof mask / sizeof *mask; index++) count += __builtin_popcountl(mask[index]);
  return count;
}
