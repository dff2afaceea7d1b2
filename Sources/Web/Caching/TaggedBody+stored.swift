/// The form in which the cache keeps answers in Redis.
extension TaggedBody {
  /// Reads what `stored` wrote; nil when it has another stamp.
  init?(stored bytes: UnsafeRawBufferPointer, ifStampedWith stamp: CacheStamp) {
    let head = CacheStamp.byteCount + EntityTag.digestBytes
    guard bytes.count >= head, CacheStamp(bytes) == stamp else { return nil }
    etag = EntityTag(digest: UnsafeRawBufferPointer(rebasing: bytes[CacheStamp.byteCount..<head]))
    body = Array(bytes[head...])
  }

  /// The entry as it is kept: stamp, digest of the tag, body.
  func stored(stampedWith stamp: CacheStamp) -> [UInt8] { stamp.bytes + etag.bytes + body }
}
