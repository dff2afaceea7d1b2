import CLinux
import Glibc
import Reactor

/// A TCP connection for a thread that may block, with one deadline for all that is done with it.
struct PlainSocket: ~Copyable {
  private let fd: Int32
  private let deadline: Int

  /// Connects to the first address of the host that answers.
  init(host: String, port: UInt16, timeoutMilliseconds: Int) throws(PlainHTTP.Failure) {
    let deadline = Clock.monotonicMilliseconds() + timeoutMilliseconds
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &found)
    guard code == 0 else { throw .unresolved(String(cString: gai_strerror(code))) }
    defer { freeaddrinfo(found) }
    var failure = PlainHTTP.Failure.unreachable("no address")
    var next = found
    while let address = next {
      do {
        fd = try Self.connect(address.pointee, deadline: deadline)
        self.deadline = deadline
        return
      } catch {
        failure = error
      }
      next = address.pointee.ai_next
    }
    throw failure
  }

  deinit { close(fd) }

  /// Sends all of the bytes.
  func send(_ bytes: [UInt8]) throws(PlainHTTP.Failure) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        retrying { Glibc.send(fd, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        try Self.wait(fd, POLLOUT, deadline)
      } else {
        throw Self.unreachable()
      }
    }
  }

  /// Returns the next bytes; none at the end of the connection.
  func receive() throws(PlainHTTP.Failure) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = retrying { recv(fd, &chunk, chunk.count, 0) }
      if count >= 0 { return Array(chunk[..<count]) }
      guard errno == EAGAIN else { throw Self.unreachable() }
      try Self.wait(fd, POLLIN, deadline)
    }
  }

  private static func connect(_ address: addrinfo, deadline: Int) throws(PlainHTTP.Failure) -> Int32 {
    let type = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.ai_family, type, address.ai_protocol)
    guard fd >= 0 else { throw unreachable() }
    do throws(PlainHTTP.Failure) {
      if Glibc.connect(fd, address.ai_addr, address.ai_addrlen) != 0 {
        guard errno == EINPROGRESS || errno == EINTR else { throw unreachable() }
        try wait(fd, POLLOUT, deadline)
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length)
        if code != 0 { throw unreachable(code) }
      }
      return fd
    } catch {
      close(fd)
      throw error
    }
  }

  private static func wait(_ fd: Int32, _ events: Int32, _ deadline: Int) throws(PlainHTTP.Failure) {
    while true {
      let left = deadline - Clock.monotonicMilliseconds()
      guard left > 0 else { throw .timeout }
      var descriptor = pollfd(fd: fd, events: Int16(events), revents: 0)
      if poll(&descriptor, 1, Int32(clamping: left)) > 0 { return }
    }
  }

  private static func unreachable(_ code: Int32 = errno) -> PlainHTTP.Failure {
    .unreachable(String(cString: strerror(code)))
  }
}
