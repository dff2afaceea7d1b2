import Secrets
import Telemetry
import Testing

@Test("a key of any kind is masked in the log, wherever it stands in a target", arguments: OpaqueKey.Kind.allCases)
func redactedKeys(_ kind: OpaqueKey.Kind) {
  let key = OpaqueKey.make(kind).text
  #expect(LogRedaction.path("/api/tokens/\(key)?next=/a/\(key)&\(key)") == "/api/tokens/***?next=***&***")
}

@Test("nginx masks the same keys in paths as the server")
func redactedKeysOfNginx() throws {
  let kinds = OpaqueKey.Kind.allCases.map { $0.rawValue.dropFirst().dropLast() }.joined(separator: "|")
  #expect(try Repository.text(of: "nginx/maps.conf").contains("t(?:\(kinds))_|"))
}
