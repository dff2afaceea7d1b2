import Postgres

/// How far a batch has come, from one attempt to the next.
struct StoringProgress {
  /// Whether an attempt may have stored some of it without saying so.
  private(set) var isPerhapsStored: Bool
  /// How many of its readings an attempt has stored, and in which transaction, unless an earlier one may have, too.
  var stored: (count: Int, transaction: Int64?)?

  /// Of submissions that were perhaps part of another batch before.
  init(_ submissions: [ReadingsSubmission]) { isPerhapsStored = submissions.contains(where: \.isPerhapsStored) }

  /// Takes note of an attempt that has failed. Whoever goes on with a part of the batch is to know of the doubt; how
  /// many of a part were stored, nobody has counted.
  mutating func note(_ error: any Error, of submissions: [ReadingsSubmission]) {
    if (error as? PostgresError)?.outcomeIsUnknown == true { isPerhapsStored = true }
    guard isPerhapsStored || stored != nil else { return }
    for submission in submissions { submission.isPerhapsStored = true }
  }
}
