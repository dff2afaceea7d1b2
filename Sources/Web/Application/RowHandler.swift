import HTTP

/// Answers by one statement: without a task where nothing but Postgres has to be waited for.
struct RowHandler {
  let wantedAnswer: (Call) throws -> RowAnswer

  /// Answers when the rows arrive.
  func answerAtOnce(_ call: Call, _ deferred: DeferredAnswer) {
    let wanted: RowAnswer
    do { wanted = try wantedAnswer(call) } catch { return deferred.fail(error) }
    wanted.read.rows { rows in
      deferred.give { try wanted.answer(Call.of($0), try rows.get()) }
    }
  }

  /// Answers within a task, for a call that has passed the filters.
  func answerInTask(_ call: Call) async throws -> Response {
    let wanted = try wantedAnswer(call)
    return try wanted.answer(call, try await wanted.read.rows())
  }
}
