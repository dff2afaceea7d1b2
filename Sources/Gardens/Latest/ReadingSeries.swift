import Values

/// What one sensor of one device measures over time.
struct ReadingSeries: Hashable, Comparable {
  let device: Identifier
  let type: String

  static func < (left: ReadingSeries, right: ReadingSeries) -> Bool {
    left.device == right.device ? left.type < right.type : left.device < right.device
  }
}
