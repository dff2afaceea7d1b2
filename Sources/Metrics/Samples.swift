/// The values of one collector in one scrape.
public struct Samples {
  private let descriptions: [FamilyDescription]
  private var families: [CollectedFamily]

  init(_ descriptions: [FamilyDescription]) {
    self.descriptions = descriptions
    families = descriptions.map { _ in CollectedFamily() }
  }

  /// Adds a value to a family that the collector has described, with one label value for each of its labels.
  ///
  /// Values for the same labels are added up, which suits one reading from each loop. A family takes 1000 label sets;
  /// further ones are counted under `_other`.
  public mutating func add(_ family: String, _ labelValues: String..., value: Double) {
    add(family, labelValues, value: value)
  }

  /// Adds a value to a family that the collector has described, with one label value for each of its labels.
  public mutating func add(_ family: String, _ labelValues: [String], value: Double) {
    guard let index = descriptions.firstIndex(where: { $0.name == family }) else {
      fatalError("\(family) is not among the collector's descriptions")
    }
    guard labelValues.count == descriptions[index].labels.count else { fatalError("\(family) has other labels") }
    families[index].add(labelValues, value)
  }

  /// Writes all families, HELP and TYPE first even if there is no value.
  func write(_ format: ExpositionFormat, into output: inout [UInt8]) {
    for (description, family) in zip(descriptions, families) {
      description.writeHeader(format, into: &output)
      for (values, value) in zip(family.labelValues, family.values) {
        output.append(contentsOf: description.name.utf8)
        output.append(labels: Series.text(description.labels, values))
        output.append(number: value)
        output.append(UInt8(ascii: "\n"))
      }
    }
  }
}

/// One family's values in a scrape, in the order in which they came.
private struct CollectedFamily {
  var labelValues: [[String]] = []
  var values: [Double] = []
  private var index: [[String]: Int] = [:]

  mutating func add(_ labels: [String], _ value: Double) {
    if let place = index[labels] {
      values[place] += value
    } else if values.count < Registry.defaultMaximumSeries || labels.allSatisfy({ $0 == SeriesTable.other }) {
      index[labels] = values.count
      labelValues.append(labels)
      values.append(value)
    } else {
      add(labels.map { _ in SeriesTable.other }, value)
    }
  }
}
