import JSON

extension Rule where Value == String {
  /// What somebody calls a thing of theirs.
  package static var name: Rule { .string(nameLength).nonblank }
}

extension Schema {
  /// Such a name in an answer.
  package static var name: Schema { .line(nameLength) }
}

private let nameLength = 1...120
