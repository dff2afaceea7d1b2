/// Why the database did not do what it was asked.
///
/// The message, SQLSTATE and names are for logs and for decisions inside; none of them may reach a client.
package struct PostgresError: Error {
  /// What the caller can do about it.
  package enum Kind: Sendable {
    /// The store cannot be reached, or the connection was lost: answer 503 and ask again later.
    case unavailable
    /// A queue is full: answer 503 and ask again later.
    case overloaded
    /// The statement took longer than its timeout.
    case timeout
    /// The server refused the statement; see `sqlState`.
    case server
    /// A value does not have the type that the code expects, or the code used the interface wrongly.
    case misuse
    /// The connection string cannot be used.
    case configuration
  }

  package let kind: Kind
  /// What went wrong, for logs only.
  package let message: String
  /// Whether a write may have been committed although no answer came. Never set for reads.
  package let outcomeIsUnknown: Bool
  // Behind a reference, so that a thrown error stays small.
  private let report: Report?

  /// What the server reported besides its message.
  final class Report: Sendable {
    let sqlState: String
    let constraint: String?
    let table: String?
    let column: String?
    /// Whether a prepared statement must be prepared anew, for example because a column was added.
    let isStaleStatement: Bool
    /// Whether the session may not write.
    let isReadOnly: Bool

    init(
      sqlState: String, constraint: String?, table: String?, column: String?, isStaleStatement: Bool, isReadOnly: Bool
    ) {
      self.sqlState = sqlState
      self.constraint = constraint
      self.table = table
      self.column = column
      self.isStaleStatement = isStaleStatement
      self.isReadOnly = isReadOnly
    }
  }

  init(_ kind: Kind, _ message: String, outcomeIsUnknown: Bool = false, report: Report? = nil) {
    self.kind = kind
    self.message = message
    self.outcomeIsUnknown = outcomeIsUnknown
    self.report = report
  }

  /// The five characters of the server's error code (PostgreSQL manual, appendix A), if the server answered.
  package var sqlState: String? { report?.sqlState }
  /// The constraint that was violated.
  package var constraint: String? { report?.constraint }
  /// The table the error is about.
  package var table: String? { report?.table }
  /// The column the error is about.
  package var column: String? { report?.column }

  /// Whether a unique constraint was violated (23505); `constraint` names it.
  package var isUniqueViolation: Bool { sqlState == "23505" }
  /// Whether a foreign key was violated (23503).
  package var isForeignKeyViolation: Bool { sqlState == "23503" }
  /// Whether a check constraint was violated (23514).
  package var isCheckViolation: Bool { sqlState == "23514" }
  /// Whether the schema lacks a table that the statement names (42P01).
  package var isUndefinedTable: Bool { sqlState == "42P01" }
  /// Whether a lock could not be had within `lock_timeout` (55P03).
  package var isLockTimeout: Bool { sqlState == "55P03" }
  /// Whether the transaction lost against another one and may be tried again (40001, 40P01).
  package var isSerializationFailure: Bool { sqlState == "40001" || sqlState == "40P01" }

  /// Whether a transaction that failed with this may be run again: nothing of it has happened.
  var mayRetryTransaction: Bool { isSerializationFailure || isStaleStatement }
  /// Whether a statement that writes, or the beginning of a transaction that may, was sent on a session that may not,
  /// such as one of a standby.
  var isReadOnly: Bool { report?.isReadOnly ?? false }
  /// Whether a prepared statement must be prepared anew.
  var isStaleStatement: Bool { report?.isStaleStatement ?? false }
}

extension PostgresError: CustomStringConvertible {
  /// For logs only.
  package var description: String {
    var text = "\(kind): \(message)"
    if let sqlState { text += " [\(sqlState)]" }
    if let table { text += " table \(table)" }
    if let constraint { text += " constraint \(constraint)" }
    if outcomeIsUnknown { text += " (outcome unknown)" }
    return text
  }
}
