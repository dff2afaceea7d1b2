#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"

enum { TIME_BYTES = 24 };
static const char mark[TIME_BYTES + 1] = "@@@@@@@@@@@@@@@@@@@@@@@@";

static void find_places(struct template *t) {
  const char *at = t->bytes, *end = t->bytes + t->length;
  while ((at = memmem(at, (size_t)(end - at), mark, TIME_BYTES))) {
    t->places = realloc(t->places, (t->place_count + 1) * sizeof *t->places);
    if (!t->places) die("realloc");
    t->places[t->place_count++] = (size_t)(at - t->bytes);
    at += TIME_BYTES;
  }
}

// The file holds requests, each terminated by a zero byte.
struct template *read_templates(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  struct template *all = NULL;
  *count = 0;
  for (;;) {
    char *bytes = NULL;
    size_t room = 0;
    ssize_t length = getdelim(&bytes, &room, 0, file);
    if (length <= 1) break;
    all = realloc(all, (*count + 1) * sizeof *all);
    if (!all) die("realloc");
    all[*count] = (struct template){.bytes = bytes, .length = (size_t)length - 1};
    all[*count].closes = strstr(bytes, "\r\nConnection: close\r\n") != NULL;
    find_places(&all[(*count)++]);
  }
  fclose(file);
  if (*count == 0) die("no requests");
  return all;
}

static void put(char *at, unsigned value, int digits) {
  while (digits--) {
    at[digits] = (char)('0' + value % 10);
    value /= 10;
  }
}

// Writes times one millisecond apart into a copy of the request.
void stamp(struct template *t, char *copy, uint64_t *unix_ms) {
  static time_t second = -1;
  static char text[TIME_BYTES + 8];
  for (size_t i = 0; i < t->place_count; i++, ++*unix_ms) {
    time_t s = (time_t)(*unix_ms / 1000);
    if (s != second) {
      struct tm parts;
      gmtime_r(&s, &parts);
      strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
      second = s;
    }
    memcpy(copy + t->places[i], text, TIME_BYTES);
    put(copy + t->places[i] + 20, (unsigned)(*unix_ms % 1000), 3);
  }
}
