/// The commands that one connection has sent and that are not answered yet, in order, and what each answer means.
///
/// Pure: it is told what was sent and what came back, and returns what to do. A segment is the commands between two
/// syncs, which the server runs as one implicit transaction: when one of them fails, those after it are skipped.
struct Pipeline<Ticket> {
  /// What the failure of one command means to the others of its segment.
  enum Sharing: Equatable {
    /// Independent reads, answered at once. After a failure each one without an answer is sent again, alone.
    case independent
    /// One unit, such as a write, answered only when its sync is: then it is committed. A failure fails all of it.
    case united
  }

  private enum Entry {
    case prepare(statement: Int, version: UInt32)
    /// A command whose success nobody waits for.
    case silent
    case command(Ticket, Sharing)
    case sync
  }

  /// What came back for the first entry.
  enum Reply {
    case success
    case failure(PostgresError)
    /// Skipped, because something before it in its segment failed.
    case aborted
    case sync
  }

  enum Action {
    case none
    /// Deliver the result that just came to this one.
    case deliver(Ticket)
    /// Keep the result that just came for this one until `complete`.
    case hold(Ticket)
    /// The segment has succeeded: what these hold is their outcome.
    case complete([Ticket])
    case fail([Ticket], PostgresError)
    /// Send each of these again between syncs of its own.
    case resend([Ticket])
    /// The server answers something that was not asked.
    case outOfStep
  }

  private var entries = Ring<Entry>()
  /// The number of commands without an answer.
  private(set) var commandCount = 0
  /// How the commands since the last sync share, or nil when there are none.
  private(set) var openSegment: Sharing?

  // The segment that is being answered.
  private var error: PostgresError?
  private var unanswered: [Ticket] = []
  private var held: [Ticket] = []
  private var isUnited = false
  private var answeredCount = 0
  /// Statements that turned out not to be prepared, which the connection is to forget.
  private var unprepared: [(statement: Int, version: UInt32)] = []

  var isEmpty: Bool { entries.isEmpty }

  /// The first command without an answer.
  var firstCommand: Ticket? {
    for index in 0..<entries.count {
      if case .command(let ticket, _) = entries[index] { return ticket }
    }
    return nil
  }

  /// The number of commands in the segment whose answer comes next.
  var firstSegmentCount: Int {
    var count = answeredCount
    for index in 0..<entries.count {
      switch entries[index] {
      case .command: count += 1
      case .sync: return count
      case .prepare, .silent: break
      }
    }
    return count
  }

  // MARK: Sending

  mutating func sentPrepare(statement: Int, version: UInt32, _ sharing: Sharing) {
    entries.append(.prepare(statement: statement, version: version))
    openSegment = sharing
  }

  mutating func sentSilent(_ sharing: Sharing) {
    entries.append(.silent)
    openSegment = sharing
  }

  mutating func sentCommand(_ ticket: Ticket, _ sharing: Sharing) {
    entries.append(.command(ticket, sharing))
    commandCount += 1
    openSegment = sharing
  }

  mutating func sentSync() {
    entries.append(.sync)
    openSegment = nil
  }

  // MARK: Receiving

  mutating func received(_ reply: Reply) -> Action {
    guard let first = entries.first else { return .outOfStep }
    switch (reply, first) {
    case (.sync, .sync):
      entries.popFirst()
      return endSegment()
    case (.sync, _), (.success, .sync), (.aborted, .sync):
      return .outOfStep
    case (.failure(let failure), .sync):
      // The commit itself failed, for example by a deferred constraint.
      if error == nil { error = failure }
      return .none
    case (.success, _):
      entries.popFirst()
      return succeeded(first)
    case (.failure(let failure), _):
      entries.popFirst()
      if error == nil { error = failure }
      failed(first)
      return .none
    case (.aborted, _):
      entries.popFirst()
      failed(first)
      return .none
    }
  }

  private mutating func succeeded(_ entry: Entry) -> Action {
    guard case .command(let ticket, let sharing) = entry else { return .none }
    commandCount -= 1
    answeredCount += 1
    if sharing == .independent { return .deliver(ticket) }
    isUnited = true
    held.append(ticket)
    return .hold(ticket)
  }

  private mutating func failed(_ entry: Entry) {
    switch entry {
    case .prepare(let statement, let version):
      unprepared.append((statement, version))
    case .command(let ticket, let sharing):
      commandCount -= 1
      answeredCount += 1
      if sharing == .united { isUnited = true }
      unanswered.append(ticket)
    case .silent, .sync:
      break
    }
  }

  private mutating func endSegment() -> Action {
    defer {
      error = nil
      unanswered.removeAll(keepingCapacity: true)
      held.removeAll(keepingCapacity: true)
      isUnited = false
      answeredCount = 0
    }
    guard let error else { return held.isEmpty ? .none : .complete(held) }
    if isUnited { return .fail(held + unanswered, error) }
    // The only command of a segment has failed by itself.
    if answeredCount == 1 { return .fail(unanswered, error) }
    return .resend(unanswered)
  }

  /// Takes the statements that turned out not to be prepared since the last call.
  mutating func takeUnprepared() -> [(statement: Int, version: UInt32)] {
    defer { unprepared.removeAll(keepingCapacity: true) }
    return unprepared
  }

  /// Empties the pipeline; returns every command without an outcome, oldest first.
  mutating func abandon() -> [Ticket] {
    var tickets = held + unanswered
    while let entry = entries.popFirst() {
      if case .command(let ticket, _) = entry { tickets.append(ticket) }
    }
    self = Pipeline()
    return tickets
  }

  /// Calls `body` with each command without an outcome: first those not answered yet, oldest first, then those of the
  /// segment that is being answered.
  func forEachCommand(_ body: (Ticket) -> Void) {
    for index in 0..<entries.count {
      if case .command(let ticket, _) = entries[index] { body(ticket) }
    }
    held.forEach(body)
    unanswered.forEach(body)
  }
}
