import HTTP
import Postgres

/// An answer that is made of what one statement reads.
package struct RowAnswer {
  let read: PreparedRead
  let answer: (Call, Rows) throws -> Response

  package init(_ read: PreparedRead, _ answer: @escaping (Call, Rows) throws -> Response) {
    self.read = read
    self.answer = answer
  }
}
