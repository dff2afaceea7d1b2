// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target is built with: handlers run where they are called from, and no warning passes.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// A Swift target under Sources that may import only the targets named before it.
func layer(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
  name: "terroir",
  products: [
    .executable(name: "terroir", targets: ["terroir"]),
    .library(name: "Metrics", targets: ["Metrics"]),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CAssets"),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CRedis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    layer("Values"),
    layer("Metrics"),
    layer("Reactor", ["CLinux"]),
    layer("Telemetry", ["CLinux", "Values", "Reactor"]),
    layer("Watch", ["Values", "Reactor", "Telemetry"]),
    layer("JSON", ["Values"]),
    layer("HTTP", ["CLinux", "Values", "Reactor"]),
    layer("Postgres", ["CPostgres", "Reactor", "Values"]),
    layer("Redis", ["CRedis", "CCrypto", "Reactor", "Values"]),
    layer(
      "API",
      [
        "CLinux", "CAssets", "CCrypto", "Values", "Metrics", "Telemetry", "Reactor", "JSON", "HTTP", "Postgres",
        "Redis",
      ],
      exclude: ["Pages/Assets"]),
    .executableTarget(name: "terroir", dependencies: ["API"], swiftSettings: settings),

    // What small parts cost, measured by bench/check.
    .executableTarget(
      name: "micro", dependencies: ["API", "HTTP", "JSON", "Metrics", "Telemetry", "Values"], path: "bench/micro",
      exclude: ["baseline.json"], swiftSettings: settings),

    // Fuzzers of what reads from the network: a short run among the tests, long ones by scripts/fuzz.
    .testTarget(
      name: "Fuzz", dependencies: ["Values", "JSON", "HTTP"], path: "fuzz", exclude: ["corpus"], swiftSettings: settings
    ),

    // What tests do to the stores: a proxy that cuts and loses, and a Redis of their own.
    .target(
      name: "Faults", dependencies: ["CLinux", "Reactor", "Redis"], path: "Tests/Faults", swiftSettings: settings),

    tests("Values", []),
    tests("Metrics", []),
    tests("Reactor", []),
    tests("Telemetry", ["Values", "Reactor"]),
    tests("Watch", ["Values"]),
    tests("JSON", ["Values"]),
    tests("HTTP", ["Reactor", "CLinux", "Values"]),
    tests("Postgres", ["Faults", "Reactor", "Values"]),
    tests("Redis", ["Faults", "Reactor"]),
    tests(
      "API",
      ["Faults", "HTTP", "JSON", "Metrics", "Postgres", "Reactor", "Redis", "Telemetry", "CLinux", "Values"]),
  ],
  swiftLanguageModes: [.v6]
)
