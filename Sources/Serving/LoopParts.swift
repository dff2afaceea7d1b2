import Reactor
import Web

/// What one loop of a service has: its context, its features, and what the housekeeping loop tells it.
final class LoopParts {
  let service: ServiceContext
  let context: LoopContext
  let features: Features
  let status = LoopStatus()

  init(loop: EventLoop, _ service: ServiceContext) throws {
    self.service = service
    context = try LoopContext(loop: loop, process: service.process)
    features = Features(context, service)
  }
}
