import JSON

extension Rule where Value == String {
  /// A name that a user gives to something.
  package static var name: Rule { .string(nameLength).nonblank }
}

extension Schema {
  /// A name in an answer.
  package static var name: Schema { .line(nameLength) }
}

private let nameLength = 1...120
