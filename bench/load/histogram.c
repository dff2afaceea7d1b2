#include <string.h>

#include "load.h"

enum { FINE_BITS = 6, FINE = 1 << FINE_BITS, COARSE = 64 - FINE_BITS };
static uint64_t counts[COARSE * FINE + FINE];
static uint64_t total, sum, largest;

static size_t slot(uint64_t ns) {
  if (ns < FINE) return ns;
  int shift = 63 - __builtin_clzll(ns) - FINE_BITS;
  return (size_t)(shift + 1) * FINE + ((ns >> shift) & (FINE - 1));
}

static uint64_t upper_end(size_t index) {
  if (index < FINE) return index;
  size_t shift = index / FINE - 1;
  return ((FINE + index % FINE + 1) << shift) - 1;
}

void record(uint64_t ns) {
  counts[slot(ns)]++;
  total++;
  sum += ns;
  if (ns > largest) largest = ns;
}

void record_waiting(uint64_t ns) {
  if (ns > largest) largest = ns;
}

void clear_histogram(void) {
  memset(counts, 0, sizeof counts);
  total = sum = largest = 0;
}

double quantile_us(double share) {
  uint64_t wanted = (uint64_t)((double)total * share), seen = 0;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    seen += counts[i];
    if (seen > wanted) return (double)(upper_end(i) < largest ? upper_end(i) : largest) / 1e3;
  }
  return (double)largest / 1e3;
}

double mean_us(void) { return total ? (double)sum / (double)total / 1e3 : 0; }

double largest_us(void) { return (double)largest / 1e3; }
