/// The members of an object that a client sends, which one initializer both reads and describes.
///
///     struct GardenInput: JSONForm {
///       let name: String
///       let area: Double?
///
///       init(_ fields: inout Fields) {
///         name = fields.required("name", .string(1...120))
///         area = fields.optional("areaSquareMetres", .number(0...1e9))
///       }
///     }
///
/// The initializer must ask for the same members whatever it reads: it also runs without an object, to describe the
/// form in the OpenAPI document.
///
/// The type's name is also the schema's in that document, and so a type's in generated clients: `GardenInput` makes a
/// garden, `GardenChange` changes one. (`NewGarden` would be a function in Go's clients.)
package protocol JSONForm {
  init(_ fields: inout Fields)
}

extension JSONForm {
  /// The schema of the form, named after its type.
  package static var schema: Schema { .object(named: "\(Self.self)", Self.init(_:)) }

  /// Reads a whole document; throws a `ValidationError` with its faults.
  package init(reading document: JSONValue) throws(ValidationError) {
    var fields = Fields(document)
    self.init(&fields)
    try fields.finish()
  }
}
