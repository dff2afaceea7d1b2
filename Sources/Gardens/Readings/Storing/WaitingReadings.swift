import Values

/// Requests whose readings wait to be stored, the longest-waiting first.
struct WaitingReadings {
  /// How much may wait; what is beyond it is refused.
  struct Bounds {
    let readings: Int
    let requests: Int
    /// The most requests of one device.
    let ofDevice: Int
    /// The most readings of one garden: devices that send all that they have gathered leave room to those of others.
    var ofGarden: Int { readings / 2 }
  }

  private let bounds: Bounds
  private var submissions: [ReadingsSubmission] = []
  private var readings = 0
  /// How many requests of a device wait.
  private var ofDevice: [Identifier: Int] = [:]
  /// How many readings of a garden wait.
  private var ofGarden: [Identifier: Int] = [:]

  init(_ bounds: Bounds) { self.bounds = bounds }

  func has(_ device: Identifier) -> Bool { ofDevice[device] != nil }

  /// Adds a request; returns false when there is no room for it.
  mutating func add(_ submission: ReadingsSubmission) -> Bool {
    let count = submission.readings.count
    guard readings + count <= bounds.readings, submissions.count < bounds.requests,
      ofDevice[submission.device, default: 0] < bounds.ofDevice,
      ofGarden[submission.garden, default: 0] + count <= bounds.ofGarden
    else { return false }
    submissions.append(submission)
    readings += count
    ofDevice[submission.device, default: 0] += 1
    ofGarden[submission.garden, default: 0] += count
    return true
  }

  /// Takes requests from the front while they have at most `most` readings together; always at least one.
  mutating func take(readings most: Int) -> [ReadingsSubmission] {
    var (count, sum) = (0, 0)
    while count < submissions.count, count == 0 || sum + submissions[count].readings.count <= most {
      sum += submissions[count].readings.count
      count += 1
    }
    let taken = Array(submissions[..<count])
    submissions.removeFirst(count)
    forget(taken)
    return taken
  }

  /// Takes all requests that satisfy `isTaken`.
  mutating func takeAll(where isTaken: (ReadingsSubmission) -> Bool) -> [ReadingsSubmission] {
    let taken = submissions.filter(isTaken)
    if taken.isEmpty { return [] }
    submissions.removeAll(where: isTaken)
    forget(taken)
    return taken
  }

  private mutating func forget(_ taken: [ReadingsSubmission]) {
    for submission in taken {
      readings -= submission.readings.count
      let left = ofDevice[submission.device, default: 1] - 1
      ofDevice[submission.device] = left == 0 ? nil : left
      let leftOfGarden = ofGarden[submission.garden, default: 0] - submission.readings.count
      ofGarden[submission.garden] = leftOfGarden <= 0 ? nil : leftOfGarden
    }
  }
}
