import Agronomy
import Testing

@testable import Web

@Test("readings have series for as many types of sensor as are known")
func sensorTypeSeries() { #expect(Instruments.knownSensorTypes == KnownSensor.allCases.count) }
