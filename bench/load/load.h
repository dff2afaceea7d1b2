// A cheap load generator: one thread, epoll, prepared requests.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t now_ns(void);
_Noreturn void die(const char *what);

// template.c: a request with placeholders for times, which are new each time it is sent.
struct template {
  char *bytes;
  size_t length;
  size_t *places;  // offsets of RFC 3339 times with milliseconds, 24 bytes each
  size_t place_count;
  bool closes;  // it asks the server to close; not every server repeats that
};
struct template *read_templates(const char *path, size_t *count);
void stamp(struct template *t, char *copy, uint64_t *unix_ms);

// response.c: finds the ends of responses in a stream of bytes.
struct response {
  enum { IN_HEAD, IN_BODY, IN_CHUNK_SIZE, IN_CHUNK, IN_TRAILER } state;
  char head[8192];  // an incomplete head, or line of a chunk
  size_t held;
  size_t left;  // bytes of the body or chunk still to come
  int status;
  bool closes;
};
// Takes bytes from `*bytes` up to the end of one response: 1 at its end, 0 if more is needed, -1 if it is malformed.
int take_response(struct response *r, const char **bytes, size_t *length);

// histogram.c: latencies in nanoseconds, to a precision of 1 in 64.
void record(uint64_t ns);
void record_waiting(uint64_t ns);  // of a request without an answer at the end: only the largest counts it
void clear_histogram(void);
double quantile_us(double share);
double mean_us(void);
double largest_us(void);

// cpu.c: a process's CPU time, all threads together, in nanoseconds.
uint64_t cpu_ns(int pid);
