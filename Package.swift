// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: functions run on their caller's executor, and warnings are errors.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// The version and revision of a release, set by scripts/release-binary; other builds use CRelease's defaults.
let release = ["VERSION", "REVISION"].compactMap { name in
  Context.environment["TERROIR_\(name)"].map { CSetting.define("TERROIR_\(name)", to: "\"\($0)\"") }
}

/// Linker settings of the server: no dynamic symbols that nothing looks up, and relocations in the compact form that
/// glibc supports since 2.36. Both would be read at each start.
let linking: [LinkerSetting] = [
  .unsafeFlags(
    ["-use-ld=lld", "-Xlinker", "-zpack-relative-relocs", "-Xlinker", "--no-export-dynamic"],
    .when(configuration: .release))
]

/// A Swift target under Sources that may import only the targets named before it.
func layer(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// The tests of a target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

/// The targets that the API is built on.
let below: [Target.Dependency] = [
  "CLinux", "CCrypto", "Values", "Metrics", "Telemetry", "Reactor", "JSON", "HTTP", "Postgres", "Redis",
]
/// The targets of the API, from the ground up.
let above: [Target.Dependency] = [
  "Secrets", "Settings", "Commands", "Outbound", "Migrations", "Web", "Edge", "Reference", "Notifications", "Accounts",
  "Agronomy", "Gardens", "Insights", "Commerce", "Transfer",
]

let package = Package(
  name: "terroir",
  products: [
    .executable(name: "terroir", targets: ["terroir"]),
    .library(name: "Metrics", targets: ["Metrics"]),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CAssets"),
    .target(name: "CRelease", cSettings: release),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CRedis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),

    layer("Values"),
    layer("Metrics"),
    layer("Reactor", ["CLinux"]),
    layer("Telemetry", ["CLinux", "Values", "Reactor"]),
    layer("Watch", ["Values", "Reactor", "Telemetry"]),
    layer("JSON", ["Values"]),
    layer("HTTP", ["CLinux", "Values", "Reactor"]),
    layer("Postgres", ["CPostgres", "Reactor", "Values"]),
    layer("Redis", ["CRedis", "CCrypto", "CTLS", "Reactor", "Values"]),
    layer("Secrets", ["CCrypto", "CLinux", "Values", "Reactor", "JSON"]),
    layer("Settings", below + ["CRelease", "Secrets"]),
    layer("Commands", below + ["Settings", "Watch"]),
    layer("Outbound", ["CCurl", "Values", "Telemetry", "Reactor", "HTTP"]),
    layer("Migrations", ["CCrypto", "Values", "Postgres"]),
    layer("Web", below + ["CAssets", "Secrets", "Settings", "Outbound"], exclude: ["Pages/Assets"]),
    layer("Edge", below + ["Settings", "Commands", "Web"]),
    layer("Reference", below + ["Web"]),
    layer("Notifications", below + ["Secrets", "Settings", "Outbound", "Web"]),
    layer("Accounts", below + ["Secrets", "Settings", "Commands", "Outbound", "Web", "Notifications"]),
    layer("Agronomy", ["Values", "JSON"]),
    layer("Gardens", below + ["Secrets", "Settings", "Web", "Notifications", "Agronomy"]),
    layer("Insights", below + ["Secrets", "Settings", "Outbound", "Web", "Notifications", "Agronomy", "Gardens"]),
    layer("Commerce", below + ["Secrets", "Settings", "Web", "Notifications"]),
    layer("Transfer", below + ["Secrets", "Settings", "Web", "Agronomy", "Gardens", "Insights", "Commerce"]),
    layer("Serving", below + above),
    .executableTarget(
      name: "terroir", dependencies: ["Settings", "Commands", "Edge", "Accounts", "Serving"], swiftSettings: settings,
      linkerSettings: linking),

    // Benchmarks of small parts, measured by bench/check.
    .executableTarget(
      name: "micro", dependencies: ["HTTP", "JSON", "Metrics", "Reactor", "Telemetry", "Values", "Web"],
      path: "bench/micro",
      exclude: ["baseline.json"], swiftSettings: settings),

    // Judges the rules of Agronomy on station years, run by scripts/insights-eval.
    .target(
      name: "StationYears", dependencies: ["Values", "Agronomy", "TestSupport"], path: "bench/years",
      swiftSettings: settings),
    .executableTarget(
      name: "insights-eval", dependencies: ["Values", "Agronomy", "StationYears", "TestSupport"],
      path: "bench/insights", swiftSettings: settings),

    // Fuzzers of code that reads from the network: a short run among the tests, long ones by scripts/fuzz.
    .testTarget(
      name: "Fuzz", dependencies: ["TestSupport", "Values", "JSON", "HTTP"], path: "fuzz", exclude: ["corpus"],
      swiftSettings: settings),

    // Shared by tests of several targets: loops, gates, sockets and random numbers of their own, and access to JSON.
    .target(
      name: "TestSupport", dependencies: ["Values", "Reactor", "JSON"], path: "Tests/Support",
      swiftSettings: settings),

    // Stores for tests: a proxy that cuts connections and loses answers, and a private Redis.
    .target(
      name: "Faults", dependencies: ["Reactor", "Redis", "TestSupport"], path: "Tests/Faults", swiftSettings: settings),

    // The database client and the writer of readings, under simulated time and injected faults.
    .testTarget(
      name: "Simulation",
      dependencies: ["TestSupport", "CLinux", "Values", "Telemetry", "Reactor", "Postgres", "Web", "Gardens"],
      path: "Tests/Simulation", swiftSettings: settings),

    tests("Values", []),
    tests("Metrics", []),
    tests("Reactor", ["TestSupport"]),
    tests("Telemetry", ["TestSupport", "Values", "Reactor"]),
    tests("Watch", ["Values"]),
    tests("JSON", ["Values"]),
    tests("HTTP", ["TestSupport", "Reactor", "CLinux", "Values"]),
    tests("Postgres", ["Faults", "Reactor", "Values"]),
    tests("Redis", ["Faults", "TestSupport", "Reactor"]),
    tests("Secrets", ["TestSupport", "JSON", "Reactor", "Values"]),
    tests("Settings", ["HTTP", "Postgres", "Redis", "Secrets", "Telemetry", "Values"]),
    tests("Agronomy", ["TestSupport", "JSON", "Values"]),
    tests("Serving", ["Faults", "TestSupport", "StationYears", "Watch"] + below + above),
  ],
  swiftLanguageModes: [.v6]
)
