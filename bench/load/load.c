// usage: load -f REQUESTS -o PORT [-c CONNECTIONS] [-l PIPELINED] [-w WARM-UP] [-d SECONDS] [-r REQUESTS/S] [-p PID] [-t UNIX-MS]
//
// Keeps each connection busy with its request (one from the file; if there are more requests than connections, each
// connection takes several in turn, over and over), or, with -r, sends at times fixed beforehand and counts latency
// from those times, however late a request leaves. Prints one line of JSON about the measured seconds; -p adds that
// process's CPU time in them. Any answer but 2xx is an error, and so is a lost connection.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct connection {
  int fd;
  struct template *template;
  char *batch;  // copies of the request, one for each pipelined
  size_t batch_length, sent;
  unsigned awaited;
  uint64_t unix_ms;  // the next reading's time
  uint64_t due;      // when the batch in flight was sent, or should have been
  struct response response;
};

static struct {
  const char *file;
  unsigned port, connections, pipelined;
  double warm_up, seconds, rate;
  int pid;
  uint64_t unix_ms;
} options = {.connections = 64, .pipelined = 1, .warm_up = 1, .seconds = 5};

static struct { uint64_t all, requests, bytes, bad_status, broken; } counts;
static int epoll;
static struct template *templates;
static size_t template_count;
static uint64_t interval_ns;  // between two batches of one connection; 0 without a rate

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(struct connection *c, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(epoll, operation, c->fd, &event) < 0) die("epoll_ctl");
}

static void open_connection(struct connection *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  memset(&c->response, 0, sizeof c->response);
  c->awaited = 0;
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void send_rest(struct connection *c) {
  ssize_t count = send(c->fd, c->batch + c->sent, c->batch_length - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) return;  // reading will see the close
  if (count > 0) c->sent += (size_t)count;
  if (c->sent < c->batch_length) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void fill_batch(struct connection *c) {
  c->batch_length = c->template->length * options.pipelined;
  c->batch = realloc(c->batch, c->batch_length);
  if (!c->batch) die("realloc");
  for (unsigned k = 0; k < options.pipelined; k++)
    memcpy(c->batch + k * c->template->length, c->template->bytes, c->template->length);
}

static void send_batch(struct connection *c, uint64_t due) {
  if (template_count > options.connections) {
    c->template = templates + ((size_t)(c->template - templates) + options.connections) % template_count;
    fill_batch(c);
  }
  for (unsigned i = 0; c->template->place_count && i < options.pipelined; i++)
    stamp(c->template, c->batch + i * c->template->length, &c->unix_ms);
  c->due = due;
  c->sent = 0;
  c->awaited = options.pipelined;
  send_rest(c);
}

// A connection that has all its answers sends again: at once, or when due.
static void next_batch(struct connection *c, uint64_t now) {
  if (!interval_ns) return send_batch(c, now);
  if (c->due + interval_ns <= now) send_batch(c, c->due + interval_ns);
}

static void reopen(struct connection *c, bool is_broken) {
  if (is_broken && ++counts.broken > 10000) die("too many lost connections");
  close(c->fd);
  open_connection(c);
  next_batch(c, now_ns());
}

static void receive(struct connection *c) {
  static char buffer[256 * 1024];
  ssize_t count = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return reopen(c, true);
  const char *bytes = buffer;
  size_t length = (size_t)count;
  uint64_t now = now_ns();
  counts.bytes += length;
  while (length > 0) {
    int found = c->awaited ? take_response(&c->response, &bytes, &length) : -1;
    if (found < 0) return reopen(c, true);
    if (found == 0) return;
    counts.requests++;
    if (c->response.status / 100 != 2) counts.bad_status++;
    record(now - c->due);
    c->awaited--;
    if (c->response.closes || c->template->closes) return reopen(c, false);
  }
  if (c->awaited == 0) next_batch(c, now);
}

static void turn(struct connection *all) {
  static struct epoll_event events[1024];
  int count = epoll_wait(epoll, events, 1024, interval_ns ? 1 : 100);
  if (count < 0 && errno != EINTR) die("epoll_wait");
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) {
      watch(c, EPOLL_CTL_MOD, EPOLLIN);
      send_rest(c);
    }
    if (events[i].events & ~(uint32_t)EPOLLOUT) receive(c);
  }
  if (!interval_ns) return;
  uint64_t now = now_ns();
  for (unsigned i = 0; i < options.connections; i++)
    if (all[i].awaited == 0) next_batch(&all[i], now);
}

static void run_until(struct connection *all, uint64_t end) {
  while (now_ns() < end) turn(all);
}

static struct connection *prepare(void) {
  templates = read_templates(options.file, &template_count);
  struct connection *all = calloc(options.connections, sizeof *all);
  if (!all) die("calloc");
  for (unsigned i = 0; i < options.connections; i++) {
    struct connection *c = &all[i];
    c->template = &templates[i % template_count];
    fill_batch(c);
    // Connections with the same request start an hour apart in their times: more than a run can use up.
    c->unix_ms = options.unix_ms + i / template_count * 3600000;
    open_connection(c);
  }
  return all;
}

static void read_options(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "f:o:c:l:w:d:r:p:t:")) != -1) switch (option) {
      case 'f': options.file = optarg; break;
      case 'o': options.port = (unsigned)atoi(optarg); break;
      case 'c': options.connections = (unsigned)atoi(optarg); break;
      case 'l': options.pipelined = (unsigned)atoi(optarg); break;
      case 'w': options.warm_up = atof(optarg); break;
      case 'd': options.seconds = atof(optarg); break;
      case 'r': options.rate = atof(optarg); break;
      case 'p': options.pid = atoi(optarg); break;
      case 't': options.unix_ms = strtoull(optarg, NULL, 10); break;
      default: exit(64);
    }
  if (!options.file || !options.port || !options.connections || !options.pipelined) exit(64);
  if (options.rate > 0) interval_ns = (uint64_t)(1e9 / options.rate * options.connections * options.pipelined);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  epoll = epoll_create1(0);
  struct connection *all = prepare();
  uint64_t start = now_ns();
  for (unsigned i = 0; i < options.connections; i++)
    if (interval_ns)
      all[i].due = start + interval_ns * i / options.connections - interval_ns;  // spread over the interval
    else
      send_batch(&all[i], start);
  run_until(all, start + (uint64_t)(options.warm_up * 1e9));
  counts.all = counts.requests;
  counts.requests = counts.bytes = 0;
  clear_histogram();
  uint64_t cpu = cpu_ns(options.pid), measured = now_ns();
  run_until(all, measured + (uint64_t)(options.seconds * 1e9));
  uint64_t end = now_ns();
  double seconds = (double)(end - measured) / 1e9;
  cpu = cpu_ns(options.pid) - cpu;
  for (unsigned i = 0; i < options.connections; i++)
    if (all[i].awaited) record_waiting(end - all[i].due);
  printf("{\"requests\": %lu, \"all_requests\": %lu, \"seconds\": %.3f, \"bytes\": %lu, \"bad_status\": %lu, ", counts.requests,
         counts.all + counts.requests, seconds, counts.bytes, counts.bad_status);
  printf("\"broken\": %lu, \"mean_us\": %.1f, \"p50_us\": %.1f, \"p95_us\": %.1f, ", counts.broken, mean_us(),
         quantile_us(0.5), quantile_us(0.95));
  printf("\"p99_us\": %.1f, \"max_us\": %.1f, \"cpu_ns\": %lu}\n", quantile_us(0.99), largest_us(), cpu);
  return 0;
}
