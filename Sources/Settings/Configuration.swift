import Redis
import Telemetry
import Values

/// Everything that an operator may set, checked: made by `Configuration.load` from the table in
/// `Configuration.settings`.
///
/// What the properties hold before the table is applied means nothing: the table's defaults are the only ones.
package struct Configuration: Sendable {
  /// Where the server runs.
  package internal(set) var deployment = Deployment.development
  package internal(set) var service = Service()
  package internal(set) var log = Log()
  package internal(set) var listening = Listening()
  package internal(set) var http = HTTP()
  package internal(set) var database = Database()
  package internal(set) var redis = Redis()
  package internal(set) var accounts = Accounts()
  package internal(set) var rates = Rates()
  package internal(set) var health = Health()
  package internal(set) var readings = Readings()
  package internal(set) var events = Events()
  package internal(set) var insights = Insights()
  package internal(set) var outbound = Outbound()
  package internal(set) var notifications = Notifications()
  package internal(set) var tracing = Tracing()
  /// The machine that the defaults were taken from.
  package internal(set) var machine: Machine
  /// What an operator should know but may leave as it is: to be logged at start.
  package internal(set) var warnings: [String] = []
  /// Where each value came from, by name: the variable that was read. Defaults are not in it.
  var sources: [String: String] = [:]

  init(machine: Machine) { self.machine = machine }

  /// All settings, in the order in which they are documented.
  package static let settings: [Setting] =
    Service.settings + Log.settings + Listening.settings + Database.settings + Redis.settings + Accounts.settings
    + Rates.settings + Health.settings + Readings.settings + Events.settings + Insights.settings
    + Outbound.settings + Notifications.settings + Tracing.settings
    + HTTP.settings
}
