import Testing

@testable import Settings

private func cgroup(_ files: [String: String]) -> Cgroup { Cgroup { files[$0].map { Array($0.utf8) } } }

@Test(
  "reads the CPU quota of a control group, the least of its own and those above it",
  arguments: [
    ([:], nil), (["/proc/self/cgroup": "0::/\n"], nil),
    (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"], nil),
    (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n"], 1.5),
    (
      [
        "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/a/cpu.max": "200000 100000\n",
      ], 2
    ),
    (
      [
        "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "50000 100000\n",
        "/sys/fs/cgroup/a/cpu.max": "200000 100000\n",
      ], 0.5
    ),
    (
      [
        "/proc/self/cgroup": "4:cpu,cpuacct:/docker/x\n0::/docker/x\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ], 3
    ),
    (
      [
        "/proc/self/cgroup": "4:cpu:/\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ], nil
    ), (["/proc/self/cgroup": "nonsense\n0::/\n", "/sys/fs/cgroup/cpu.max": "x"], nil),
  ] as [([String: String], Double?)])
func quota(files: [String: String], processors: Double?) {
  #expect(cgroup(files).processors() == processors)
}

@Test(
  "reads the memory limit of a control group",
  arguments: [
    ([:], nil), (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"], nil),
    (["/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "536870912\n"], 536_870_912),
    (
      ["/proc/self/cgroup": "9:memory:/x\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"],
      nil
    ),
    (["/proc/self/cgroup": "9:memory:/x\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n"], 1_048_576),
  ] as [([String: String], UInt64?)])
func memoryLimit(files: [String: String], bytes: UInt64?) {
  #expect(cgroup(files).memoryBytes() == bytes)
}

@Test(
  "counts the processors that affinity and quota allow, at least one",
  arguments: [(8, nil, 8), (8, 0.5, 1), (8, 1.5, 2), (8, 3, 3), (2, 3, 2), (0, nil, 1), (-1, nil, 1), (4, 4, 4)]
    as [(Int, Double?, Int)])
func effectiveProcessors(affinity: Int, quota: Double?, expected: Int) {
  #expect(Machine.processors(affinity: affinity, quota: quota) == expected)
}

@Test("describes the machine that runs the test")
func realMachine() {
  let machine = Machine.current()
  #expect((1...4_096).contains(machine.processors))
  #expect(!machine.hostName.isEmpty)
  #expect(SecretText.weakness(machine.randomSecret) == nil)
  #expect(machine.randomSecret != Machine.current().randomSecret)
}
