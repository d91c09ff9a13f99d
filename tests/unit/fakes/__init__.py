"""Who stands in for AWS in these tests? Small services in memory, strict where it matters."""
