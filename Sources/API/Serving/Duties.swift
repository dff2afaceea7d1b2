import Reactor

/// What one replica at a time does in the background, on a schedule.
final class Duties {
  private let services: Services
  private var isStopped = false

  init(_ services: Services) { self.services = services }

  /// Begins, once the schema is there.
  func start() {}

  /// Begins nothing more; what runs is finished.
  func stop() { isStopped = true }
}
