"""Who stands in for AWS in these tests? Small services in memory, as strict as the real ones where it matters."""
