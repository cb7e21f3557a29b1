"""Bars as SVG."""

from xml.sax.saxutils import escape

WIDTH, LABEL_WIDTH, VALUE_WIDTH = 880, 230, 90
BAR_HEIGHT, GAP, TITLE_HEIGHT, MARGIN = 18, 6, 34, 16
OURS, PEERS, BOUND = "#1f6feb", "#9aa4b2", "#2da44e"


def bars(title: str, panels: list[tuple[str, list[tuple[str, float, str]]]]) -> str:
    """Panels of horizontal bars.

    panels: for each its title and its bars (label, value, colour).
    """
    parts, y = [], MARGIN + 22
    parts.append(_text(MARGIN, MARGIN + 6, title, size=16, weight="bold"))
    for name, items in panels:
        if not items:
            continue
        y += TITLE_HEIGHT
        parts.append(_text(MARGIN, y - 10, name, size=14, weight="bold"))
        longest = max(value for _, value, _ in items)
        for label, value, colour in items:
            length = max(1.0, (WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN) * value / longest)
            left = MARGIN + LABEL_WIDTH
            parts.append(_text(left - 8, y + BAR_HEIGHT - 5, label, anchor="end"))
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{BAR_HEIGHT}" rx="2" fill="{colour}"/>')
            parts.append(_text(left + length + 6, y + BAR_HEIGHT - 5, f"{value:.2f}"))
            y += BAR_HEIGHT + GAP
    height = y + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(parts) + "\n</svg>\n")


def _text(x: float, y: float, text: str, size: int = 12, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="#1f2328">{escape(text)}</text>'
