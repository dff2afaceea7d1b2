/// What users do, as the metrics name it.
package enum UserAction: String, CaseIterable {
  case register, login, loginFailed = "login_failed", refresh, logout, passwordChange = "password_change", erase
  case export, `import`, orderCreate = "order_create", orderTransition = "order_transition"
}
