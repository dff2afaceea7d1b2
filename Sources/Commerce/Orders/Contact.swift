import JSON
import Web

/// The person to be reached about an order, and how.
struct Contact {
  let name: String
  let phone: String?
  let email: String?

  /// The JSON that is shown and stored.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("name", name)
      json.member("phone", phone)
      json.member("email", email)
    }
    return String(decoding: json.take(), as: UTF8.self)
  }

  static let schema = Schema.named(
    "Contact",
    .object([
      .required("name", .string()), .required("phone", .nullable(.string())), .required("email", .nullable(.string())),
    ]), example: #"{"name":"Grace","phone":"+44 20 7946 0000","email":null}"#)
}

extension Rule where Value == Contact {
  static var contact: Rule {
    .object(named: "ContactInput") { fields in
      Contact(
        name: fields.required("name", .string(1...80).nonblank),
        phone: fields.optional("phone", .string(3...40).nonblank),
        email: fields.optional("email", .email))
    }
  }
}
