import Glibc
import Settings

/// What the process uses of the machine's memory.
enum ProcessMemory {
  /// Resident bytes, from /proc/self/statm; 0 when it cannot be read.
  static var residentBytes: Int {
    guard let text = File.read("/proc/self/statm", maximumBytes: 128) else { return 0 }
    let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
