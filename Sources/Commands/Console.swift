import Glibc

/// Where a command writes what it has to say.
package struct Console: Sendable {
  /// Writes a result, as it is.
  package let write: @Sendable (String) -> Void
  /// Writes a complaint, as it is.
  package let complain: @Sendable (String) -> Void

  package init(write: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void) {
    self.write = write
    self.complain = complain
  }

  /// Standard output and standard error.
  package static let standard = Console(
    write: { writeAll($0, STDOUT_FILENO) }, complain: { writeAll($0, STDERR_FILENO) })

  private static func writeAll(_ text: String, _ fd: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
    }
  }
}
