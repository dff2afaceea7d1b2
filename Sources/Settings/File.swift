import Glibc
import Reactor

/// Small files, read whole: secrets and what the kernel tells in /proc and /sys. Not for a loop that serves.
package enum File {
  /// Returns the content of a file, or nil when it cannot be read or is longer than `maximumBytes`.
  package static func read(_ path: String, maximumBytes: Int) -> [UInt8]? {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = retrying { Glibc.read(fd, &chunk, chunk.count) }
      if count == 0 { return content }
      if count < 0 { return nil }
      content += chunk[..<count]
      if content.count > maximumBytes { return nil }
    }
  }
}
