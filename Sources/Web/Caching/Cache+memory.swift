import HTTP
import Reactor
import Redis

/// What a loop remembers of the cache: answers that cost no round trip, until Redis says that they are void.
///
/// An answer is remembered with a ticket of the moment before Redis was asked for it, and counts only while that
/// stands: a change that is heard of meanwhile, however late, makes it void also when it is put in afterwards. Beside
/// what is true of all that is kept (`usableMark`), nothing remembered counts unless Redis was heard of a moment ago.
extension Cache {
  /// How long nothing may have been heard of changes: with a loop's delay within the second that is promised.
  private static let silenceNanoseconds: UInt64 = 800_000_000
  /// How long an answer is remembered, whatever is heard.
  private static let rememberedNanoseconds: UInt64 = 10_000_000_000

  /// Hears of what others change, from the moment the subscriber connects.
  func listen() {
    guard isEnabled, memory.isEnabled else { return }
    let (epoch, prefix) = (Array(epochKey.utf8), Array(generationPrefix.utf8))
    // Invariant 1.
    subscriber.track(prefixes: [epochKey, generationPrefix]) { [unowned(unsafe) self] change in
      guard case .key(let key) = change, key != epoch, key.starts(with: prefix) else { return forgetAll() }
      counts.changed(at: ChangeCounts.place(of: key[prefix.count...]))
    }
  }

  /// What this loop remembers of a request's target, if that still is the answer.
  func remembered(_ request: Request) -> RememberedAnswer? {
    guard memory.count > 0, isHearing, let answer = request.withTarget({ memory.find($0) }) else { return nil }
    guard stands(answer.ticket), database.loop.now < answer.until else {
      memory.remove(answer)
      return nil
    }
    record(answer.cache, .hit)
    return answer
  }

  /// To be taken before Redis is asked for an answer that may be remembered; nil when it may not.
  func ticket(for key: CacheKey) -> MemoryTicket? {
    guard memory.isEnabled, isHearing else { return nil }
    let place = ChangeCounts.place(of: key.tag[...])
    return MemoryTicket(session: session, place: place, count: counts.count(at: place))
  }

  /// Remembers the answer to a request, unless a change was heard of since the ticket was taken. It must be what all
  /// who ask for the same target get.
  func remember(_ entry: TaggedBody, of wanted: CachedAnswer, _ ticket: MemoryTicket?, _ request: Request) {
    guard let ticket, stands(ticket), entry.body.count <= Self.maximumBodyBytes else { return }
    let target = request.withTarget { [UInt8]($0) }
    if target.isEmpty { return }
    memory.insert(
      RememberedAnswer(
        target, entry, of: wanted, ticket, until: database.loop.now + Self.rememberedNanoseconds))
  }

  /// Forgets all answers, also those that are being asked for.
  func forgetAll() {
    session += 1
    memory.removeAll()
  }

  /// Counts a change of the tags for all loops of this process.
  func countChange(_ tags: [CacheTag]) {
    for tag in tags { counts.changed(at: ChangeCounts.place(of: tag.bytes[...])) }
  }

  private func stands(_ ticket: MemoryTicket) -> Bool {
    ticket.session == session && counts.count(at: ticket.place) == ticket.count
  }

  /// Whether each change is heard of, by Redis and by the mark under which all was remembered.
  private var isHearing: Bool {
    guard let mark = usableMark else { return false }
    if mark != rememberedMark {
      forgetAll()
      rememberedMark = mark
    }
    return database.loop.now < subscriber.heardUntil &+ Self.silenceNanoseconds
  }
}
