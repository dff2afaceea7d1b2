/// What the children of one family of histograms share: bounds, their label text, and the layout of the cells.
/// It never changes (invariant 4 of ARCHITECTURE.md).
struct HistogramShape: @unchecked Sendable {
  static let maximumBounds = 64

  let index: UnsafePointer<BucketIndex>
  let keepsExemplars: Bool
  /// `le="0.005"} ` for every bucket, with +Inf at the end.
  let labels: [[UInt8]]

  init(bounds: [Double], keepsExemplars: Bool) {
    index = BucketIndex.make(bounds)
    self.keepsExemplars = keepsExemplars
    labels = (bounds + [.infinity]).map { bound in
      var bytes = Array("le=\"".utf8)
      bytes.append(bound: bound)
      bytes.append(contentsOf: "\"} ".utf8)
      return bytes
    }
  }

  var boundCount: Int { index.pointee.boundCount }
  var bucketCount: Int { boundCount + 1 }
  var sumIndex: Int { boundCount + 1 }
  var cellCount: Int { boundCount + 2 + (keepsExemplars ? bucketCount * ExemplarSlot.cellCount : 0) }

  /// What is wrong with the bounds of a histogram's buckets, or nil when nothing is.
  static func fault(in bounds: [Double]) -> String? {
    if bounds.isEmpty || bounds.count > maximumBounds { return "1 to \(maximumBounds) buckets are needed" }
    if !bounds.allSatisfy({ $0 >= 0 && $0 < .infinity }) { return "bounds must be finite and not negative" }
    if zip(bounds, bounds.dropFirst()).contains(where: { $0 >= $1 }) { return "bounds must rise" }
    return nil
  }
}
