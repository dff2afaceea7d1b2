import Glibc
import Reactor
import TestSupport

/// The real binary in a process of its own, to test what only a process has: signals, exit codes, inherited sockets.
final class ServerProcess {
  let process: pid_t
  let log: LogCapture
  private var status: Int32?

  /// Starts `terroir` with `arguments`; `shell` is a prefix such as `LISTEN_PID=$$ exec`, run by /bin/sh.
  init(
    _ arguments: [String] = ["serve"], _ settings: [String: String] = [:], shell: String? = nil,
    passing socket: Int32? = nil, binary: String = ServerProcess.binary
  ) throws {
    log = try LogCapture()
    let words = shell.map { ["/bin/sh", "-c", "\($0) \"$0\" \"$@\"", binary] } ?? [binary]
    process = try ChildProcess.spawn(
      words + arguments, .only(Self.variables(settings)),
      descriptors: [STDIN_FILENO, log.writeEnd, log.writeEnd] + (socket.map { [$0] } ?? []))
  }

  deinit {
    if status == nil {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
  }

  /// The path of `terroir`, beside the tests' own binary.
  static var binary: String {
    var path = [CChar](repeating: 0, count: 4_096)
    let count = readlink("/proc/self/exe", &path, path.count - 1)
    let own = String(decoding: path[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    return own[..<own.lastIndex(of: "/")!] + "/terroir"
  }

  private static func variables(_ settings: [String: String]) throws -> [String: String] {
    var variables = [
      "ENVIRONMENT": "test", "PORT": "0", "METRICS_PORT": "0", "HOST": "127.0.0.1", "WORKERS": "2",
      "LOG_FORMAT": "json",
      "JWT_SECRET": "0123456789abcdef-0123456789-ABCDEF", "PATH": "/usr/bin:/bin", "INSIGHTS_INTERVAL_SECONDS": "0",
    ]
    // The sanitizers' settings, so that they watch this process too.
    for name in ["ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_PRELOAD"] {
      if let value = getenv(name) { variables[name] = String(cString: value) }
    }
    let database = try settings["DATABASE_URL"] ?? TestDatabase.make()
    variables.merge(try TestStores.variables(for: database)) { $1 }
    variables.merge(settings) { $1 }
    return variables
  }

  /// Waits until the server serves and returns its port.
  func port() throws -> UInt16 {
    _ = try line("\"Serving\"")
    return UInt16(try number("port", in: try line("\"Listening\"")))
  }

  /// Waits for the `count`th line of the log that contains `text`; throws `NoSuchLine` if it does not come.
  func line(_ text: String, count: Int = 1) throws -> String {
    if let line = log.line(text, count: count) { return line }
    throw NoSuchLine(text: text, log: log.lines.filter { !$0.contains("Request completed") })
  }

  /// The number of the member `name` in a line of the log.
  func number(_ name: String, in line: String) throws -> Int {
    guard let start = line.range(of: "\"\(name)\":"), let number = Int(line[start.upperBound...].prefix { $0.isNumber })
    else { throw NoSuchLine(text: name, log: [line]) }
    return number
  }

  struct NoSuchLine: Error {
    let text: String
    let log: [String]
  }

  func signal(_ signal: Int32) { kill(process, signal) }

  /// Waits until the process has ended and returns its exit code, -1 if a signal ended it.
  func wait() -> Int32 {
    if let status { return status }
    var raw: Int32 = 0
    waitpid(process, &raw, 0)
    let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -1
    status = code
    return code
  }
}

extension String {
  /// The first place of a text.
  fileprivate func range(of text: String) -> Range<Index>? {
    firstRange(of: text)
  }
}
