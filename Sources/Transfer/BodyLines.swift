import HTTP
import Secrets
import Values
import Web

/// Reads a streamed body line by line; beside the piece being read, at most one line is in memory.
struct BodyLines {
  /// The longest line, in bytes.
  static let maximumBytes = 256 * 1024

  private let stream: RequestBodyStream
  private let transfer: Transfer
  /// Throws when there is no more time.
  let check: () throws -> Void
  private var piece: [UInt8] = []
  private var position = 0
  private var isAtEnd = false
  /// Lines so far, empty ones too.
  private(set) var number = 0
  /// Takes in every byte that is read; nil when no digest is wanted.
  private(set) var digest: RunningDigest?

  /// Calls `check` before each line, empty ones included, and before each piece; reading stops when it throws.
  init(
    _ stream: RequestBodyStream, of transfer: Transfer, digest: RunningDigest? = nil, check: @escaping () throws -> Void
  ) {
    self.stream = stream
    self.transfer = transfer
    self.digest = digest
    self.check = check
  }

  /// The next line that is not blank, without its line feed; nil after the last. Throws 413 when a line is too long.
  mutating func next() async throws -> [UInt8]? {
    while let line = try await anyLine() {
      if !line.allSatisfy(\.isASCIIBlank) { return line }
    }
    return nil
  }

  private mutating func anyLine() async throws -> [UInt8]? {
    try check()
    var line: [UInt8] = []
    while true {
      if let end = piece[position...].firstIndex(of: UInt8(ascii: "\n")) {
        line += piece[position..<end]
        position = end + 1
        number += 1
        return line
      }
      line += piece[position...]
      (piece, position) = ([], 0)
      guard line.count <= Self.maximumBytes else {
        throw Problem(.contentTooLarge, "Line \(number + 1) is longer than \(Self.maximumBytes) bytes.")
      }
      try check()
      guard !isAtEnd, let next = try await transfer.next(of: stream) else {
        isAtEnd = true
        if line.isEmpty { return nil }
        number += 1
        return line
      }
      piece = next
      digest?.append(next)
    }
  }
}
