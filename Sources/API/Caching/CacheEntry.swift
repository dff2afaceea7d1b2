/// The epoch and the generation under which an entry was loaded, 8 bytes each; zeros where there was none.
struct CacheStamp: Hashable {
  static let byteCount = 16
  let bytes: [UInt8]

  init(epoch: [UInt8]?, generation: [UInt8]?) {
    bytes = Self.eight(epoch) + Self.eight(generation)
  }

  private static func eight(_ bytes: [UInt8]?) -> [UInt8] {
    guard let bytes, bytes.count == 8 else { return [UInt8](repeating: 0, count: 8) }
    return bytes
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
  init?(stored bytes: [UInt8], ifStampedWith stamp: CacheStamp) {
    let head = CacheStamp.byteCount + EntityTag.digestBytes
    guard bytes.count >= head, bytes[..<CacheStamp.byteCount].elementsEqual(stamp.bytes) else { return nil }
    etag = EntityTag(digest: Array(bytes[CacheStamp.byteCount..<head]))
    body = Array(bytes[head...])
  }

  /// The entry as it is kept: stamp, digest of the tag, body.
  func stored(stampedWith stamp: CacheStamp) -> [UInt8] { stamp.bytes + etag.digest + body }
}
