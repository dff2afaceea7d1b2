/// The epoch and the generation under which an entry was loaded, 8 bytes each; zeros where there was none.
struct CacheStamp: Hashable {
  static let byteCount = 16
  private let epoch: UInt64
  private let generation: UInt64

  init(epoch: UnsafeRawBufferPointer?, generation: UnsafeRawBufferPointer?) {
    self.epoch = Self.number(epoch)
    self.generation = Self.number(generation)
  }

  /// Reads what `bytes` gave, `byteCount` of them.
  init(_ bytes: UnsafeRawBufferPointer) {
    epoch = bytes.loadUnaligned(as: UInt64.self)
    generation = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
  }

  var bytes: [UInt8] { withUnsafeBytes(of: (epoch, generation)) { Array($0) } }

  private static func number(_ bytes: UnsafeRawBufferPointer?) -> UInt64 {
    guard let bytes, bytes.count == 8 else { return 0 }
    return bytes.loadUnaligned(as: UInt64.self)
  }
}

/// A finished answer: its body and the entity tag that stands for exactly these bytes.
struct CacheEntry {
  let etag: EntityTag
  let body: [UInt8]

  init(body: [UInt8]) {
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
