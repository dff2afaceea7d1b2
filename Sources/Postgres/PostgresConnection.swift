import CPostgres
import Glibc
import Reactor

/// One connection to the server in pipeline mode: connects, reconnects, and moves bytes between libpq and the loop.
///
/// Sending is in `PostgresConnection+sending.swift`, the processing of answers in `PostgresConnection+receiving.swift`.
/// Timers hold it until they fire or are cancelled: a weak reference would make every later retain of it a slow one.
final class PostgresConnection: EventHandler, TurnEnd {
  /// What a connection is for.
  enum Role {
    case reader
    case writer
    /// Lent to one transaction at a time.
    case transactions
  }

  let role: Role
  // Invariant 1: the loop outlives it.
  unowned(unsafe) let loop: EventLoop
  /// Strong, so that nothing dangles; `close` breaks the cycle.
  @exclusivity(unchecked) var database: Database?
  private let configuration: DatabaseConfiguration
  private var lifecycle: Lifecycle

  @exclusivity(unchecked) var handle: OpaquePointer?
  private var fd: Int32 = -1
  @exclusivity(unchecked) private var interest: Readiness = []
  private var stepTimer: Timer?
  /// The number of steps that the attempt to connect has taken.
  private var steps = 0
  /// Whether the session is being given its settings, the last step of connecting.
  private var isSettling = false

  @exclusivity(unchecked) var pipeline = Pipeline<Operation>()
  @exclusivity(unchecked) var prepared = PreparedStatements()
  @exclusivity(unchecked) var isAwaitingFlush = false
  /// When bytes last came from the server, or when a command was last sent on an empty pipeline.
  @exclusivity(unchecked) var lastProgress: UInt64 = 0
  @exclusivity(unchecked) var deadlineTimer: Timer?
  var probeTimer: Timer?
  /// The script that runs outside pipeline mode, if one does, and its first error.
  var script: Operation?
  var scriptError: PostgresError?
  /// How many times it was disconnected, by which a transaction notices that its connection is another one now.
  private(set) var generation = 0

  init(_ role: Role, database: Database) {
    self.role = role
    self.database = database
    loop = database.loop
    configuration = database.configuration
    lifecycle = Lifecycle(
      shortestPauseMilliseconds: configuration.shortestPauseMilliseconds,
      longestPauseMilliseconds: configuration.longestPauseMilliseconds)
  }

  var isReady: Bool { lifecycle.state == .ready }
  var isDormant: Bool { lifecycle.state == .dormant }
  /// Whether it was lost, or an attempt to connect failed, since it was last ready.
  var isFailing: Bool { lifecycle.failures > 0 }
  var isBusy: Bool { !pipeline.isEmpty || script != nil }
  /// Whether it leads to a standby, as far as the server has said: it does so when a session begins, and once it is
  /// promoted with the next answer.
  var leadsToStandby: Bool {
    guard let status = PQparameterStatus(handle, "in_hot_standby") else { return false }
    return String(cString: status) == "on"
  }

  // MARK: Lifecycle

  /// Begins to connect, unless that was begun before.
  func start() { step(.start) }

  /// Ends the connection for good; what is in flight fails with `.unavailable`.
  func close() {
    step(.close)
    database = nil
  }

  private func step(_ event: Lifecycle.Event) {
    switch lifecycle.on(event, chance: chance()) {
    case .none: break
    case .resolve: resolve()
    case .pause(let nanoseconds):
      disconnect()
      stepTimer = loop.schedule(afterNanoseconds: nanoseconds) { self.step(.pauseOver) }
    case .release: disconnect()
    }
  }

  private func chance() -> Double { Double.random(in: 0..<1, using: &loop.generator) }

  /// The most steps of an attempt that have the connect timeout each: more than the protocol has.
  private static let maximumSteps = 32

  /// Starts the connect timeout of the attempt's next step. It bounds a step, not the attempt: the time that this
  /// process takes, which opens many connections at once on a busy machine, says nothing about the server.
  private func awaitStep() {
    guard steps < Self.maximumSteps else { return }
    steps += 1
    if let stepTimer { loop.cancel(stepTimer) }
    stepTimer = loop.schedule(afterNanoseconds: UInt64(configuration.connectTimeoutMilliseconds) * 1_000_000) {
      self.connectingFailed(PostgresError(.unavailable, "no connection within the connect timeout"), .timedOut)
    }
  }

  private func resolve() {
    steps = 0
    awaitStep()
    let attempt = generation
    database?.resolver.resolve { result in
      guard attempt == self.generation, self.lifecycle.state == .resolving else { return }
      switch result {
      case .success(let endpoints): self.connect(to: endpoints)
      case .failure(let error): self.connectingFailed(error, .failed)
      }
    }
  }

  private func connect(to endpoints: [ServerAddress]) {
    guard let database else { return }
    step(.resolved)
    awaitStep()
    let shift = endpoints.isEmpty ? 0 : lifecycle.rotation % endpoints.count
    let parameters = database.connectionString.parameters(
      Array(endpoints[shift...] + endpoints[..<shift]), configuration)
    handle = Self.begin(parameters)
    guard handle != nil, PQstatus(handle) != CONNECTION_BAD else { return connectingFailed(complaint(), .failed) }
    PQsetNoticeReceiver(handle, { _, _ in }, nil)
    watch(.writable)
  }

