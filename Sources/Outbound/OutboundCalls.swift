import CCurl
import HTTP
import Reactor

/// The calls to other servers that are under way on one loop: libcurl's multi interface, which is told when its sockets
/// are ready and its time has come.
final class OutboundCalls {
  /// The most calls under way; further ones fail at once.
  static let maximumCalls = 64
  /// The most connections to one host; further calls wait for one.
  static let connectionsPerHost = 8
  /// The most idle connections that are kept for later calls.
  static let keptConnections = 16

  /// What is called once with the answer, or with why there is none.
  typealias Finish = (Result<OutboundResponse, OutboundError>) -> Void

  private struct Running {
    let call: OutboundCall
    let deadline: Timer
    let finish: Finish
  }

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private let authorities: String?
  private let admits: (@Sendable (PeerAddress) -> Bool)?
  // Made on first use: a server that makes no calls has none of its memory.
  private var multi: UnsafeMutableRawPointer?
  private var running: [UnsafeMutableRawPointer: Running] = [:]
  private var sockets: Set<Int32> = []
  private var timer: Timer?

  init(loop: EventLoop, authorities: String?, admits: (@Sendable (PeerAddress) -> Bool)?) {
    self.loop = loop
    self.authorities = authorities
    self.admits = admits
  }

  // The loop may have gone before: its descriptors are forgotten with it.
  deinit {
    guard let multi else { return }
    // First: libcurl would call this object, and this the loop, for what it releases (invariant 6).
    _ = ccurl_multi_set_sockets(multi, nil, nil)
    _ = ccurl_multi_set_timer(multi, nil, nil)
    for easy in running.keys { curl_multi_remove_handle(multi, easy) }
    curl_multi_cleanup(multi)
  }

  /// Begins a call, which ends after `timeoutSeconds` at the latest.
  func start(_ timeoutSeconds: Double, _ make: () throws(OutboundError) -> OutboundCall, _ finish: @escaping Finish) {
    guard running.count < Self.maximumCalls else {
      return finish(.failure(OutboundError(description: "too many outbound requests")))
    }
    let call: OutboundCall
    do { call = try make() } catch { return finish(.failure(error)) }
    if let authorities { call.trust(authorities) }
    if let admits { call.restrict(to: admits) }
    let easy = call.easy
    let deadline = loop.schedule(afterNanoseconds: UInt64(timeoutSeconds * 1e9)) { [weak self] in
      self?.end(easy, .failure(OutboundError(description: "timed out")))
    }
    running[easy] = Running(call: call, deadline: deadline, finish: finish)
    let code = curl_multi_add_handle(handle(), easy)
    if code != CURLM_OK { end(easy, .failure(OutboundError(description: String(cString: curl_multi_strerror(code))))) }
  }

  private func handle() -> UnsafeMutableRawPointer {
    if let multi { return multi }
    guard let new = curl_multi_init() else { fatalError("libcurl has no memory") }
    let owner = Unmanaged.passUnretained(self).toOpaque()
    // libcurl calls them only within its own functions, which are called here.
    let codes = [
      ccurl_multi_set_sockets(
        new,
        { _, socket, wanted, owner, _ in
          Unmanaged<OutboundCalls>.fromOpaque(owner!).takeUnretainedValue().watch(socket, wanted)
          return 0
        }, owner),
      ccurl_multi_set_timer(
        new,
        { _, milliseconds, owner in
          Unmanaged<OutboundCalls>.fromOpaque(owner!).takeUnretainedValue().wake(afterMilliseconds: milliseconds)
          return 0
        }, owner),
      ccurl_multi_set_long(new, CURLMOPT_MAX_HOST_CONNECTIONS, Self.connectionsPerHost),
      ccurl_multi_set_long(new, CURLMOPT_MAXCONNECTS, Self.keptConnections),
    ]
    precondition(codes.allSatisfy { $0 == CURLM_OK }, "libcurl is too old")
    multi = new
    return new
  }

  // MARK: What libcurl waits for

  private func watch(_ socket: Int32, _ wanted: Int32) {
    if wanted == CURL_POLL_REMOVE {
      if sockets.remove(socket) != nil { loop.remove(socket) }
      return
    }
    var interest: Readiness = []
    if wanted & CURL_POLL_IN != 0 { interest.insert(.readable) }
    if wanted & CURL_POLL_OUT != 0 { interest.insert(.writable) }
    // A call whose socket cannot be watched ends at its deadline.
    if sockets.contains(socket) {
      try? loop.change(socket, interest)
    } else if (try? loop.add(socket, interest, SocketWatch(socket, self))) != nil {
      sockets.insert(socket)
    }
  }

  private func wake(afterMilliseconds milliseconds: Int) {
    if let timer { loop.cancel(timer) }
    timer = nil
    guard milliseconds >= 0 else { return }
    timer = loop.schedule(afterNanoseconds: UInt64(milliseconds) * 1_000_000) { [weak self] in
      self?.act(CURL_SOCKET_TIMEOUT, 0)
    }
  }

  /// Has libcurl do what it can: `socket` is ready as `ready` says, or time has passed.
  fileprivate func act(_ socket: Int32, _ ready: Int32) {
    var left: Int32 = 0
    curl_multi_socket_action(multi, socket, ready, &left)
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      let code = message.pointee.data.result
      if let call = running[easy]?.call { end(easy, call.result(code)) }
    }
  }

  private func end(_ easy: UnsafeMutableRawPointer, _ result: Result<OutboundResponse, OutboundError>) {
    guard let ended = running.removeValue(forKey: easy) else { return }
    loop.cancel(ended.deadline)
    curl_multi_remove_handle(multi, easy)
    ended.finish(result)
  }
}

/// Tells libcurl that a socket of its own is ready.
private final class SocketWatch: EventHandler {
  private let socket: Int32
  private weak var calls: OutboundCalls?

  init(_ socket: Int32, _ calls: OutboundCalls) {
    self.socket = socket
    self.calls = calls
  }

  func ready(_ readiness: Readiness) {
    var ready: Int32 = 0
    if !readiness.isDisjoint(with: [.readable, .hungUp]) { ready |= CURL_CSELECT_IN }
    if readiness.contains(.writable) { ready |= CURL_CSELECT_OUT }
    if !readiness.isDisjoint(with: [.failed, .hungUp]) { ready |= CURL_CSELECT_ERR }
    calls?.act(socket, ready)
  }
}
