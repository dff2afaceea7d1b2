import Glibc
import Values

/// Writes Protocol Buffers messages as bytes: the few wire types that OTLP needs.
struct ProtobufWriter {
  /// The most bytes of one text; the rest is cut off at a scalar.
  static let maximumTextBytes = 4_096
  /// The most bytes of a number in groups of seven bits.
  static let varintBytes = 10

  private var bytes: ByteCursor

  init(_ memory: UnsafeMutableRawBufferPointer) { bytes = ByteCursor(memory) }

  /// What has been written.
  var written: UnsafeRawBufferPointer { bytes.written }

  /// Writes a number (wire type 0).
  mutating func varint(_ field: UInt8, _ value: UInt64) {
    bytes.append(field << 3)
    bytes.appendVarint(value)
  }

  /// Writes a number of eight bytes (wire type 1).
  mutating func fixed64(_ field: UInt8, _ value: UInt64) {
    bytes.append(field << 3 | 1)
    bytes.append(eight: value)
  }

  /// Writes an id, most significant byte first (wire type 2).
  mutating func identifier(_ field: UInt8, _ high: UInt64, _ low: UInt64? = nil) {
    bytes.append(field << 3 | 2)
    bytes.append(low == nil ? 8 : 16)
    bytes.append(eight: high.byteSwapped)
    if let low { bytes.append(eight: low.byteSwapped) }
  }

  /// Writes text (wire type 2).
  mutating func text(_ field: UInt8, _ value: String) {
    var value = value
    value.withUTF8 { utf8 in
      var count = min(utf8.count, Self.maximumTextBytes)
      while count < utf8.count, utf8[count] & 0xC0 == 0x80 { count -= 1 }
      text(field, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[..<count]))
    }
  }

  /// Writes constant text (wire type 2).
  mutating func text(_ field: UInt8, constant value: StaticString) {
    text(field, UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  private mutating func text(_ field: UInt8, _ value: UnsafeRawBufferPointer) {
    bytes.append(field << 3 | 2)
    bytes.appendVarint(UInt64(value.count))
    bytes.append(value)
  }

  /// Writes a message in the message (wire type 2); its length is put in front once it is known.
  mutating func message(_ field: UInt8, _ body: (inout ProtobufWriter) -> Void) {
    bytes.append(field << 3 | 2)
    let start = bytes.count
    body(&self)
    bytes.insertVarint(UInt64(bytes.count - start), at: start)
  }
}

extension ByteCursor {
  /// Appends a number in groups of seven bits, the lowest first.
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// Inserts a number before what was written from `position` on.
  mutating func insertVarint(_ value: UInt64, at position: Int) {
    let moved = count - position
    appendVarint(value)
    let length = count - position - moved
    // The number was written behind what it belongs in front of, where its length is known; now both change places.
    var number: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &number) { number in
      let start = UnsafeMutableRawPointer(mutating: written.baseAddress! + position)
      memcpy(number.baseAddress!, start + moved, length)
      memmove(start + length, start, moved)
      memcpy(start, number.baseAddress!, length)
    }
  }
}
