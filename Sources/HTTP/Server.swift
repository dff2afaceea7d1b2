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
  /// The methods of `OPTIONS *`.
  let allowAll: String

  @exclusivity(unchecked) var date = DateField()
  @exclusivity(unchecked) private var connections: [Connection] = []
  /// The clock when an answer was last timed, in nanoseconds.
  @exclusivity(unchecked) var lastReading: UInt64 = 0
  private var listener: Listener?
  private var isSweeping = false
  private var whenEmpty: (() -> Void)?

  /// Connections that are serving a request.
  @exclusivity(unchecked) package internal(set) var activeConnections = 0
  /// Whether answers ask their clients to go elsewhere.
  @exclusivity(unchecked) package private(set) var isDraining = false
  /// Answers that nobody took, since the start.
  @exclusivity(unchecked) package internal(set) var droppedAnswers: UInt64 = 0
  /// Connections accepted, since the start.
  @exclusivity(unchecked) package private(set) var acceptedConnections: UInt64 = 0
  /// Connections turned away because there were too many, since the start.
  @exclusivity(unchecked) package private(set) var refusedConnections: UInt64 = 0

  /// All open sockets of clients.
  package var openConnections: Int { connections.count }
  /// Called each time a connection cannot be accepted for want of descriptors or memory.
  package var onShortage: (() -> Void)?

  /// Serves nothing until it accepts. All servers of a process share one budget of memory.
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

  /// Bytes of answers that wait to be sent, over all connections; for tests. Walks them all.
  package var waitingOutputBytes: Int { connections.reduce(0) { $0 + $1.output.count } }
  /// Bytes of requests that were read and wait to be used, over all connections; for tests. Walks them all.
  package var waitingInputBytes: Int {
    connections.reduce(0) { $0 + $1.input.count + ($1.request.streamedBody?.count ?? 0) }
  }
  /// Blocks of memory that connections hold at the moment; for tests.
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

  /// One pass over all connections now and then costs less than a timer for each, and none of it per request.
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

  /// Gives blocks back that were not needed lately; whether there may be more of them.
  private func trimBlocks() -> Bool {
    var isMore = false
    for pool in [inputBlocks.small, inputBlocks.large, outputBlocks] where pool.trim() { isMore = true }
    return isMore
  }

  // MARK: Accepting

  /// Serves what comes in on a listening socket (see `ListeningSocket`), which it will close. Called once. Throws when
  /// the loop cannot watch it.
  package func accept(from fd: Int32) throws(SystemError) {
    listener = try Listener(fd, on: loop, limits) { [unowned self] fd, peer in
      accepted(fd, peer)
    } ranShort: { [unowned self] in
      onShortage?()
    }
  }

  /// Leaves new connections in the kernel's queue until `resumeAccepting`.
  package func pauseAccepting() { listener?.pause() }

  /// Takes new connections again, those first that wait in the queue.
  package func resumeAccepting() { listener?.resume() }

  // MARK: Ending

  /// Has every answer ask for the end of its connection, and idle connections closed soon; still accepts new ones.
  package func beginDraining() { isDraining = true }

  /// Keeps connections open again: the end was called off.
  package func endDraining() { isDraining = false }

  /// Accepts what is in the kernel's queue, then closes the listening socket.
  package func stopAccepting() {
    listener?.close()
    listener = nil
  }

  /// Stops accepting, closes connections that were idle for long, lets the others finish, and calls `whenEmpty` once
  /// when none is left: at the latest after that time, when those that are left are broken off.
  ///
  /// Whoever has just connected, or been answered, may be sending a request at this moment: it gets an answer that
  /// asks for the end of the connection, or the rest of `drainIdleMilliseconds`.
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
