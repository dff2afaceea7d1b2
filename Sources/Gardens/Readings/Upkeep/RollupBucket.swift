import Values

/// A bucket of five minutes.
struct RollupBucket {
  let device: Identifier
  let type: String
  let start: Timestamp
}
