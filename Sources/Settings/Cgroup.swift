/// What the process's control group grants it: processors and memory, by cgroup v2 or v1.
///
/// A group's limits hold for everything below it, so that the least on the way to the root counts.
struct Cgroup {
  private let readFile: (String) -> [UInt8]?

  /// `readFile` returns the content of a file, or nil; tests pass a table of files.
  init(readFile: @escaping (String) -> [UInt8]?) { self.readFile = readFile }

  /// The processors that the quota amounts to, such as 1.5; nil without a quota.
  func processors() -> Double? {
    least(unified: "cpu.max", Self.unifiedQuota, controller: "cpu") { directory in
      guard let quota = number("\(directory)/cpu.cfs_quota_us"), let period = number("\(directory)/cpu.cfs_period_us"),
        quota > 0, period > 0
      else { return nil }
      return quota / period
    }
  }

  /// The bytes of memory that the group may use; nil without a limit.
  func memoryBytes() -> UInt64? {
    let limit = least(unified: "memory.max", Double.init, controller: "memory") { directory in
      // Without a limit version 1 shows the greatest multiple of a page.
      number("\(directory)/memory.limit_in_bytes").flatMap { $0 < 0x7FFF_FFFF_0000_0000 ? $0 : nil }
    }
    return limit.map { UInt64($0) }
  }

  private func least(
    unified file: String, _ parse: (String) -> Double?, controller: String, version1: (String) -> Double?
  ) -> Double? {
    var found: [Double] = []
    for line in lines("/proc/self/cgroup") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[0] == "0", parts[1].isEmpty {
        found += Self.ancestors(parts[2]).compactMap { text("/sys/fs/cgroup\($0)/\(file)").flatMap(parse) }
      } else if parts[1].split(separator: ",").contains(Substring(controller)) {
        // Inside a container the group's own directory is mounted as the root, and its path leads nowhere.
        found += Self.ancestors(parts[2]).compactMap { version1("/sys/fs/cgroup/\(controller)\($0)") }
      }
    }
    return found.min()
  }

  /// `/a/b`, `/a` and the empty path of the root.
  private static func ancestors(_ path: Substring) -> [Substring] {
    var ancestors: [Substring] = []
    var rest = path.last == "/" ? path.dropLast() : path
    while let slash = rest.lastIndex(of: "/") {
      ancestors.append(rest)
      rest = rest[..<slash]
    }
    return ancestors + [""]
  }

  /// `max 100000` or `150000 100000`: microseconds of every period.
  private static func unifiedQuota(_ text: String) -> Double? {
    let parts = text.split(separator: " ").map { Double($0) }
    guard parts.count == 2, let quota = parts[0], let period = parts[1], period > 0 else { return nil }
    return quota / period
  }

  private func number(_ path: String) -> Double? { text(path).flatMap { Double($0) } }

  private func text(_ path: String) -> String? { lines(path).first.map { String($0) } }

  private func lines(_ path: String) -> [Substring] {
    String(decoding: readFile(path) ?? [], as: UTF8.self).split(separator: "\n")
  }
}
