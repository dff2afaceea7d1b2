import Glibc

/// Where a command writes what it has to say, and is told what nobody else should see.
package struct Console: Sendable {
  /// Writes a result, as it is.
  package let write: @Sendable (String) -> Void
  /// Writes a complaint, as it is.
  package let complain: @Sendable (String) -> Void
  /// Asks for a line that nobody else should see; nil at the end of input.
  package let readSecret: @Sendable (_ prompt: String) -> String?

  package init(
    write: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void,
    readSecret: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.write = write
    self.complain = complain
    self.readSecret = readSecret
  }

  /// Standard output and standard error.
  package static let standard = Console(
    write: { writeAll($0, STDOUT_FILENO) }, complain: { writeAll($0, STDERR_FILENO) },
    readSecret: { prompt in
      guard let terminal = Terminal(STDIN_FILENO) else { return readLine() }
      return terminal.readSilently { isOver in writeAll(isOver ? "\n" : prompt, STDERR_FILENO) }
    })

  private static func writeAll(_ text: String, _ fd: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
    }
  }
}
