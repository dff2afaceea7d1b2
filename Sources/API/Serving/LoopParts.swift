import Reactor

/// What one loop of a service has: its context, its features, and what the housekeeping loop tells it.
final class LoopParts {
  let parts: ServiceParts
  let services: Services
  let features: Features
  let status = LoopStatus()

  init(loop: EventLoop, _ parts: ServiceParts) throws {
    self.parts = parts
    services = try Services(loop: loop, shared: parts.shared)
    features = Features(services, parts)
  }
}
