/// One argument of a command: the command's name, a key or a value. Binary safe.
package enum RedisArgument: Sendable {
  case text(String)
  case bytes([UInt8])
  case integer(Int64)

  /// The bytes that it takes, or for a number the most that any takes.
  var byteCount: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .bytes(let bytes): bytes.count
    case .integer: 20
    }
  }
}

extension RedisArgument: ExpressibleByStringInterpolation {
  package init(stringLiteral value: String) { self = .text(value) }
}

extension RedisArgument: ExpressibleByIntegerLiteral {
  package init(integerLiteral value: Int64) { self = .integer(value) }
}

/// The arguments of one command laid end to end, for `redisAsyncCommandArgv`. Reused from command to command.
package struct ArgumentBuffer {
  /// What the buffer keeps between commands at most; a larger one is given back.
  static let keptBytes = 64 * 1024

  private var bytes: [UInt8] = []
  private var lengths: [Int] = []
  private var pointers: [UnsafePointer<CChar>?] = []

  /// The bytes of all arguments together.
  var count: Int { bytes.count }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptBytes)
    lengths.removeAll(keepingCapacity: true)
  }

  /// Appends one argument, such as a key, given in up to four parts.
  package mutating func append(_ first: String, _ second: String = "", _ third: String = "", _ fourth: String = "") {
    let start = bytes.count
    bytes.append(contentsOf: first.utf8)
    if !second.isEmpty { bytes.append(contentsOf: second.utf8) }
    if !third.isEmpty { bytes.append(contentsOf: third.utf8) }
    if !fourth.isEmpty { bytes.append(contentsOf: fourth.utf8) }
    lengths.append(bytes.count - start)
  }

  mutating func fill(_ arguments: [RedisArgument]) {
    removeAll()
    for argument in arguments {
      let start = bytes.count
      switch argument {
      case .text(let text): bytes.append(contentsOf: text.utf8)
      case .bytes(let value): bytes.append(contentsOf: value)
      case .integer(let number): bytes.append(contentsOf: String(number).utf8)
      }
      lengths.append(bytes.count - start)
    }
  }

  /// Calls `body` with what hiredis calls argc, argv and argvlen.
  mutating func withArguments<Result>(
    _ body: (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafePointer<Int>) -> Result
  ) -> Result {
    pointers.removeAll(keepingCapacity: true)
    return bytes.withUnsafeBytes { buffer in
      // An empty buffer has no address, but hiredis wants one even for an argument without bytes.
      let base = buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
      var offset = 0
      for length in lengths {
        pointers.append((base + offset).assumingMemoryBound(to: CChar.self))
        offset += length
      }
      return pointers.withUnsafeMutableBufferPointer { argv in
        lengths.withUnsafeBufferPointer { body(Int32($0.count), argv.baseAddress!, $0.baseAddress!) }
      }
    }
  }
}
