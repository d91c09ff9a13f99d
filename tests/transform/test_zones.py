"""Test that the names of zones stay as they are, on both engines."""


def test_null_tokens_are_texts_in_names_and_null_elsewhere(engines, tmp_path):
    path = tmp_path / "taxi_zone_lookup_2024-01.csv"
    path.write_text(
        '"LocationID","Borough","Zone","service_zone","note"\n'
        '263,"Manhattan","Yorkville West","Yellow Zone",\n'
        '264,"Unknown","NV","N/A","NA"\n'
        '265,"NA"," ",,\n'
        'N/A,"Queens","Corona","Boro Zone",\n'
        'x,"Queens","Corona","Boro Zone",\n'
    )

    found = engines.transform(path)

    names = ("location_id", "borough", "zone", "service_zone")
    kept = [(*(row[name] for name in names), dict(row["extra_columns"])) for row in found.trips.to_pylist()]
    assert (found.dataset, sorted(kept, key=repr)) == (
        "zones",
        [
            (263, "Manhattan", "Yorkville West", "Yellow Zone", {}),
            (264, "Unknown", "NV", "N/A", {"note": "NA"}),
            (265, "NA", None, None, {}),
            (None, "Queens", "Corona", "Boro Zone", {}),
        ],
    )
    assert [row["reasons"] for row in found.quarantined.to_pylist()] == [["unparseable"]]
