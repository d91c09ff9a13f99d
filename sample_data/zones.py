"""A zone lookup file with the busiest taxi zones, in the layout that the TLC publishes."""

from pathlib import Path

FILE_NAME = "taxi_zone_lookup.csv"
HEADER = "LocationID,Borough,Zone,service_zone"
ZONES = (
    (1, "EWR", "Newark Airport", "EWR"),
    (7, "Queens", "Astoria", "Boro Zone"),
    (48, "Manhattan", "Clinton East", "Yellow Zone"),
    (68, "Manhattan", "East Chelsea", "Yellow Zone"),
    (74, "Manhattan", "East Harlem North", "Boro Zone"),
    (75, "Manhattan", "East Harlem South", "Boro Zone"),
    (79, "Manhattan", "East Village", "Yellow Zone"),
    (95, "Queens", "Forest Hills", "Boro Zone"),
    (132, "Queens", "JFK Airport", "Airports"),
    (138, "Queens", "LaGuardia Airport", "Airports"),
    (142, "Manhattan", "Lincoln Square East", "Yellow Zone"),
    (161, "Manhattan", "Midtown Center", "Yellow Zone"),
    (162, "Manhattan", "Midtown East", "Yellow Zone"),
    (166, "Manhattan", "Morningside Heights", "Boro Zone"),
    (170, "Manhattan", "Murray Hill", "Yellow Zone"),
    (186, "Manhattan", "Penn Station/Madison Sq West", "Yellow Zone"),
    (230, "Manhattan", "Times Sq/Theatre District", "Yellow Zone"),
    (234, "Manhattan", "Union Sq", "Yellow Zone"),
    (236, "Manhattan", "Upper East Side North", "Yellow Zone"),
    (237, "Manhattan", "Upper East Side South", "Yellow Zone"),
    (239, "Manhattan", "Upper West Side South", "Yellow Zone"),
    (264, "Unknown", "N/A", "N/A"),
    (265, "N/A", "Outside of NYC", "N/A"),
)


def write_zones(out: Path) -> Path:
    """Write the file to a path, or into a folder under the TLC's name; returns its path."""
    target = out / FILE_NAME if out.is_dir() else out
    lines = [f'{location},"{borough}","{zone}","{service}"' for location, borough, zone, service in ZONES]
    target.write_text("\r\n".join([HEADER, *lines, ""]), encoding="utf-8", newline="")
    return target
