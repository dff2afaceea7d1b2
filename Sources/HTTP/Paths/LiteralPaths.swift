import Glibc

/// Finds the numbers of paths without parameters: an open-addressing hash table over their bytes.
///
/// Keys are only the program's own paths, in a table at most half full, so that no request can make a look-up long. The
/// table has memory of its own, since every look-up in arrays would touch their reference counts.
struct LiteralPaths {
  private struct Slot {
    var hash: UInt64 = 0
    var path = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var value = -1
  }

  private var slots = LiteralPaths.emptySlots(16)
  private var count = 0

  /// Frees the table; its owner calls this once.
  func deallocate() {
    for slot in slots { slot.path.deallocate() }
    slots.deallocate()
  }

  /// Returns the number of `path`, or nil if it is not in the table.
  @inline(__always)
  func find(_ path: RawSpan) -> Int? {
    let slots = slots
    let hash = Self.hash(path)
    var index = Int(truncatingIfNeeded: hash) & (slots.count &- 1)
    while slots[index].value >= 0 {
      if slots[index].hash == hash, slots[index].path.bytes.hasSameBytes(as: path) { return slots[index].value }
      index = (index &+ 1) & (slots.count &- 1)
    }
    return nil
  }

  /// Adds a path with the number `value` unless it is in the table already; returns its number.
  mutating func insert(_ path: String, _ value: Int) -> Int {
    let bytes = Array(path.utf8)
    if let known = find(bytes.span.bytes) { return known }
    if count * 2 >= slots.count { grow() }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    place(Slot(hash: Self.hash(bytes.span.bytes), path: copy, value: value))
    count += 1
    return value
  }

  private mutating func place(_ slot: Slot) {
    var index = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
    while slots[index].value >= 0 { index = (index + 1) & (slots.count - 1) }
    slots[index] = slot
  }

  private mutating func grow() {
    let old = slots
    slots = Self.emptySlots(old.count * 2)
    for slot in old where slot.value >= 0 { place(slot) }
    old.deallocate()
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutableBufferPointer<Slot> {
    let slots = UnsafeMutableBufferPointer<Slot>.allocate(capacity: count)
    slots.initialize(repeating: Slot())
    return slots
  }

  /// Eight bytes at a time, multiplied and folded; good enough for a few hundred keys of our own.
  @inline(__always)
  private static func hash(_ bytes: RawSpan) -> UInt64 {
    var hash = UInt64(bytes.byteCount)
    var offset = 0
    while offset &+ 8 <= bytes.byteCount {
      hash = mix(hash ^ bytes.word(at: offset))
      offset &+= 8
    }
    return mix(hash ^ lastWord(bytes))
  }

  /// The last eight bytes; all of them if there are fewer, some perhaps twice.
  @inline(__always)
  private static func lastWord(_ bytes: RawSpan) -> UInt64 {
    let count = bytes.byteCount
    if count >= 8 { return bytes.word(at: count &- 8) }
    if count >= 4 {
      let first = bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let last = bytes.unsafeLoadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
      return UInt64(first) << 32 | UInt64(last)
    }
    return (0..<count).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 32)
  }
}
