import CLinux
import Glibc
import Reactor

/// One client's connection: reads requests, has them answered one at a time in their order, and sends the answers.
///
/// `ConnectionState` decides what to do; this class does it, with the descriptor, the buffers and the handlers. Its
/// parts are in extensions: input (reading and heads), body, answer, output, ending. It belongs to its loop.
final class Connection: EventHandler, TurnEnd {
  let fd: Int32
  // Strong and constant: the compiler need not count references to use them, as it would for unowned ones.
  let server: Server
  let loop: EventLoop
  let application: any Application
  let routes: RouteTable
  let request: Request
  /// The connection's index in the server's list.
  @exclusivity(unchecked) var index = 0

  @exclusivity(unchecked) var input: InputBuffer
  /// Allocated apart from the connection, so that a `FieldWriter` needs no reference to it.
  let outputStorage: UnsafeMutablePointer<OutputBuffer>
  @exclusivity(unchecked) var state: ConnectionState
  /// What epoll waits for; nil until the connection is added to it.
  @exclusivity(unchecked) private var interest: Readiness?

  // The request being read
  /// Whether `process` is on the call stack: a handler that answers at once must not call it again.
  @exclusivity(unchecked) var isProcessing = false
  /// The unused bytes that were scanned without finding a whole head.
  @exclusivity(unchecked) var scanned = 0
  /// The number of unused bytes from which parsing is worth another try even if they complete no line.
  @exclusivity(unchecked) var parseFrom = 0
  /// Whether the CR of an empty line before the head has come, and its LF has not.
  @exclusivity(unchecked) var isLineFeedDue = false
  @exclusivity(unchecked) var body: BodyReader?

  // The answer in the making
  @exclusivity(unchecked) var bytesIn = 0
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
    state = ConnectionState(server.loop.now)
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

  /// Begins with what the client has already sent. If that is answered and the end has begun, the connection is never
  /// added to epoll.
  func open() {
    readable()
    if state.ending == .begun { return }
    updateInterest()
  }

  /// Has epoll wait for what the state wants now.
  func updateInterest() {
    guard !state.isClosed else { return }
    let wanted = state.interest
    guard wanted != interest else { return }
    let isKnown = interest != nil
    interest = wanted
    do {
      if isKnown { try loop.change(fd, wanted) } else { try loop.add(fd, wanted, self) }
    } catch {
      // The kernel has no memory to watch the descriptor.
      close()
    }
  }

  func resumeReading() { if state.resume() { updateInterest() } }

  /// Does what the state asks for.
  @inline(__always)
  func perform(_ action: ConnectionState.Action) {
    switch action {
    case .none: break
    case .process: process()
    case .resume:
      resumeReading()
      process()
    case .releaseInput: input.release(to: server.inputBlocks)
    case .sendLast: sendLast()
    case .finish: finishSending()
    case .linger: beginLingering()
    case .close: close()
    case .abort: abort()
    case .closeIdle: closeIdle()
    case .refuseHead: refuseHead(RequestFault(.requestTimeout, "The request did not arrive in time"))
    case .failBody(let failure): bodyFailed(failure)
    }
  }
}
