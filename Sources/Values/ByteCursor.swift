import Glibc

/// Writes bytes one after another into memory that the caller owns: an array's appends cost several times as much.
///
/// The memory must outlive the cursor. Writing beyond its end traps: text from outside has to be bounded first.
@usableFromInline package struct ByteCursor {
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let capacity: Int
  @usableFromInline var end = 0

  @inlinable package init(_ memory: UnsafeMutableRawBufferPointer) {
    base = memory.baseAddress!
    capacity = memory.count
  }

  /// How many bytes have been written.
  @inlinable package var count: Int { end }

  /// How many bytes there is room for.
  @inlinable package var room: Int { capacity &- end }

  /// Drops what was written after the first `count` bytes.
  package mutating func cut(to count: Int) { end = count }

  /// What has been written.
  package var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: end) }

  /// Takes up `length` bytes and returns where they begin; traps when there is no room.
  @inlinable @inline(__always)
  mutating func advance(_ length: Int) -> UnsafeMutableRawPointer {
    let start = place(length)
    end &+= length
    return start
  }

  /// Returns where the next byte goes; traps when there is no room for `length` bytes.
  @inlinable @inline(__always)
  func place(_ length: Int) -> UnsafeMutableRawPointer {
    precondition(length <= room, "the memory is full")
    return base + end
  }

  @inlinable @inline(__always)
  package mutating func append(_ byte: UInt8) { advance(1).storeBytes(of: byte, as: UInt8.self) }

  @inlinable @inline(__always)
  package mutating func append(_ text: StaticString) {
    memcpy(advance(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
  }

  @inlinable @inline(__always)
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    memcpy(advance(bytes.count), source, bytes.count)
  }

  @inlinable package mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Appends eight bytes, the first of them lowest.
  @inlinable @inline(__always)
  package mutating func append(eight word: UInt64) { advance(8).storeBytes(of: word.littleEndian, as: UInt64.self) }

  /// Appends the two lowest bytes of a word, the lowest first.
  @inlinable @inline(__always)
  package mutating func append(pair word: UInt64) {
    advance(2).storeBytes(of: UInt16(truncatingIfNeeded: word).littleEndian, as: UInt16.self)
  }

  /// Appends a number in decimal; there must be room for `DecimalText.integerBytes`.
  package mutating func appendDecimal(_ number: UInt64) {
    end += place(DecimalText.integerBytes).storeDecimal(number)
  }

  /// Appends an integer in decimal; there must be room for a sign and `DecimalText.integerBytes`.
  package mutating func appendDecimal(_ integer: Int64) {
    if integer < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(integer.magnitude)
  }

  /// Appends the last digits of a number in decimal, with zeros in front; there must be room for at least eight bytes.
  package mutating func appendDecimal(_ number: UInt64, width: Int) {
    place(max(width, 8)).storeDecimal(number, width: width)
    end += width
  }

  /// Appends the last `digits` hexadecimal digits of a number in lower case, at most 8.
  @inlinable @inline(__always)
  package mutating func appendHex(_ number: UInt32, digits: Int = 8) {
    var text = lowerHex(number) >> UInt64((8 - digits) * 8)
    memcpy(advance(digits), &text, digits)
  }
}

extension [UInt8] {
  /// Appends what `write` writes, at most `capacity` bytes.
  @inlinable @inline(__always)
  package mutating func append(upTo capacity: Int, _ write: (inout ByteCursor) -> Void) {
    append(addingCapacity: capacity) { output in
      output.withUnsafeMutableBufferPointer { buffer, initialized in
        var cursor = ByteCursor(UnsafeMutableRawBufferPointer(buffer))
        write(&cursor)
        initialized = cursor.count
      }
    }
  }
}

extension String {
  /// What `write` writes, at most `capacity` bytes of UTF-8.
  init(upTo capacity: Int, _ write: (inout ByteCursor) -> Void) {
    self.init(unsafeUninitializedCapacity: capacity) { text in
      var cursor = ByteCursor(UnsafeMutableRawBufferPointer(text))
      write(&cursor)
      return cursor.count
    }
  }
}
