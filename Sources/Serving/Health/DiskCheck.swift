import Glibc
import Reactor
import Settings

/// Looks at the disk of a path. One that has little left makes the server degraded.
struct DiskCheck {
  let path: String
  /// The share that must be available, of what is used or available.
  let leastFreeShare: Double

  init(_ settings: Configuration.Health) {
    path = settings.diskPath
    leastFreeShare = settings.diskFreeShare
  }

  /// The share that is available of what is used or available, as df(1) has it: what the file system holds back is
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
