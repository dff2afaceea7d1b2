import Glibc
import HTTP
import Reactor

/// The process that this one replaces: its parent, which waits at a pipe for the word that its successor serves.
struct Predecessor {
  /// The variable with the predecessor's process id, which counts only if it is our parent's.
  static let variable = "TERROIR_PREDECESSOR"

  private let pid: pid_t
  private let pipe: Int32

  /// Returns the predecessor, if this process was started by one. Called once, before the sockets are inherited.
  static func find() -> Predecessor? {
    guard let text = getenv(variable), let pid = pid_t(String(cString: text)) else { return nil }
    unsetenv(variable)
    guard pid == getppid(), let count = getenv("LISTEN_FDS").flatMap({ Int32(String(cString: $0)) }) else {
      return nil
    }
    // A predecessor cannot know our process id before we exist.
    setenv("LISTEN_PID", "\(getpid())", 1)
    let pipe = ListeningSocket.firstInherited + count
    _ = fcntl(pipe, F_SETFD, FD_CLOEXEC)
    return Predecessor(pid: pid, pipe: pipe)
  }

  /// Whether it still lives, and so serves.
  var isThere: Bool { getppid() == pid }

  /// Tells it that this process serves, so that it hands over.
  func tellServing() {
    var word: UInt8 = 1
    _ = retrying { write(pipe, &word, 1) }
    close(pipe)
  }
}
