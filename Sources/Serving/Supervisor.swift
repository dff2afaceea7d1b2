import Glibc
import Reactor

/// The service manager that started this process, if it wants to hear how the service fares, as systemd does: by
/// datagrams of one piece of news each (sd_notify(3)).
struct Supervisor {
  /// A piece of news for it.
  enum News: Equatable {
    case serving, stopping
    /// The start takes longer; the next news comes within `microseconds`.
    case starting(microseconds: UInt64)
    /// The loops turn; sent periodically.
    case alive
    /// The process that serves: a successor, or this one when that is gone.
    case main(pid_t)

    var text: String {
      switch self {
      case .serving: "READY=1"
      case .stopping: "STOPPING=1"
      case .starting(let microseconds): "EXTEND_TIMEOUT_USEC=\(microseconds)"
      case .alive: "WATCHDOG=1"
      case .main(let process): "MAINPID=\(process)"
      }
    }
  }

  /// The path of its socket; one that begins with "@" is of the abstract name space (unix(7)).
  private let path: String
  /// The pause between two signs of life, half of the time that the supervisor waits for one, in nanoseconds; nil when
  /// it waits for none.
  let alivePauseNanoseconds: UInt64?

  /// The longest path of a socket, in bytes (unix(7)).
  private static let maximumPathBytes = 107
  /// The longest time that a supervisor may wait, in microseconds: a day.
  private static let maximumWaitMicroseconds: UInt64 = 86_400_000_000

  /// Reads what the supervisor has set; nil when there is none, or one that is not reached by a Unix socket. Signs of
  /// life are asked of the process that was started first; its successors send them in its place.
  init?(_ variable: (String) -> String?, isSuccessor: Bool) {
    guard let path = variable("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count > 1,
      path.utf8.count <= Self.maximumPathBytes
    else { return nil }
    self.path = path
    let isAsked = isSuccessor || (variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true)
    let wait = variable("WATCHDOG_USEC").flatMap { UInt64($0) } ?? 0
    alivePauseNanoseconds = isAsked && (2...Self.maximumWaitMicroseconds).contains(wait) ? wait * 500 : nil
  }

  /// The one that has started this process, if any.
  static func find(isSuccessor: Bool) -> Supervisor? {
    Supervisor({ getenv($0).map { String(cString: $0) } }, isSuccessor: isSuccessor)
  }

  /// Sends news to it; returns false when it has no room for it at this moment.
  func tell(_ news: News) -> Bool {
    let fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return true }
    defer { close(fd) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    if path.hasPrefix("@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + name.count
    let text = Array(news.text.utf8)
    let sent = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        retrying { sendto(fd, text, text.count, Int32(MSG_DONTWAIT), pointer, socklen_t(length)) }
      }
    }
    return sent >= 0 || errno != EAGAIN
  }
}
