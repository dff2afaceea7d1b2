import CLinux
import Glibc
import Reactor

/// The end of a connection, and its deadlines.
extension Connection {
  /// Ends the connection once its output is sent.
  func beginClosing() {
    phase = .closing
    since = loop.now
    if output.isEmpty { endClosing() } else { queueFlush() }
  }

  /// Closes, unless the client might still send: closing then would reset the connection, and a reset can destroy an
  /// answer that the client has not read yet (RFC 9112, section 9.6).
  ///
  /// The last of the output waits in the kernel to leave with the end of our side, before there can be a reset.
  func endClosing() {
    if abortsOnClose {
      abort()
      return
    }
    if !hasPeerEnded { shutdown(fd, Int32(SHUT_WR)) }
    guard (lingersOnClose || !input.isEmpty), !hasPeerEnded else {
      close()
      return
    }
    phase = .lingering
    since = loop.now
    input.removeAll()
    isReadPaused = false
    updateInterest()
  }

  /// Reads and drops; false when nothing is left for now or the connection is closed.
  func discard() -> Bool {
    guard input.prepare(server.inputBlocks) else {
      close()
      return false
    }
    let count = retrying { recv(fd, input.tail, input.room, 0) }
    input.release(to: server.inputBlocks)
    if count > 0 {
      lingeredBytes += count
      if lingeredBytes <= server.limits.lingerBytes { return true }
    } else if count < 0, errno == EAGAIN {
      return false
    }
    close()
    return false
  }

  /// Breaks the connection off: the client is told by a reset that the answer is not whole.
  func abort() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Closes at once. A handler that runs goes on to its end; its answer is dropped.
  func close() {
    guard phase != .closed else { return }
    let phase = phase
    self.phase = .closed
    loop.close(fd)
    output.release()
    server.remove(self)
    wakeSender()
    switch phase {
    case .body: finishRequest(.clientClosed, isDropped: true)
    case .handling:
      request.streamedBody?.finish(.failure(RequestFault(.clientClosed, "The client is gone")))
      request.streamedBody?.wake()
      let action = streamClosed
      streamClosed = nil
      action?()
    default: break
    }
  }

  // MARK: Deadlines

  /// Ends the connection, or what it is waiting for, if that has taken too long.
  func checkDeadlines(_ now: UInt64) {
    let limits = server.limits
    let isShort = server.memory.isShort(of: request.share)
    if isWriteBlocked {
      if isTooSlow(writeClock, now, isShort, limits.writeGraceMilliseconds, limits.writeBytesPerSecond) { abort() }
      return
    }
    switch phase {
    case .head where isHeadPartial:
      let patience = isShort ? min(limits.shortGraceMilliseconds, limits.headMilliseconds) : limits.headMilliseconds
      if hasPassed(patience, now) { headIsLate() }
    case .head:
      if hasPassed(server.isDraining ? limits.drainIdleMilliseconds : limits.idleMilliseconds, now) { closeIdle() }
    case .body: if isBodyTooSlow(now, isShort) { bodyFailed(Self.bodyIsLate) }
    case .handling: if body != nil, bodyPausedAt == nil, isBodyTooSlow(now, isShort) { bodyFailed(Self.bodyIsLate) }
    case .lingering: if hasPassed(limits.lingerMilliseconds, now) { close() }
    case .closing, .closed: break
    }
  }

  private static let bodyIsLate = RequestFault(.requestTimeout, "The body did not arrive in time")

  private func isBodyTooSlow(_ now: UInt64, _ isShort: Bool) -> Bool {
    isTooSlow(bodyClock, now, isShort, server.limits.bodyGraceMilliseconds, server.limits.bodyBytesPerSecond)
  }

  /// By the usual grace and rate, and by stricter ones while others find no memory.
  private func isTooSlow(
    _ clock: TransferClock, _ now: UInt64, _ isShort: Bool, _ graceMilliseconds: Int, _ bytesPerSecond: Int
  ) -> Bool {
    let limits = server.limits
    if clock.isTooSlow(now, graceMilliseconds: graceMilliseconds, bytesPerSecond: bytesPerSecond) { return true }
    return isShort
      && clock.isTooSlow(
        now, graceMilliseconds: limits.shortGraceMilliseconds, bytesPerSecond: limits.shortBytesPerSecond)
  }

  private func hasPassed(_ milliseconds: Int, _ now: UInt64) -> Bool {
    now > since && now - since > UInt64(milliseconds) * 1_000_000
  }

  /// Closes a connection that has no request, unless one has just come.
  func closeIdle() {
    guard phase == .head, input.isEmpty, output.isEmpty else { return }
    readable()
    if phase == .head, input.isEmpty, output.isEmpty { close() }
  }
}
