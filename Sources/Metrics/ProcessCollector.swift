import Glibc

/// The process' own consumption, under the names that Prometheus' client libraries have agreed on.
///
/// Read from /proc/self at each scrape; a value that cannot be read is left out of that scrape.
public struct ProcessCollector: Collector {
  /// When the process began, in Unix seconds.
  private let startTime: Double?

  /// Makes a collector for the running process.
  public init() {
    startTime = ProcessStatus.read().flatMap { status in
      ProcessStatus.bootTime().map { $0 + Double(status.startTicks) / ProcessStatus.ticksPerSecond }
    }
  }

  /// The families of the process.
  public var descriptions: [FamilyDescription] {
    [
      .init("process_cpu_seconds_total", help: "User and system CPU time spent in seconds.", kind: .counter),
      .init("process_resident_memory_bytes", help: "Resident memory size in bytes.", kind: .gauge),
      .init("process_virtual_memory_bytes", help: "Virtual memory size in bytes.", kind: .gauge),
      .init("process_virtual_memory_max_bytes", help: "Maximum virtual memory size in bytes.", kind: .gauge),
      .init("process_open_fds", help: "Number of open file descriptors.", kind: .gauge),
      .init("process_max_fds", help: "Maximum number of open file descriptors.", kind: .gauge),
      .init(
        "process_start_time_seconds", help: "Start time of the process since unix epoch in seconds.", kind: .gauge),
      .init("process_threads", help: "Number of OS threads of the process.", kind: .gauge),
    ]
  }

  /// Reads the process' state: some ten microseconds.
  public func collect(into samples: inout Samples) {
    if let status = ProcessStatus.read() {
      let cpu = Double(status.userTicks + status.systemTicks) / ProcessStatus.ticksPerSecond
      samples.add("process_cpu_seconds_total", value: cpu)
      samples.add("process_resident_memory_bytes", value: Double(status.residentPages) * Double(getpagesize()))
      samples.add("process_virtual_memory_bytes", value: Double(status.virtualBytes))
      samples.add("process_threads", value: Double(status.threads))
    }
    if let limit = ProcessStatus.limit(RLIMIT_AS) { samples.add("process_virtual_memory_max_bytes", value: limit) }
    if let limit = ProcessStatus.limit(RLIMIT_NOFILE) { samples.add("process_max_fds", value: limit) }
    if let count = ProcessStatus.openDescriptors() { samples.add("process_open_fds", value: Double(count)) }
    if let startTime { samples.add("process_start_time_seconds", value: startTime) }
  }
}
