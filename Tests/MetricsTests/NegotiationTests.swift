import Testing

@testable import Metrics

@Suite("Content negotiation")
struct NegotiationTests {
  @Test(
    "chooses OpenMetrics for clients that name it and prefer it no less",
    arguments: [
      "application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8",
      "Application/OpenMetrics-Text;VERSION=\"1.0.0\"", "text/plain;q=0.5, application/openmetrics-text;q=0.501",
      "text/plain, application/openmetrics-text", "text/plain;q=0, application/openmetrics-text;q=0.1",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ])
  func openMetrics(accept: String) {
    #expect(ExpositionFormat.negotiated(accept: accept) == .openMetrics)
  }

  @Test(
    "chooses the text format for all other clients that accept it",
    arguments: [
      nil, "", " ", "*/*", "text/*", "text/plain", "text/plain;version=0.0.4", "text/html, */*;q=0.8",
      "application/openmetrics-text;q=0.4, text/plain;q=0.5", "application/openmetrics-text;q=0, */*",
      "application/openmetrics-text;version=0.0.1, text/plain;q=0.1", "text/plain;q=1.000",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7, */*;q=0.1",
      "application/openmetrics-text;q=0.9, text/plain;q=0.8, text/plain;version=0.0.4",
      "application/openmetrics-text;q=2, text/plain", "x;a=\",text/html\", text/plain",
    ])
  func text(accept: String?) {
    #expect(ExpositionFormat.negotiated(accept: accept) == .text)
  }

  @Test(
    "chooses nothing for clients that accept neither",
    arguments: [
      "application/json", "text/html", "text/plain;q=0", "*/*;q=0", "text/plain;q=0, */*;q=0.5",
      "application/openmetrics-text;q=0.000", "application/openmetrics-text;version=2.0.0", "nonsense", ",,;,",
    ])
  func neither(accept: String) {
    #expect(ExpositionFormat.negotiated(accept: accept) == nil)
  }

  @Test("names the format in the content type")
  func contentType() {
    #expect(ExpositionFormat.text.contentType == "text/plain; version=0.0.4; charset=utf-8")
    #expect(
      ExpositionFormat.openMetrics.contentType == "application/openmetrics-text; version=1.0.0; charset=utf-8")
  }
}
