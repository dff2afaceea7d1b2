/// One set of label values of a family, with its cells.
/// Each cell has one writing thread (invariant 3 of ARCHITECTURE.md).
struct Series: @unchecked Sendable {
  let values: [String]
  /// `method="GET",route="/"`, escaped: the same in both formats.
  let labelText: [UInt8]
  /// The cells of shard 0.
  let cells: UnsafeMutablePointer<MetricCell>

  init(labels: [String], values: [String], cells: UnsafeMutablePointer<MetricCell>) {
    self.values = values
    self.cells = cells
    labelText = Self.text(labels, values)
  }

  /// `a="1",b="2"`, with the values escaped.
  static func text(_ labels: [String], _ values: [String]) -> [UInt8] {
    var text: [UInt8] = []
    for (label, value) in zip(labels, values) {
      if !text.isEmpty { text.append(UInt8(ascii: ",")) }
      text.append(contentsOf: label.utf8)
      text.append(contentsOf: "=\"".utf8)
      text.append(labelValue: value)
      text.append(UInt8(ascii: "\""))
    }
    return text
  }
}
