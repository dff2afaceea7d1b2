"""Measures, and writes the figures and the model into docs/scaling.md; see scripts/scale-model."""
import argparse
import os

from scaling import model
from scaling.measure import CONNECTIONS, ROOT, SENSORS, STREAMS, measure

BEGIN, END = "<!-- scripts/scale-model -->\n", "<!-- end of scripts/scale-model -->"


def amount(value):
    """Two significant digits."""
    if value >= 100:
        return f"{round(value, -len(str(int(value))) + 2):,.0f}".replace(",", " ")
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def size(count):
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{amount(count / factor)} {unit}"
    return f"{amount(count)} B"


def figures(unit):
    post, read = unit["cpu_us_per_post"], unit["cpu_us_per_read"]
    rows = "\n".join(f"| {name} | {amount(post[part])} µs | {amount(read[part])} µs |"
                     for name, part in (("Server", "server"), ("Postgres", "postgres"), ("Redis", "redis")))
    return f"""\
Measured by `{unit['command']}` on {unit['date']}, {os.cpu_count()} cores shared with the load, load average {unit['load_average']:.1f} at the start.

The busiest minutes of {amount(unit['devices'])} devices, whose day is {amount(96 * unit['devices'])} posts: {amount(unit['rate'])} posts of {len(SENSORS)} readings a second for {unit['seconds']:g} s, over {CONNECTIONS}
connections. {unit['sent']} were sent, {unit['errors']} failed, {unit['stored']} readings were stored; half were answered within {amount(unit['posts']['p50_us'] / 1000)} ms, 99 % within
{amount(unit['posts']['p99_us'] / 1000)} ms, counted from when they were due.

| Processor time of | a post, its buckets included | a day's history read |
|---|---|---|
{rows}

| | |
|---|---|
| A reading on disk, with its index | {size(unit['bytes_per_reading'])} |
| The same, once its day is sealed | {size(unit['bytes_per_sealed_reading'])} |
| A bucket on disk, with its index | {size(unit['bytes_per_bucket'])} |
| An open event stream ({STREAMS} were) | {size(unit['bytes_per_stream'])} |
| The server's memory with all that | {size(unit['resident'])} |
| Connections to Postgres | {unit['connections']} |
"""


def table(unit, core, gigabyte):
    needs = [model.needs(devices, unit) for devices in (1_000, 100_000, 10_000_000)]
    row = lambda name, value: f"| {name} | " + " | ".join(value(need) for need in needs) + " |"
    return "\n".join([
        row("Devices", lambda need: amount(need["devices"])), "|---|---|---|---|",
        row("Posts a second, busiest minutes", lambda need: amount(need["rates"]["post"])),
        row("Cores: servers, Postgres, Redis", lambda need: ", ".join(amount(value) for value in need["cores"].values())),
        row("Disk: raw, buckets", lambda need: f"{size(need['raw'])}, {size(need['buckets'])}"),
        row("Servers × loops", lambda need: f"{need['servers']} × {need['loops']}"),
        row("Connections to Postgres, in all", lambda need: amount(need["connections"])),
        row("The servers' memory", lambda need: size(need["memory"])),
        row("Cells", lambda need: f"{need['cells']}"),
        row("Breaks first", lambda need: f"{need['first']} ({amount(need['strain'] * 100)} % of one)"),
        row("A month, about", lambda need: f"{amount(model.cost(need, core, gigabyte))} €"),
    ]) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="scripts/scale-model")
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--core", type=float, default=15, help="monthly cost of a core, in euros")
    parser.add_argument("--gigabyte", type=float, default=0.1, help="monthly cost of a gigabyte of disk, in euros")
    options = parser.parse_args()
    load_average = os.getloadavg()[0]
    unit = measure(os.environ["TERROIR_BINARY"], options.devices, options.seconds)
    unit |= {"load_average": load_average, "command": f"scripts/scale-model --devices {options.devices} --seconds {options.seconds:g}"}
    text = f"{figures(unit)}\n{table(unit, options.core, options.gigabyte)}\nPrices: {options.core:g} € a core and {options.gigabyte:g} € a GB, a month; `--core` and `--gigabyte` take others.\n"
    print(text)
    document = ROOT / "docs/scaling.md"
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(before + BEGIN + text + END + rest.partition(END)[2])


main()
