/// What a loop remembers for a while. All of it can be asked for again: beyond the capacity everything is forgotten.
package struct ShortMemory<Key: Hashable, Value> {
  private let lifetimeNanoseconds: UInt64
  private let capacity: Int
  private var entries: [Key: (value: Value, until: UInt64)] = [:]

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

  package mutating func keep(_ value: Value, of key: Key, at now: UInt64) {
    if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
    entries[key] = (value, now + lifetimeNanoseconds)
  }

  package mutating func forget(_ key: Key) { entries[key] = nil }

  package mutating func forget(where isForgotten: (Value) -> Bool) {
    entries = entries.filter { !isForgotten($0.value.value) }
  }

  package mutating func forgetAll() { entries.removeAll() }
}
