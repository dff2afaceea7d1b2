import JSON
import Values
import Web

/// How the goods of an order are to change hands, where and when.
struct Fulfilment {
  let kind: FulfilmentKind
  let address: String?
  let from: Timestamp?
  let to: Timestamp?

  /// The JSON that is shown and stored.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("kind", kind.rawValue)
      json.member("address", address)
      json.member("from", from)
      json.member("to", to)
    }
    return String(decoding: json.take(), as: UTF8.self)
  }

  static let schema = Schema.named(
    "Fulfilment",
    .object([
      .required("kind", .cases(of: FulfilmentKind.self)), .required("address", .nullable(.string())),
      .required("from", .nullable(.timestamp)), .required("to", .nullable(.timestamp)),
    ]), example: #"{"kind":"delivery","address":"12 Mill Lane","from":"2026-11-22T16:00:00.000Z","to":null}"#)
}

extension Rule where Value == Fulfilment {
  static var fulfilment: Rule {
    .object(named: "FulfilmentInput") { fields in
      let fulfilment = Fulfilment(
        kind: fields.required("kind", .oneOf(FulfilmentKind.self)),
        address: fields.optional("address", .text(1...500).nonblank, "Needed for a delivery."),
        from: fields.optional("from", .timestamp, "The earliest time."),
        to: fields.optional("to", .timestamp, "The latest time.")
      )
      if fulfilment.kind == .delivery, fulfilment.address == nil {
        fields.fault("address", "is required for a delivery")
      }
      if let from = fulfilment.from, let to = fulfilment.to, to <= from { fields.fault("to", "must be after from") }
      return fulfilment
    }
  }
}
