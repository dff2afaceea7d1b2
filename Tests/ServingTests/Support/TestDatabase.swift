import Postgres
import Reactor
import Values

@testable import Migrations

/// Makes databases on the private Postgres.
enum TestDatabase {
  /// A database with this binary's schema, of which each server's is a copy: to migrate each takes three times as long.
  private static let template = Result {
    let url = try make()
    _ = try Database.standalone(configuration(url), connectSeconds: 60) { try await Migrator(database: $0).run() }
    return url
  }

  /// Makes a database with this binary's schema on the Postgres that all tests share; returns its URL.
  static func makeMigrated() throws -> String {
    let url = try make(from: name(of: template.get()))
    // The watch of devices would find that no server has listened since the template was migrated, and start over.
    _ = try Database.standalone(configuration(url), connectSeconds: 60) {
      try await $0.execute("UPDATE device_watch SET checked_at = now()")
    }
    return url
  }

  /// Makes a database on `server`, or on the Postgres that all tests share, as a copy of `template`, which is empty
  /// unless another one is named; returns its URL.
  static func make(on server: String? = nil, from template: Substring = "template1") throws -> String {
    let base = try server ?? TestStores.databaseURL
    let name = "api_" + Identifier.make(unixMilliseconds: Clock.unixMilliseconds()).description.filter { $0 != "-" }
    try Database.standalone(configuration(base), connectSeconds: 60) { database in
      _ = try await database.execute("CREATE DATABASE \(unescaped: name) TEMPLATE \(unescaped: String(template))")
    }
    return "\(base.dropLast(Self.name(of: base).count))\(name)"
  }

  private static func name(of url: String) -> Substring { url[url.index(after: url.lastIndex(of: "/")!)...] }

  private static func configuration(_ url: String) -> DatabaseConfiguration {
    var configuration = DatabaseConfiguration(url: url)
    // Copying a template takes long on a busy disk, and all tests wait for it.
    configuration.statementTimeoutMilliseconds = 120_000
    configuration.connectTimeoutMilliseconds = 20_000
    (configuration.readers, configuration.writers) = (1, 1)
    return configuration
  }
}
