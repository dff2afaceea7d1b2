// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target is built with: handlers run where they are called from, and no warning passes.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// Each function in a section of its own, so that the linker can put those together that run. Not for what others may
/// depend on, which may have no such flags.
let ordered = settings + [.unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release))]

/// What a release is called and made from, as scripts/release-binary says it; other builds are what CRelease calls them.
let release = ["VERSION", "REVISION"].compactMap { name in
  Context.environment["TERROIR_\(name)"].map { CSetting.define("TERROIR_\(name)", to: "\"\($0)\"") }
}

/// How the server is linked: without the names of what nobody looks up in a program, and with relocations in their short
/// form, which glibc knows since 2.36. Both would be read at each start. What runs then and for what users do stands
/// together (scripts/link-order): the kernel maps 64 KB around each function that is called.
let linking: [LinkerSetting] = [
  .unsafeFlags(
    ["-use-ld=lld"]
      + [
        "-zpack-relative-relocs", "--no-export-dynamic", "--no-warn-symbol-ordering",
        "--symbol-ordering-file=\(Context.packageDirectory)/Sources/terroir/link-order",
      ].flatMap { ["-Xlinker", $0] },
    .when(configuration: .release))
]

/// A Swift target under Sources that may import only the targets named before it.
func layer(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: name == "Metrics" ? settings : ordered)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

/// What the API is built on.
let below: [Target.Dependency] = [
  "CLinux", "CCrypto", "Values", "Metrics", "Telemetry", "Reactor", "JSON", "HTTP", "Postgres", "Redis",
]
/// What the API is made of, from the ground up.
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
      name: "terroir", dependencies: ["Settings", "Commands", "Edge", "Accounts", "Serving"], exclude: ["link-order"],
      swiftSettings: ordered, linkerSettings: linking),

    // What small parts cost, measured by bench/check.
    .executableTarget(
      name: "micro", dependencies: ["HTTP", "JSON", "Metrics", "Reactor", "Telemetry", "Values", "Web"],
      path: "bench/micro",
      exclude: ["baseline.json"], swiftSettings: settings),

    // Judges the rules of Agronomy on station years, by scripts/insights-eval.
    .target(
      name: "StationYears", dependencies: ["Values", "Agronomy", "TestSupport"], path: "bench/years",
      swiftSettings: settings),
    .executableTarget(
      name: "insights-eval", dependencies: ["Values", "Agronomy", "StationYears", "TestSupport"],
      path: "bench/insights", swiftSettings: settings),

    // Fuzzers of what reads from the network: a short run among the tests, long ones by scripts/fuzz.
    .testTarget(
      name: "Fuzz", dependencies: ["TestSupport", "Values", "JSON", "HTTP"], path: "fuzz", exclude: ["corpus"],
      swiftSettings: settings),

    // What tests of several targets need: loops, gates, sockets and chance of their own, and a look into JSON.
    .target(
      name: "TestSupport", dependencies: ["Values", "Reactor", "JSON"], path: "Tests/Support",
      swiftSettings: settings),

    // What tests do to the stores: a proxy that cuts and loses, and a Redis of their own.
    .target(
      name: "Faults", dependencies: ["Reactor", "Redis", "TestSupport"], path: "Tests/Faults", swiftSettings: settings),

    // The client of the database and the writer of readings, in a time and a weather of a test's own.
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
