import Glibc
import JSON
import Reactor

/// A real server in a process of its own, in Debian's Python: its first line is its port, and what it has taken is an
/// object a line.
final class PythonServer: Sendable {
  let port: UInt16
  private let log: LogCapture
  private let process: pid_t

  struct NoPort: Error {
    let output: [String]
  }

  init(_ program: String, _ arguments: [String]) throws {
    let log = try LogCapture()
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDERR_FILENO)
    // Debian's, for which the packages are installed.
    let words = ["/usr/bin/python3", "-c", program] + arguments
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var child = pid_t()
    let code = posix_spawn(&child, words[0], &actions, nil, &argv, environ)
    if code != 0 { throw SystemError("posix_spawn", code: code) }
    process = child
    var port: UInt16 = 0
    _ = holds(within: 60) {
      port = log.lines.first.flatMap { UInt16($0) } ?? 0
      return port != 0
    }
    self.port = port
    if port == 0 { throw NoPort(output: log.lines) }
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  /// What it has taken.
  var taken: [JSONValue] {
    log.lines.filter { $0.hasPrefix("{") }.compactMap { try? JSONReader.parse(Array($0.utf8)) }
  }
}
