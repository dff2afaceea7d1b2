/// How the cells of a series are to be read.
enum SeriesShape: Sendable {
  case counter
  case gauge
  case histogram(HistogramShape)

  var cellCount: Int {
    switch self {
    case .counter, .gauge: 1
    case .histogram(let shape): shape.cellCount
    }
  }
}
