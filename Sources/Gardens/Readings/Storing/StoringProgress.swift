import Postgres

/// How far a batch has come, kept from one attempt to the next.
struct StoringProgress {
  /// Whether an attempt may have stored some of it without an answer.
  private(set) var isPerhapsStored: Bool
  /// How many readings an attempt has stored, and in which transaction; nil for that if an earlier one may have stored
  /// some too.
  var stored: (count: Int, transaction: Int64?)?

  /// The progress of submissions that may all have been part of one other batch before.
  init(_ submissions: [ReadingsSubmission]) {
    isPerhapsStored = submissions.contains(where: \.isPerhapsStored)
    // Nobody has counted how many of a part were stored: it has to be looked at.
    stored = submissions.first?.transaction.map { (0, $0) }
  }

  /// Notes that an attempt has failed, with the submissions too: a later batch with a part of them has to know of the
  /// doubt, or in which transaction it was stored.
  mutating func note(_ error: any Error, of submissions: [ReadingsSubmission]) {
    if (error as? PostgresError)?.outcomeIsUnknown == true { isPerhapsStored = true }
    guard isPerhapsStored || stored != nil else { return }
    for submission in submissions {
      submission.isPerhapsStored = true
      submission.transaction = stored?.transaction
    }
  }
}
