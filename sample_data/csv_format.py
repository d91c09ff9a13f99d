"""SQL that formats values as the published CSV files do, and the header line."""

from collections.abc import Mapping

from sample_data.variants import Column, CsvStyle

_TWO_DECIMALS = "printf('%.2f', {0})"

DOUBLES: Mapping[str, str] = {
    "plain": "printf('%.15g', {0})",
    "seventeen_digits": "printf('%.17g', {0})",
    "python": "cast({0} as varchar)",
    "numeric": "case when {0} = 0 then '0E-9' else printf('%.9f', {0}) end",
    # Databases of that time print 0.50 as .50.
    "bare": f"case when abs({{0}}) < 1 then replace({_TWO_DECIMALS}, '0.', '.') else {_TWO_DECIMALS} end",
}
TIMES: Mapping[str, str] = {
    "seconds": "strftime({0}, '%Y-%m-%d %H:%M:%S')",
    "microseconds": "strftime({0}, '%Y-%m-%d %H:%M:%S.%f')",
    "utc": "strftime({0}, '%Y-%m-%d %H:%M:%S+00:00')",
}
CONTENT_TIMES = frozenset({"pickup", "dropoff", "requested", "on_scene"})
CONTENT_DOUBLES = frozenset(
    {
        *(
            "pickup_longitude",
            "pickup_latitude",
            "dropoff_longitude",
            "dropoff_latitude",
            "fare",
            "extra",
            "mta_tax",
        ),
        *(
            "tip",
            "tolls",
            "improvement",
            "congestion",
            "airport",
            "cbd",
            "total",
            "black_car_fund",
            "sales_tax",
        ),
        "driver_pay",
    }
)
CONTENT_WORDS = frozenset(
    {"vendor_code", "flag", "payment_word", "payment_code", "base", "license", "no", "space"}
)


def text(column: Column, value: str, style: CsvStyle) -> str:
    """Return SQL that formats a value in this style, without quotes; null stays null."""
    if column.content in CONTENT_TIMES:
        return TIMES[style.times].format(value)
    if column.content == "distance":
        return DOUBLES[style.distances].format(f"({value})::double")
    if column.content in CONTENT_DOUBLES:
        return DOUBLES[style.doubles].format(f"({value})::double")
    return f"cast({value} as varchar)"


def line(columns: tuple[Column, ...], texts: Mapping[str, str], style: CsvStyle) -> str:
    """Return SQL of a whole line with its line end.

    `texts` maps column names to SQL; a null becomes an empty field.
    """
    spare = "," * style.spare_fields
    stray = f"case when i % 500 = 7 then '{',' * style.stray_fields}' else '' end"
    end = style.line_end.replace("\r", "' || chr(13) || '").replace("\n", "' || chr(10) || '")
    parts = [_quoted(column, texts[column.name], style) for column in columns]
    separated = [piece for part in parts for piece in ("','", part)][1:]
    return f"concat({', '.join(separated)}, '{spare}', {stray}, '{end}')"


def _quoted(column: Column, sql: str, style: CsvStyle) -> str:
    if style.quote == "all":
        return f"concat('\"', {sql}, '\"')"
    if style.quote == "strings" and column.content in CONTENT_WORDS:
        return f"concat('\"' || {sql} || '\"')"
    return sql


def header(columns: tuple[Column, ...], style: CsvStyle) -> str:
    """Return the header line with its line end, followed by an empty line 2 if the style has one.

    Files with an empty line 2 end their header with a bare line feed.
    """
    names = (column.name if style.quote == "none" else f'"{column.name}"' for column in columns)
    end = f"\n{style.line_end}" if style.blank_line else style.line_end
    return style.separator.join(names) + end
