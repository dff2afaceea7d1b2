import Telemetry

/// The trace that a handler's queries belong to, for the client spans of the stores. Set for sampled requests only.
enum CurrentTrace {
  @TaskLocal static var context: TraceContext?
}
