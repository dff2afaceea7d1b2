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

/// Answers by one statement: without a task where nothing but Postgres has to be waited for.
struct RowHandler {
  let wanted: (Call) throws -> RowAnswer

  /// Answers when the rows arrive.
  func answer(_ call: Call, _ answer: DeferredAnswer) {
    let wanted: RowAnswer
    do { wanted = try self.wanted(call) } catch { return answer.fail(error) }
    wanted.read.rows { rows in
      answer.give { try wanted.answer(Call.of($0), try rows.get()) }
    }
  }

  /// Answers within a task, for a call that has passed the filters.
  func answer(_ call: Call) async throws -> Response {
    let wanted = try wanted(call)
    return try wanted.answer(call, try await wanted.read.rows())
  }
}
