import HTTP
import Reactor
import Redis

/// What a loop remembers of the cache: answers that cost no round trip, until Redis says that they are invalid.
///
/// An answer is remembered with a ticket, taken before Redis was asked for it, and counts only while the ticket stands:
/// a change that is reported in between, however late, also invalidates an answer that is put in after it. Beside what
/// holds for every entry (`usableMark`), a remembered answer counts only while Redis was heard from within
/// `silenceNanoseconds`.
extension Cache {
  /// The longest silence of Redis for which remembered answers count, in nanoseconds: with a loop's delay within the
  /// second that is promised.
  private static let silenceNanoseconds: UInt64 = 800_000_000
  /// How long an answer is remembered at most, in nanoseconds.
  private static let rememberedNanoseconds: UInt64 = 10_000_000_000

  /// Subscribes to the changes that others make, from the moment the subscriber connects.
  func listen() {
    guard isEnabled, memory.isEnabled else { return }
    let (epoch, prefix) = (Array(epochKey.utf8), Array(generationPrefix.utf8))
    // Invariant 1: the cache outlives its subscriber.
    subscriber.track(prefixes: [epochKey, generationPrefix]) { [unowned(unsafe) self] change in
      guard case .key(let key) = change, key != epoch, key.starts(with: prefix) else { return forgetAll() }
      counts.changed(at: ChangeCounts.place(of: key[prefix.count...]))
    }
  }

  /// The answer that this loop remembers for a request's target, if it still counts.
  func remembered(_ request: Request) -> RememberedAnswer? {
    guard memory.count > 0, isHearing, let answer = request.withTarget({ memory.find($0) }) else { return nil }
    guard stands(answer.ticket), database.loop.now < answer.until else {
      memory.remove(answer)
      return nil
    }
    record(answer.cache, .hit)
    return answer
  }

  /// Returns a ticket, to be taken before Redis is asked for an answer; nil when the answer may not be remembered.
  func ticket(for key: CacheKey) -> MemoryTicket? {
    guard memory.isEnabled, isHearing else { return nil }
    let place = ChangeCounts.place(of: key.tag[...])
    return MemoryTicket(clearings: clearings, place: place, count: counts.count(at: place))
  }

  /// Remembers the answer to a request, unless a change was reported since the ticket was taken. `entry` must be what
  /// every client that asks for the target gets.
  func remember(_ entry: TaggedBody, of wanted: CachedAnswer, _ ticket: MemoryTicket?, _ request: Request) {
    guard let ticket, stands(ticket), entry.body.count <= Self.maximumBodyBytes else { return }
    let target = request.withTarget { [UInt8]($0) }
    if target.isEmpty { return }
    memory.insert(
      RememberedAnswer(
        target, entry, of: wanted, ticket, until: database.loop.now + Self.rememberedNanoseconds))
  }

  /// Forgets all answers, also those that are being looked up.
  func forgetAll() {
    clearings += 1
    memory.removeAll()
  }

  /// Counts a change of the tags for all loops of this process.
  func countChange(_ tags: [CacheTag]) {
    for tag in tags { counts.changed(at: ChangeCounts.place(of: tag.bytes[...])) }
  }

  private func stands(_ ticket: MemoryTicket) -> Bool {
    ticket.clearings == clearings && counts.count(at: ticket.place) == ticket.count
  }

  /// Whether this loop hears of every change: the mark is usable and Redis was heard from just now. Forgets what was
  /// remembered under another mark.
  private var isHearing: Bool {
    guard let mark = usableMark else { return false }
    if mark != rememberedMark {
      forgetAll()
      rememberedMark = mark
    }
    return database.loop.now < subscriber.heardUntil &+ Self.silenceNanoseconds
  }
}
