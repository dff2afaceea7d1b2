import CPostgres

extension PostgresError {
  /// The error that a result of libpq carries.
  init(result: OpaquePointer) {
    func field(_ code: Unicode.Scalar) -> String? {
      PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
    let message = field("M") ?? Self.line(PQresultErrorMessage(result))
    guard let sqlState = field("C") else {
      self.init(.unavailable, message)
      return
    }
    // "cached plan must not change result type" has no code of its own; the function that raises it names it.
    let isStale = sqlState == "26000" || (sqlState == "0A000" && field("R") == "RevalidateCachedQuery")
    // A standby refuses what writes by a code of its own, but BEGIN READ WRITE by the check of a setting.
    let isReadOnly = sqlState == "25006" || (sqlState == "0A000" && field("R") == "call_bool_check_hook")
    self.init(
      Self.kind(sqlState), message,
      report: Report(
        sqlState: sqlState, constraint: field("n"), table: field("t"), column: field("c"), isStaleStatement: isStale,
        isReadOnly: isReadOnly))
  }

  /// Whether a result says that the server ends the connection.
  static func isFatal(_ result: OpaquePointer) -> Bool {
    guard let severity = PQresultErrorField(result, Int32(Unicode.Scalar("V").value)) else { return false }
    return severity[0] == CChar(UInt8(ascii: "F")) || severity[0] == CChar(UInt8(ascii: "P"))
  }

  /// What libpq last complained about on a connection, on one line and without the password.
  init(connection: OpaquePointer?, password: String?) {
    var message = Self.line(PQerrorMessage(connection))
    if let password, !password.isEmpty, message.utf8.count >= password.utf8.count {
      message = message.replacing(password, with: "***")
    }
    self.init(.unavailable, message.isEmpty ? "the connection failed" : message)
  }

  /// Sorts the classes of the PostgreSQL manual's appendix A by what a caller can do about them.
  private static func kind(_ sqlState: String) -> Kind {
    switch sqlState {
    case "57014": .timeout
    case "57P01", "57P02", "57P03", "57P04": .unavailable
    case let code where code.hasPrefix("08") || code.hasPrefix("53"): .unavailable
    default: .server
    }
  }

  private static func line(_ text: UnsafePointer<CChar>?) -> String {
    guard let text else { return "" }
    let words = String(cString: text).split(whereSeparator: \.isNewline)
    return words.joined(separator: "; ")
  }
}
