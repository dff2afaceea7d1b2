import Testing

@testable import Telemetry

private let known = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

@Test(
  "reads a well-formed traceparent",
  arguments: [
    (known, true), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", false),
    ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
    ("fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what.comes", true),
  ])
func readsTraceparent(text: String, isSampled: Bool) throws {
  let context = try #require(TraceContext(traceparent: text))
  #expect(context.traceID.description == "4bf92f3577b34da6a3ce929d0e0e4736")
  #expect(context.spanID.description == "00f067aa0ba902b7")
  #expect(context.isSampled == isSampled)
  #expect(context.traceparent == (isSampled ? known : String(known.dropLast()) + "0"))
}

@Test(
  "refuses a malformed traceparent",
  arguments: [
    "", "00", String(known.dropLast()), known + "0", known + "-", known + "-01", " " + known, known + " ",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
    "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
  ])
func refusesTraceparent(text: String) {
  #expect(TraceContext(traceparent: text) == nil)
}

@Test("passes on a valid tracestate, and drops any other")
func traceState() throws {
  func state(_ text: String?) throws -> String? {
    try #require(TraceContext(traceparent: known, tracestate: text)).state
  }
  #expect(try state("congo=t61rcWkgMzE,rojo=1") == "congo=t61rcWkgMzE,rojo=1")
  #expect(try state(String(repeating: "a", count: 512))?.count == 512)
  #expect(try state(String(repeating: "a", count: 513)) == nil)
  #expect(try state("a=b\r\nSet-Cookie: x") == nil)
  #expect(try state("a=é") == nil)
  #expect(try state("") == nil)
  #expect(try state(nil) == nil)
}

@Test("a child keeps the trace, its sampling and its state")
func child() throws {
  let parent = try #require(TraceContext(traceparent: known, tracestate: "a=b"))
  let child = parent.child(SpanID(1)!)
  #expect(child.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01")
  #expect(child.state == "a=b")
}
