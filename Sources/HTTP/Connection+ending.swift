import CLinux
import Glibc
import Reactor

/// The end of a connection, and its deadlines.
extension Connection {
  /// Sends what is left, then ends the connection.
  func sendLast() {
    if output.isEmpty { perform(state.sent(hasInput: !input.isEmpty, loop.now)) } else { queueFlush() }
  }

  /// Shuts down our side and closes the connection.
  ///
  /// The last of the output waits in the kernel (`MSG_MORE`) to leave in one packet with our FIN, before there can be a
  /// reset.
  func finishSending() {
    shutdown(fd, Int32(SHUT_WR))
    close()
  }

  /// Shuts down our side and waits for the client to end its own.
  func beginLingering() {
    shutdown(fd, Int32(SHUT_WR))
    input.removeAll()
    updateInterest()
  }

  /// Reads once and drops the bytes; returns false when nothing is left for now or the connection is closed.
  func discard() -> Bool {
    guard input.prepare(server.inputBlocks) else {
      close()
      return false
    }
    let count = retrying { recv(fd, input.tail, input.room, 0) }
    input.release(to: server.inputBlocks)
    if count > 0 {
      if state.dropped(count, limit: server.limits.lingerBytes) { return true }
    } else if count < 0, errno == EAGAIN {
      return false
    }
    close()
    return false
  }

  /// Closes with a reset, which tells the client that the answer is not whole.
  func abort() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Closes at once. A running handler still goes on to its end; its answer is dropped.
  func close() {
    guard !state.isClosed else { return }
    let waiter = state.close()
    loop.close(fd)
    output.release()
    server.remove(self)
    wakeSender()
    switch waiter {
    case .nobody: break
    case .client: finishRequest(.clientClosed, isDropped: true)
    case .handler: tellHandler()
    }
  }

  /// Tells a handler that reads or writes a stream that its client is gone.
  private func tellHandler() {
    request.streamedBody?.fail(RequestFault(.clientClosed, "The client is gone"))
    let action = streamClosed
    streamClosed = nil
    action?()
  }

  /// Acts on the deadline that has passed by `now`, if one has.
  func checkDeadlines(_ now: UInt64) {
    let isShort = server.memory.isShort(of: request.share)
    perform(state.overdue(now, server.limits, isShort: isShort, isDraining: server.isDraining))
  }

  /// Closes a connection that has no request, unless one has just come.
  func closeIdle() {
    guard isIdle else { return }
    readable()
    if isIdle { close() }
  }

  private var isIdle: Bool { state.reading == .idle && input.isEmpty && output.isEmpty }
}
