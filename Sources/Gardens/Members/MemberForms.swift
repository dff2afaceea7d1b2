import JSON
import Web

/// An invitation that is to be made.
struct MemberInput: JSONForm {
  let email: String
  let role: MemberRole

  init(_ fields: inout Fields) {
    email = fields.required("email", .email)
    role = fields.required("role", .oneOf(MemberRole.self))
  }
}

/// The new role of a member.
struct MemberChange: JSONForm {
  let role: GardenRole

  init(_ fields: inout Fields) { role = fields.required("role", .oneOf(GardenRole.self)) }
}
