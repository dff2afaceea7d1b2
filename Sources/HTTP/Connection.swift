import CLinux
import Glibc
import Reactor

/// One client's connection: reads requests, has them answered one at a time in their order, and sends the answers.
///
/// The parts are in the extensions: input (reading and heads), body, answer, output, ending. It belongs to its loop.
final class Connection: EventHandler, TurnEnd {
  enum Phase {
    /// Between requests, or within a head.
    case head
    /// Reading the body of a request whose handler wants it whole.
    case body
    /// A handler or the stream of its answer has the request.
    case handling
    /// The last answer is being sent.
    case closing
    /// All is said; what the client still sends is dropped so that it does not destroy the last answer.
    case lingering
    case closed
  }

  let fd: Int32
  // Strong and constant, so that the compiler need not count references when it uses them, as it would for unowned.
  let server: Server
  let loop: EventLoop
  let application: any Application
  let routes: RouteTable
  let request: Request
  /// The connection's place in the server's list.
  @exclusivity(unchecked) var index = 0

  @exclusivity(unchecked) var input: InputBuffer
  /// Apart from the connection, so that the writers of fields need no reference to it.
  let outputStorage: UnsafeMutablePointer<OutputBuffer>
  @exclusivity(unchecked) var phase = Phase.head
  /// When the phase, or the head within it, began: nanoseconds of the monotonic clock.
  @exclusivity(unchecked) var since: UInt64

  // Reading
  /// What epoll waits for; nil before it was told of the connection.
  @exclusivity(unchecked) private var interest: Readiness?
  @exclusivity(unchecked) var isReadPaused = false
  @exclusivity(unchecked) var hasPeerEnded = false
  @exclusivity(unchecked) var isProcessing = false
  @exclusivity(unchecked) var isHeadPartial = false
  /// How many unused bytes were looked at without finding a whole head, and from how many it is worth another look.
  @exclusivity(unchecked) var scanned = 0
  @exclusivity(unchecked) var parseFrom = 0
  @exclusivity(unchecked) var body: BodyReader?
  @exclusivity(unchecked) var bodyClock = TransferClock(0)
  @exclusivity(unchecked) var bodyPausedAt: UInt64?
  @exclusivity(unchecked) var mustSendContinue = false

  // Writing
  @exclusivity(unchecked) var isFlushQueued = false
  @exclusivity(unchecked) var isWriteBlocked = false
  @exclusivity(unchecked) var writeClock = TransferClock(0)
  @exclusivity(unchecked) var closesAfterAnswer = false
  @exclusivity(unchecked) var lingersOnClose = false
  @exclusivity(unchecked) var abortsOnClose = false
  @exclusivity(unchecked) var isRefusingForMemory = false
  @exclusivity(unchecked) var lingeredBytes = 0

  // The answer in the making
  @exclusivity(unchecked) var bytesIn = 0
  /// How many requests were answered: tells which one an answer is for.
  @exclusivity(unchecked) var answered: UInt64 = 0
  @exclusivity(unchecked) var outputMark = 0
  @exclusivity(unchecked) var stream: StreamState?
  var sender: LoopContinuation<Void>?
  var streamClosed: (() -> Void)?

  init(_ fd: Int32, _ peer: PeerAddress, _ server: Server) {
    self.fd = fd
    self.server = server
    loop = server.loop
    application = server.application
    routes = server.routes
    request = Request(loop: server.loop, peer: peer)
    input = InputBuffer(server.inputBlocks)
    outputStorage = .allocate(capacity: 1)
    outputStorage.initialize(to: OutputBuffer(server.outputBlocks, of: server.memory))
    since = server.loop.now
  }

  deinit {
    input.release(to: server.inputBlocks)
    output.release()
    outputStorage.deinitialize(count: 1)
    outputStorage.deallocate()
  }

  /// The answers that wait to be sent.
  var output: OutputBuffer {
    @inline(__always) _read { yield outputStorage.pointee }
    @inline(__always) _modify { yield &outputStorage.pointee }
  }

  // MARK: Readiness

  func ready(_ readiness: Readiness) {
    if readiness.contains(.failed) || readiness.contains(.hungUp) {
      close()
      return
    }
    if readiness.contains(.writable) { flush() }
    if readiness.contains(.readable) { readable() }
  }

  /// Begins with what the client has sent along. One that is answered by then, and wants no more, is closed without
  /// epoll ever having been told of it.
  func open() {
    readable()
    if phase != .closing { updateInterest() }
  }

  /// Has epoll wait for what is wanted now.
  func updateInterest() {
    guard phase != .closed else { return }
    var wanted: Readiness = []
    if !isReadPaused, !isWriteBlocked, !hasPeerEnded { wanted.insert(.readable) }
    if isWriteBlocked { wanted.insert(.writable) }
    guard wanted != interest else { return }
    let isKnown = interest != nil
    interest = wanted
    do {
      if isKnown { try loop.change(fd, wanted) } else { try loop.add(fd, wanted, self) }
    } catch {
      // The kernel has no memory to watch it with.
      close()
    }
  }

  func pauseReading() {
    isReadPaused = true
    updateInterest()
  }

  func resumeReading() {
    guard isReadPaused else { return }
    isReadPaused = false
    updateInterest()
  }
}
