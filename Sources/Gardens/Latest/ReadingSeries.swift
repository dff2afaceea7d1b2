import Values

/// A sensor of a device, by whose values over time a series is made.
struct ReadingSeries: Hashable, Comparable {
  let device: Identifier
  let type: String

  static func < (left: ReadingSeries, right: ReadingSeries) -> Bool {
    left.device == right.device ? left.type < right.type : left.device < right.device
  }
}
