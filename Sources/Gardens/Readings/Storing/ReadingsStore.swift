/// Stores batches of readings, and says what became of each.
protocol ReadingsStore: AnyObject {
  /// Stores a batch and tells its submissions what became of them; `progress` is kept from one attempt to the next.
  func store(
    _ batch: ReadingsBatch, of submissions: [ReadingsSubmission], _ progress: inout StoringProgress
  ) async throws
}
