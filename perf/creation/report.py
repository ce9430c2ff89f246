"""Tables and plot of what study.py has measured."""
import json
import statistics
from collections import defaultdict


def write(results, path):
    """One measurement a line, so that changes can be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    measurements = ",\n".join(json.dumps(entry) for entry in results["measurements"])
    head = json.dumps({name: results[name] for name in ("machine", "settings")}, indent=1)
    path.write_text(head[:-2] + ',\n "measurements": [\n' + measurements + "\n]}\n")


def entries(results, part):
    """(fields of the key, figures) of all measurements of a part."""
    for entry in results["measurements"]:
        fields = entry["key"].split("/")
        if fields[0] == part:
            yield fields, entry["figures"]


def spread(values):
    values = list(values)
    return statistics.median(values), min(values), max(values)


def seconds(values, digits=2):
    median, least, most = spread(values)
    return f"{median:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def ways(results):
    """(mode, transport) -> ranks -> figures of bench load."""
    rows = defaultdict(dict)
    for (_, _, ranks, mode, transport), figures in entries(results, "ways"):
        rows[mode, transport][int(ranks)] = figures
    return rows


def rounds(results, part):
    """side -> ranks -> figures of all rounds."""
    rows = defaultdict(lambda: defaultdict(list))
    for (_, _, ranks, side, _), figures in entries(results, part):
        rows[side][int(ranks)].append(figures)
    return rows


def plural(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}{'es' if word.endswith('s') else 's'}"


def table(head, lines):
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(rows + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def ways_tables(results):
    rows, counts = ways(results), results["settings"]["ranks"]

    def cells(row, cell):
        return [cell(row[ranks]) if ranks in row else "-" for ranks in counts]

    def time(figures):
        load, ratio = figures["load"]["seconds"], figures["ratio"]
        return (f"{load['median']:.2f} ({load['minimum']:.2f}-{load['maximum']:.2f}), "
                f"{ratio['median']:.2f} ({ratio['minimum']:.2f}-{ratio['maximum']:.2f})")

    def counted(figures):
        return f"{figures['bytes']['read_per_used']:.4f} / {figures['bytes']['read_by_system_per_used']:.4f}"

    def memory(figures):
        memory = figures["memory"]
        return f"{memory['proportional_per_used']:.3f} / {memory['beyond_weights_bytes_of_a_rank'] / 2**20:.0f} MiB"

    text = ""
    for title, cell in (("creation s, median (range); ratio to the raw read of the same run, median (range)", time),
                        ("bytes read / used by the program's counter / by the system's", counted),
                        ("sum of PSS / weights; largest memory beyond the weights of a rank", memory)):
        head = ["", "transport"] + [plural(n, "rank") for n in counts]
        lines = [[mode, transport, *cells(row, cell)] for (mode, transport), row in rows.items()]
        text += f"\n{title}\n\n" + table(head, lines)
    return text


def strategies_table(results):
    rows, counts = rounds(results, "strategies"), results["settings"]["ranks"]
    names = {"everyone": "everyone reads everything", "direct": "once, direct", "collective": "once, collective",
             "nodes": "once, direct, each rank as a node of its own"}
    lines = []
    for side, name in names.items():
        row = rows[side]
        lines.append([name] + [seconds(f["load"]["seconds"]["median"] for f in row[n]) if row[n] else "-" for n in counts])
    ratios = []
    for ranks in counts:
        theirs, ours = ([f["load"]["seconds"]["median"] for f in rows[side][ranks]] for side in ("everyone", "direct"))
        ratios.append(f"{statistics.median(theirs) / statistics.median(ours):.1f}" if theirs and ours else "-")
    lines.append(["everyone / direct"] + ratios)
    return "\ncreation s, median (range)\n\n" + table([""] + [plural(n, "rank") for n in counts], lines)


def loaders_tables(results):
    rows, counts = rounds(results, "loaders"), results["settings"]["processes"]
    kinds = (("s until the model can compute, all processes up, median (range)",
              lambda row: seconds(f["ready_seconds"] for f in row)),
             ("the same with the start of the processes and imports",
              lambda row: seconds(f["ready_seconds"] + f["start_seconds"] for f in row)),
             ("GB read as the system counted for the processes / from the device; GB of PSS of all processes together",
              lambda row: " / ".join(gigabytes(row, key) for key in ("read_by_system", "of_device", "pss_bytes"))))
    text = ""
    for title, cell in kinds:
        lines = [[side, *(cell(row[n]) if row[n] else "-" for n in counts)] for side, row in rows.items()]
        text += f"\n{title}\n\n" + table([""] + [plural(n, "process") for n in counts], lines)
    return text


def gigabytes(row, key):
    values = [figures[key] for figures in row if figures[key] is not None]
    return f"{statistics.median(values) / 1e9:.2f}" if values else "?"


def tables(results):
    loads = [entry["load_average"][0] for entry in results["measurements"]]
    facts = results["machine"]
    text = (f"\n{facts['processor']}, {facts['cores']} cores, {facts['memory_bytes'] / 2**30:.0f} GiB, "
            f"{facts['file_system']} on {facts['device']}, Linux {facts['kernel']}, {facts['mpi']}; load average before each "
            f"measurement {min(loads):.1f} to {max(loads):.1f}\n")
    for part, show in (("ways", ways_tables), ("strategies", strategies_table), ("loaders", loaders_tables)):
        if any(entries(results, part)):
            text += show(results)
    return text


def curve(axes, points, name, **style):
    """points: x -> values; medians as a line, ranges as bars."""
    if not points:
        return
    x = sorted(points)
    spreads = [spread(points[n]) for n in x]
    median = [s[0] for s in spreads]
    below, above = [s[0] - s[1] for s in spreads], [s[2] - s[0] for s in spreads]
    axes.errorbar(x, median, yerr=[below, above], label=name, marker="o", markersize=4, capsize=3, linewidth=1.5, **style)


def finish(axes, title, label):
    from matplotlib.ticker import LogLocator
    axes.set(title=title, xlabel=label, ylabel="seconds", xscale="log", yscale="log")
    ticks = sorted({int(x) for line in axes.lines for x in line.get_xdata()})
    axes.set_xticks(ticks, [str(n) for n in ticks])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.minorticks_off()
    axes.grid(True, which="both", alpha=0.3)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(fontsize=8)


def plot(results, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "creation"  # the same figures make the same file
    from matplotlib import pyplot
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    size = results["settings"]["shared_size"]
    names = {"everyone": "everyone reads everything", "collective": "once, collective", "direct": "once, direct"}
    strategies = rounds(results, "strategies")
    for side, name in names.items():
        curve(left, {n: [f["load"]["seconds"]["median"] for f in row] for n, row in strategies[side].items()}, name)
    finish(left, f"creation of a model of {size} from a cold cache", "ranks")
    for side, row in rounds(results, "loaders").items():
        style = dict(color="black", zorder=5) if side == "reelyard" else {}
        curve(right, {n: [f["ready_seconds"] for f in values] for n, values in row.items()}, side, **style)
    finish(right, f"until the transformer of {size} can compute", "processes")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata=dict(Date=None))
