import Glibc

/// What a connection has read and not yet used, in a block that it holds only while it needs one.
///
/// The front of the block keeps the head of the request in flight, to which the request's slices refer; behind it
/// come the bytes that were read since. Behind the bytes lies the table of header fields.
struct InputBuffer {
  /// The block, nil while the connection needs none.
  private(set) var base: UnsafeMutableRawPointer?
  private let capacity: Int
  /// Where the head of the request in flight ends, 0 without one: bytes before it stay where they are.
  private var floor = 0
  /// The first byte that is not used yet.
  private(set) var start = 0
  private var end = 0

  init(capacity: Int) { self.capacity = capacity }

  var isEmpty: Bool { start == end }
  /// The bytes that are not used yet.
  var count: Int { end &- start }
  /// How many bytes can be read into the block.
  var room: Int { capacity &- end }
  /// Where the next bytes go.
  var tail: UnsafeMutableRawPointer { base.unsafelyUnwrapped + end }
  /// The bytes that are not used yet, valid until the buffer is changed.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base.map { $0 + start }, count: count) }
  /// Room for the header fields of a head.
  var fields: UnsafeMutablePointer<FieldSlice> {
    (base.unsafelyUnwrapped + capacity).assumingMemoryBound(to: FieldSlice.self)
  }

  /// Takes a block if there is none, and moves what is unused forward when there is little room behind it.
  mutating func prepare(_ pool: BlockPool) {
    if base == nil { base = pool.take() }
    if start == end {
      start = floor
      end = floor
    } else if room < capacity / 4, start > floor {
      memmove(base.unsafelyUnwrapped + floor, base.unsafelyUnwrapped + start, count)
      end = floor &+ count
      start = floor
    }
  }

  /// Notes that bytes were read to `tail`.
  mutating func append(_ count: Int) { end &+= count }

  /// Uses bytes up.
  mutating func consume(_ count: Int) { start &+= count }

  /// Uses bytes up that must stay in place until `releaseHead`.
  mutating func consumeHead(_ count: Int) {
    start &+= count
    floor = start
  }

  /// Lets go of the head's bytes.
  mutating func releaseHead() { floor = 0 }

  /// Forgets what is unused.
  mutating func removeAll() { start = end }

  /// Gives the block back; nothing may be left that is of use.
  mutating func release(to pool: BlockPool) {
    guard let block = base else { return }
    pool.give(block)
    base = nil
    start = 0
    end = 0
    floor = 0
  }
}
