import CLinux
import Glibc
import Reactor

/// One client's connection: reads requests, has them answered one at a time in their order, and sends the answers.
///
/// What to do is decided by `ConnectionState`; here it is done, to the descriptor, the buffers and the handlers. The
/// parts are in the extensions: input (reading and heads), body, answer, output, ending. It belongs to its loop.
final class Connection: EventHandler, TurnEnd {
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
  @exclusivity(unchecked) var state: ConnectionState
  /// What epoll waits for; nil before it was told of the connection.
  @exclusivity(unchecked) private var interest: Readiness?

  // The request being read
  /// Whether `process` is on the call stack: a handler that answers at once must not call it again.
  @exclusivity(unchecked) var isProcessing = false
  /// How many unused bytes were looked at without finding a whole head, and from how many it is worth another look.
  @exclusivity(unchecked) var scanned = 0
  @exclusivity(unchecked) var parseFrom = 0
  /// Whether the first half of an empty line before the head has come, and the other half has not.
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

  /// Begins with what the client has sent along. One that is answered by then, and wants no more, is closed without
  /// epoll ever having been told of it.
  func open() {
    readable()
    if state.ending == .begun { return }
    updateInterest()
  }

  /// Has epoll wait for what is wanted now.
  func updateInterest() {
    guard !state.isClosed else { return }
    let wanted = state.interest
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
