import CLinux
import Glibc
import Secrets
import Values

/// The machine that the server runs on, as far as configuration depends on it.
package struct Machine: Sendable {
  /// Processors that this process may keep busy: its affinity, or its control group's quota if that is less.
  package var processors: Int
  /// The memory that the machine has, in bytes.
  package var memoryBytes: UInt64
  /// The control group's memory limit in bytes; nil without one.
  package var memoryLimitBytes: UInt64?
  /// Whether standard output is a terminal.
  package var isTerminal: Bool
  /// The name that tells replicas apart.
  package var hostName: String
  /// A new random secret of 64 hexadecimal digits, for where none is configured and none is demanded.
  package var randomSecret: String

  package init(
    processors: Int, memoryBytes: UInt64 = 4 << 30, memoryLimitBytes: UInt64? = nil, isTerminal: Bool = false,
    hostName: String = "localhost",
    randomSecret: String
  ) {
    self.processors = processors
    self.memoryBytes = memoryBytes
    self.memoryLimitBytes = memoryLimitBytes
    self.isTerminal = isTerminal
    self.hostName = hostName
    self.randomSecret = randomSecret
  }

  /// This machine.
  package static func current() -> Machine {
    let cgroup = Cgroup { File.read($0, maximumBytes: RawEnvironment.maximumFileBytes) }
    return Machine(
      processors: processors(affinity: Int(linux_affinity_count()), quota: cgroup.processors()),
      memoryBytes: UInt64(sysconf(Int32(_SC_PHYS_PAGES))) * UInt64(getpagesize()),
      memoryLimitBytes: cgroup.memoryBytes(), isTerminal: isatty(STDOUT_FILENO) == 1, hostName: readHostName(),
      randomSecret: [UInt8].random(count: 32).lowerHex)
  }

  /// A quota is rounded up: a part of a processor is still worth a loop.
  static func processors(affinity: Int, quota: Double?) -> Int {
    max(1, min(max(1, affinity), quota.map { Int($0.rounded(.up)) } ?? .max))
  }

  private static func readHostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
