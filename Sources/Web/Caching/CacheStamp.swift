/// The epoch and the generation under which an entry was loaded; the latter is 0 where there was none.
struct CacheStamp: Hashable {
  static let byteCount = CacheEpoch.byteCount + 8
  private let epoch: CacheEpoch
  private let generation: UInt64

  init(epoch: CacheEpoch, generation: UnsafeRawBufferPointer?) {
    self.epoch = epoch
    self.generation = generation.flatMap { $0.count == 8 ? $0.loadUnaligned(as: UInt64.self) : nil } ?? 0
  }

  /// Reads a stamp in the form of `bytes` from the beginning of an entry; nil when there is none.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount,
      let epoch = CacheEpoch(UnsafeRawBufferPointer(rebasing: bytes[..<CacheEpoch.byteCount]))
    else { return nil }
    self.epoch = epoch
    generation = bytes.loadUnaligned(fromByteOffset: CacheEpoch.byteCount, as: UInt64.self)
  }

  var bytes: [UInt8] { epoch.bytes + withUnsafeBytes(of: generation) { Array($0) } }
}
