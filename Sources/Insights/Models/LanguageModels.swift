import Outbound
import Reactor
import Settings
import Telemetry
import Values
import Web

/// The language models that are configured, as one loop asks them.
struct LanguageModels {
  let context: LoopContext
  let circuits: ModelCircuits

  /// Whether a provider can be asked; the rules always can.
  func isConfigured(_ provider: InsightProvider) -> Bool { provider == .rules || model(provider) != nil }

  /// Returns a model's words for a finding; nil when it gave none that can be used, which is logged.
  func text(for prompt: Prompt, by provider: InsightProvider, trace: TraceContext?) async -> String? {
    guard let model = model(provider), let circuit = circuits[provider] else { return nil }
    guard circuit.admits(at: context.loop.now) else {
      log(provider, "its circuit is open", trace)
      return nil
    }
    do {
      let response = try await send(model.request(prompt), trace)
      let text = try model.text(response)
      circuit.note(isSuccess: true, at: context.loop.now)
      return text
    } catch {
      // One user's questions must not open the circuit for all: a provider that refuses one is there.
      let isThere = (error as? ModelFault)?.isOfQuestion ?? false
      let opened = circuit.note(isSuccess: isThere, at: context.loop.now)
      log(provider, opened ? "\(error); its circuit opens" : "\(error)", trace)
      return nil
    }
  }

  /// Sends a request as a part of the trace; a sampled trace gets a client span.
  private func send(_ request: OutboundRequest, _ trace: TraceContext?) async throws -> OutboundResponse {
    guard let parent = trace else { return try await context.process.outbound.send(request) }
    var generator = IDGenerator()
    let trace = parent.child(generator.spanID())
    var request = request
    request.headers.append((name: "traceparent", value: trace.traceparent))
    if let state = trace.state { request.headers.append((name: "tracestate", value: state)) }
    let start = Clock.unixNanoseconds()
    let result: Result<OutboundResponse, any Error>
    do { result = .success(try await context.process.outbound.send(request)) } catch { result = .failure(error) }
    if let spans = context.spans, trace.isSampled {
      var span = Span(
        request.method, kind: .client, context: trace, parentID: parent.spanID, startUnixNanoseconds: start,
        endUnixNanoseconds: Clock.unixNanoseconds())
      let url = ServiceURL(request.url)
      span.describeCall(
        method: request.method, url: request.url, serverAddress: url?.host, serverPort: (url?.port).map(Int.init),
        statusCode: (try? result.get())?.status)
      spans.add(span)
    }
    return try result.get()
  }

  private func model(_ provider: InsightProvider) -> (any LanguageModel)? {
    let insights = context.configuration.insights
    let seconds = Double(insights.timeoutSeconds)
    return switch provider {
    case .openAI where insights.openAI.isConfigured: OpenAI(settings: insights.openAI, timeoutSeconds: seconds)
    case .anthropic where insights.anthropic.isConfigured:
      Anthropic(settings: insights.anthropic, timeoutSeconds: seconds)
    case .rules, .openAI, .anthropic: nil
    }
  }

  private func log(_ provider: InsightProvider, _ cause: String, _ trace: TraceContext?) {
    context.logger.log(.warning, "A language model returned no insight", context: LogContext(trace: trace)) { line in
      line.field("provider", provider.rawValue)
      line.field("cause", cause)
    }
  }
}
