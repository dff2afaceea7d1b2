import Glibc
import Reactor

/// Where a command writes its results and complaints, and reads secrets.
package struct Console: Sendable {
  /// Writes a result, as it is. Throws when it cannot be written whole, but not when its reader has gone.
  package let write: @Sendable (String) throws(SystemError) -> Void
  /// Writes a complaint, as it is.
  package let complain: @Sendable (String) -> Void
  /// Asks for a line that is not shown as it is typed, and returns its bytes as they came; nil at the end of input.
  package let readSecret: @Sendable (_ prompt: String) -> [UInt8]?

  package init(
    write: @escaping @Sendable (String) throws(SystemError) -> Void, complain: @escaping @Sendable (String) -> Void,
    readSecret: @escaping @Sendable (String) -> [UInt8]? = { _ in nil }
  ) {
    self.write = write
    self.complain = complain
    self.readSecret = readSecret
  }

  /// Standard output and standard error.
  package static let standard = Console(
    write: { text throws(SystemError) in try writeAll(text, STDOUT_FILENO) },
    complain: { try? writeAll($0, STDERR_FILENO) },
    readSecret: { prompt in
      guard let terminal = Terminal(STDIN_FILENO) else { return readLine(STDIN_FILENO) }
      return terminal.readSilently { isOver in try? writeAll(isOver ? "\n" : prompt, STDERR_FILENO) }
    })

  /// The longest line that is read, in bytes; what follows is read as another one.
  private static let longestLine = 4_096

  /// Reads a line without its end, LF or CRLF, and nothing beyond it; nil at the end of input.
  private static func readLine(_ fd: Int32) -> [UInt8]? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.count < longestLine {
      let count = retrying { read(fd, &byte, 1) }
      if count <= 0 { return line.isEmpty ? nil : line }
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  private static func writeAll(_ text: String, _ fd: Int32) throws(SystemError) {
    var rest = Array(text.utf8)[...]
    do throws(SystemError) {
      while !rest.isEmpty {
        rest = rest.dropFirst(
          try checked("write") { rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) } })
      }
    } catch {
      if error.code != EPIPE { throw error }
    }
  }

  /// Opens /dev/null in place of the standard descriptors that the parent has closed: whatever is opened next would
  /// otherwise become standard output.
  package static func fillStandardDescriptors() {
    var fd: Int32 = 0
    while (0...STDERR_FILENO).contains(fd) { fd = open("/dev/null", O_RDWR) }
    if fd > STDERR_FILENO { close(fd) }
  }
}
