"""How results are shown: tables of ratios, and the list of bars."""


class Report:
    """Prints as it goes along, and keeps everything for --json."""

    def __init__(self):
        self.tables = []
        self.bars = []

    def table(self, title, columns, rows):
        """The first column to the left, the others to the right; a row that ends early ends in a reason."""
        self.tables.append({"title": title, "columns": columns, "rows": rows})
        texts = [[str(cell) for cell in row] for row in [columns, *rows]]
        full = [row for row in texts if len(row) == len(columns)]
        widths = [max(len(row[i]) for row in full) for i in range(len(columns))]
        widths[0] = max(len(row[0]) for row in texts)
        print(f"\n{title}")
        for row in texts:
            cells = [row[0].ljust(widths[0])]
            if len(row) == len(columns):
                cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            else:
                cells += row[1:]
            print("  " + "  ".join(cells).rstrip(), flush=True)

    def bar(self, what, limit, unit, got):
        """A bar that `got` must not exceed; None: it could not be measured."""
        reached = got is not None and got <= limit
        self.bars.append({"bar": what, "limit": limit, "unit": unit, "got": got, "ok": reached})

    def finish(self):
        """The closing list; true where every bar is reached."""
        if self.bars:
            print("\nbars")
        width = max((len(bar["bar"]) for bar in self.bars), default=0)
        for bar in self.bars:
            got = "-" if bar["got"] is None else f"{bar['got']:.2f}"
            word = "not measured" if bar["got"] is None else "ok" if bar["ok"] else "MISSED"
            print(f"  {bar['bar'].ljust(width)}  bar {bar['limit']:5.2f} {bar['unit']:2}  got {got:>6}  {word}")
        return all(bar["ok"] for bar in self.bars)


def milliseconds(value):
    return f"{value * 1000:.2f}"


def ratio(value, base):
    return f"{value / base:.2f}" if value and base else "-"
