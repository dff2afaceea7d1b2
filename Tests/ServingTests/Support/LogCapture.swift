import Glibc
import Reactor
import Synchronization

/// Collects the lines that a service writes to its log.
final class LogCapture: Sendable {
  private struct State {
    var lines: [String] = []
    var rest: [UInt8] = []
  }

  /// How long `line` waits, in nanoseconds.
  private static let patienceNanoseconds: UInt64 = 120_000_000_000

  let writeEnd: Int32
  private let state = Mutex(State())

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    writeEnd = ends[1]
    let readEnd = ends[0]
    SystemThread.detached("log-capture") { [weak self] in
      defer { close(readEnd) }
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(readEnd, &chunk, chunk.count)
        guard count > 0, let self else { return }
        self.take(chunk[..<count])
      }
    }
  }

  deinit { close(writeEnd) }

  private func take(_ bytes: ArraySlice<UInt8>) {
    let newline = UInt8(ascii: "\n")
    state.withLock { state in
      state.rest += bytes
      guard let end = state.rest.lastIndex(of: newline) else { return }
      state.lines += state.rest[..<end].split(separator: newline).map { String(decoding: $0, as: UTF8.self) }
      state.rest.removeSubrange(...end)
    }
  }

  /// The lines so far.
  var lines: [String] { state.withLock { $0.lines } }

  /// Waits for the `count`th line that contains `text`; returns nil if it does not come.
  func line(_ text: String, count: Int = 1) -> String? {
    let end = Clock.monotonic() + Self.patienceNanoseconds
    var (seen, found) = (0, 0)
    repeat {
      for line in lines[seen...] {
        seen += 1
        if line.contains(text) { found += 1 }
        if found == count { return line }
      }
      usleep(10_000)
    } while Clock.monotonic() < end
    return nil
  }
}
