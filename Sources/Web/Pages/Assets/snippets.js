// Snippets for a shell or a sketch that make a device report, with its key in place.

export function snippets(server, key) {
  return [
    {
      title: "From a shell, with curl",
      text: `curl -sS "${server}/api/readings" \\
  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
  -d '{"readings": [{"sensorType": "soil_moisture", "value": 41.5}]}'`,
    },
    {
      title: "ESP32, MicroPython",
      text: `import machine, requests, time

adc = machine.ADC(machine.Pin(34), atten=machine.ADC.ATTN_11DB)
while True:
    # Dry soil reads about 3200 and wet soil about 1300: measure yours.
    moisture = max(0, min(100, (3200 - adc.read()) / 19))
    try:
        answer = requests.post(
            "${server}/api/readings", headers={"Authorization": "Bearer ${key}"}, timeout=10,
            json={"readings": [{"sensorType": "soil_moisture", "value": moisture}]})
        print(answer.text)
    except OSError as error:
        print("not sent:", error)
    time.sleep(300)`,
    },
  ];
}
