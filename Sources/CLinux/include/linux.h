// The Linux calls that Glibc's Swift module does not export. Headers only.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// Declared here rather than by _GNU_SOURCE, under which fd_set would differ from the one in Glibc's Swift module.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern void *memmem(const void *haystack, size_t haystackLength, const void *needle, size_t needleLength);
extern pid_t gettid(void);
extern int pthread_setname_np(pthread_t thread, const char *name);

/// epoll_ctl(2) with the 64 bits of user data given by value: the union is awkward to fill from Swift.
static inline int linux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return epoll_ctl(epoll, operation, fd, &event);
}

/// The user data of the event at `index`.
static inline uint64_t linux_epoll_data(const struct epoll_event *events, int index) { return events[index].data.u64; }

/// The event mask of the event at `index`.
static inline uint32_t linux_epoll_mask(const struct epoll_event *events, int index) { return events[index].events; }