  private static func begin(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
    let words = parameters.flatMap { [strdup($0.keyword), strdup($0.value)] }
    defer { words.forEach { free($0) } }
    var keywords: [UnsafePointer<CChar>?] = stride(from: 0, to: words.count, by: 2).map { UnsafePointer(words[$0]) }
    var values: [UnsafePointer<CChar>?] = stride(from: 1, to: words.count, by: 2).map { UnsafePointer(words[$0]) }
    keywords.append(nil)
    values.append(nil)
    return PQconnectStartParams(keywords, values, 0)
  }

  /// Takes connecting one step further. libpq may close the socket and open another one with the same number, so the
  /// old one is forgotten first.
  private func pollConnecting() {
    unwatch()
    switch PQconnectPoll(handle) {
    case PGRES_POLLING_READING: watch(.readable)
    case PGRES_POLLING_WRITING: watch(.writable)
    case PGRES_POLLING_OK: settle()
    default: connectingFailed(complaint(), .failed)
    }
  }

  /// Sends the session its settings, without which it must not be used: statements would have no timeout. Readers'
  /// sessions refuse writes: a write that shared a sync with reads could be answered before its commit.
  private func settle() {
    guard let database else { return }
    let settings = database.connectionString.sessionSettings(configuration, of: role)
    guard PQsetnonblocking(handle, 1) == 0, PQsendQueryParams(handle, settings, 0, nil, nil, nil, nil, 1) == 1 else {
      return connectingFailed(complaint(), .failed)
    }
    isSettling = true
    pollSettling()
  }

  /// Continues with the settings as far as the socket allows.
  private func pollSettling() {
    let left = PQflush(handle)
    guard left >= 0, PQconsumeInput(handle) == 1 else { return connectingFailed(complaint(), .failed) }
    while PQisBusy(handle) == 0 {
      guard let result = PQgetResult(handle) else { return connected() }
      defer { PQclear(result) }
      guard [PGRES_TUPLES_OK, PGRES_COMMAND_OK].contains(PQresultStatus(result)) else {
        let error = PostgresError(result: result)
        let text = "the server refuses the session's settings: \(error.message)"
        return connectingFailed(PostgresError(.unavailable, text), .failed)
      }
    }
    watch(left == 0 ? .readable : [.readable, .writable])
  }

  private func connected() {
    isSettling = false
    guard PQenterPipelineMode(handle) == 1 else { return connectingFailed(complaint(), .failed) }
    watch(.readable)
    if let stepTimer { loop.cancel(stepTimer) }
    stepTimer = nil
    lastProgress = loop.now
    step(.connected)
    database?.connectionReady(self)
  }

  private func connectingFailed(_ error: PostgresError, _ event: Lifecycle.Event) {
    if let stepTimer { loop.cancel(stepTimer) }
    step(event)
    database?.connectionFailed(self, error)
  }

  /// Gives up a connection that is broken or cannot be trusted any more: what is in flight goes back to the database,
  /// which resends it elsewhere or fails it, and a new attempt begins.
  func lose(_ error: PostgresError, isFrozen: Bool = false) {
    guard isReady else { return }
    var orphans = pipeline.abandon()
    if let script { orphans.append(script) }
    script = nil
    scriptError = nil
    step(.lost)
    database?.connectionLost(self, error, orphans, isFrozen: isFrozen)
  }

  private func disconnect() {
    generation += 1
    isSettling = false
    for timer in [stepTimer, deadlineTimer, probeTimer].compactMap(\.self) { loop.cancel(timer) }
    stepTimer = nil
    deadlineTimer = nil
    probeTimer = nil
    prepared.removeAll()
    for operation in pipeline.abandon() + [script.take()].compactMap(\.self) {
      finish(operation, .failure(operation.unanswered(.unavailable, "the connection is closed")))
    }
    unwatch()
    if let handle { PQfinish(handle) }
    handle = nil
  }

  func complaint() -> PostgresError {
    PostgresError(connection: handle, password: database?.connectionString.password)
  }

  // MARK: Readiness

  func ready(_ readiness: Readiness) {
    switch lifecycle.state {
    case .connecting:
      awaitStep()
      if isSettling { pollSettling() } else { pollConnecting() }
    case .ready:
      // Errors and hang-ups show when reading.
      if readiness != .writable { receive() }
      if isReady, readiness.contains(.writable) { flushOutput() }
    default: break
    }
  }

  private func watch(_ wanted: Readiness) {
    let socket = PQsocket(handle)
    if socket == fd, fd >= 0 {
      guard wanted != interest else { return }
      // Fails only for a descriptor that the loop does not know, and it knows this one until `unwatch`.
      try? loop.change(fd, wanted)
    } else {
      guard socket >= 0, (try? loop.add(socket, wanted, self)) != nil else {
        let error = PostgresError(.unavailable, "the socket cannot be watched")
        if isReady { lose(error) } else { connectingFailed(error, .failed) }
        return
      }
      fd = socket
    }
    interest = wanted
  }

  private func unwatch() {
    if fd >= 0 { loop.remove(fd) }
    fd = -1
    interest = []
  }

  // MARK: Output

  /// Schedules the turn's end to close the open segment by a sync and send what is buffered.
  func flushAtEndOfTurn() {
    if isAwaitingFlush { return }
    isAwaitingFlush = true
    loop.atEndOfTurn(self)
  }

  func flush() {
    isAwaitingFlush = false
    guard isReady else { return }
    guard pipeline.openSegment == nil || sync() else { return lose(complaint()) }
    flushOutput()
  }

  private func flushOutput() {
    switch PQflush(handle) {
    case 0: watch(.readable)
    case 1: watch([.readable, .writable])
    default: lose(complaint())
    }
  }
}
