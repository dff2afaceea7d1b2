import JSON
import Web

/// Who is to be invited.
struct NewMember: JSONForm {
  let email: String
  let role: MemberRole

  init(_ fields: inout Fields) {
    email = fields.required("email", .email)
    role = fields.required("role", .oneOf(MemberRole.self))
  }
}

/// What a member is to be.
struct MemberChange: JSONForm {
  let role: GardenRole

  init(_ fields: inout Fields) { role = fields.required("role", .oneOf(GardenRole.self)) }
}
