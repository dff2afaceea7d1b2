import Values

/// Decodes the chunked coding of a body (RFC 9112, section 7.1): a state machine without I/O.
///
/// It is strict where leniency lets requests be smuggled: a size is hexadecimal digits alone, every line ends with
/// CRLF, data is followed by CRLF. Extensions and trailers are read, held to their grammar and bounds, and dropped.
struct ChunkedDecoder {
  enum Event: Equatable {
    /// All bytes are taken and the body goes on.
    case needMore
    /// A piece of the body, as offsets into the bytes given.
    case data(Range<Int>)
    /// The body and its trailers are complete.
    case end
    case malformed(RequestFault)
  }

  private enum State: Equatable {
    case size
    case extensions
    case sizeLineFeed
    case data
    case dataCarriageReturn
    case dataLineFeed
    case trailerLine
    case trailerName
    case trailerValue
    case trailerLineFeed
    case lastLineFeed
    case end
  }

  private let lineLimit: Int
  private let trailerLimit: Int
  private var state = State.size
  /// The size of the chunk while it is read, then the bytes of its data still to come.
  private var remaining = 0
  private var extensions = ChunkExtension()
  private var lineBytes = 0
  private var trailerBytes = 0
  private var digits = 0

  init(limits: HTTPLimits) {
    lineLimit = limits.chunkLineBytes
    trailerLimit = limits.trailerBytes
  }

  /// Takes bytes from `position` on, up to the next event.
  mutating func next(_ bytes: RawSpan, _ position: inout Int) -> Event {
    while position < bytes.byteCount, state != .end {
      if state == .data {
        let start = position
        position += min(remaining, bytes.byteCount - position)
        remaining -= position - start
        if remaining == 0 { state = .dataCarriageReturn }
        return .data(start..<position)
      }
      let byte = bytes[position]
      position += 1
      if let fault = take(byte) { return .malformed(fault) }
    }
    return state == .end ? .end : .needMore
  }

  /// Takes one byte of the framing around the data.
  private mutating func take(_ byte: UInt8) -> RequestFault? {
    switch state {
    case .size: return takeSize(byte)
    case .extensions: return takeExtension(byte)
    case .sizeLineFeed: return expectLineFeed(byte, then: remaining > 0 ? .data : .trailerLine)
    case .dataCarriageReturn:
      guard byte == ASCII.carriageReturn else { return .malformed("A chunk is longer than its size") }
      state = .dataLineFeed
    case .dataLineFeed:
      digits = 0
      lineBytes = 0
      return expectLineFeed(byte, then: .size)
    case .trailerLine, .trailerName, .trailerValue, .trailerLineFeed: return takeTrailer(byte)
    case .lastLineFeed: return expectLineFeed(byte, then: .end)
    case .data, .end: break
    }
    return nil
  }

  private mutating func takeSize(_ byte: UInt8) -> RequestFault? {
    lineBytes += 1
    if let digit = hexDigit(byte) {
      digits += 1
      // 15 digits stay below 2^60: no addition of sizes can overflow.
      guard digits <= 15 else { return .malformed("A chunk size is too large") }
      remaining = remaining << 4 | Int(digit)
      return nil
    }
    guard digits > 0 else { return .malformed("A chunk size is not a hexadecimal number") }
    if byte == ASCII.carriageReturn {
      state = .sizeLineFeed
      return nil
    }
    extensions = ChunkExtension()
    guard extensions.take(byte) else { return .malformed("A chunk size is not a hexadecimal number") }
    state = .extensions
    return nil
  }

  private mutating func takeExtension(_ byte: UInt8) -> RequestFault? {
    lineBytes += 1
    guard lineBytes <= lineLimit else { return .malformed("A chunk extension is too long") }
    if byte == ASCII.carriageReturn, extensions.isComplete {
      state = .sizeLineFeed
      return nil
    }
    return extensions.take(byte) ? nil : .malformed("A chunk extension is malformed")
  }

  private mutating func takeTrailer(_ byte: UInt8) -> RequestFault? {
    trailerBytes += 1
    guard trailerBytes <= trailerLimit else { return RequestFault(.headTooLarge, "The trailer section is too long") }
    switch state {
    case .trailerLine where byte == ASCII.carriageReturn: state = .lastLineFeed
    case .trailerLine where ASCII.isToken(byte): state = .trailerName
    case .trailerName where ASCII.isToken(byte): break
    case .trailerName where byte == ASCII.colon: state = .trailerValue
    case .trailerValue where byte == ASCII.carriageReturn: state = .trailerLineFeed
    case .trailerValue where byte == ASCII.tab || !ASCII.isControl(byte): break
    case .trailerLineFeed: return expectLineFeed(byte, then: .trailerLine)
    default: return .malformed("A trailer field is malformed")
    }
    return nil
  }

  private mutating func expectLineFeed(_ byte: UInt8, then next: State) -> RequestFault? {
    guard byte == ASCII.lineFeed else { return .malformed("A carriage return without a line feed") }
    state = next
    return nil
  }
}
