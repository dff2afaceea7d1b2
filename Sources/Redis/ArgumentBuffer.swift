import Glibc
import Values

/// One command as it goes over the wire: an array of bulk strings (RESP2). Reused from command to command.
package struct ArgumentBuffer: ~Copyable {
  /// The initial size of the buffer, and the most that it keeps between commands, in bytes.
  static let keptBytes = 64 * 1024
  /// Room for the number of arguments, which comes first and is known last, in bytes.
  private static let headBytes = 24
  /// The most bytes around an argument: the mark, its length and two line ends.
  private static let frameBytes = 32

  private var base = UnsafeMutableRawPointer.allocate(byteCount: keptBytes, alignment: 1)
  private var capacity = keptBytes
  private var arguments = 0
  /// The end of the command in the buffer, in bytes from the buffer's start.
  private(set) var count = headBytes

  deinit { base.deallocate() }

  mutating func removeAll() {
    if capacity > Self.keptBytes { resize(Self.keptBytes) }
    count = Self.headBytes
    arguments = 0
  }

  /// Appends one argument.
  package mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      let place = begin(bytes.count)
      if let source = bytes.baseAddress { memcpy(place, source, bytes.count) }
    }
    endLine()
  }

  /// Appends one argument, such as a key, from two parts.
  package mutating func append(_ value: [UInt8], _ more: [UInt8] = []) {
    let place = begin(value.count + more.count)
    value.withUnsafeBytes { bytes in if let source = bytes.baseAddress { memcpy(place, source, bytes.count) } }
    more.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { memcpy(place + value.count, source, bytes.count) }
    }
    endLine()
  }

  mutating func fill(_ arguments: [RedisArgument]) {
    removeAll()
    for argument in arguments {
      switch argument {
      case .text(let text): append(text)
      case .bytes(let value): append(value)
      case .integer(let number): append(String(number))
      }
    }
  }

  /// Begins an argument of `length` bytes; returns where they belong.
  private mutating func begin(_ length: Int) -> UnsafeMutableRawPointer {
    if length + Self.frameBytes > capacity - count { resize(max(2 * capacity, count + length + Self.frameBytes)) }
    arguments += 1
    put(UInt8(ascii: "$"))
    count += (base + count).storeDecimal(UInt64(length))
    endLine()
    defer { count += length }
    return base + count
  }

  private mutating func endLine() {
    put(UInt8(ascii: "\r"))
    put(UInt8(ascii: "\n"))
  }

  private mutating func put(_ byte: UInt8) {
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  private mutating func resize(_ wanted: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 1)
    memcpy(larger, base, min(count, wanted))
    base.deallocate()
    base = larger
    capacity = wanted
  }

  /// Calls `body` with the command's bytes, followed by a NUL, by which hiredis finds the end of a SUBSCRIBE.
  mutating func withCommand<Result>(_ body: (UnsafePointer<CChar>, Int) -> Result) -> Result {
    let start = writeHead()
    // There is room: every argument leaves some of its frame.
    base.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
    return body((base + start).assumingMemoryBound(to: CChar.self), count - start)
  }

  /// Writes the number of arguments right before the first of them; returns where the command begins.
  private mutating func writeHead() -> Int {
    // Written to the very front first: only then is its length known.
    let length = base.storeDecimal(UInt64(arguments))
    let start = Self.headBytes - length - 3
    memmove(base + start + 1, base, length)
    base.storeBytes(of: UInt8(ascii: "*"), toByteOffset: start, as: UInt8.self)
    base.storeBytes(of: UInt8(ascii: "\r"), toByteOffset: Self.headBytes - 2, as: UInt8.self)
    base.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: Self.headBytes - 1, as: UInt8.self)
    return start
  }
}
