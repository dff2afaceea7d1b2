import CLinux
import Glibc
import Reactor

/// One loop's HTTP server: a listening socket, its connections, and the application that answers them.
///
/// It lives on its loop's thread. The loop keeps it alive until `stopAccepting`, and every connection until it is
/// closed and its handler has returned.
package final class Server {
  package let loop: EventLoop
  package let limits: HTTPLimits
  let application: any Application
  let routes: RouteTable
  let parser: RequestParser
  let memory: MemoryBudget
  let inputBlocks: InputBlocks
  let outputBlocks: BlockPool
  /// The value of Allow for `OPTIONS *`.
  let allowAll: String

  @exclusivity(unchecked) var date = DateField()
  @exclusivity(unchecked) private var connections: [Connection] = []
  /// The monotonic clock when an answer was last timed, in nanoseconds.
  @exclusivity(unchecked) var lastReading: UInt64 = 0
  private var listener: Listener?
  private var isSweeping = false
  private var whenEmpty: (() -> Void)?

  /// The number of connections that are serving a request.
  @exclusivity(unchecked) package internal(set) var activeConnections = 0
  /// Whether each connection ends with its next answer.
  @exclusivity(unchecked) package private(set) var isDraining = false
  /// The number of answers that were not sent whole, since the start.
  @exclusivity(unchecked) package internal(set) var droppedAnswers: UInt64 = 0
  /// The number of connections accepted, since the start.
  @exclusivity(unchecked) package private(set) var acceptedConnections: UInt64 = 0
  /// The number of connections refused because there were too many, since the start.
  @exclusivity(unchecked) package private(set) var refusedConnections: UInt64 = 0

  /// The number of open connections.
  package var openConnections: Int { connections.count }
  /// Called each time a connection cannot be accepted for want of descriptors or memory.
  package var onShortage: (() -> Void)?

  /// Makes a server, which serves nothing until it accepts. All servers of a process share one budget of memory.
  package init(
    loop: EventLoop, limits: HTTPLimits = HTTPLimits(), memory: MemoryBudget, application: any Application
  ) {
    self.loop = loop
    self.limits = limits
    self.memory = memory
    self.application = application
    routes = application.router.table
    parser = RequestParser(limits: limits)
    inputBlocks = InputBlocks(
      headBytes: limits.headBytes, readBytes: Self.readBytes, headerFields: limits.headerFields, of: memory)
    outputBlocks = BlockPool(blockBytes: Self.readBytes, of: memory)
    allowAll = routes.allow
  }

  /// The size of an output block, and of the part of a large input block that is behind the longest head.
  private static let readBytes = 16 * 1_024

  deinit { date.deallocate() }

  /// The bytes of answers that wait to be sent, over all connections; for tests. Walks them all.
  package var waitingOutputBytes: Int { connections.reduce(0) { $0 + $1.output.count } }
  /// The bytes of requests that were read and wait to be used, over all connections; for tests. Walks them all.
  package var waitingInputBytes: Int {
    connections.reduce(0) { $0 + $1.input.count + ($1.request.streamedBody?.count ?? 0) }
  }
  /// The number of blocks that connections hold at the moment; for tests.
  var blocksHeld: Int { inputBlocks.small.lent + inputBlocks.large.lent + outputBlocks.lent }

  // MARK: Connections

  private func accepted(_ fd: Int32, _ peer: PeerAddress) {
    acceptedConnections += 1
    let isOneTooMany = connections.count >= limits.connections
    if isOneTooMany {
      refusedConnections += 1
      guard connections.count < limits.connections + limits.refusedConnections else {
        Glibc.close(fd)
        return
      }
    }
    let connection = Connection(fd, peer, self)
    connection.index = connections.count
    connections.append(connection)
    startSweeping()
    if isOneTooMany { connection.refuseUnrouted(.overloaded(.connections)) } else { connection.open() }
  }

  func remove(_ connection: Connection) {
    let last = connections.removeLast()
    if last !== connection {
      connections[connection.index] = last
      last.index = connection.index
    }
    if connections.isEmpty { tellEmpty() }
  }

  // MARK: Deadlines

  /// Schedules a sweep unless one is scheduled. One pass over all connections now and then costs less than a timer for
  /// each, and nothing per request.
  private func startSweeping() {
    guard !isSweeping else { return }
    isSweeping = true
    // Strong: a weak reference would make every reference to the server cost more from then on.
    loop.schedule(afterNanoseconds: UInt64(limits.sweepMilliseconds) * 1_000_000) { self.sweep() }
  }

  private func sweep() {
    // From the end, since a connection that closes is replaced by the last one.
    for index in connections.indices.reversed() where index < connections.count {
      connections[index].checkDeadlines(loop.now)
    }
    isSweeping = false
    if trimBlocks() || !connections.isEmpty { startSweeping() }
  }

  /// Frees blocks that were not needed lately; returns whether there may be more of them.
  private func trimBlocks() -> Bool {
    var isMore = false
    for pool in [inputBlocks.small, inputBlocks.large, outputBlocks] where pool.trim() { isMore = true }
    return isMore
  }

  // MARK: Accepting

  /// Accepts the connections of a listening socket (see `ListeningSocket`), which it will close. Called once. Throws
  /// when the loop cannot watch the socket.
  package func accept(from fd: Int32) throws(SystemError) {
    listener = try Listener(fd, on: loop, limits) { [unowned self] fd, peer in
      accepted(fd, peer)
    } ranShort: { [unowned self] in
      onShortage?()
    }
  }

  /// Leaves new connections in the kernel's queue until `resumeAccepting`.
  package func pauseAccepting() { listener?.pause() }

  /// Accepts new connections again, first those that wait in the queue.
  package func resumeAccepting() { listener?.resume() }

  // MARK: Ending

  /// Ends each connection with its next answer (`Connection: close`), and idle ones soon; still accepts new ones.
  package func beginDraining() { isDraining = true }

  /// Keeps connections open again: the draining was called off.
  package func endDraining() { isDraining = false }

  /// Accepts what is in the kernel's queue, then closes the listening socket.
  package func stopAccepting() {
    listener?.close()
    listener = nil
  }

  /// Stops accepting, closes connections that were idle for long, lets the others finish, and calls `whenEmpty` once
  /// when none is left. After `milliseconds` those that are left are broken off.
  ///
  /// A client that has just connected, or was just answered, may be sending a request at this moment: it gets an answer
  /// with `Connection: close`, or the rest of `drainIdleMilliseconds` to send it.
  package func shutDown(withinMilliseconds milliseconds: Int, _ whenEmpty: @escaping () -> Void) {
    beginDraining()
    stopAccepting()
    self.whenEmpty = whenEmpty
    for connection in connections.reversed() { connection.checkDeadlines(loop.now) }
    if connections.isEmpty {
      tellEmpty()
      return
    }
    loop.schedule(afterNanoseconds: UInt64(milliseconds) * 1_000_000) { [self] in
      for connection in connections.reversed() { connection.abort() }
    }
  }

  private func tellEmpty() {
    let action = whenEmpty
    whenEmpty = nil
    action?()
  }
}
