/// A cache of one loop, whose entries expire. All of it can be asked for again: when it is full, every entry is
/// dropped.
package struct ShortMemory<Key: Hashable, Value> {
  private let lifetimeNanoseconds: UInt64
  private let capacity: Int
  private var entries: [Key: (value: Value, until: UInt64)] = [:]
  /// The number of times that something was forgotten.
  private var forgettings: UInt64 = 0

  /// Makes a cache of at most `capacity` values, each believed for `lifetimeNanoseconds`.
  package init(lifetimeNanoseconds: UInt64, capacity: Int) {
    self.lifetimeNanoseconds = lifetimeNanoseconds
    self.capacity = capacity
  }

  /// The value of `key` that is still believed at `now`, a moment of the monotonic clock.
  package func value(of key: Key, at now: UInt64) -> Value? {
    guard let entry = entries[key], entry.until > now else { return nil }
    return entry.value
  }

  /// The last value of `key`, however old.
  package func lastValue(of key: Key) -> Value? { entries[key]?.value }

  /// The moment at which a look-up began whose answer takes a while.
  package struct Question {
    fileprivate let askedAt: UInt64
    fileprivate let forgettings: UInt64
  }

  /// Begins a look-up; must be called before the source is asked.
  package func question(at now: UInt64) -> Question { Question(askedAt: now, forgettings: forgettings) }

  /// Keeps the answer to a look-up, believed from its beginning on, unless something was forgotten meanwhile: the
  /// answer may be from before that.
  package mutating func keep(_ value: Value, of key: Key, _ question: Question) {
    if question.forgettings == forgettings { keep(value, of: key, at: question.askedAt) }
  }

  /// Keeps a value that is true at `now`, believed from then on.
  package mutating func keep(_ value: Value, of key: Key, at now: UInt64) {
    if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
    entries[key] = (value, now + lifetimeNanoseconds)
  }

  /// Forgets one value. Answers to look-ups in flight will not be kept.
  package mutating func forget(_ key: Key) {
    forgettings += 1
    entries[key] = nil
  }

  /// Forgets the values that satisfy `isForgotten`. Answers to look-ups in flight will not be kept.
  package mutating func forget(where isForgotten: (Value) -> Bool) {
    forgettings += 1
    entries = entries.filter { !isForgotten($0.value.value) }
  }

  /// Forgets all values. Answers to look-ups in flight will not be kept.
  package mutating func forgetAll() {
    forgettings += 1
    entries.removeAll()
  }
}
