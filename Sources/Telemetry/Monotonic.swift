import Glibc

/// The clock for deadlines of threads that block.
enum Monotonic {
  /// Milliseconds of CLOCK_MONOTONIC.
  static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
  }
}
