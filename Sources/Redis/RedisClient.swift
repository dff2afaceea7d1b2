import CRedis
import Reactor

/// One loop's connection to Redis: any number of tasks of the loop send commands, and all share one pipeline.
///
/// While there is no connection every command fails at once with `.unavailable`. A command that waits longer than the
/// deadline fails with `.timeout` and ends the connection: everything else in flight fails as unavailable, and nothing
/// is sent until a new connection has answered a PING. A Redis that takes no writes, such as a full one, is as good as
/// none: its refusal ends the connection too. Close the client before releasing it.
package final class RedisClient {
  /// The most calls kept for reuse.
  static let spareCalls = 1_024

  /// Called on the loop when the connection comes up (true) or is lost (false).
  package var onStateChange: ((_ isConnected: Bool) -> Void)?
  /// Called when connecting or a connection fails for another reason than the last time; for logs.
  package var onFailure: ((_ reason: String) -> Void)? {
    get { connector.onFailure }
    set { connector.onFailure = newValue }
  }

  private let loop: EventLoop
  private let configuration: RedisConfiguration
  private let connector: RedisConnector
  private let observer: (any RedisObserver)?
  @exclusivity(unchecked) private var link: RedisLink?
  @exclusivity(unchecked) private var arguments = ArgumentBuffer()
  @exclusivity(unchecked) private var tally = RedisCounts()
  // The calls in flight, oldest first: Redis answers in order, and the deadline is the same for all.
  @exclusivity(unchecked) private var oldest: ClientCall?
  @exclusivity(unchecked) private var newest: ClientCall?
  @exclusivity(unchecked) private var spare: [ClientCall] = []
  /// The number of commands in flight.
  @exclusivity(unchecked) package private(set) var inFlight = 0
  @exclusivity(unchecked) private var inFlightBytes = 0
  private var deadline: FairTimer?
  private let ready: WaitList
  private var isClosed = false

  /// Begins to connect at once. Call it on the loop's thread.
  package init(loop: EventLoop, configuration: RedisConfiguration, observer: (any RedisObserver)? = nil) {
    self.loop = loop
    ready = WaitList(on: loop)
    self.configuration = configuration
    self.observer = observer
    connector = RedisConnector(loop: loop, configuration: configuration)
    connector.onReady = { [unowned self] link in connected(link) }
    connector.onLost = { [unowned self] _ in disconnected() }
    connector.start()
  }

  /// Whether commands can be sent.
  package var isConnected: Bool { link != nil }

  /// Why the last attempt or connection failed; nil while connected.
  package var lastFailure: String? { connector.lastFailure }
  /// Whether the reason is that Redis does not know this server's credentials, gives them too few rights, or lacks a
  /// command that is needed.
  package var refusesThisServer: Bool { connector.refusesThisServer }

  package var counts: RedisCounts {
    var counts = tally
    counts.connections = connector.connections
    return counts
  }

  /// Waits until connected, at most `milliseconds`; returns whether it is. For tests.
  package func waitUntilConnected(milliseconds: UInt64) async -> Bool {
    if isConnected || isClosed { return isConnected }
    return await ready.wait(nanoseconds: milliseconds * 1_000_000) && isConnected
  }

  /// Ends the connection; what is in flight fails, and so does everything sent later.
  package func close() {
    isClosed = true
    connector.close()
    link = nil
    onStateChange = nil
    deadline?.cancel()
    ready.release()
  }

  // MARK: Commands

  /// Sends one command and waits for its reply; an error reply is thrown as `.server`.
  @discardableResult
  package func send(_ command: RedisArgument...) async throws(RedisError) -> RedisReply { try await send(command) }

  /// Sends one command, which has at least a name, and waits for its reply; an error reply is thrown as `.server`.
  @discardableResult
  package func send(_ command: [RedisArgument]) async throws(RedisError) -> RedisReply {
    let result = await withLoopContinuation { continuation in
      begin(command, .single(continuation))
    }
    return try result.get()
  }

  /// Sends several commands, one right after the other on the connection, and waits for all replies.
  ///
  /// An error reply takes its place in the list as `.error`. Throws when an answer is missing; any of the commands may
  /// have run.
  package func pipeline(_ commands: [[RedisArgument]]) async throws(RedisError) -> [RedisReply] {
    if commands.isEmpty { return [] }
    let result = await withLoopContinuation {
      (continuation: LoopContinuation<Result<[RedisReply], RedisError>>) in
      let bytes = commands.reduce(0) { $0 + $1.reduce(0) { $0 + $1.byteCount } }
      guard inFlight + commands.count <= configuration.maximumInFlight,
        inFlightBytes + bytes <= configuration.maximumInFlightBytes
      else {
        tally.overflows += UInt64(commands.count)
        return continuation.resume(returning: .failure(.overloaded))
      }
      let gathering = Gathering(count: commands.count, continuation)
      for (index, command) in commands.enumerated() { begin(command, .part(gathering, index)) }
    }
    return try result.get()
  }

  /// Sends a command whose arguments after the name `fill` appends.
  func send(_ name: String, _ waiter: ClientCall.Waiter, _ fill: (inout ArgumentBuffer) -> Void) {
    begin(name, waiter) { arguments in
      arguments.removeAll()
      arguments.append(name)
      fill(&arguments)
    }
  }

  private func begin(_ command: [RedisArgument], _ waiter: ClientCall.Waiter) {
    precondition(!command.isEmpty, "a command has at least a name")
    begin(Self.name(of: command), waiter) { $0.fill(command) }
  }

  private func begin(_ name: String, _ waiter: ClientCall.Waiter, _ fill: (inout ArgumentBuffer) -> Void) {
    guard let link else {
      tally.refusals += 1
      return waiter.resume(.failure(.unavailable(lastFailure ?? "not connected yet")))
    }
    fill(&arguments)
    guard inFlight < configuration.maximumInFlight,
      inFlightBytes + arguments.count <= configuration.maximumInFlightBytes
    else {
      tally.overflows += 1
      return waiter.resume(.failure(.overloaded))
    }
    let call = spare.popLast() ?? ClientCall(self)
    call.begin(name, at: Clock.monotonic(), bytes: arguments.count, waiter)
    guard link.send(&arguments, call) else {
      tally.refusals += 1
      return waiter.resume(.failure(.unavailable(link.failure)))
    }
    tally.commands += 1
    enqueue(call)
  }

  private static func name(of command: [RedisArgument]) -> String {
    switch command[0] {
    case .text(let name): name
    case .bytes(let name): String(decoding: name, as: UTF8.self)
    case .integer(let number): String(number)
    }
  }

  // MARK: Answers and deadlines

  private func enqueue(_ call: ClientCall) {
    if let newest { newest.next = call } else { oldest = call }
    newest = call
    inFlight += 1
    inFlightBytes += call.bytes
    if deadline == nil { watch(call) }
  }

  /// Settles a call with its reply, or with an error if the link has ended without one. It is always the oldest call.
  func settle(_ call: ClientCall, _ reply: UnsafePointer<redisReply>?) {
    assert(call === oldest, "replies come in the order of the commands")
    oldest = call.next
    call.next = nil
    if oldest == nil { newest = nil }
    inFlight -= 1
    inFlightBytes -= call.bytes
    let answer = answer(of: call, reply)
    if case .failure(let error) = answer {
      tally.failures += 1
      if error == .timeout { tally.timeouts += 1 }
      observe(call, error)
    } else {
      observe(call, nil)
    }
    let waiter = call.takeWaiter()
    if spare.count < Self.spareCalls { spare.append(call) }
    waiter.resume(answer)
    if case .failure(let error) = answer, error.refusesWrites, case .server(let message) = error {
      link?.drop("refused: \(message)")
    }
  }

  private func answer(
    of call: ClientCall, _ reply: UnsafePointer<redisReply>?
  ) -> Result<UnsafePointer<redisReply>, RedisError> {
    guard let reply else { return .failure(call.isLate ? .timeout : .unavailable(link?.failure ?? "closed")) }
    if reply.pointee.type == REDIS_REPLY_ERROR {
      return .failure(.server(String(decoding: RedisReply.bytes(reply), as: UTF8.self)))
    }
    return .success(reply)
  }

  private func observe(_ call: ClientCall, _ error: RedisError?) {
    observer?.finished(command: call.name, durationNanoseconds: age(of: call), error: error)
  }

  /// Sets the one timer for the oldest call. It is not cancelled when the answer comes: when it fires, it is set for
  /// the call that is the oldest by then.
  private func watch(_ call: ClientCall) {
    let waited = age(of: call)
    // Past its deadline and not watched until now: the loop was held up, which is not Redis' fault.
    let left = waited < limitNanoseconds ? limitNanoseconds - waited : FairTimer.graceNanoseconds
    deadline = FairTimer(on: loop, afterNanoseconds: left) { [unowned self] in
      deadline = nil
      if let oldest, oldest !== call { watch(oldest) } else { expire() }
    }
  }

  private var limitNanoseconds: UInt64 { configuration.commandDeadlineMilliseconds * 1_000_000 }

  /// How long a call has waited as of this turn's start; 0 if it began within the turn.
  private func age(of call: ClientCall) -> UInt64 { loop.now - min(loop.now, call.started) }

  private func expire() {
    var call = oldest
    while let late = call, age(of: late) >= limitNanoseconds {
      late.isLate = true
      call = late.next
    }
    if let oldest, oldest.isLate {
      // Redis answers in order, so that nothing behind the late one can be answered in time either.
      link?.drop("no answer within \(configuration.commandDeadlineMilliseconds) ms")
    } else if let oldest {
      watch(oldest)
    }
  }

  // MARK: The connection's state

  private func connected(_ link: RedisLink) {
    self.link = link
    connector.linkServes()
    ready.release()
    onStateChange?(true)
  }

  private func disconnected() {
    link = nil
    onStateChange?(false)
  }
}
