import JSON

/// Who signs in.
struct SignIn: JSONForm {
  let email: String
  let password: String

  init(_ fields: inout Fields) {
    email = fields.required("email", .string(1...254))
    password = fields.required("password", .password)
  }
}

/// The token for which new ones are wanted.
struct TokenRefresh: JSONForm {
  let refreshToken: String

  init(_ fields: inout Fields) { refreshToken = fields.required("refreshToken", .string(1...256)) }
}
