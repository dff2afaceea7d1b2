"""A plot of the CPU per request, as SVG: a group of bars for each workload, each group on its own scale."""

from html import escape

from harness.results import Results

WIDTH, LABEL, VALUE, ROW, GAP = 720, 200, 90, 18, 14


def plot(results: Results) -> str:
    lines, y = [], 8
    for workload, servers in results.samples.items():
        if len(servers) < 2:
            continue
        lines.append(f'<text x="8" y="{y + 14}" font-weight="bold">{escape(workload)}</text>')
        y += ROW + 4
        figures = sorted((results.median(workload, name, "cpu_us") or 0, name) for name in servers)
        for cpu, name in figures:
            width = (WIDTH - LABEL - VALUE) * cpu / figures[-1][0]
            colour = "#2f7d4f" if name.startswith("terroir") else "#9aa5b1"
            lines.append(f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
            lines.append(f'<rect x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{ROW - 4}" fill="{colour}"/>')
            lines.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 13}">{cpu:.2f} µs</text>')
            y += ROW
        y += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12">\n'
        f'<title>CPU µs per request (less is better)</title>\n<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n'
        + "\n".join(lines) + "\n</svg>\n")
