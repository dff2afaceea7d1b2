import Values

/// One sensor of one device, whose values over time are a series.
struct ReadingSeries: Hashable, Comparable {
  let device: Identifier
  let type: String

  static func < (left: ReadingSeries, right: ReadingSeries) -> Bool {
    left.device == right.device ? left.type < right.type : left.device < right.device
  }
}
