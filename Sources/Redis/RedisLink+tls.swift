import CRedis
import Reactor

/// Moves bytes between hiredis and a socket with TLS.
extension RedisLink {
  /// Continues the handshake, then passes on what has come and sends what waits.
  func advance(_ channel: TLSChannel) {
    guard channel.isOpen || open(channel) else { return }
    receive(channel)
    send(channel)
  }

  private func open(_ channel: TLSChannel) -> Bool {
    switch channel.open() {
    case .done:
      context?.pointee.c.flags |= REDIS_CONNECTED
      return true
    case .wantsToRead: wait(for: .readable)
    case .wantsToWrite: wait(for: [.readable, .writable])
    case .ended(let reason): drop(reason)
    }
    return false
  }

  private func receive(_ channel: TLSChannel) {
    guard let context else { return }
    var ending: String?
    withUnsafeTemporaryAllocation(byteCount: TLSChannel.recordBytes, alignment: 1) { record in
      for _ in 0..<Self.readsPerTurn {
        switch channel.read(into: record) {
        case .done(let count):
          redisReaderFeed(context.pointee.c.reader, record.baseAddress, count)
          continue
        case .wantsToRead, .wantsToWrite: break
        case .ended(let reason): ending = reason
        }
        break
      }
    }
    // It may end the link.
    redisProcessCallbacks(context)
    if let ending { drop(ending) }
  }

  /// Sends what hiredis has gathered, as far as the socket takes it.
  func send(_ channel: TLSChannel) {
    guard let context, channel.isOpen else { return }
    let waiting = UnsafeRawBufferPointer(start: context.pointee.c.obuf, count: redisOutputLength(&context.pointee.c))
    var sent = 0
    var wanted: Readiness = .readable
    while sent < waiting.count, wanted == .readable {
      switch channel.write(UnsafeRawBufferPointer(rebasing: waiting[sent...])) {
      case .done(let count): sent += count
      // TLS 1.3 does not renegotiate: a write never waits for something to read.
      case .wantsToRead, .wantsToWrite: wanted = [.readable, .writable]
      case .ended(let reason): return drop(reason)
      }
    }
    if sent > 0 { redisOutputSent(&context.pointee.c, sent) }
    wait(for: wanted)
  }
}
