import Glibc
import Settings
import Telemetry

/// A server on this machine that accepts and never answers, which only another process can end: one that was stopped
/// runs no watchdog of its own.
///
/// For a container, whose engine marks what is unhealthy and leaves it so, but starts again what has ended.
struct MuteServer {
  let port: UInt16
  /// The longest silence, in seconds.
  let limitSeconds: Int

  /// The longest table of sockets that is read: some 400 000 connections.
  private static let maximumTableBytes = 64 << 20

  /// The file that tells since when there is no answer. A check is a process of its own and has no other memory.
  private var note: String { "/tmp/terroir-mute-\(port)" }

  /// Notes an answer, whatever it says: the server is turning.
  func answered() { unlink(note) }

  /// Notes a check that failed. Returns the processes that were killed, because the first time-out in this row is older
  /// than the limit. Any other failure, such as a refused connection, counts as an answer: nothing listens there yet.
  func failed(_ failure: PlainHTTP.Failure) -> [pid_t] {
    guard failure == .timeout else {
      answered()
      return []
    }
    let fd = open(note, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard fd >= 0 else { return [] }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, time(nil) - status.st_mtim.tv_sec >= limitSeconds else { return [] }
    answered()
    return listeners().filter { kill($0, SIGKILL) == 0 }
  }

  /// The processes that hold a listening socket of the port (proc(5): /proc/net/tcp, /proc/PID/fd).
  private func listeners() -> [pid_t] {
    let sockets = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap(sockets(in:)))
    return Self.names(in: "/proc").compactMap { pid_t($0) }.filter { process in
      let folder = "/proc/\(process)/fd"
      return Self.names(in: folder).contains { sockets.contains(Self.target(of: "\(folder)/\($0)")) }
    }
  }

  /// The listening sockets of the port, as links to them read.
  private func sockets(in table: String) -> [String] {
    let listening = "0A"
    let text = String(decoding: File.read(table, maximumBytes: Self.maximumTableBytes) ?? [], as: UTF8.self)
    return text.split(separator: "\n").dropFirst().compactMap { line in
      let columns = line.split(separator: " ")
      guard columns.count > 9, columns[3] == listening,
        columns[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) }) == port
      else { return nil }
      return "socket:[\(columns[9])]"
    }
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  private static func target(of link: String) -> String {
    var path = [UInt8](repeating: 0, count: 64)
    let count = path.withUnsafeMutableBytes {
      readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return String(decoding: path[..<max(0, count)], as: UTF8.self)
  }
}
