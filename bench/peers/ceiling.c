// The ceiling: an epoll loop that answers 200 to each empty line it reads and parses nothing else. usage: ceiling PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}";
enum { ANSWER = sizeof answer - 1, PIPELINED = 256, EVENTS = 256 };

static char answers[PIPELINED * ANSWER];

static int listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0) {
    perror("ceiling");
    exit(1);
  }
  return fd;
}

static void serve(int fd) {
  char buffer[16384];
  ssize_t count = recv(fd, buffer, sizeof buffer, 0);
  if (count <= 0) {
    close(fd);
    return;
  }
  // The loads send whole requests, so no request is split between two reads.
  size_t requests = 0;
  const char *at = buffer, *end = buffer + count;
  while ((at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) && requests < PIPELINED) {
    requests++;
    at += 4;
  }
  if (send(fd, answers, requests * ANSWER, MSG_NOSIGNAL) < 0) close(fd);
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  for (int i = 0; i < PIPELINED; i++) memcpy(answers + i * ANSWER, answer, ANSWER);
  int listening = listener(atoi(argv[1])), epoll = epoll_create1(0);
  struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.fd = listening};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd != listening) {
        serve(events[i].data.fd);
        continue;
      }
      int on = 1;
      event.data.fd = accept(listening, NULL, NULL);
      if (event.data.fd < 0) continue;
      setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
    }
  }
}
