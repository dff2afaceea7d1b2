/// What a look-up in a cache came to, as the metrics name it.
package enum CacheResult: String, CaseIterable {
  case hit, miss, bypass
}
