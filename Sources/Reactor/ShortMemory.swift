/// What a loop remembers for a while. All of it can be asked for again: beyond the capacity everything is forgotten.
package struct ShortMemory<Key: Hashable, Value> {
  private let lifetimeNanoseconds: UInt64
  private let capacity: Int
  private var entries: [Key: (value: Value, until: UInt64)] = [:]
  /// How often something was forgotten.
  private var forgettings: UInt64 = 0

  /// A memory of at most `capacity` values, each believed for so long after it was kept.
  package init(lifetimeNanoseconds: UInt64, capacity: Int) {
    self.lifetimeNanoseconds = lifetimeNanoseconds
    self.capacity = capacity
  }

  /// What is known and still believed at a moment of the monotonic clock.
  package func value(of key: Key, at now: UInt64) -> Value? {
    guard let entry = entries[key], entry.until > now else { return nil }
    return entry.value
  }

  /// What was known last, however long ago.
  package func lastValue(of key: Key) -> Value? { entries[key]?.value }

  /// The moment at which something was asked for that takes a while to be answered.
  package struct Question {
    fileprivate let askedAt: UInt64
    fileprivate let forgettings: UInt64
  }

  /// To be taken before something is asked for.
  package func question(at now: UInt64) -> Question { Question(askedAt: now, forgettings: forgettings) }

  /// Keeps the answer to a question, believed from when that was asked. Not if something was forgotten meanwhile: it
  /// may be from before that.
  package mutating func keep(_ value: Value, of key: Key, _ question: Question) {
    if question.forgettings == forgettings { keep(value, of: key, at: question.askedAt) }
  }

  /// Keeps what is true at this moment, believed from now on.
  package mutating func keep(_ value: Value, of key: Key, at now: UInt64) {
    if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
    entries[key] = (value, now + lifetimeNanoseconds)
  }

  /// Forgets one value; what was asked for before is not kept when it is answered.
  package mutating func forget(_ key: Key) {
    forgettings += 1
    entries[key] = nil
  }

  /// Forgets the values of which that holds, in the same way.
  package mutating func forget(where isForgotten: (Value) -> Bool) {
    forgettings += 1
    entries = entries.filter { !isForgotten($0.value.value) }
  }

  /// Forgets all values, in the same way.
  package mutating func forgetAll() {
    forgettings += 1
    entries.removeAll()
  }
}
