import Reactor
import Web

/// What one loop of a service has: its context, its features, and what the housekeeping loop tells it.
final class LoopParts {
  let shared: ServiceContext
  let context: LoopContext
  let features: Features
  let status = LoopStatus()

  init(loop: EventLoop, _ shared: ServiceContext) throws {
    self.shared = shared
    context = try LoopContext(loop: loop, process: shared.process)
    features = Features(context, shared)
  }
}
