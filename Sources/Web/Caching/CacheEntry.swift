/// The time of the whole cache in which its entries count: a random number, begun under a mark of Postgres.
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

  /// Reads what `bytes` gave; nil for anything else.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == Self.byteCount else { return nil }
    mark = bytes.loadUnaligned(as: UInt64.self)
    number = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
  }

  var bytes: [UInt8] { withUnsafeBytes(of: (mark, number)) { Array($0) } }
}

/// The epoch and the generation under which an entry was loaded; the latter is 0 where there was none.
struct CacheStamp: Hashable {
  static let byteCount = CacheEpoch.byteCount + 8
  private let epoch: CacheEpoch
  private let generation: UInt64

  init(epoch: CacheEpoch, generation: UnsafeRawBufferPointer?) {
    self.epoch = epoch
    self.generation = generation.flatMap { $0.count == 8 ? $0.loadUnaligned(as: UInt64.self) : nil } ?? 0
  }

  /// Reads what `bytes` gave, at the beginning of an entry; nil when it is none.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount,
      let epoch = CacheEpoch(UnsafeRawBufferPointer(rebasing: bytes[..<CacheEpoch.byteCount]))
    else { return nil }
    self.epoch = epoch
    generation = bytes.loadUnaligned(fromByteOffset: CacheEpoch.byteCount, as: UInt64.self)
  }

  var bytes: [UInt8] { epoch.bytes + withUnsafeBytes(of: generation) { Array($0) } }
}

/// A finished answer: its body and the entity tag that stands for exactly these bytes.
package struct CacheEntry {
  let etag: EntityTag
  package let body: [UInt8]

  package init(body: [UInt8]) {
    self.body = body
    etag = EntityTag(of: body)
  }

  /// Reads what `stored` wrote; nil when it was stamped otherwise.
  init?(stored bytes: UnsafeRawBufferPointer, ifStampedWith stamp: CacheStamp) {
    let head = CacheStamp.byteCount + EntityTag.digestBytes
    guard bytes.count >= head, CacheStamp(bytes) == stamp else { return nil }
    etag = EntityTag(digest: UnsafeRawBufferPointer(rebasing: bytes[CacheStamp.byteCount..<head]))
    body = Array(bytes[head...])
  }

  /// The entry as it is kept: stamp, digest of the tag, body.
  func stored(stampedWith stamp: CacheStamp) -> [UInt8] { stamp.bytes + etag.bytes + body }
}
