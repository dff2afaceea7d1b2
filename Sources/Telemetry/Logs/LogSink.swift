import CLinux
import Glibc
import Reactor
import Synchronization

/// Where the lines of all loggers go: one thread that writes what their rings hold to one descriptor.
///
/// Loggers never wait for it. When the descriptor is slower than the lines come, their rings fill up, further lines
/// are dropped and counted, and a warning says how many as soon as there is room again.
package final class LogSink: Sendable {
  /// The bytes that one logger may have waiting: some 2500 request lines.
  package static let bytesPerLogger = 1 << 20
  /// How long the thread gathers lines between two writes, so that a busy loop need not wake it for each.
  static let gatherMilliseconds = 20
  /// How long the last lines and spans may take to be written when the process ends, in milliseconds.
  package static let flushMilliseconds = 2_000

  /// What the writing thread is doing, as far as loggers must know.
  private enum State {
    /// It will look at the rings before it sleeps.
    static let awake: UInt8 = 0
    /// It sleeps for `gatherMilliseconds` at most.
    static let gathering: UInt8 = 1
    /// It sleeps until it is called.
    static let idle: UInt8 = 2
  }

  package let style: LogStyle
  private let fd: Int32
  private let rings = Mutex<[ByteRing]>([])
  private let state = Atomic<UInt8>(State.awake)
  private let unwritable = Atomic<UInt64>(0)
  private let isClosing = Atomic<Bool>(false)
  private let isClosed = Atomic<Bool>(false)
  private let wake = Wake()
  private let closed = Wake()

  /// Starts the writing thread. The descriptor stays the caller's and is never closed here.
  package init(style: LogStyle, descriptor: Int32 = STDOUT_FILENO) {
    self.style = style
    fd = descriptor
    SystemThread.detached("log") { [self] in run() }
  }

  /// Lines that were not written because a ring was full or the descriptor failed, since the start.
  package var droppedLines: UInt64 {
    rings.withLock { $0.reduce(0) { $0 + $1.refusals } } + unwritable.load(ordering: .relaxed)
  }

  /// Writes everything that was logged before, and ends the thread; returns false if that took longer than the
  /// deadline.
  ///
  /// Lines logged later are lost; closing again does nothing. Blocks the caller: not for a loop that still serves.
  @discardableResult
  package func close(deadlineMilliseconds: Int) -> Bool {
    isClosing.store(true, ordering: .sequentiallyConsistent)
    wake.call()
    if isClosed.load(ordering: .acquiring) { return true }
    return closed.wait(milliseconds: deadlineMilliseconds) || isClosed.load(ordering: .acquiring)
  }

  // MARK: For loggers

  func makeRing(capacity: Int) -> ByteRing {
    let ring = ByteRing(capacity: capacity)
    rings.withLock { $0.append(ring) }
    return ring
  }

  /// Tells the thread that `ring` has a new line, unless it will look by itself soon enough.
  func signal(_ ring: ByteRing) {
    // Here the ring's head is stored before the state is read, in `sleep` the state before the heads: one of the two
    // sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let seen = state.load(ordering: .relaxed)
    if seen == State.awake { return }
    if seen == State.gathering, ring.count < ring.capacity / 4 { return }
    if state.exchange(State.awake, ordering: .sequentiallyConsistent) != State.awake { wake.call() }
  }

  // MARK: The writing thread

  private func run() {
    // Not among the rings of `rings`: a warning that cannot be written is not counted, or it would call for another.
    let ring = ByteRing(capacity: LogLine.maximumBytes)
    let logger = Logger(self, ring: ring)
    var reported: UInt64 = 0
    while true {
      // Asked before the rings are read: what was logged before the closing is then written for certain.
      let isLast = isClosing.load(ordering: .sequentiallyConsistent)
      let hasWritten = writeAll()
      let dropped = droppedLines
      if dropped > reported {
        logger.log(.warning, "Log lines dropped") { $0.field("dropped", dropped - reported) }
        reported = dropped
        _ = writeContent(of: ring)
      }
      if isLast {
        isClosed.store(true, ordering: .releasing)
        return closed.call()
      }
      sleep(hasWritten: hasWritten)
    }
  }

  private func sleep(hasWritten: Bool) {
    state.store(hasWritten ? State.gathering : State.idle, ordering: .sequentiallyConsistent)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if hasWritten {
      wake.wait(milliseconds: Self.gatherMilliseconds)
    } else if rings.withLock({ $0.allSatisfy { $0.count == 0 } }) {
      wake.wait(milliseconds: -1)
    }
    state.store(State.awake, ordering: .sequentiallyConsistent)
  }

  /// Writes what all rings hold now; returns whether there was anything.
  private func writeAll() -> Bool {
    var hasWritten = false
    for ring in rings.withLock({ $0 }) where ring.count > 0 {
      hasWritten = true
      let lost = writeContent(of: ring)
      if lost > 0 { unwritable.add(UInt64(lost), ordering: .relaxed) }
    }
    return hasWritten
  }

  /// Writes what the ring holds now, as long as it takes; returns how many lines the descriptor refused.
  private func writeContent(of ring: ByteRing) -> Int {
    let (first, second) = ring.read()
    defer { ring.consume(first.count + second.count) }
    return write(first) + write(second)
  }

  /// Writes all of the bytes; returns how many lines were lost to an error of the descriptor.
  private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = retrying { Glibc.write(fd, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        // Another process made the terminal or pipe non-blocking; waiting is this thread's business.
        var descriptor = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        poll(&descriptor, 1, -1)
      } else {
        return rest.count(where: { $0 == UInt8(ascii: "\n") })
      }
    }
    return 0
  }
}
