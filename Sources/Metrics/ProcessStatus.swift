import Glibc

/// What /proc/self/stat says of the process (proc_pid_stat(5)).
struct ProcessStatus: Equatable {
  /// Time in user mode, in clock ticks.
  let userTicks: UInt64
  /// Time in kernel mode, in clock ticks.
  let systemTicks: UInt64
  /// The number of threads.
  let threads: UInt64
  /// When the process began, in clock ticks since boot.
  let startTicks: UInt64
  /// The size of the address space.
  let virtualBytes: UInt64
  /// The pages in memory.
  let residentPages: UInt64

  /// Clock ticks in a second.
  static var ticksPerSecond: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

  /// The state of the running process.
  static func read() -> ProcessStatus? { contents("/proc/self/stat", maximumBytes: 4_096).flatMap(parse) }

  /// Parses a line of /proc/PID/stat; nil if it is malformed. Its second field, the command, may hold blanks and
  /// parentheses: the last parenthesis ends it.
  static func parse(_ line: [UInt8]) -> ProcessStatus? {
    guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = line[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    // The manual counts fields from 1, and `fields` begins with the third.
    func field(_ number: Int) -> UInt64? {
      number - 3 < fields.count ? UInt64(String(decoding: fields[number - 3], as: UTF8.self)) : nil
    }
    guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
      let virtual = field(23), let resident = field(24)
    else { return nil }
    return ProcessStatus(
      userTicks: user, systemTicks: system, threads: threads, startTicks: start, virtualBytes: virtual,
      residentPages: resident)
  }

  /// When the machine was started, in Unix seconds: the line `btime` of /proc/stat.
  static func bootTime() -> Double? {
    guard let bytes = contents("/proc/stat", maximumBytes: 1 << 20) else { return nil }
    let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "btime ".utf8) }
    return line.flatMap { Double(String(decoding: $0.dropFirst("btime ".utf8.count), as: UTF8.self)) }
  }

  /// The soft limit of a resource; 2^64 - 1 if it is unlimited, as the other client libraries report it.
  static func limit(_ resource: __rlimit_resource) -> Double? {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? Double(limit.rlim_cur) : nil
  }

  /// The number of open descriptors: the size of /proc/self/fd since Linux 6.2, the number of its entries before.
  static func openDescriptors() -> Int? {
    var status = stat()
    if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Int(status.st_size) }
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    // Not counted: `.`, `..` and the descriptor of this directory.
    var count = -3
    while readdir(directory) != nil { count += 1 }
    return count
  }

  /// The first `maximumBytes` bytes of a file, or nil if it cannot be read.
  private static func contents(_ path: String, maximumBytes: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    while bytes.count < maximumBytes {
      let room = min(4_096, maximumBytes - bytes.count)
      var received = 0
      bytes.append(
        contentsOf: [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
          received = Glibc.read(descriptor, buffer.baseAddress, room)
          count = max(received, 0)
        })
      if received == 0 { return bytes }
      if received < 0, errno != EINTR { return nil }
    }
    return bytes
  }
}
