/// What tells an entry of the cache from all others, and what makes it void.
package struct CacheKey {
  /// The cache's name in the metrics.
  let cache: String
  /// The text of the key, in UTF-8.
  let text: [UInt8]
  /// What `Cache.invalidate` names when the entry's source changes.
  let tag: [UInt8]

  /// The key of what is shown of one resource, which is void when that changes.
  package init(_ cache: String, _ tag: CacheTag) {
    self.cache = cache
    (text, self.tag) = (tag.bytes, tag.bytes)
  }

  /// The key of one of several answers that are void together; `key` tells them apart within the cache.
  package init(_ cache: String, _ key: String, tag: CacheTag) {
    self.cache = cache
    text = Array("\(cache):\(key)".utf8)
    self.tag = tag.bytes
  }
}
