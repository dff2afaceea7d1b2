import Glibc
import Reactor
import Settings

/// Checks the disk that a path is on. One that has little space left makes the server degraded.
struct DiskCheck {
  let path: String
  /// The least share that must be available of what is used or available.
  let leastFreeShare: Double

  init(_ settings: Configuration.Health) {
    path = settings.diskPath
    leastFreeShare = settings.diskFreeShare
  }

  /// Measures the available share of what is used or available, as df(1) does: what the file system holds back is
  /// neither.
  func run() -> HealthCheck {
    let start = Clock.monotonic()
    var information = statvfs()
    let isReadable = statvfs(path, &information) == 0
    let usable = information.f_blocks - information.f_bfree + information.f_bavail
    let free = isReadable && usable > 0 ? Double(information.f_bavail) / Double(usable) : 0
    // A path that cannot be looked at is not a full disk.
    var figures: [(name: StaticString, value: Double)] = []
    if isReadable { figures.append(("freeRatio", free)) }
    let end = Clock.monotonic()
    return HealthCheck(
      name: "disk", status: isReadable && free >= leastFreeShare ? .healthy : .degraded,
      latencyNanoseconds: end - start, endedAt: end, figures: figures)
  }
}
