import CLinux
import Glibc
import Reactor

/// A terminal that is read from without showing what is typed.
struct Terminal {
  /// Signals that would end or stop the program.
  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
  /// The longest line that a terminal returns, in bytes (termios(3), MAX_CANON).
  private static let longestLine = 4_096

  private let descriptor: Int32
  private let usual: termios

  /// Nil when the descriptor is no terminal's.
  init?(_ descriptor: Int32) {
    var usual = termios()
    guard tcgetattr(descriptor, &usual) == 0 else { return nil }
    self.descriptor = descriptor
    self.usual = usual
  }

  /// Reads a line, nil at the end of input; `announce` is called before, and with true after it.
  ///
  /// A signal that comes meanwhile waits until the terminal shows again what is typed, as it was before. If it only
  /// stopped the program, the line is asked for again.
  func readSilently(_ announce: (_ isOver: Bool) -> Void) -> [UInt8]? {
    while true {
      announce(false)
      let line = withSignalsWaiting { signal in
        silence(true)
        defer { silence(false) }
        var ready = [
          pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
          pollfd(fd: signal, events: Int16(POLLIN), revents: 0),
        ]
        _ = retrying { poll(&ready, 2, -1) }
        return ready[1].revents == 0 ? readAvailable() : nil
      }
      announce(true)
      if let line { return line.isEmpty ? nil : Array(line.prefix { $0 != UInt8(ascii: "\n") }) }
    }
  }

  /// Calls `body` with a descriptor that can be read once a signal waits; waiting signals are delivered right after.
  private func withSignalsWaiting<Result>(_ body: (_ signal: Int32) -> Result) -> Result {
    var (set, before) = (sigset_t(), sigset_t())
    sigemptyset(&set)
    pthread_sigmask(SIG_BLOCK, &set, &before)
    // A signal that is blocked already would still wait afterwards.
    for signal in Self.signals where sigismember(&before, signal) == 0 { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let signal = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    defer {
      close(signal)
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return body(signal)
  }

  private func silence(_ isSilent: Bool) {
    var settings = usual
    if isSilent { settings.c_lflag &= ~tcflag_t(ECHO) }
    tcsetattr(descriptor, TCSAFLUSH, &settings)
  }

  /// What the terminal has; nothing at the end of input.
  private func readAvailable() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.longestLine)
    let count = read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }
}
