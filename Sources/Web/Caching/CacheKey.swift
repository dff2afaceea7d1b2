/// The key of an entry of the cache, and the tag that invalidates it.
package struct CacheKey {
  /// The cache's name in the metrics.
  let cache: String
  /// The text of the key, in UTF-8.
  let text: [UInt8]
  /// What `Cache.invalidate` is given when the entry's source changes.
  let tag: [UInt8]

  /// Makes the key of the answer that shows one resource; its text is the tag's.
  package init(_ cache: String, _ tag: CacheTag) {
    self.cache = cache
    (text, self.tag) = (tag.bytes, tag.bytes)
  }

  /// Makes the key of one of several answers that are invalidated together; `key` tells them apart within the cache.
  package init(_ cache: String, _ key: String, tag: CacheTag) {
    self.cache = cache
    text = Array("\(cache):\(key)".utf8)
    self.tag = tag.bytes
  }
}
