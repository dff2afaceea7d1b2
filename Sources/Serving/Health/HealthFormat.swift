import JSON
import Reactor
import Settings
import Values
import Web

/// The forms in which a health report is written.
struct HealthFormat {
  /// The media type of the IETF's draft "Health Check Response Format for HTTP APIs", version 6.
  static let draftMediaType = "application/health+json"

  let report: HealthReport
  let context: LoopContext

  /// `status`, `timestamp`, `uptime`, `version` and `checks`: an object by name, or a list.
  func full(asList: Bool) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("status", report.status.rawValue)
      json.member("timestamp", context.now)
      json.member("uptime", Double((context.loop.now - context.process.startedAt) / 1_000_000) / 1_000)
      json.member("version", context.configuration.service.version)
      json.key("checks")
      if asList {
        json.array { json in
          for check in report.checks {
            json.object { json in
              json.member("name", check.name)
              Self.members(check, at: context.loop.now, &json)
            }
          }
        }
      } else {
        Self.object(report.checks, at: context.loop.now, &json)
      }
    }
    return json.take()
  }

  /// Checks as an object by name.
  static func object(_ checks: [HealthCheck], at now: UInt64, _ json: inout JSONWriter) {
    json.object { json in
      for check in checks {
        json.key(check.name)
        json.object { json in members(check, at: now, &json) }
      }
    }
  }

  private static func members(_ check: HealthCheck, at now: UInt64, _ json: inout JSONWriter) {
    check.write(&json, at: now)
    for figure in check.figures { json.member(figure.name, figure.value) }
  }

  /// The IETF draft's form: pass, warn or fail, and checks as arrays by component and measurement.
  func draft() -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("status", Self.word(report.status))
      json.member("version", context.configuration.service.version)
      json.member("serviceId", context.configuration.service.name)
      json.key("checks")
      json.object { json in
        for check in report.checks {
          json.key("\(check.name):responseTime")
          json.array { json in
            json.object { json in
              json.member("status", Self.word(check.status))
              json.member("observedValue", check.latencyMilliseconds)
              json.member("observedUnit", "ms")
            }
          }
        }
      }
    }
    return json.take()
  }

  private static func word(_ status: HealthStatus) -> String {
    switch status {
    case .healthy: "pass"
    case .degraded: "warn"
    case .unhealthy: "fail"
    }
  }
}
