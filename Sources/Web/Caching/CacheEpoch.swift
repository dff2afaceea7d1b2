/// A period in which entries of the whole cache count: a random number, begun under a mark of Postgres.
struct CacheEpoch: Hashable {
  static let byteCount = 16
  /// The mark of commits under which it began.
  let mark: UInt64
  private let number: UInt64

  /// A new epoch.
  init(under mark: UInt64) {
    self.mark = mark
    number = .random(in: .min ... .max)
  }

  /// Reads an epoch from the form of `bytes`; nil for anything else.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == Self.byteCount else { return nil }
    mark = bytes.loadUnaligned(as: UInt64.self)
    number = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
  }

  var bytes: [UInt8] { withUnsafeBytes(of: (mark, number)) { Array($0) } }
}
