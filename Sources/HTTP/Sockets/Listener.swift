import CLinux
import Glibc
import Reactor

/// Accepts the connections of one listening socket, on one loop.
final class Listener: EventHandler {
  private let fd: Int32
  private let loop: EventLoop
  private let limits: HTTPLimits
  private let accepted: (Int32, PeerAddress) -> Void
  private let ranShort: () -> Void
  /// A spare descriptor: when there are none left, giving it up allows a connection to be accepted and closed, so that
  /// it does not stay in the queue and keep the loop spinning.
  private var reserve: Int32
  private var isOpen = true
  private var isPaused = false

  /// Takes over a listening socket, which it will close. `ranShort` is called each time a connection cannot be accepted
  /// for want of descriptors or memory.
  init(
    _ fd: Int32, on loop: EventLoop, _ limits: HTTPLimits, _ accepted: @escaping (Int32, PeerAddress) -> Void,
    ranShort: @escaping () -> Void
  ) throws(SystemError) {
    self.fd = fd
    self.loop = loop
    self.limits = limits
    self.accepted = accepted
    self.ranShort = ranShort
    reserve = Self.openReserve()
    // Connections inherit it: answers leave when they are ready, not when the one before was acknowledged.
    var on: Int32 = 1
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    // The kernel's memory counts as the process's: what a client does not take waits in our own buffers, which are
    // bounded.
    var unsent = Int32(limits.unsentBytes)
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, socklen_t(MemoryLayout<Int32>.size))
    try loop.add(fd, .readable, self)
  }

  func ready(_ readiness: Readiness) { _ = accept(atMost: limits.acceptsPerTurn) }

  /// Leaves connections in the kernel's queue until `resume`.
  func pause() {
    guard isOpen, !isPaused else { return }
    isPaused = true
    // Fails only for a descriptor that the loop does not know, here and below, and it knows this one until `close`.
    try? loop.change(fd, [])
  }

  func resume() {
    guard isOpen, isPaused else { return }
    isPaused = false
    try? loop.change(fd, .readable)
  }

  /// Accepts what is in the kernel's queue, whose connections would be reset otherwise, and closes the socket.
  func close() {
    guard isOpen else { return }
    while accept(atMost: limits.acceptsPerTurn) {}
    isOpen = false
    loop.remove(fd)
    Glibc.close(fd)
    Glibc.close(reserve)
  }

  /// Accepts up to `count` connections; returns whether there may be more.
  private func accept(atMost count: Int) -> Bool {
    for _ in 0..<count {
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let client = withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          retrying { accept4(fd, address, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)) }
        }
      }
      if client >= 0 {
        accepted(client, PeerAddress(storage))
        continue
      }
      switch errno {
      // The client gave up while it waited, and the next one may not have.
      case ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, ENETUNREACH: continue
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: outOfDescriptors()
      default: break
      }
      return false
    }
    return true
  }

  /// Closes one connection with the help of the reserve, and pauses for `HTTPLimits.acceptPauseMilliseconds`.
  private func outOfDescriptors() {
    ranShort()
    Glibc.close(reserve)
    let client = accept4(fd, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
    if client >= 0 { Glibc.close(client) }
    reserve = Self.openReserve()
    pause()
    loop.schedule(afterNanoseconds: UInt64(limits.acceptPauseMilliseconds) * 1_000_000) { [weak self] in
      self?.resume()
    }
  }

  private static func openReserve() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }
}
