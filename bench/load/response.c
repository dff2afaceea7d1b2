#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

// Moves bytes into `head` up to and including `end`. Returns the offset after it, 0 if more is needed, -1 if it is too
// long.
static long hold_until(struct response *r, const char *end, const char **bytes, size_t *length) {
  size_t end_length = strlen(end), before = r->held;
  size_t count = sizeof r->head - r->held < *length ? sizeof r->head - r->held : *length;
  memcpy(r->head + r->held, *bytes, count);
  size_t from = before < end_length ? 0 : before - end_length + 1;
  char *found = memmem(r->head + from, before + count - from, end, end_length);
  if (!found) {
    r->held += count;
    *bytes += count;
    *length -= count;
    return r->held == sizeof r->head ? -1 : 0;
  }
  size_t used = (size_t)(found - r->head) + end_length;
  *bytes += used - before;
  *length -= used - before;
  r->held = 0;
  return (long)used;
}

static bool starts(const char *line, const char *name) { return strncasecmp(line, name, strlen(name)) == 0; }

// Parses what matters of a head: status, length or chunked, whether the connection closes.
static int read_head(struct response *r, size_t length) {
  if (length < 16 || memcmp(r->head, "HTTP/1.", 7) != 0) return -1;
  r->status = atoi(r->head + 9);
  r->left = 0;
  r->closes = false;
  r->state = IN_BODY;
  bool framed = r->status == 204 || r->status == 304;
  const char *line = r->head, *end = r->head + length;
  while ((line = memchr(line, '\n', (size_t)(end - line))) && ++line < end) {
    char first = *line | 0x20;
    if (first == 'c' && starts(line, "content-length:")) {
      r->left = strtoul(line + 15, NULL, 10);
      framed = true;
    } else if (first == 'c' && starts(line, "connection: close")) {
      r->closes = true;
    } else if (first == 't' && starts(line, "transfer-encoding: chunked")) {
      r->state = IN_CHUNK_SIZE;
      framed = true;
    }
  }
  return framed ? 0 : -1;
}

static bool skip(struct response *r, const char **bytes, size_t *length) {
  size_t count = r->left < *length ? r->left : *length;
  *bytes += count;
  *length -= count;
  r->left -= count;
  return r->left == 0;
}

int take_response(struct response *r, const char **bytes, size_t *length) {
  for (;;) {
    long used;
    switch (r->state) {
      case IN_HEAD:
        if ((used = hold_until(r, "\r\n\r\n", bytes, length)) <= 0) return (int)used;
        if (read_head(r, (size_t)used) < 0) return -1;
        break;
      case IN_BODY:
        if (!skip(r, bytes, length)) return 0;
        r->state = IN_HEAD;
        return 1;
      case IN_CHUNK_SIZE:
        if ((used = hold_until(r, "\r\n", bytes, length)) <= 0) return (int)used;
        r->left = strtoul(r->head, NULL, 16);
        r->state = r->left == 0 ? IN_TRAILER : IN_CHUNK;
        r->left += 2;  // the line end after the data
        break;
      case IN_CHUNK:
        if (!skip(r, bytes, length)) return 0;
        r->state = IN_CHUNK_SIZE;
        break;
      case IN_TRAILER:  // no server here sends trailers: only the last line end
        if (!skip(r, bytes, length)) return 0;
        r->state = IN_HEAD;
        return 1;
    }
  }
}
