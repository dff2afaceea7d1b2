import CRedis
import Glibc
import Reactor

/// One hiredis context with its socket on a loop: from the start of connecting to its end, whatever the cause.
///
/// What is sent in a turn leaves in one write when the turn ends; write interest is armed only while connecting and
/// after a short write. hiredis frees the context itself and then always calls `cleanup`, as the last of its hooks:
/// from there on the context is never touched.
final class RedisLink: EventHandler, TurnEnd {
  /// A peer that needs no name resolution.
  enum Peer {
    case tcp(address: String, port: UInt16)
    case unix(path: String)
  }

  /// The most bytes that hiredis keeps of its read buffer when all replies are read; a larger one is freed.
  private static let keptReadBytes = 64 * 1024
  /// The most reads of a turn, each of 16 KiB, or of one record of TLS; what is left is read in the next.
  static let readsPerTurn = 64

  /// Called once, when the context is gone, with the reason. It may run within a call to this link.
  var onClosed: ((String) -> Void)?
  /// Called with every push of a subscribed link.
  var onPush: ((RedisReply) -> Void)?

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private let fd: Int32
  @exclusivity(unchecked) private(set) var context: UnsafeMutablePointer<redisAsyncContext>?
  @exclusivity(unchecked) private var interest: Readiness = [.readable, .writable]
  @exclusivity(unchecked) private var isAwaitingFlush = false
  @exclusivity(unchecked) private var isWriting = false
  private let arena = ReplyArena()
  /// Nil without TLS.
  private let channel: TLSChannel?
  private var reason: String?

  /// Starts to connect, with TLS if `tls` names a host. Throws the reason as text when it fails at once.
  init(
    _ peer: Peer, byTLS tls: (trust: TLSTrust, host: String)? = nil, on loop: EventLoop
  ) throws(RedisLinkError) {
    let started =
      switch peer {
      case .tcp(let address, let port): redisAsyncConnect(address, Int32(port))
      case .unix(let path): redisAsyncConnectUnix(path)
      }
    guard let started else { throw RedisLinkError(reason: "out of memory") }
    guard started.pointee.err == 0 else {
      let error = RedisLinkError(reason: String(cString: started.pointee.errstr))
      redisAsyncFree(started)
      throw error
    }
    self.loop = loop
    context = started
    fd = started.pointee.c.fd
    channel = tls.map { [fd] in TLSChannel($0.trust, host: $0.host, fd: fd) }
    // hiredis does not set it, and a re-executed server must not inherit the socket.
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
    do throws(SystemError) { try loop.add(fd, interest, self) } catch {
      redisAsyncFree(started)
      throw RedisLinkError(reason: error.description)
    }
    started.pointee.c.reader.pointee.maxbuf = Self.keptReadBytes
    arena.serve(started.pointee.c.reader)
    started.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    installHooks(started)
  }

  /// Passes one command to hiredis; returns false when the link is gone, and then `call` is never called.
  func send(_ arguments: inout ArgumentBuffer, _ call: RedisCall) -> Bool {
    guard let context else { return false }
    let retained = Unmanaged.passRetained(call)
    let status = arguments.withCommand { command, count in
      redisAsyncFormattedCommand(context, redisCallReceived, retained.toOpaque(), command, count)
    }
    if status != REDIS_OK { retained.release() }
    return status == REDIS_OK
  }

  /// Passes a SUBSCRIBE or UNSUBSCRIBE to hiredis, whose replies and messages go to `onPush`.
  func push(_ arguments: inout ArgumentBuffer) {
    guard let context else { return }
    _ = arguments.withCommand { command, count in
      redisAsyncFormattedCommand(
        context,
        { context, reply, _ in
          guard let context, let reply else { return }
          RedisLink.of(context.pointee.data).onPush?(RedisReply(reply.assumingMemoryBound(to: redisReply.self)))
        }, nil, command, count)
    }
  }

  /// Ends the link: every call in flight receives nil, then `onClosed` is called.
  func drop(_ reason: String) {
    guard let context else { return }
    self.reason = reason
    self.context = nil
    redisAsyncFree(context)
  }

  // MARK: The loop's side

  func ready(_ readiness: Readiness) {
    if let channel { return advance(channel) }
    if readiness.contains(.writable) { write() }
    // An error or a hang-up is found by reading.
    if !readiness.subtracting(.writable).isEmpty { read() }
  }

  /// Reads what has come, at most `readsPerTurn` times. hiredis reads once, and would leave the rest to the next turn:
  /// with a thousand busy clients that is long, and commands in flight would wait for all of them again and again. A
  /// part of a reply in its buffer shows that there is more.
  private func read() {
    var unread = 0
    for _ in 0..<Self.readsPerTurn {
      guard let context else { return }
      redisAsyncHandleRead(context)
      // The call may have ended the link.
      guard let reader = self.context?.pointee.c.reader else { return }
      let left = reader.pointee.len - reader.pointee.pos
      if left == 0 || left == unread { return }
      unread = left
    }
  }

  func flush() {
    isAwaitingFlush = false
    write()
  }

  private func write() {
    if let channel { return send(channel) }
    guard let context else { return }
    isWriting = true
    redisAsyncHandleWrite(context)
    isWriting = false
  }

  // MARK: hiredis' side

  private static func of(_ data: UnsafeMutableRawPointer?) -> RedisLink {
    Unmanaged<RedisLink>.fromOpaque(data!).takeUnretainedValue()
  }

  /// Installs the hooks that hiredis calls. The loop keeps the link alive until `cleanup`, so an unretained pointer is
  /// safe.
  private func installHooks(_ context: UnsafeMutablePointer<redisAsyncContext>) {
    context.pointee.ev.data = Unmanaged.passUnretained(self).toOpaque()
    // Read interest is never taken away, so that there is nothing to do for addRead and delRead.
    context.pointee.ev.addWrite = { RedisLink.of($0).wantsToWrite() }
    context.pointee.ev.delWrite = { RedisLink.of($0).wait(for: .readable) }
    context.pointee.ev.cleanup = { RedisLink.of($0).cleanup() }
  }

  private func wantsToWrite() {
    if isWriting {
      // The write was short: the loop says when there is room again.
      wait(for: [.readable, .writable])
    } else if !isAwaitingFlush, !interest.contains(.writable) {
      isAwaitingFlush = true
      loop.atEndOfTurn(self)
    }
  }

  func wait(for wanted: Readiness) {
    guard wanted != interest else { return }
    interest = wanted
    // Fails only for a descriptor that the loop does not know, and it knows this one until `cleanup`.
    try? loop.change(fd, wanted)
  }

  private func cleanup() {
    let reason = failure
    context = nil
    loop.remove(fd)
    let closed = onClosed
    onClosed = nil
    onPush = nil
    closed?(reason)
  }

  /// Why the link ends, for the calls that get no reply.
  var failure: String {
    if let reason { return reason }
    guard let context, context.pointee.err != 0 else { return "connection closed" }
    return String(cString: context.pointee.errstr)
  }
}

/// Why a link could not even start to connect.
struct RedisLinkError: Error {
  let reason: String
}
