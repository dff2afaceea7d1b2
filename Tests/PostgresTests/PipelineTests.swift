import Testing

@testable import Postgres

/// The state machine alone, driven by the results that libpq would report.
@Suite("The pipeline's bookkeeping")
struct PipelineTests {
  private static let failure = PostgresError(.server, "no")

  private func describe(_ action: Pipeline<Int>.Action) -> String {
    switch action {
    case .none: "-"
    case .deliver(let ticket): "deliver \(ticket)"
    case .hold(let ticket): "hold \(ticket)"
    case .complete(let tickets): "complete \(tickets)"
    case .fail(let tickets, let error): "fail \(tickets) \(error.message)"
    case .resend(let tickets): "resend \(tickets)"
    case .outOfStep: "out of step"
    }
  }

  private func reads(_ tickets: Int...) -> Pipeline<Int> {
    var pipeline = Pipeline<Int>()
    for ticket in tickets { pipeline.sentCommand(ticket, .independent) }
    pipeline.sentSync()
    return pipeline
  }

  @Test("the results of reads are delivered as they arrive")
  func delivers() {
    var pipeline = reads(1, 2)
    #expect(pipeline.openSegment == nil)
    let actions = [.success, .success, .sync].map { describe(pipeline.received($0)) }
    #expect(actions == ["deliver 1", "deliver 2", "-"])
    #expect(pipeline.isEmpty && pipeline.commandCount == 0)
  }

  @Test("a failure among reads of one segment resends all that have no answer, the culprit too")
  func resends() {
    var pipeline = reads(1, 2, 3)
    let actions = [.success, .failure(Self.failure), .aborted, .sync].map { describe(pipeline.received($0)) }
    #expect(actions == ["deliver 1", "-", "-", "resend [2, 3]"])
  }

  @Test("a read alone in its segment fails by itself")
  func failsAlone() {
    var pipeline = reads(1)
    let actions = [.failure(Self.failure), .sync].map { describe(pipeline.received($0)) }
    #expect(actions == ["-", "fail [1] no"])
  }

  @Test("a write completes when its sync is answered, and an error at the commit fails it")
  func writes() {
    for (replies, expected) in [
      ([.success, .sync], ["hold 1", "complete [1]"]),
      ([.success, .failure(Self.failure), .sync], ["hold 1", "-", "fail [1] no"]),
      ([.failure(Self.failure), .sync], ["-", "fail [1] no"]),
    ] as [([Pipeline<Int>.Reply], [String])] {
      var pipeline = Pipeline<Int>()
      pipeline.sentCommand(1, .united)
      pipeline.sentSync()
      #expect(replies.map { describe(pipeline.received($0)) } == expected)
      #expect(pipeline.isEmpty)
    }
  }

  @Test("a preparation that fails is reported, and fails its command")
  func preparations() {
    var pipeline = Pipeline<Int>()
    pipeline.sentPrepare(statement: 7, version: 2, .united)
    pipeline.sentCommand(1, .united)
    pipeline.sentSync()
    let actions = [.failure(Self.failure), .aborted, .sync].map { describe(pipeline.received($0)) }
    #expect(actions == ["-", "-", "fail [1] no"])
    #expect(pipeline.takeUnprepared().map { "\($0.statement) \($0.version)" } == ["7 2"])
    #expect(pipeline.takeUnprepared().isEmpty)
  }

  @Test("a failure in one segment leaves the next one alone")
  func segments() {
    var pipeline = reads(1, 2)
    pipeline.sentCommand(3, .united)
    pipeline.sentSync()
    let replies: [Pipeline<Int>.Reply] = [.failure(Self.failure), .aborted, .sync, .success, .sync]
    #expect(replies.map { describe(pipeline.received($0)) } == ["-", "-", "resend [1, 2]", "hold 3", "complete [3]"])
  }

  @Test("an answer without a command is out of step")
  func outOfStep() {
    var empty = Pipeline<Int>()
    #expect(describe(empty.received(.success)) == "out of step")
    var early = reads(1)
    #expect(describe(early.received(.sync)) == "out of step")
    var late = Pipeline<Int>()
    late.sentSync()
    #expect(describe(late.received(.success)) == "out of step")
  }

  @Test("when abandoned, it returns all commands that are not complete, once")
  func abandons() {
    var pipeline = Pipeline<Int>()
    pipeline.sentCommand(1, .united)
    pipeline.sentSync()
    for ticket in 2...40 { pipeline.sentCommand(ticket, .independent) }
    _ = pipeline.received(.success)
    #expect(pipeline.abandon() == Array(1...40))
    #expect(pipeline.abandon().isEmpty)
  }
}
